import { createDigestUpkeep } from '../../../functions/adapters/digest-upkeep.ts';
import { createDigests } from '../../../functions/adapters/digests-table.ts';
import { createMessageClaims } from '../../../functions/adapters/message-claims.ts';
import { createSlack } from '../../../functions/adapters/slack.ts';
import {
  type AnnounceFindingDeps,
  announceDigest,
  announceFinding,
} from '../../../functions/announce-finding/announce-finding.ts';
import type { Notice } from '../../../functions/contracts/notice.ts';
import { seal } from '../../../functions/domain/audit.ts';
import type { FindingEvent } from '../../../functions/domain/finding-events.ts';
import type { KeyIdentity } from '../../../functions/domain/key.ts';
import { exemptionBy } from '../../../functions/domain/pattern-exemption.ts';
import { buttonsOf } from '../../../sandbox/slack/block-schema.ts';
import {
  aKey,
  anApproval,
  anExemption,
  anOpening,
  aPattern,
  aPersonRef,
  aPolicy,
  aRemediation,
  KEY,
  later,
} from '../../builders.ts';
import { createInMemoryFindings } from '../../fakes/in-memory-findings.ts';
import { BOT_TOKEN, CHANNEL, type SlackFixture, startFixture } from '../../sandbox/slack/support/slack-fixture.ts';
import { openTables, type Tables } from '../adapters/support/dynamodb-tables.ts';

const THRESHOLD = 2;

let tables: Tables;
let slack: SlackFixture;
let world: ReturnType<typeof createWorld>;
beforeEach(async () => {
  tables = await openTables();
  slack = await startFixture();
  world = createWorld();
});
afterEach(async () => {
  await slack.close();
  await tables.close();
});

function createWorld() {
  const policy = aPolicy({ digest: { threshold: THRESHOLD, firstTags: { environment: ['prod'] } } });
  policy.defaultRoute.channel = CHANNEL;
  const table = tables.ways['the AWS SDK'];
  const findings = createInMemoryFindings(policy);
  const digests = { ...createDigests(table), ...createDigestUpkeep(table) };
  const notices: Notice[] = [];
  const clock = { now: later({ minutes: 1 }) };
  const deps: AnnounceFindingDeps = {
    now: () => clock.now,
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
    findings: { load: findings.load, auditOf: (keyArn) => Promise.resolve(findings.auditOf(keyArn)) },
    loadPolicy: () => Promise.resolve({ policy }),
    slack: createSlack({ token: () => Promise.resolve(BOT_TOKEN), apiUrl: `${slack.slack.url}/api/` }),
    claims: createMessageClaims(table),
    digests,
  };
  /** Tells what has happened to a key, all of it or what is given; the events are those of one episode. */
  async function announce(key: KeyIdentity, from = 0): Promise<void> {
    for (const record of findings.auditOf(key.arn).slice(from)) await announceFinding(record, deps);
  }
  async function refresh(): Promise<void> {
    for (const id of await digests.stale(10)) await announceDigest(id, deps);
  }
  return {
    ...{ policy, findings, digests, notices, clock, deps, announce, refresh },
    async open(
      number: number,
      more: FindingEvent[] = [],
      opening: Parameters<typeof anOpening>[0] = {},
    ): Promise<KeyIdentity> {
      const key = keyNumber(number);
      const facts = aKey({ ...key, aliases: [`storm-${number}`] });
      await findings.given([anOpening({ key, facts, ...opening }), ...more]);
      await announce(key);
      return key;
    },
    /** What follows for a key whose history was announced so far. */
    async follows(key: KeyIdentity, history: FindingEvent[]): Promise<void> {
      const before = findings.auditOf(key.arn).length;
      await findings.append(await continued(key, history));
      await announce(key, before);
    },
    alerts: () => notices.filter((notice) => notice.kind === 'alert'),
  };

  async function continued(key: KeyIdentity, events: FindingEvent[]) {
    const before = await findings.load(key.arn);
    const context = { cause: { kind: 'clock' as const, id: 'c' }, policyVersion: '1', newId: () => 'id' };
    const { records, head: after } = seal(before, events, context, (value) => JSON.stringify(value));
    return { before, after, records, dueAt: null, onceId: null };
  }
}

function keyNumber(number: number): KeyIdentity {
  const keyId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  return { ...KEY, keyId, arn: KEY.arn.replace(KEY.keyId, keyId) };
}
const channel = () => slack.slack.state().channels.find(({ id }) => id === CHANNEL);
const messages = () => channel()?.messages ?? [];
const postIds = () => messages().map(({ metadata }) => metadata?.event_payload['post_id']);
const digest = () => {
  const found = messages().find(({ metadata }) => String(metadata?.event_payload['post_id']).startsWith('digest#'));
  if (found === undefined) throw new Error('there is no digest');
  return found;
};
const labels = () => (digest().blocks ?? []).flatMap(buttonsOf).map(({ text }) => text.text);

