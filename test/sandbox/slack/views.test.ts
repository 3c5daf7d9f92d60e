import { expect, jest } from '@jest/globals';
import type { View } from '@slack/types';
import { createTriggers } from '../../../sandbox/slack/triggers.ts';
import { aButton, aModal, CHANNEL, refusal, type SlackFixture, startFixture } from './support/slack-fixture.ts';

let fixture: SlackFixture;
beforeEach(async () => {
  fixture = await startFixture();
});
afterEach(() => fixture.close());

/** Clicks a button and hands the fresh trigger_id to the app. */
async function onTrigger(act: (triggerId: string) => Promise<void>): Promise<void> {
  const { client, app, slack } = fixture;
  const { ts } = await client.chat.postMessage({
    channel: CHANNEL,
    text: 'x',
    blocks: [{ type: 'actions', elements: [aButton('open')] }],
  });
  app.onInteraction(async ({ trigger_id }) => {
    await act(trigger_id ?? '');
    return {};
  });
  const answer = await slack.click({ user: 'U0APPROVER', channel: CHANNEL, ts: ts ?? '', actionId: 'open' });
  expect(answer).toMatchObject({ ok: true });
}

const modalsShown = () => fixture.slack.state().views.filter(({ view }) => view.type === 'modal');

/** Opens a modal for the approver and answers its id. */
async function openModal(view: View = aModal()): Promise<string> {
  await onTrigger(async (trigger_id) => {
    await fixture.client.views.open({ trigger_id, view });
  });
  return modalsShown().at(-1)?.id ?? '';
}

describe('a trigger_id', () => {
  it('opens one modal, for the person who clicked', async () => {
    await onTrigger(async (trigger_id) => {
      const { client } = fixture;
      const { view } = await client.views.open({ trigger_id, view: aModal() });
      expect(view).toMatchObject({
        type: 'modal',
        callback_id: 'exempt',
        private_metadata: 'finding-1',
        app_installed_team_id: 'T0SANDBOX',
        state: { values: {} },
      });
      expect(await refusal(client.views.open({ trigger_id, view: aModal() }))).toMatchObject({
        error: 'exchanged_trigger_id',
      });
    });
    expect(modalsShown()).toMatchObject([{ user: 'U0APPROVER' }]);
  });

  it('must be one that was issued', async () => {
    expect(await refusal(fixture.client.views.open({ trigger_id: '1.2.a', view: aModal() }))).toMatchObject({
      error: 'invalid_trigger_id',
    });
  });

  it('expires after three seconds', () => {
    const clock = jest.spyOn(performance, 'now').mockReturnValue(1000);
    const triggers = createTriggers();
    const [first, second] = [triggers.issue({ user: 'U' }), triggers.issue({ user: 'U' })];
    clock.mockReturnValue(4000);
    expect(triggers.exchange(first)).toEqual({ user: 'U' });
    clock.mockReturnValue(4001);
    expect(() => triggers.exchange(second)).toThrow('expired_trigger_id');
  });

  it('is not used up by a view that is refused', async () => {
    await onTrigger(async (trigger_id) => {
      const { client } = fixture;
      const broken = aModal({ title: { type: 'plain_text', text: 'x'.repeat(25) } });
      expect(await refusal(client.views.open({ trigger_id, view: broken }))).toEqual({
        error: 'invalid_arguments',
        messages: ['[ERROR] must be less than 25 characters [json-pointer:/view/title/text]'],
      });
      await client.views.open({ trigger_id, view: aModal() });
    });
    expect(modalsShown()).toHaveLength(1);
  });
});

