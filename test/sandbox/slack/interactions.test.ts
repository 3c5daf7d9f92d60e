import { expect } from '@jest/globals';
import { aButton, aModal, CHANNEL, refusal, type SlackFixture, startFixture } from './support/slack-fixture.ts';

let fixture: SlackFixture;
let ts: string;
beforeEach(async () => {
  fixture = await startFixture();
  const confirm = {
    title: { type: 'plain_text' as const, text: 'Sure?' },
    text: { type: 'plain_text' as const, text: 'Rotation is switched on.' },
    confirm: { type: 'plain_text' as const, text: 'Approve' },
    deny: { type: 'plain_text' as const, text: 'Not yet' },
  };
  const answer = await fixture.client.chat.postMessage({
    channel: CHANNEL,
    text: 'Key without rotation',
    blocks: [
      {
        type: 'section',
        block_id: 'key',
        text: { type: 'mrkdwn', text: 'Key' },
        accessory: aButton('open', { value: 'first' }),
      },
      {
        type: 'actions',
        block_id: 'decide',
        elements: [aButton('approve', { value: 'finding-1', style: 'primary', confirm }), aButton('open')],
      },
    ],
  });
  ts = answer.ts ?? '';
});
afterEach(() => fixture.close());

const click = (user: string, actionId: string, extra: Record<string, unknown> = {}) =>
  fixture.slack.click({ user, channel: CHANNEL, ts, actionId, ...extra });