/** Two findings with messages of their own, and three in the digest. */
async function aStorm(): Promise<KeyIdentity[]> {
  const keys: KeyIdentity[] = [];
  for (const number of [1, 2, 3, 4, 5]) keys.push(await world.open(number));
  await world.refresh();
  return keys.slice(THRESHOLD);
}

describe('a storm', () => {
  it('has as many messages as the threshold says, and one for all the others', async () => {
    await aStorm();
    expect(postIds()).toHaveLength(THRESHOLD + 1);
    expect(digest().text).toBe('3 findings at once: 3 wait for a decision.');
    expect(labels()).toEqual(['Review']);
  });

  it('offers to approve all who are certain to have been shown, as soon as they are', async () => {
    await aStorm();
    world.clock.now = later({ minutes: 2 });
    await world.refresh();
    expect(labels()).toEqual(['Review', 'Approve all 3']);
    expect(await world.digests.stale(10)).toEqual([]);
  });

  it('is the same when every record comes again', async () => {
    await aStorm();
    const shown = () => messages().map(({ ts, text, replies }) => ({ ts, text, replies }));
    const before = shown();
    for (const number of [1, 2, 3, 4, 5]) await world.announce(keyNumber(number));
    await world.refresh();
    expect(shown()).toEqual(before);
  });

  it('shows each finding once when they are announced all at the same time, and some twice', async () => {
    const keys = [1, 2, 3, 4, 5, 6, 7, 8].map(keyNumber);
    for (const key of keys) await world.findings.given([anOpening({ key, facts: null })]);
    const runs = await Promise.allSettled([...keys, ...keys].map((key) => world.announce(key)));
    for (const run of runs) if (run.status === 'rejected') expect(run.reason).toMatchObject({ name: 'BeingPosted' });
    for (const key of keys) await world.announce(key);
    await world.refresh();
    const members = await world.digests.members(await world.digests.current(CHANNEL, world.clock.now));
    const own = postIds().filter((id) => !String(id).startsWith('digest#'));
    const inDigest = members.map(({ key }) => `${key.arn}#1#root`);
    expect([...own, ...inDigest].sort()).toEqual(keys.map(({ arn }) => `${arn}#1#root`).sort());
    expect(own.length).toBeLessThanOrEqual(THRESHOLD);
  });

  it('goes on in the next minute, and is over after one that was calm', async () => {
    await aStorm();
    await world.open(6, [], { at: later({ minutes: 1 }) });
    await world.open(7, [], { at: later({ minutes: 3 }) });
    expect(postIds()).toEqual([
      `${keyNumber(1).arn}#1#root`,
      `${keyNumber(2).arn}#1#root`,
      digestId(),
      `${keyNumber(7).arn}#1#root`,
    ]);
  });

  it('begins when the exemption of many keys ends at once, however long ago they were found', async () => {
    const exemption = exemptionBy(aPattern(), later({}));
    for (const number of [1, 2, 3, 4, 5]) {
      const at = later({ minutes: 10 * number });
      await world.open(number, [{ type: 'exemption-granted', at, exemption }], { at });
    }
    expect(messages()).toEqual([]);
    world.clock.now = later({ days: 3 });
    for (const number of [1, 2, 3, 4, 5]) {
      await world.follows(keyNumber(number), [{ type: 'exemption-revoked', at: later({ days: 3 }), by: aPersonRef() }]);
    }
    await world.refresh();
    expect(postIds()).toHaveLength(THRESHOLD + 1);
    expect(digest().text).toBe('3 findings at once: 3 wait for a decision.');
  });

  it('never begins when the policy says so', async () => {
    world.policy.digest.threshold = null;
    for (const number of [1, 2, 3, 4]) await world.open(number);
    expect(postIds()).toHaveLength(4);
  });

  it('is not joined by what is only observed', async () => {
    for (const number of [1, 2, 3, 4]) await world.open(number, [], { mode: 'observe' });
    expect(messages()).toEqual([]);
    expect(await world.digests.stale(10)).toEqual([]);
  });
});

