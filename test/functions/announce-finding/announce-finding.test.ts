import { createDigestUpkeep } from '../../../functions/adapters/digest-upkeep.ts';
import { createDigests } from '../../../functions/adapters/digests-table.ts';
import { tableOverSdk } from '../../../functions/adapters/dynamodb-sdk.ts';
import { createMessageClaims } from '../../../functions/adapters/message-claims.ts';
import { createSlack, SlackRefused } from '../../../functions/adapters/slack.ts';
import { type AnnounceFindingDeps, announceFinding } from '../../../functions/announce-finding/announce-finding.ts';
import type { Notice } from '../../../functions/contracts/notice.ts';
import { type AuditEvent, type ChainHead, EMPTY_CHAIN, seal } from '../../../functions/domain/audit.ts';
import type { FindingEvent } from '../../../functions/domain/finding-events.ts';
import { exemptionBy } from '../../../functions/domain/pattern-exemption.ts';
import type { Policy } from '../../../functions/domain/policy.ts';
import {
  anApproval,
  anExemption,
  anOpening,
  aPattern,
  aPersonRef,
  aPolicy,
  aRemediation,
  aTrigger,
  HISTORY,
  KEY,
  later,
} from '../../builders.ts';
import { createTable, type OpenDynamoDb, openDynamoDb } from '../../sandbox/aws/dynamodb-fixture.ts';
import { BOT_TOKEN, CHANNEL, type SlackFixture, startFixture } from '../../sandbox/slack/support/slack-fixture.ts';

let dynamoDb: OpenDynamoDb;
let slack: SlackFixture;
let deps: AnnounceFindingDeps;
let notices: Notice[];
let chain: { head: ChainHead; records: AuditEvent[] };
let policy: Policy;
let tables = 0;

beforeAll(async () => {
  dynamoDb = await openDynamoDb();
});
afterAll(() => dynamoDb.close());
beforeEach(async () => {
  tables += 1;
  const tableName = `findings-${tables}`;
  await createTable(dynamoDb.client, tableName);
  const table = tableOverSdk({ client: dynamoDb.client, tableName });
  slack = await startFixture();
  notices = [];
  chain = { head: EMPTY_CHAIN, records: [] };
  policy = aPolicy();
  policy.defaultRoute.channel = CHANNEL;
  deps = {
    now: () => new Date().toISOString(),
    topic: {
      publishAudit(event) {
        notices.push({ kind: 'audit', event });
        return Promise.resolve();
      },
      publishAlert(alert) {
        notices.push(alert);
        return Promise.resolve();
      },
    },
    findings: {
      load: () => Promise.resolve(chain.head),
      auditOf: () => Promise.resolve(chain.records),
    },
    loadPolicy: () => Promise.resolve({ policy }),
    slack: createSlack({ token: () => Promise.resolve(BOT_TOKEN), apiUrl: `${slack.slack.url}/api/` }),
    claims: createMessageClaims(table),
    digests: { ...createDigests(table), ...createDigestUpkeep(table) },
  };
});
afterEach(() => slack.close());

/** Appends events to the key's trail, as one change would. */
function append(...events: FindingEvent[]): AuditEvent[] {
  const { records, head } = seal(
    chain.head,
    events,
    {
      cause: { kind: 'clock', id: 'run-1' },
      policyVersion: '1',
      newId: () => `event-${chain.records.length}-${events.length}`,
    },
    (value) => JSON.stringify(value),
  );
  chain = { head, records: [...chain.records, ...records] };
  return records;
}
async function announce(...events: FindingEvent[]): Promise<AuditEvent[]> {
  const records = append(...events);
  for (const record of records) await announceFinding(record, deps);
  return records;
}

/** The bot's; the channel also tells when somebody archives it. */
const messages = () =>
  slack.slack.state().channels.flatMap((channel) => channel.messages.filter(({ user }) => user === 'U0BOT'));
const alerts = () => notices.filter((notice) => notice.kind === 'alert');
const postIds = () =>
  messages().flatMap((root) => [root, ...root.replies].map(({ metadata }) => metadata?.event_payload['post_id']));
const rootId = `${KEY.arn}#1#root`;
function message(index = 0) {
  const found = messages()[index];
  if (found === undefined) throw new Error('there is no such message');
  return found;
}
const secondOpening = anOpening({
  episode: 2,
  at: later({ days: 3 }),
  trigger: aTrigger({ eventName: 'DisableKeyRotation', at: later({ days: 3 }) }),
});

