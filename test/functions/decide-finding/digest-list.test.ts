import type { Receiver, ReceiverEvent } from '@slack/bolt';
import type { ModalView } from '@slack/types';
import * as z from 'zod';
import { BUTTON, DIGEST_BUTTON, EXEMPTION_MODAL, REVIEW_MODAL } from '../../../functions/contracts/slack-actions.ts';
import type { ApproveAllReply, ReviewReply } from '../../../functions/decide-finding/decide-digest.ts';
import type { Reply, TermsReply } from '../../../functions/decide-finding/decide-finding.ts';
import { createPatternUseCases } from '../../../functions/decide-finding/decide-pattern.ts';
import { createSlackApp } from '../../../functions/decide-finding/slack-app.ts';
import { aFinding, aPolicy, KEY, later } from '../../builders.ts';
import { somePatternDeps } from '../../fakes/in-memory-patterns.ts';
import { wordsOf } from '../messages/slack-limits.ts';

const REF = { key: KEY.arn, episode: 1 };
const PAGE = { digest: `C0STORM#${later({})}`, after: '' };
const ALL = { digest: PAGE.digest, upTo: later({ minutes: 1 }), count: 12 };
const user = { id: 'U0PERSON', team_id: 'T0TEAM' };
const page: ReviewReply = { kind: 'page', policy: aPolicy(), findings: [aFinding('open')], next: null, summary: null };
const LIST = { id: 'V0LIST', callback_id: REVIEW_MODAL, private_metadata: JSON.stringify(PAGE) };

type Views = { way: 'open' | 'push' | 'update'; to: string; view: ModalView };

/** The app with what it asks and shows written down. */
function anApp({
  decided = { kind: 'accepted', action: 'approve' },
  all = { kind: 'accepted', count: 12 },
  review = page,
  terms = { kind: 'accepted', action: 'exempt' },
  updateFails = false,
}: {
  decided?: Reply;
  all?: ApproveAllReply | Error;
  review?: ReviewReply;
  terms?: TermsReply;
  updateFails?: boolean;
} = {}) {
  const views: Views[] = [];
  const said: string[] = [];
  const failures: unknown[] = [];
  const asked: unknown[] = [];
  const receiver: Receiver = { init() {}, start: () => Promise.resolve(), stop: () => Promise.resolve() };
  const show = (way: Views['way']) => (to: string, view: ModalView) => {
    views.push({ way, to, view });
    return updateFails && way === 'update' ? Promise.reject(new Error('closed')) : Promise.resolve();
  };
  const app = createSlackApp(
    {
      receiver,
      bot: () => Promise.resolve({ botToken: 'xoxb-test', botId: 'B0BOT', botUserId: 'U0BOT' }),
      apiUrl: undefined,
    },
    {
      decide: () => Promise.resolve(decided),
      patterns: createPatternUseCases(somePatternDeps()),
      mayStateTerms: () =>
        Promise.resolve({ kind: 'may', finding: aFinding('open'), policy: aPolicy(), fourEyes: null }),
      decideTerms: () => Promise.resolve(terms),
      approveAll(ref, request) {
        asked.push({ ref, request });
        return all instanceof Error ? Promise.reject(all) : Promise.resolve(all);
      },
      reviewDigest(ref, _size, request) {
        asked.push({ ref, request });
        return Promise.resolve(review);
      },
      ...{ openView: show('open'), pushView: show('push'), updateView: show('update') },
      showHome: () => Promise.resolve(),
      answerCommand: () => Promise.reject(new Error('no command is expected')),
      now: () => new Date(later({ hours: 1 })),
      logFailure: (error) => failures.push(error),
    },
  );
  const original = globalThis.fetch;
  async function send(body: Record<string, unknown>): Promise<unknown[]> {
    const acks: unknown[] = [];
    globalThis.fetch = (_url, init) => {
      const { text } = z.object({ text: z.string() }).parse(JSON.parse(z.string().parse(init?.body)));
      said.push(text);
      return Promise.resolve(new Response('ok'));
    };
    const ack: ReceiverEvent['ack'] = (answered) => {
      acks.push(answered);
      return Promise.resolve();
    };
    try {
      await app.processEvent({ body, ack, customProperties: { requestId: 'request-1' } });
    } finally {
      globalThis.fetch = original;
    }
    return acks;
  }
  return { views, said, failures, asked, send };
}

const click = (action_id: string, value: unknown, view?: object) => ({
  ...{ type: 'block_actions', user, team: { id: 'T0TEAM' }, trigger_id: 'trigger' },
  ...(view === undefined ? { response_url: 'https://hooks.slack.com/actions/1' } : { view }),
  actions: [
    { type: 'button', action_id, block_id: 'b', value: typeof value === 'string' ? value : JSON.stringify(value) },
  ],
});
const request = { userId: user.id, teamId: user.team_id, requestId: 'request-1' };
const wordsIn = ({ view }: Views) => wordsOf(view.blocks);