describe('a click', () => {
  it('sends the whole block_actions payload, signed so that Bolt accepts it', async () => {
    const answer = await click('U0APPROVER', 'approve');
    expect(answer).toMatchObject({ ok: true, status: 200, body: '', ephemerals: [], views: [] });
    expect(fixture.app.payloads).toEqual([
      {
        type: 'block_actions',
        user: { id: 'U0APPROVER', username: 'approver', name: 'approver', team_id: 'T0SANDBOX' },
        api_app_id: 'A0BOT',
        token: expect.any(String),
        trigger_id: expect.stringMatching(/^\d+\.\d+\.[0-9a-f]+$/),
        team: { id: 'T0SANDBOX', domain: 'sandbox' },
        enterprise: null,
        is_enterprise_install: false,
        container: { type: 'message', message_ts: ts, channel_id: CHANNEL, is_ephemeral: false },
        channel: { id: CHANNEL, name: 'kms-rotation' },
        message: expect.objectContaining({ ts, text: 'Key without rotation', bot_id: 'B0BOT' }),
        state: { values: {} },
        response_url: expect.stringContaining(`${fixture.slack.url}/response/`),
        actions: [
          expect.objectContaining({
            type: 'button',
            action_id: 'approve',
            block_id: 'decide',
            text: { type: 'plain_text', text: 'approve', emoji: true },
            value: 'finding-1',
            style: 'primary',
            action_ts: expect.stringMatching(/^\d{10}\.\d{6}$/),
          }),
        ],
      },
    ]);
  });

  it('names the workspace of somebody from outside in user, and ours in team', async () => {
    await click('U0OUTSIDER', 'approve');
    expect(fixture.app.payloads).toMatchObject([{ user: { team_id: 'T0PARTNER' }, team: { id: 'T0SANDBOX' } }]);
  });

  it('finds a button by block when two have the same action_id', async () => {
    await click('U0APPROVER', 'open');
    await click('U0APPROVER', 'open', { blockId: 'decide' });
    expect(fixture.app.payloads).toMatchObject([
      { actions: [{ block_id: 'key', value: 'first' }] },
      { actions: [{ block_id: 'decide' }] },
    ]);
  });

  it('sends nothing when the confirm dialog is denied', async () => {
    expect(await click('U0APPROVER', 'approve', { confirm: false })).toMatchObject({
      ok: false,
      status: 0,
      error: 'The confirm dialog was answered with "Not yet", so nothing was sent.',
    });
    expect(fixture.app.payloads).toEqual([]);
  });

  it('answers with the ephemeral messages and views that the person got meanwhile', async () => {
    const { client, app } = fixture;
    app.onInteraction(async ({ trigger_id = '' }) => {
      await client.chat.postEphemeral({ channel: CHANNEL, user: 'U0APPROVER', text: 'Noted.' });
      await client.chat.postEphemeral({ channel: CHANNEL, user: 'U0VIEWER', text: 'For somebody else.' });
      await client.views.open({ trigger_id, view: aModal() });
      return {};
    });
    expect(await click('U0APPROVER', 'approve')).toMatchObject({
      ephemerals: [{ text: 'Noted.' }],
      views: [{ user: 'U0APPROVER', view: { callback_id: 'exempt' } }],
    });
  });

  it('works on an ephemeral message, which is not sent back', async () => {
    const { client, app } = fixture;
    const { message_ts: shown = '' } = await client.chat.postEphemeral({
      channel: CHANNEL,
      user: 'U0VIEWER',
      text: 'x',
      blocks: [{ type: 'actions', elements: [aButton('more')] }],
    });
    await fixture.slack.click({ user: 'U0VIEWER', channel: CHANNEL, ts: shown, actionId: 'more' });
    expect(app.payloads).toMatchObject([{ container: { message_ts: shown, is_ephemeral: true } }]);
    expect(app.payloads[0]).not.toHaveProperty('message');
    await expect(
      fixture.slack.click({ user: 'U0APPROVER', channel: CHANNEL, ts: shown, actionId: 'more' }),
    ).rejects.toThrow(`Approver sees no message "${shown}" in #kms-rotation.`);
  });

  it('can be played for somebody who left, so that the refusal can be seen', async () => {
    expect(await click('U0LEFT', 'approve')).toMatchObject({ ok: true });
    expect(fixture.app.payloads).toMatchObject([{ user: { id: 'U0LEFT' } }]);
  });

  it('reports an app that answers an error, or nothing', async () => {
    fixture.app.onInteraction(() => ({ status: 500, body: 'broken' }));
    expect(await click('U0APPROVER', 'approve')).toMatchObject({
      ok: false,
      status: 500,
      body: 'broken',
      error: 'The app answered 500; Slack shows a warning at the button.',
    });
    fixture.app.onInteraction(() => ({ hangUp: true }));
    expect(await click('U0APPROVER', 'approve')).toMatchObject({ ok: false, status: 0 });
  });

  it('gives up after three seconds', async () => {
    fixture.app.onInteraction(() => new Promise(() => undefined));
    expect(await click('U0APPROVER', 'approve')).toMatchObject({
      ok: false,
      status: 0,
      error: 'The app did not answer within 3 seconds (operation_timeout).',
    });
  });

  it('takes what the person saw when the message was drawn anew in the meantime', async () => {
    const seen = { text: 'Approve', value: 'as it was' };
    const stale = { user: 'U0APPROVER', channel: CHANNEL, ts, actionId: 'approve', blockId: 'earlier', seen };
    expect(await fixture.slack.click(stale)).toMatchObject({ ok: true });
    expect(fixture.app.payloads).toMatchObject([
      { actions: [{ action_id: 'approve', block_id: 'earlier', value: 'as it was', type: 'button' }] },
    ]);
  });

  it.each([
    [{ user: 'U0NONE' }, 'There is no person "U0NONE" in the workspace.'],
    [{ channel: 'C0NONE' }, 'There is no channel "C0NONE".'],
    [{ ts: '1.000001' }, 'Approver sees no message "1.000001" in #kms-rotation.'],
    [{ actionId: 'shout' }, 'There is no button "shout" there.'],
    [{ blockId: 'none' }, 'There is no button "approve" in the block "none" there.'],
  ])('is impossible with %j', async (wrong, sentence) => {
    const request = { user: 'U0APPROVER', channel: CHANNEL, ts, actionId: 'approve', ...wrong };
    await expect(fixture.slack.click(request)).rejects.toThrow(sentence);
  });
});