describe('what happens to a member', () => {
  it('is shown by the digest, without a reply', async () => {
    const [key = KEY] = await aStorm();
    await world.follows(key, [anApproval(), ...aRemediation()]);
    await world.refresh();
    expect(digest().text).toBe('3 findings at once: 2 wait for a decision, 1 remediated.');
    expect(digest().replies).toEqual([]);
  });

  it('leaves no button when it is the last to be decided', async () => {
    for (const key of await aStorm()) await world.follows(key, [anApproval(), ...aRemediation()]);
    await world.refresh();
    expect(digest().text).toBe('3 findings, all decided: 3 remediated.');
    expect(labels()).toEqual([]);
  });

  it('is one reminder and one escalation for all', async () => {
    for (const key of await aStorm()) {
      const at = later({ hours: 48 });
      await world.follows(key, [
        { type: 'reminded', at, reminder: 1 },
        { type: 'escalated', at },
      ]);
    }
    expect(digest().replies.map(({ text }) => text.split('. ')[0])).toEqual([
      'Some of these findings still wait for a decision (reminder 1)',
      'Escalated: nobody has decided about some of these keys yet',
    ]);
    expect(world.alerts()).toHaveLength(3);
  });

  it('is one reply a minute for failures', async () => {
    for (const key of await aStorm()) {
      const failure = { because: 'rotation-limit-reached' } as const;
      const failed = { type: 'remediation-failed', at: later({ minutes: 31 }), failure, kmsRequestId: null } as const;
      await world.follows(key, [anApproval(), failed]);
    }
    await world.refresh();
    expect(digest().replies.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^Remediation of alias\/storm-3 failed/),
    ]);
    expect(digest().text).toBe('3 findings at once: 3 failed.');
  });

  it('gives it a message of its own when its exemption is about to end', async () => {
    const [key = KEY] = await aStorm();
    const exempted = { type: 'exemption-granted', at: later({ minutes: 10 }), exemption: anExemption() } as const;
    await world.follows(key, [exempted]);
    expect(postIds()).not.toContain(`${key.arn}#1#root`);
    const { owner } = anExemption();
    await world.follows(key, [{ type: 'exemption-reminded', at: later({ days: 16 }), daysLeft: 14, owner }]);
    await world.refresh();
    const own = messages().find(({ metadata }) => metadata?.event_payload['post_id'] === `${key.arn}#1#root`);
    expect(own?.text).toMatch(/^Exempt: alias\/storm-3/);
    expect(own?.replies).toHaveLength(1);
    expect(digest().text).toBe('2 findings at once: 2 wait for a decision.');
    await world.announce(key);
    expect(postIds().filter((id) => id === `${key.arn}#1#root`)).toHaveLength(1);
  });

  it('gives it a message of its own when the digest is forgotten', async () => {
    const [key = KEY] = await aStorm();
    world.clock.now = later({ days: 401 });
    await world.follows(key, [anApproval(later({ days: 401 }))]);
    expect(postIds()).toContain(`${key.arn}#1#root`);
  });
});

describe('the message of a digest', () => {
  it('is posted anew when somebody deleted it', async () => {
    await aStorm();
    const { ts } = digest();
    await slack.client.chat.delete({ channel: CHANNEL, ts });
    world.clock.now = later({ minutes: 2 });
    await world.refresh();
    expect(digest().ts).not.toBe(ts);
    expect(labels()).toEqual(['Review', 'Approve all 3']);
  });

  it('stays to be rendered when Slack limits the rate, and comes again', async () => {
    for (const number of [1, 2, 3]) await world.open(number);
    slack.slack.faults.set('chat.postMessage', 'ratelimited', 1);
    await expect(world.refresh()).rejects.toMatchObject({ name: 'SlackRateLimited' });
    expect(await world.digests.stale(10)).toHaveLength(1);
    await world.refresh();
    expect(digest().text).toBe('1 finding: 1 waits for a decision.');
  });

  it('is reported once when Slack refuses it', async () => {
    for (const number of [1, 2, 3]) await world.open(number);
    slack.slack.faults.set('chat.postMessage', 'is_archived', 2);
    await world.refresh();
    await world.open(4);
    await world.refresh();
    expect(world.alerts().map(({ alert, message }) => `${alert}: ${message}`)).toEqual([
      `slack-refuses: Slack refuses to show the digest of channel ${CHANNEL}: is_archived.`,
    ]);
    await world.open(5);
    await world.refresh();
    expect(digest().text).toBe('3 findings at once: 3 wait for a decision.');
  });

  it('is rendered by one run at a time; the other one is told to come again', async () => {
    for (const number of [1, 2, 3]) await world.open(number);
    const [id = ''] = await world.digests.stale(10);
    const runs = await Promise.allSettled([announceDigest(id, world.deps), announceDigest(id, world.deps)]);
    const refused = runs.flatMap((run) => (run.status === 'rejected' ? [run.reason as unknown] : []));
    for (const reason of refused) expect(reason).toMatchObject({ name: 'BeingRendered' });
    expect(postIds()).toHaveLength(THRESHOLD + 1);
  });

  it('is left alone by an order that comes when it shows everything', async () => {
    await aStorm();
    world.clock.now = later({ minutes: 2 });
    await world.refresh();
    // Slack would not take a call.
    slack.slack.faults.set('*', 'fatal_error', 1);
    await announceDigest(await world.digests.current(CHANNEL, world.clock.now), world.deps);
    expect(labels()).toEqual(['Review', 'Approve all 3']);
  });
});

function digestId(): string {
  return String(digest().metadata?.event_payload['post_id']);
}
