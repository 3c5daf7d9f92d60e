import { expect } from '@jest/globals';
import type { Receiver } from '@slack/bolt';
import type { ModalView } from '@slack/types';
import { PATTERN_BUTTON, PATTERN_MODAL } from '../../../functions/contracts/slack-actions.ts';
import { SLASH_COMMAND } from '../../../functions/contracts/slack-requests.ts';
import { createPatternUseCases, type PatternDeps } from '../../../functions/decide-finding/decide-pattern.ts';
import { createSlackApp } from '../../../functions/decide-finding/slack-app.ts';
import { aPatternConfirmation, aPatternRequest, aPerson, aPolicy, DEV_KEYS, KEY, later } from '../../builders.ts';
import { createInMemoryPatterns, somePatternDeps } from '../../fakes/in-memory-patterns.ts';
import { wordsOf } from '../messages/slack-limits.ts';

const RESPONSE_URL = 'https://hooks.slack.com/actions/T0TEAM/1/2';
const PEOPLE = [
  aPerson({ userId: 'U0FIRST', name: 'First Approver', email: 'first@corp.example' }),
  aPerson({ userId: 'U0SECOND', name: 'Second Approver', email: 'second@corp.example' }),
  aPerson(),
  aPerson({ userId: 'U0OWNER', name: 'Owner', email: 'owner@corp.example' }),
];

/** The app with the real use cases on patterns in memory; what leaves it is written down. */
function anApp(changes: Partial<PatternDeps> = {}) {
  const policy = aPolicy();
  const approvers = { users: ['U0FIRST', 'U0SECOND'], userGroups: [] };
  policy.exemptions.patterns = { channel: 'C0PATTERNS', approvers };
  const patterns = createInMemoryPatterns(policy);
  const views: { to: string; view: ModalView }[] = [];
  const homes: string[] = [];
  const said: string[] = [];
  const failures: unknown[] = [];
  const now = () => new Date(later({ minutes: 10 }));
  const deps = somePatternDeps({
    loadPolicy: () => Promise.resolve({ policy }),
    person: (userId) => Promise.resolve(PEOPLE.find((person) => person.userId === userId) ?? null),
    coverage: () =>
      Promise.resolve({ keys: [{ arn: KEY.arn, alias: 'dev-ledger', status: 'open' as const }], isAll: true }),
    now,
    patterns,
    carryOutPattern: patterns.carryOut,
    ...changes,
  });
  const unexpected = () => Promise.reject(new Error('not about a pattern'));
  const receiver: Receiver = { init() {}, start: () => Promise.resolve(), stop: () => Promise.resolve() };
  const app = createSlackApp(
    {
      receiver,
      bot: () => Promise.resolve({ botToken: 'xoxb-test', botId: 'B0BOT', botUserId: 'U0BOT' }),
      apiUrl: undefined,
    },
    {
      ...{ decide: unexpected, mayStateTerms: unexpected, decideTerms: unexpected, approveAll: unexpected },
      ...{ reviewDigest: unexpected, pushView: unexpected, updateView: unexpected, answerCommand: unexpected },
      patterns: createPatternUseCases(deps),
      openView: (to, view) => Promise.resolve(views.push({ to, view })),
      showHome: ({ userId }, _, { notice }) => Promise.resolve(void homes.push(`${userId}: ${notice ?? ''}`)),
      now,
      logFailure: (error) => failures.push(error),
    },
  );
  let requests = 0;
  async function send(body: Record<string, unknown>): Promise<unknown[]> {
    const acks: unknown[] = [];
    const original = globalThis.fetch;
    globalThis.fetch = (_, init) => {
      said.push(typeof init?.body === 'string' ? init.body : '');
      return Promise.resolve(new Response('ok'));
    };
    requests += 1;
    try {
      await app.processEvent({
        body,
        ack: (answered) => Promise.resolve(void acks.push(answered)),
        customProperties: { requestId: `request-${requests}` },
      });
    } finally {
      globalThis.fetch = original;
    }
    return acks;
  }
  const events = async (id: string) => (await patterns.auditOf(id)).map(({ event }) => event.type);
  return { patterns, views, homes, said, failures, send, events };
}