describe('the limits of a modal', () => {
  const words = (length: number) => ({ type: 'plain_text', text: 'x'.repeat(length) });
  const dividers = (count: number) => Array.from({ length: count }, () => ({ type: 'divider' }));
  const input = (element: Record<string, unknown>, extra: Record<string, unknown> = {}) => [
    { type: 'input', label: words(1), element, ...extra },
  ];

  it.each<[string, Record<string, unknown>, Record<string, unknown>, string]>([
    [
      'title',
      { title: words(24) },
      { title: words(25) },
      'must be less than 25 characters [json-pointer:/view/title/text]',
    ],
    [
      'submit',
      { submit: words(24) },
      { submit: words(25) },
      'must be less than 25 characters [json-pointer:/view/submit/text]',
    ],
    [
      'close',
      { close: words(24) },
      { close: words(25) },
      'must be less than 25 characters [json-pointer:/view/close/text]',
    ],
    [
      'private_metadata',
      { private_metadata: 'x'.repeat(3000) },
      { private_metadata: 'x'.repeat(3001) },
      'must be less than 3001 characters [json-pointer:/view/private_metadata]',
    ],
    [
      'callback_id',
      { callback_id: 'x'.repeat(255) },
      { callback_id: 'x'.repeat(256) },
      'must be less than 256 characters [json-pointer:/view/callback_id]',
    ],
    [
      'blocks',
      { blocks: dividers(100) },
      { blocks: dividers(101) },
      'no more than 100 items allowed [json-pointer:/view/blocks]',
    ],
    [
      'label',
      { blocks: input({ type: 'plain_text_input' }, { label: words(2000) }) },
      { blocks: input({ type: 'plain_text_input' }, { label: words(2001) }) },
      'must be less than 2001 characters [json-pointer:/view/blocks/0/label/text]',
    ],
    [
      'max_length',
      { blocks: input({ type: 'plain_text_input', max_length: 3000 }) },
      { blocks: input({ type: 'plain_text_input', max_length: 3001 }) },
      'must be at most 3000 [json-pointer:/view/blocks/0/element/max_length]',
    ],
    [
      'inputs, which need a submit button',
      {},
      { submit: undefined },
      'submit is required when an input block is within the blocks array [json-pointer:/view]',
    ],
  ])('hold for %s', async (_name, allowed, refused, complaint) => {
    await onTrigger(async (trigger_id) => {
      const open = (view: Record<string, unknown>) =>
        refusal(fixture.client.apiCall('views.open', { trigger_id, view }));
      expect(await open(aModal(refused))).toEqual({ error: 'invalid_arguments', messages: [`[ERROR] ${complaint}`] });
      expect(await open(aModal(allowed))).toMatchObject({ error: 'ok' });
    });
  });

  it('hold for 250 kB in all', async () => {
    const blocks = Array.from({ length: 90 }, () => ({
      type: 'section',
      text: { type: 'mrkdwn', text: 'x'.repeat(2900) },
    }));
    const view = aModal({ blocks });
    expect(await refusal(fixture.client.views.open({ trigger_id: '1.2.a', view }))).toMatchObject({
      error: 'view_too_large',
    });
  });
});

describe('views.update', () => {
  it('replaces an open view, against its hash if one is given', async () => {
    const id = await openModal();
    const { client } = fixture;
    const hash = modalsShown()[0]?.view.hash ?? '';
    const { view } = await client.views.update({ view_id: id, hash, view: aModal({ callback_id: 'second' }) });
    expect(view).toMatchObject({ id, callback_id: 'second' });
    expect(await refusal(client.views.update({ view_id: id, hash, view: aModal() }))).toMatchObject({
      error: 'hash_conflict',
    });
    expect(await refusal(client.views.update({ view_id: 'V0', view: aModal() }))).toMatchObject({ error: 'not_found' });
  });

  it('finds a view by its external_id, which is unique', async () => {
    await openModal(aModal({ external_id: 'finding-1' }));
    await fixture.client.views.update({ external_id: 'finding-1', view: aModal({ external_id: 'finding-1' }) });
    await onTrigger(async (trigger_id) => {
      const again = fixture.client.views.open({ trigger_id, view: aModal({ external_id: 'finding-1' }) });
      expect(await refusal(again)).toMatchObject({ error: 'duplicate_external_id' });
    });
  });
});

describe('views.push', () => {
  it('lays at most three modals on each other', async () => {
    const { client, app, slack } = fixture;
    const withButton = () =>
      aModal({ submit: undefined, blocks: [{ type: 'actions', elements: [aButton('deeper')] }] });
    let viewId = await openModal(withButton());
    const outcomes: string[] = [];
    app.onInteraction(async ({ trigger_id = '' }) => {
      outcomes.push((await refusal(client.views.push({ trigger_id, view: withButton() }))).error);
      return {};
    });
    for (let n = 0; n < 3; n += 1) {
      await slack.click({ user: 'U0APPROVER', viewId, actionId: 'deeper' });
      viewId = modalsShown().at(-1)?.id ?? '';
    }
    expect(outcomes).toEqual(['ok', 'ok', 'push_limit_reached']);
    expect(modalsShown().at(-1)?.view).toMatchObject({
      previous_view_id: modalsShown()[1]?.id,
      root_view_id: modalsShown()[0]?.id,
    });
  });

  it('needs a trigger from inside a modal', async () => {
    await onTrigger(async (trigger_id) => {
      expect(await refusal(fixture.client.views.push({ trigger_id, view: aModal() }))).toMatchObject({
        error: 'invalid_trigger_id',
      });
    });
  });
});

describe('views.publish', () => {
  it('shows one Home tab per person', async () => {
    const { client, slack } = fixture;
    const home = { type: 'home' as const, blocks: [{ type: 'divider' as const }] };
    await client.views.publish({ user_id: 'U0VIEWER', view: home });
    await client.views.publish({ user_id: 'U0VIEWER', view: { ...home, callback_id: 'second' } });
    expect(slack.state().views).toMatchObject([{ user: 'U0VIEWER', view: { type: 'home', callback_id: 'second' } }]);
    expect(await refusal(client.views.publish({ user_id: 'U0NONE', view: home }))).toMatchObject({
      error: 'user_not_found',
    });
  });
});