describe('under a digest', () => {
  it('"Approve all" is answered with a sentence', async () => {
    const { asked, said, send } = anApp();
    expect(await send(click(DIGEST_BUTTON.approveAll, ALL))).toHaveLength(1);
    expect(asked).toEqual([{ ref: ALL, request }]);
    expect(said).toEqual([expect.stringMatching(/^Approving all 12 keys in your name/)]);
  });

  it('"Review" opens the list', async () => {
    const { views, said, send } = anApp();
    expect(await send(click(DIGEST_BUTTON.review, PAGE))).toHaveLength(1);
    expect(views).toMatchObject([{ way: 'open', to: 'trigger', view: { private_metadata: JSON.stringify(PAGE) } }]);
    expect(said).toEqual([]);
  });

  it.each([
    [{ kind: 'refused', refusal: { reason: 'guest' } }, /Guests cannot decide/],
    [{ kind: 'forgotten' }, /more than a year old/],
  ] as const)('"Review" says why there is no list: $kind', async (review, sentence) => {
    const { views, said, send } = anApp({ review });
    await send(click(DIGEST_BUTTON.review, PAGE));
    expect(views).toEqual([]);
    expect(said).toEqual([expect.stringMatching(sentence)]);
  });

  it.each([DIGEST_BUTTON.approveAll, DIGEST_BUTTON.review])('a %s of another version asks nothing', async (id) => {
    for (const value of [
      '',
      '{',
      'null',
      JSON.stringify({ ...ALL, extra: 1 }),
      JSON.stringify({ digest: '', after: '' }),
    ]) {
      const { asked, said, send } = anApp();
      await send(click(id, value));
      expect(asked).toEqual([]);
      expect(said).toEqual([expect.stringMatching(/another version/)]);
    }
  });

  it('a failure is told in a sentence, and logged', async () => {
    const { failures, said, send } = anApp({ all: new Error('the table is away') });
    await send(click(DIGEST_BUTTON.approveAll, ALL));
    expect(failures).toHaveLength(1);
    expect(said).toEqual([expect.stringMatching(/^This could not be finished/)]);
  });
});

describe('in the list', () => {
  it('a decision is shown where it was made', async () => {
    const { views, said, send } = anApp();
    expect(await send(click(BUTTON.approve, REF, LIST))).toHaveLength(1);
    expect(views).toMatchObject([{ way: 'update', to: LIST.id }]);
    expect(views.map(wordsIn)).toEqual([expect.stringMatching(/^Done\./)]);
    expect(said).toEqual([]);
  });

  it('a refusal is told there too', async () => {
    const { views, send } = anApp({ decided: { kind: 'refused', refusal: { reason: 'not-an-approver' } } });
    await send(click(BUTTON.approve, REF, LIST));
    expect(views.map(wordsIn)).toEqual([expect.stringMatching(/^You are not an approver/)]);
  });

  it.each([DIGEST_BUTTON.firstPage, DIGEST_BUTTON.samePage, DIGEST_BUTTON.nextPage])(
    '%s turns to its page',
    async (id) => {
      const { asked, views, send } = anApp();
      const to = { ...PAGE, after: '000#place' };
      expect(await send(click(id, to, LIST))).toHaveLength(1);
      expect(asked).toEqual([{ ref: to, request }]);
      expect(views).toMatchObject([{ way: 'update', view: { private_metadata: JSON.stringify(to) } }]);
    },
  );

  it('the form of an exemption lies on top, and what is under it shows what was decided', async () => {
    const { views, send } = anApp();
    await send(click(BUTTON.exempt, REF, LIST));
    expect(views).toMatchObject([{ way: 'push', to: 'trigger', view: { callback_id: EXEMPTION_MODAL } }]);
    const { private_metadata } = views[0]?.view ?? {};
    const values = {
      owner: { owner: { selected_user: 'U0OWNER' } },
      reason: { reason: { value: 'Replaced in spring' } },
      ticket: { ticket: { value: null } },
      until: { until: { selected_date: '2026-04-01' } },
    };
    const view = { callback_id: EXEMPTION_MODAL, private_metadata, state: { values } };
    expect(await send({ type: 'view_submission', user, team: { id: 'T0TEAM' }, view })).toEqual([undefined]);
    expect(views.at(-1)).toMatchObject({ way: 'update', to: LIST.id });
  });

  it('that was closed meanwhile, the decision stands and the click is answered', async () => {
    const { failures, send } = anApp({ updateFails: true });
    expect(await send(click(BUTTON.approve, REF, LIST))).toHaveLength(1);
    expect(failures).toHaveLength(1);
  });
});