describe('a finding that is opened', () => {
  it('is published and shown in the channel of its route', async () => {
    policy.routes.push({ ...policy.defaultRoute, name: 'payments', channel: 'C0PAYMENTS', match: {} });
    const records = await announce(anOpening({ route: 'payments' }));
    expect(notices).toEqual(records.map((event) => ({ kind: 'audit', event })));
    expect(slack.slack.state().channels.map(({ id, messages: all }) => [id, all.length])).toEqual([
      [CHANNEL, 0],
      ['C0PAYMENTS', 1],
    ]);
    expect(message().metadata?.event_payload).toEqual({ post_id: rootId });
  });

  it('is posted once by two runs at the same time; the other one is told to come again', async () => {
    const [record] = append(anOpening());
    if (record === undefined) throw new Error('no record');
    const runs = await Promise.allSettled([announceFinding(record, deps), announceFinding(record, deps)]);
    expect(messages()).toHaveLength(1);
    const refusals = runs.flatMap((run) => (run.status === 'rejected' ? [run.reason as unknown] : []));
    for (const refusal of refusals) expect(refusal).toMatchObject({ name: 'BeingPosted' });
  });

  it('is left to a run that died over it until its lease is over, and then looked for before it is posted', async () => {
    const [record] = append(anOpening());
    if (record === undefined) throw new Error('no record');
    const crash = () => Promise.reject(new Error('the machine is gone'));
    const dying = { ...deps.claims, posted: crash };
    await expect(announceFinding(record, { ...deps, claims: dying })).rejects.toThrow('the machine is gone');
    await expect(announceFinding(record, deps)).rejects.toMatchObject({ name: 'BeingPosted' });
    const afterwards = () => new Date(Date.now() + 91_000).toISOString();
    await announceFinding(record, { ...deps, now: afterwards });
    expect(postIds()).toEqual([rootId]);
  });

  it('goes where it would go today when its route is gone', async () => {
    await announce(anOpening({ route: 'a route of last year' }));
    expect(messages()).toHaveLength(1);
  });

  it('is published but not shown in mode observe', async () => {
    await announce(anOpening({ mode: 'observe' }));
    expect(notices).toHaveLength(1);
    expect(messages()).toEqual([]);
  });

  it('says so when it is only observed from now on, and goes on to say what becomes of it', async () => {
    await announce(anOpening());
    await announce({ type: 'mode-changed', at: later({ hours: 1 }), from: 'ask', to: 'observe' });
    expect(message().text).toContain('only observed');
    expect(JSON.stringify(message().blocks)).not.toContain('button');
    expect(message().replies.map(({ text }) => text)).toEqual([expect.stringContaining('findings are only recorded')]);
    const closing = { because: 'compliant' as const, by: null };
    await announce({ type: 'finding-closed', at: later({ hours: 2 }), trigger: aTrigger(), closing });
    expect(message().text).toMatch(/^Closed/);
  });

  it('needs no message while it is exempt with all keys of its pattern, and asks when that has ended', async () => {
    const exemption = exemptionBy(aPattern(), later({}));
    await announce(anOpening(), { type: 'exemption-granted', at: later({}), exemption });
    expect(notices).toHaveLength(2);
    expect(messages()).toEqual([]);
    await announce({ type: 'exemption-revoked', at: later({ hours: 1 }), by: aPersonRef() });
    expect(messages()).toHaveLength(1);
    expect(message().text).toMatch(/^Key does not rotate/);
  });

  it('says so in its message when people were asked before its pattern was exempt', async () => {
    await announce(anOpening());
    await announce({ type: 'exemption-granted', at: later({}), exemption: exemptionBy(aPattern(), later({})) });
    expect(messages()).toHaveLength(1);
    expect(message().text).toMatch(/^Exempt/);
  });

  it('is shown from then on when people are asked now', async () => {
    await announce(anOpening({ mode: 'observe' }));
    await announce({ type: 'mode-changed', at: later({ hours: 1 }), from: 'observe', to: 'ask' });
    expect(message().text).toContain('Waiting for a decision');
  });
});

