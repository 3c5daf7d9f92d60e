import { createMessageClaims } from '../../../functions/adapters/message-claims.ts';
import { createSlack } from '../../../functions/adapters/slack.ts';
import { type AnnouncePatternDeps, announcePattern } from '../../../functions/announce-finding/announce-pattern.ts';
import type { Notice } from '../../../functions/contracts/notice.ts';
import type { PatternCommand } from '../../../functions/domain/pattern-exemption.ts';
import { buttonsOf } from '../../../sandbox/slack/block-schema.ts';
import { aPatternConfirmation, aPatternRequest, aPersonRef, aPolicy, KEY, later, someTerms } from '../../builders.ts';
import { createInMemoryPatterns } from '../../fakes/in-memory-patterns.ts';
import { BOT_TOKEN, CHANNEL, type SlackFixture, startFixture } from '../../sandbox/slack/support/slack-fixture.ts';
import { openTables, type Tables } from '../adapters/support/dynamodb-tables.ts';

const ID = 'pattern-1';
const ALLOWED = { allowed: true as const };
const revocation: PatternCommand = {
  type: 'revoke-pattern',
  at: later({ days: 1 }),
  by: aPersonRef(),
  verdict: ALLOWED,
};

let tables: Tables;
let slack: SlackFixture;
beforeEach(async () => {
  tables = await openTables();
  slack = await startFixture();
});
afterEach(async () => {
  await slack.close();
  await tables.close();
});

function createWorld({ channel = CHANNEL, owner = 'U0VIEWER' } = {}) {
  const policy = aPolicy();
  policy.exemptions.patterns = { channel, approvers: { users: [], userGroups: ['S0PATTERNS'] } };
  const patterns = createInMemoryPatterns(policy);
  const notices: Notice[] = [];
  const covered = { keys: [{ arn: KEY.arn, alias: 'dev-cache', status: 'open' as const }], isAll: true };
  const clock = { now: later({ minutes: 11 }) };
  const deps: AnnouncePatternDeps = {
    now: () => clock.now,
    topic: {
      publishPattern: (event) => {
        notices.push({ kind: 'pattern-audit', event });
        return Promise.resolve();
      },
      publishAlert: (alert) => {
        notices.push(alert);
        return Promise.resolve();
      },
    },
    patterns: { load: patterns.load },
    coverage: () => Promise.resolve(covered),
    loadPolicy: () => Promise.resolve({ policy }),
    slack: createSlack({ token: () => Promise.resolve(BOT_TOKEN), apiUrl: `${slack.slack.url}/api/` }),
    claims: createMessageClaims(tables.ways['the AWS SDK']),
  };
  const request = aPatternRequest({ terms: someTerms({ owner: aPersonRef({ userId: owner }) }) });
  return {
    ...{ patterns, notices, clock, deps, request, policy },
    /** Carries out commands and announces what comes of them, each record twice, as a stream may bring it. */
    async tell(...commands: PatternCommand[]): Promise<void> {
      const before = (await patterns.auditOf(ID)).length;
      await patterns.given(ID, commands);
      for (const record of (await patterns.auditOf(ID)).slice(before)) {
        await announcePattern(record, deps);
        await announcePattern(record, deps);
      }
    },
    alerts: () => notices.filter((notice) => notice.kind === 'alert'),
  };
}

const inChannel = () => slack.slack.state().channels.find(({ id }) => id === CHANNEL)?.messages ?? [];
const message = () => {
  const [first, ...more] = inChannel();
  if (first === undefined || more.length > 0) throw new Error('expected one message');
  return first;
};
const labels = () => (message().blocks ?? []).flatMap(buttonsOf).map(({ text }) => text.text);

const ownerHeard = () =>
  slack.slack
    .state()
    .channels.flatMap((one) => (one.directMessageOf === undefined ? [] : one.messages.map(({ text }) => text)));

it('shows a request once, with what it covers, for somebody to confirm', async () => {
  const world = createWorld();
  await world.tell(world.request);
  expect(JSON.stringify(message().blocks)).toContain('dev-cache');
  expect(labels()).toEqual(['Confirm exemption', 'Withdraw']);
  expect(message().replies).toEqual([]);
});

it('keeps the message current, says below it what happened, and tells the owner once for all keys', async () => {
  const world = createWorld();
  await world.tell(world.request, aPatternConfirmation());
  world.clock.now = later({ minutes: 21 });
  const coverage = { exempt: 12, leftOut: 1 };
  await world.tell({ type: 'note-coverage', at: later({ minutes: 21 }), coverage });
  expect(JSON.stringify(message().blocks)).toContain('12 keys are exempt by it.');
  expect(labels()).toEqual(['Renew…', 'End exemption…']);
  expect(message().replies.map(({ text }) => text)).toEqual([expect.stringContaining('Confirmed by')]);
  expect(ownerHeard()).toEqual([expect.stringContaining('you answer for all keys of a pattern')]);
  await world.tell(revocation);
  expect(labels()).toEqual([]);
  expect(world.notices.map((notice) => (notice.kind === 'pattern-audit' ? notice.event.sequence : 0))).toEqual([
    ...[1, 1, 2, 2, 3, 3, 4, 4],
  ]);
});

it('does not render it anew for a refusal', async () => {
  const world = createWorld();
  await world.tell(world.request);
  const before = message();
  const denied = aPatternConfirmation({ verdict: { allowed: false, reason: 'guest' } });
  await world.patterns.carryOut({ id: ID, cause: { kind: 'slack', id: 'c' }, onceId: null, command: () => denied });
  const record = (await world.patterns.auditOf(ID)).at(-1);
  if (record?.event.type !== 'pattern-refused') throw new Error('expected a refusal');
  await announcePattern(record, world.deps);
  expect(message()).toEqual(before);
});

it('alerts once when Slack refuses the channel for good, and the owner hears of it all the same', async () => {
  const world = createWorld({ channel: 'C0NOWHERE' });
  await world.tell(world.request, aPatternConfirmation());
  expect(world.alerts()).toEqual([expect.objectContaining({ alert: 'slack-refuses' })]);
  expect(ownerHeard()).toEqual([expect.stringContaining('you answer for all keys of a pattern')]);
});

it('alerts when the owner cannot be told, and the channel has it all the same', async () => {
  const world = createWorld({ owner: 'U0NOBODY' });
  await world.tell(world.request, aPatternConfirmation());
  expect(world.alerts().at(0)).toMatchObject({ message: expect.stringContaining('owner') as unknown });
  expect(labels()).toContain('End exemption…');
});

it('goes on in the channel where it was shown when the policy names none any more', async () => {
  const world = createWorld();
  await world.tell(world.request, aPatternConfirmation());
  world.policy.exemptions.patterns = null;
  await world.tell(revocation);
  expect(labels()).toEqual([]);
});

it('has nowhere to be shown when the policy never named a channel', async () => {
  const world = createWorld();
  world.policy.exemptions.patterns = null;
  await world.tell(world.request);
  expect(inChannel()).toEqual([]);
});