describe('submitting a modal', () => {
  let viewId: string;
  const submit = (values: Record<string, string>, user = 'U0APPROVER') =>
    fixture.slack.submit({ user, viewId, values });
  const filledIn = { reason: 'old system', owner: 'U0ENGINEER', kind: 'legacy' };
  const shown = () => fixture.slack.state().views;

  beforeEach(async () => {
    const { app, client } = fixture;
    app.onInteraction(async ({ trigger_id = '' }) => {
      await client.views.open({ trigger_id, view: aModal() });
      return {};
    });
    const { views } = await click('U0APPROVER', 'open');
    viewId = views[0]?.id ?? '';
    app.payloads.length = 0;
    app.onInteraction(() => ({}));
  });

  it('sends every value in the shape of its element, and an empty answer closes the modal', async () => {
    expect(await submit(filledIn)).toMatchObject({ ok: true, status: 200 });
    expect(fixture.app.payloads).toMatchObject([
      {
        type: 'view_submission',
        team: { id: 'T0SANDBOX' },
        user: { id: 'U0APPROVER', team_id: 'T0SANDBOX' },
        response_urls: [],
        trigger_id: expect.any(String),
        view: {
          id: viewId,
          callback_id: 'exempt',
          private_metadata: 'finding-1',
          app_installed_team_id: 'T0SANDBOX',
          state: {
            values: {
              reason: { text: { type: 'plain_text_input', value: 'old system' } },
              owner: { user: { type: 'users_select', selected_user: 'U0ENGINEER' } },
              until: { date: { type: 'datepicker', selected_date: '2027-01-31' } },
              kind: {
                choice: {
                  type: 'static_select',
                  selected_option: {
                    text: { type: 'plain_text', text: 'Legacy system', emoji: true },
                    value: 'legacy',
                  },
                },
              },
            },
          },
        },
      },
    ]);
    expect(shown()).toEqual([]);
  });

  it('sends null for an optional field that is empty', async () => {
    await submit({ ...filledIn, kind: '' });
    expect(fixture.app.payloads[0]?.view?.state.values).toMatchObject({
      kind: { choice: { type: 'static_select', selected_option: null } },
    });
  });

  it.each([
    [{ reason: '' }, { reason: 'Please complete this required field.' }],
    [{ reason: 'abc' }, { reason: 'Enter at least 5 characters.' }],
    [{ reason: 'x'.repeat(21) }, { reason: 'Enter at most 20 characters.' }],
    [{ owner: 'U0NONE' }, { owner: 'Choose a person from the list.' }],
    [{ until: 'tomorrow' }, { until: 'Enter a date as YYYY-MM-DD.' }],
    [{ kind: 'other' }, { kind: 'Choose an option from the list.' }],
  ])('is stopped by the client for %j', async (wrong, errors) => {
    expect(await submit({ ...filledIn, ...wrong })).toMatchObject({ ok: false, errors });
    expect(fixture.app.payloads).toEqual([]);
    expect(shown()).toMatchObject([{ id: viewId, errors }]);
  });

  it('keeps the modal open with the errors of the app', async () => {
    const errors = { reason: 'Name the system.' };
    fixture.app.onInteraction(() => ({ body: JSON.stringify({ response_action: 'errors', errors }) }));
    expect(await submit(filledIn)).toMatchObject({ ok: true, errors });
    expect(shown()).toMatchObject([{ id: viewId, errors }]);
    fixture.app.onInteraction(() => ({}));
    expect(await submit(filledIn)).not.toHaveProperty('errors');
    expect(shown()).toEqual([]);
  });

  it('replaces the modal on update, covers it on push, and closes all on clear', async () => {
    const answerWith = (body: unknown) => {
      fixture.app.onInteraction(() => ({ body: JSON.stringify(body) }));
    };
    answerWith({ response_action: 'update', view: aModal({ callback_id: 'second' }) });
    expect(await submit(filledIn)).toMatchObject({ ok: true });
    expect(shown()).toMatchObject([{ id: viewId, view: { callback_id: 'second' } }]);
    answerWith({ response_action: 'push', view: aModal({ callback_id: 'third' }) });
    expect(await submit(filledIn)).toMatchObject({ views: [{ view: { callback_id: 'third' } }] });
    expect(shown()).toMatchObject([{ id: viewId }, { view: { previous_view_id: viewId } }]);
    answerWith({ response_action: 'clear' });
    await submit(filledIn);
    expect(shown()).toEqual([]);
  });

  it.each([
    ['not JSON', '<html>'],
    ['no known action', '{"response_action":"dance"}'],
    ['errors for blocks that are no inputs', '{"response_action":"errors","errors":{"other":"x"}}'],
    ['a view that is not allowed', '{"response_action":"update","view":{"type":"modal"}}'],
  ])('stays open when the answer is %s', async (_name, body) => {
    fixture.app.onInteraction(() => ({ body }));
    expect(await submit(filledIn)).toMatchObject({
      ok: false,
      error: expect.stringMatching(/^Slack could not use the app's answer/),
    });
    expect(shown()).toMatchObject([{ id: viewId }]);
  });

  it('stays open when the app answers an error', async () => {
    fixture.app.onInteraction(() => ({ status: 500 }));
    expect(await submit(filledIn)).toMatchObject({ ok: false, status: 500 });
    expect(shown()).toHaveLength(1);
  });

  it('is for the person who has it open', async () => {
    await expect(submit(filledIn, 'U0VIEWER')).rejects.toThrow(`Viewer has no view "${viewId}" open.`);
  });

  it('names the workspace of somebody from outside as team', async () => {
    const { app, client, slack } = fixture;
    app.onInteraction(async ({ type, trigger_id = '' }) => {
      if (type === 'block_actions') await client.views.open({ trigger_id, view: aModal() });
      return {};
    });
    const { views } = await click('U0OUTSIDER', 'open');
    await slack.submit({ user: 'U0OUTSIDER', viewId: views[0]?.id ?? '', values: filledIn });
    expect(app.payloads.at(-1)).toMatchObject({
      type: 'view_submission',
      team: { id: 'T0PARTNER' },
      user: { team_id: 'T0PARTNER' },
      view: { app_installed_team_id: 'T0SANDBOX' },
    });
  });
});

describe('closing a modal', () => {
  it.each([
    [true, ['block_actions', 'view_closed']],
    [false, ['block_actions']],
  ])('with notify_on_close %s sends %j', async (notify_on_close, types) => {
    const { app, client, slack } = fixture;
    app.onInteraction(async ({ type, trigger_id = '' }) => {
      if (type === 'block_actions') await client.views.open({ trigger_id, view: aModal({ notify_on_close }) });
      return {};
    });
    const { views } = await click('U0APPROVER', 'open');
    expect(await slack.closeView({ user: 'U0APPROVER', viewId: views[0]?.id ?? '' })).toMatchObject({ ok: true });
    expect(app.payloads.map(({ type }) => type)).toEqual(types);
    expect(slack.state().views).toEqual([]);
  });
});

describe('a button of the Home tab', () => {
  it('sends its view and no response_url', async () => {
    const { app, client, slack } = fixture;
    await client.views.publish({
      user_id: 'U0VIEWER',
      view: { type: 'home', blocks: [{ type: 'actions', elements: [aButton('refresh')] }] },
    });
    const viewId = slack.state().views[0]?.id ?? '';
    await slack.click({ user: 'U0VIEWER', viewId, actionId: 'refresh' });
    expect(app.payloads).toMatchObject([{ container: { type: 'view', view_id: viewId }, view: { type: 'home' } }]);
    expect(app.payloads[0]).not.toHaveProperty('response_url');
    expect(await refusal(client.views.update({ view_id: viewId, view: aModal() }))).toMatchObject({
      error: 'invalid_arguments',
    });
  });
});