describe('what follows', () => {
  it('updates the message at each step', async () => {
    await announce(anOpening());
    const shown = [JSON.stringify(message().blocks)];
    const [started, remediated] = aRemediation();
    for (const event of [anApproval(), started, remediated]) {
      if (event === undefined) throw new Error('no event');
      await announce(event);
      shown.push(JSON.stringify(message().blocks));
    }
    expect(messages()).toHaveLength(1);
    expect(shown[1]).not.toBe(shown[0]);
    expect(shown[3]).not.toBe(shown[1]);
  });

  it('is told below the message, once', async () => {
    await announce(...HISTORY.remediated);
    const ids = postIds();
    expect(ids).toContain(rootId);
    expect(ids).toContain(`${KEY.arn}#1#4`);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each(['closed', 'exempt', 'failed', 'remediated'] as const)(
    'tells nobody twice when every record of a %s finding comes again',
    async (status) => {
      const records = await announce(...HISTORY[status]);
      const before = messages();
      for (const record of [...records, ...records]) await announceFinding(record, deps);
      expect(messages()).toEqual(before);
    },
  );

  it('is not told as news by a record that comes late: the message shows the present state', async () => {
    const [opened, ...rest] = append(...HISTORY.remediated);
    if (opened === undefined) throw new Error('no event');
    await announceFinding(opened, deps);
    const shown = JSON.stringify(message().blocks);
    for (const record of rest) await announceFinding(record, deps);
    expect(JSON.stringify(message().blocks)).toBe(shown);
    expect(message().edited).toBeUndefined();
  });
});

it('publishes a refused attempt, and asks nothing of Slack for it', async () => {
  await announce(anOpening());
  slack.slack.faults.set('*', 'fatal_error', 1);
  const [refused] = await announce({
    ...{ type: 'command-refused', at: later({ minutes: 5 }), command: 'approve' },
    ...{ by: { kind: 'person', person: aPersonRef() }, refusal: { reason: 'not-an-approver' } },
  });
  expect(notices.at(-1)).toEqual({ kind: 'audit', event: refused });
  expect(slack.slack.faults.list()).toHaveLength(1);
});

describe('a later episode', () => {
  it('has a message of its own', async () => {
    await announce(...HISTORY.remediated, secondOpening);
    expect(messages().map(({ metadata }) => metadata?.event_payload['post_id'])).toEqual([rootId, `${KEY.arn}#2#root`]);
  });

  it('does not show in the message of the earlier one, which ends with what became of it', async () => {
    await announce(...HISTORY.approved);
    const [started, remediated] = append(...aRemediation(), secondOpening);
    if (started === undefined || remediated === undefined) throw new Error('no event');
    const approved = JSON.stringify(message().blocks);
    await announceFinding(started, deps);
    await announceFinding(remediated, deps);
    expect(messages()).toHaveLength(1);
    expect(JSON.stringify(message().blocks)).not.toBe(approved);
    expect(postIds()).toContain(`${KEY.arn}#1#${remediated.sequence}`);
  });
});

describe('when Slack fails', () => {
  it('posts one message although the first answer was lost', async () => {
    slack.slack.faults.set('chat.postMessage', 'timeout_after_accept', 1);
    const [opened] = append(anOpening());
    if (opened === undefined) throw new Error('no event');
    await expect(announceFinding(opened, deps)).rejects.toMatchObject({ name: 'SlackUnavailable' });
    await announceFinding(opened, deps);
    expect(messages()).toHaveLength(1);
    await announce(anApproval());
    expect(messages()).toHaveLength(1);
  });

  it('posts one reply although the first answer was lost', async () => {
    await announce(...HISTORY.approved);
    const records = append(...aRemediation());
    slack.slack.faults.set('chat.postMessage', 'timeout_after_accept', 1);
    const outcomes = [];
    for (const record of [...records, ...records]) {
      outcomes.push(...(await Promise.allSettled([announceFinding(record, deps)])));
    }
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    expect(postIds().filter((id) => id === `${KEY.arn}#1#${records.at(-1)?.sequence ?? 0}`)).toHaveLength(1);
  });

  it('brings an adopted message up to date', async () => {
    slack.slack.faults.set('chat.postMessage', 'timeout_after_accept', 1);
    const [opened] = append(anOpening());
    if (opened === undefined) throw new Error('no event');
    await expect(announceFinding(opened, deps)).rejects.toThrow();
    const asked = JSON.stringify(message().blocks);
    append(anApproval());
    await announceFinding(opened, deps);
    expect(messages()).toHaveLength(1);
    expect(JSON.stringify(message().blocks)).not.toBe(asked);
  });

  it.each(['timeout', 'ratelimited', 'fatal_error', 'http_500'])(
    'throws at %s, and posts when it is over',
    async (error) => {
      slack.slack.faults.set('chat.postMessage', error, 1);
      const [opened] = append(anOpening());
      if (opened === undefined) throw new Error('no event');
      await expect(announceFinding(opened, deps)).rejects.toThrow();
      expect(messages()).toEqual([]);
      await announceFinding(opened, deps);
      expect(messages()).toHaveLength(1);
    },
  );

  it('throws when an update meets a rate limit, and updates when it is over', async () => {
    await announce(anOpening());
    const asked = JSON.stringify(message().blocks);
    slack.slack.faults.set('chat.update', 'ratelimited', 1);
    const [approved] = append(anApproval());
    if (approved === undefined) throw new Error('no event');
    await expect(announceFinding(approved, deps)).rejects.toMatchObject({ name: 'SlackRateLimited' });
    expect(JSON.stringify(message().blocks)).toBe(asked);
    await announceFinding(approved, deps);
    expect(JSON.stringify(message().blocks)).not.toBe(asked);
  });

  it('posts anew what somebody deleted', async () => {
    await announce(anOpening());
    await slack.client.chat.delete({ channel: CHANNEL, ts: message().ts });
    await announce(anApproval());
    expect(messages()).toHaveLength(1);
  });
});

describe('when Slack refuses', () => {
  it('alerts once and goes on; the message comes with the next event after the channel is back', async () => {
    slack.slack.setChannel(CHANNEL, { archived: true });
    await announce(...HISTORY.approved);
    expect(alerts()).toMatchObject([
      {
        kind: 'alert',
        alert: 'slack-refuses',
        message: `Slack refuses to show the finding of ${KEY.arn}: is_archived.`,
        keyArn: KEY.arn,
      },
    ]);
    slack.slack.setChannel(CHANNEL, { archived: false });
    await announce(...aRemediation());
    expect(messages()).toHaveLength(1);
    expect(alerts()).toHaveLength(1);
  });

  it('alerts again when the refusal is another one', async () => {
    policy.defaultRoute.channel = 'C0NOWHERE';
    await announce(anOpening());
    policy.defaultRoute.channel = CHANNEL;
    slack.slack.setChannel(CHANNEL, { botIsMember: false });
    await announce(anApproval());
    expect(alerts().map((alert) => 'message' in alert && alert.message.split(': ').at(-1))).toEqual([
      'channel_not_found.',
      'not_in_channel.',
    ]);
  });

  it('alerts when an existing message cannot be updated', async () => {
    await announce(anOpening());
    slack.slack.setChannel(CHANNEL, { archived: true });
    await announce(anApproval());
    expect(alerts()).toHaveLength(1);
    expect(messages()).toHaveLength(1);
  });

  it('keeps a claim whose outcome is unknown when it may not even look', async () => {
    slack.slack.faults.set('chat.postMessage', 'timeout_after_accept', 1);
    const [opened] = append(anOpening());
    if (opened === undefined) throw new Error('no event');
    await expect(announceFinding(opened, deps)).rejects.toThrow();
    slack.slack.faults.set('conversations.history', 'missing_scope', 1);
    await announceFinding(opened, deps);
    expect(alerts()).toHaveLength(1);
    await announceFinding(opened, deps);
    expect(messages()).toHaveLength(1);
  });
});

it('publishes the event and alerts when the policy cannot be read, and throws', async () => {
  class PolicyUnreadable extends Error {
    public override readonly name = 'PolicyUnreadable';
  }
  deps.loadPolicy = () => Promise.reject(new PolicyUnreadable('no policy'));
  await expect(announce(anOpening())).rejects.toMatchObject({ name: 'PolicyUnreadable' });
  expect(notices.map((notice) => (notice.kind === 'alert' ? notice.alert : notice.kind))).toEqual([
    'audit',
    'policy-unreadable',
  ]);
  expect(messages()).toEqual([]);
});

it('tells an owner below the message when the exemption nears its end', async () => {
  await announce(...HISTORY.exempt, {
    type: 'exemption-reminded',
    at: later({ days: 16 }),
    daysLeft: 14,
    owner: aPersonRef(),
  });
  expect(postIds()).toContain(`${KEY.arn}#1#3`);
});

it('alerts when a finding is escalated and when a remediation has no result', async () => {
  await announce(anOpening(), { type: 'escalated', at: later({ hours: 48 }) });
  await announce(anApproval(), { type: 'remediation-overdue', at: later({ hours: 49 }), report: 1 });
  expect(alerts()).toMatchObject([{ alert: 'finding-unanswered' }, { alert: 'remediation-overdue' }]);
});

describe('the owner of an exemption', () => {
  const owner = aPersonRef({ userId: 'U0VIEWER', name: 'Viewer' });
  const exemption = anExemption({ owner });
  const granted: FindingEvent = { type: 'exemption-granted', at: later({ minutes: 10 }), exemption };
  const directly = () =>
    slack.slack
      .state()
      .channels.filter(({ id }) => id === 'D0VIEWER')
      .flatMap((channel) => channel.messages.map(({ text }) => text));

  it('is told by direct message that they answer for it, with a link to the finding, once', async () => {
    const records = await announce(anOpening(), granted);
    for (const record of records) await announceFinding(record, deps);
    expect(directly()).toEqual([
      expect.stringMatching(/^Key Owner named you as the owner of an exemption until 2026-04-01 09:00 UTC.*archives/),
    ]);
  });

  it('is told that it ends soon, or earlier', async () => {
    await announce(anOpening(), granted);
    await announce(
      { type: 'exemption-reminded', at: later({ days: 16 }), daysLeft: 14, owner },
      { type: 'exemption-shortened', at: later({ days: 17 }), by: aPersonRef(), until: later({ days: 20 }), owner },
    );
    expect(directly().slice(1)).toEqual([
      expect.stringMatching(/^Your exemption ends in 14 days\. Renew it/),
      expect.stringMatching(/^Key Owner shortened your exemption/),
    ]);
  });

  it('is told without a link when the message is gone', async () => {
    const permalink = () => Promise.reject(new SlackRefused('chat.getPermalink', 'message_not_found', []));
    deps = { ...deps, slack: { ...deps.slack, permalink } };
    await announce(anOpening(), granted);
    expect(directly()).toEqual([expect.not.stringContaining('archives')]);
  });

  it('is told although Slack refuses to show the finding in its channel', async () => {
    await announce(anOpening());
    slack.slack.setChannel(CHANNEL, { archived: true });
    await announce(granted);
    expect(directly()).toHaveLength(1);
    expect(alerts()).toMatchObject([{ alert: 'slack-refuses' }]);
  });

  it('is told twice rather than not at all when nobody knows whether the first time arrived', async () => {
    const [, record] = append(anOpening(), granted);
    if (record === undefined) throw new Error('no record');
    const postMessage: typeof deps.slack.postMessage = async (message) => {
      const place = await deps.slack.postMessage(message);
      if (message.channel === owner.userId) throw new Error('the connection broke');
      return place;
    };
    await expect(announceFinding(record, { ...deps, slack: { ...deps.slack, postMessage } })).rejects.toThrow('broke');
    await announceFinding(record, { ...deps, now: () => new Date(Date.now() + 91_000).toISOString() });
    expect(directly()).toHaveLength(2);
  });

  it('whom Slack cannot tell does not hold up the rest; people who run the bot hear of it', async () => {
    const postMessage: typeof deps.slack.postMessage = (message) =>
      message.channel === owner.userId
        ? Promise.reject(new SlackRefused('chat.postMessage', 'user_disabled', []))
        : deps.slack.postMessage(message);
    const told = { ...deps, slack: { ...deps.slack, postMessage } };
    for (const record of append(anOpening(), granted)) await announceFinding(record, told);
    const message = `Slack refuses to tell the owner of the exemption of ${KEY.arn}: user_disabled.`;
    expect(alerts()).toMatchObject([{ alert: 'slack-refuses', message }]);
  });
});

describe('an escalation', () => {
  const escalated: FindingEvent = { type: 'escalated', at: later({ days: 2 }) };
  const second = () => slack.slack.state().channels.find(({ id }) => id === 'C0PAYMENTS')?.messages ?? [];

  it('shows the finding in the second channel once, with a link to its message', async () => {
    policy.unanswered.escalationChannel = 'C0PAYMENTS';
    const records = await announce(anOpening(), escalated);
    for (const record of records) await announceFinding(record, deps);
    const [root] = messages();
    expect(second().map(({ text }) => text)).toEqual([
      expect.stringMatching(/^Nobody has decided: alias\/payments\/ledger .*Automatic rotation is off.*To the finding/),
    ]);
    expect(second()[0]?.text).toContain(`/archives/${CHANNEL}/p${root?.ts.replace('.', '') ?? ''}`);
  });

  it('reaches the second channel although Slack refuses to show the finding in its own', async () => {
    policy.unanswered.escalationChannel = 'C0PAYMENTS';
    slack.slack.setChannel(CHANNEL, { archived: true });
    await announce(anOpening(), escalated);
    expect(second()).toHaveLength(1);
  });

  it('is not repeated where the finding stands already', async () => {
    policy.unanswered.escalationChannel = CHANNEL;
    await announce(anOpening(), escalated);
    expect(messages()).toHaveLength(1);
  });

  it('to a channel that Slack refuses leaves the message and its thread as they should be', async () => {
    policy.unanswered.escalationChannel = 'C0NOWHERE';
    await announce(anOpening(), escalated);
    expect(message().replies).toHaveLength(1);
    expect(alerts().map(({ alert }) => alert)).toEqual(['finding-unanswered', 'slack-refuses']);
  });
});