const command = (text: string, user_id = 'U0FIRST', trigger_id: string | undefined = '1.2') => ({
  ...{ command: SLASH_COMMAND, text, user_id, team_id: 'T0TEAM', trigger_id },
});
const click = (
  action_id: string,
  value: unknown,
  { user = 'U0SECOND', view }: { user?: string; view?: unknown } = {},
) => ({
  ...{ type: 'block_actions', user: { id: user, team_id: 'T0TEAM' }, team: { id: 'T0TEAM' }, trigger_id: '1.2' },
  ...(view === undefined ? { response_url: RESPONSE_URL } : { view }),
  actions: [
    { type: 'button', action_id, block_id: 'b', value: typeof value === 'string' ? value : JSON.stringify(value) },
  ],
});
const submission = (private_metadata: string, until = '2026-03-31') => ({
  ...{ type: 'view_submission', user: { id: 'U0FIRST', team_id: 'T0TEAM' }, team: { id: 'T0TEAM' } },
  view: {
    ...{ callback_id: PATTERN_MODAL, private_metadata },
    state: {
      values: {
        owner: { owner: { selected_user: 'U0OWNER' } },
        reason: { reason: { value: 'Thrown away in spring' } },
        ticket: { ticket: { value: null } },
        until: { until: { selected_date: until } },
      },
    },
  },
});

const REF = { pattern: 'pattern-1' };
const REQUESTED = { ...REF, request: later({ minutes: 10 }) };

describe('/kms-rotation exempt', () => {
  it('opens the form, which shows what is covered, and asks when it is sent', async () => {
    const { views, send, events } = anApp();
    expect(await send(command('exempt 111122223333 alias:dev-*'))).toEqual([undefined]);
    const [opened] = views;
    if (opened === undefined) throw new Error('no form');
    expect(opened.to).toBe('1.2');
    expect(wordsOf(opened.view.blocks)).toContain('alias/dev-ledger, waits for a decision');
    const acks = await send(submission(opened.view.private_metadata ?? ''));
    expect(acks).toMatchObject([{ response_action: 'update', view: { title: { text: 'Asked for' } } }]);
    // The form names the exemption: sent twice, it asks once.
    expect(await send(submission(opened.view.private_metadata ?? ''))).toMatchObject([
      { response_action: 'update', view: { title: { text: 'Nothing was changed' } } },
    ]);
    expect(await events('request-1')).toEqual(['pattern-requested', 'pattern-refused']);
  });

  it.each([
    ['exempt', 'U0FIRST', /^Say which account/],
    ['exempt nowhere alias:dev-*', 'U0FIRST', /^"nowhere" is neither/],
    ['exempt 111122223333 alias:d*', 'U0FIRST', /^That would mean nearly all keys/],
    ['exempt 111122223333 alias:dev-*', 'U0OWNER', /^The rotation policy names who may/],
    ['exempt 111122223333 alias:dev-*', 'U0NOBODY', /^Only people of this organisation/],
  ])('%s of %s is answered privately, without a form', async (text, user, sentence) => {
    const { views, send } = anApp();
    expect(await send(command(text, user))).toMatchObject([
      { response_type: 'ephemeral', text: expect.stringMatching(sentence) },
    ]);
    expect(views).toEqual([]);
  });

  it('opens nothing without a trigger, and says when it fails', async () => {
    const { send, failures } = anApp({ coverage: () => Promise.reject(new Error('the table is away')) });
    expect(await send({ ...command('exempt 111122223333 alias:dev-*'), trigger_id: undefined })).toMatchObject([
      { text: expect.stringMatching(/^Slack sent nothing/) },
    ]);
    expect(await send(command('exempt 111122223333 alias:dev-*'))).toMatchObject([
      { text: expect.stringMatching(/^This could not be looked up/) },
    ]);
    expect(failures).toHaveLength(1);
  });
});

describe('the form', () => {
  it('says under its fields what is wrong', async () => {
    const { send } = anApp();
    const metadata = JSON.stringify({ purpose: 'exempt', id: 'pattern-1', pattern: DEV_KEYS });
    expect(await send(submission(metadata, '2026-01-01'))).toEqual([
      { response_action: 'errors', errors: { until: 'Choose a day in the future.' } },
    ]);
  });

  it.each(['', '{', '{}', JSON.stringify({ purpose: 'exempt', id: 'x', pattern: { by: 'arn' } })])(
    'of another version asks for nothing: %j',
    async (metadata) => {
      const { send, patterns } = anApp();
      expect(await send(submission(metadata))).toMatchObject([{ response_action: 'update' }]);
      expect(await patterns.current(10)).toEqual([]);
    },
  );

  it('that cannot be finished says so', async () => {
    const { send, failures } = anApp({ carryOutPattern: () => Promise.reject(new Error('the table is away')) });
    const metadata = JSON.stringify({ purpose: 'exempt', id: 'pattern-1', pattern: DEV_KEYS });
    expect(await send(submission(metadata))).toMatchObject([{ view: { title: { text: 'Not finished' } } }]);
    expect(failures).toHaveLength(1);
  });
});

describe('the buttons', () => {
  it('confirm, end, and let end; only the last needs an answer', async () => {
    const { send, events, said, patterns } = anApp();
    await patterns.given('pattern-1', [aPatternRequest({ at: REQUESTED.request })]);
    expect(await send(click(PATTERN_BUTTON.confirm, REQUESTED))).toHaveLength(1);
    expect(said).toEqual([]);
    await send(click(PATTERN_BUTTON.letEnd, REF));
    expect(said).toEqual([expect.stringContaining('nobody is reminded any more')]);
    await send(click(PATTERN_BUTTON.revoke, REF));
    expect(said).toHaveLength(1);
    expect(await events('pattern-1')).toEqual([
      ...['pattern-requested', 'pattern-confirmed', 'pattern-end-accepted', 'pattern-revoked'],
    ]);
  });

  it('withdraw', async () => {
    const { send, events, patterns } = anApp();
    await patterns.given('pattern-1', [aPatternRequest({ at: REQUESTED.request })]);
    await send(click(PATTERN_BUTTON.withdraw, REQUESTED));
    expect(await events('pattern-1')).toEqual(['pattern-requested', 'pattern-withdrawn']);
  });

  it('tell privately why nothing was changed', async () => {
    const { send, said, patterns } = anApp();
    await patterns.given('pattern-1', [aPatternRequest({ at: REQUESTED.request })]);
    await send(click(PATTERN_BUTTON.confirm, REQUESTED, { user: 'U0FIRST' }));
    expect(said).toEqual([expect.stringContaining('You asked for this yourself')]);
  });

  it.each(
    Object.values(PATTERN_BUTTON).flatMap((id) =>
      ['', '{', '{}', JSON.stringify({ ...REF, more: 1 })].map((value) => [id, value]),
    ),
  )('%s of another version (%j) decide nothing', async (id, value) => {
    const { send, said, patterns } = anApp();
    await patterns.given('pattern-1', [aPatternRequest(), aPatternConfirmation({ at: later({ minutes: 10 }) })]);
    await send(click(id, value));
    expect(said).toEqual([expect.stringContaining('of another version of the bot')]);
    expect(await patterns.auditOf('pattern-1')).toHaveLength(2);
  });

  it('open the form of a renewal, in the Home tab too, which is drawn anew afterwards', async () => {
    const { send, views, homes, patterns } = anApp();
    await patterns.given('pattern-1', [
      aPatternRequest({ at: later({}) }),
      aPatternConfirmation({ at: later({ minutes: 5 }), requestedAt: later({}) }),
    ]);
    const home = { id: 'V0HOME', type: 'home', private_metadata: '' };
    await send(click(PATTERN_BUTTON.renew, REF, { user: 'U0FIRST', view: home }));
    const [opened] = views;
    expect(JSON.parse(opened?.view.private_metadata ?? '')).toEqual({
      purpose: 'renew',
      id: 'pattern-1',
      fromHome: true,
    });
    await send(submission(opened?.view.private_metadata ?? ''));
    expect(homes).toEqual(['U0FIRST: ']);
    await send(click(PATTERN_BUTTON.renew, REF, { user: 'U0OWNER' }));
    expect(views).toHaveLength(1);
  });
});
