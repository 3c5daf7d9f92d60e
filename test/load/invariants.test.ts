import { digest } from '../../functions/adapters/digest.ts';
import { type AuditEvent, EMPTY_CHAIN, seal } from '../../functions/domain/audit.ts';
import type { FindingEvent } from '../../functions/domain/finding-events.ts';
import { anApproval, anOpening, aPersonRef, aProof, aRemediation, KEY, later } from '../builders.ts';
import type { Click } from './clicks.ts';
import type { PlannedKey } from './events.ts';
import { type SentClick, violationsOf } from './invariants.ts';
import type { KeyRecords, World } from './outside.ts';

const CHANNEL = 'C0SECURITY';
const key: PlannedKey = { is: 'problem', accountId: KEY.accountId, region: 'eu-central-1', arn: KEY.arn, createdAt: 0 };
const root = { channel: CHANNEL, ts: '1.000001', postId: `${KEY.arn}#1#root`, blocks: [] };
const finding = { ref: { key: KEY.arn, episode: 1 }, channel: CHANNEL, ts: root.ts, blocks: [] };
const refusal: FindingEvent = {
  ...{ type: 'command-refused', at: later({ minutes: 5 }), command: 'approve' },
  ...{ by: { kind: 'person', person: aPersonRef() }, refusal: { reason: 'not-an-approver' } },
};

function aClick(by: Click['by'], requestId: string, changes: Partial<SentClick> = {}): SentClick {
  const said = by === 'approver' ? [] : ['You are not an approver.'];
  return { by, finding, stale: false, requestId, mustFinish: true, statuses: [200], latencies: [10], said, ...changes };
}
const approved = aClick('approver', 'request-1');
const refused = aClick('not-an-approver', 'request-2');

/** The key's records after these events, each caused by the request that is named with it. */
function recordsOf(...events: [FindingEvent, cause: string][]): KeyRecords {
  let head = EMPTY_CHAIN;
  const records: AuditEvent[] = [];
  for (const [event, id] of events) {
    const context = {
      cause: { kind: 'slack' as const, id },
      policyVersion: '1',
      newId: () => `event-${records.length}`,
    };
    const sealed = seal(head, [event], context, digest);
    records.push(...sealed.records);
    ({ head } = sealed);
  }
  const { finding: last, sequence, hash } = head;
  return { snapshots: last === undefined ? [] : [{ finding: last, sequence, hash }], events: records };
}

const [started, remediated] = aRemediation().map((event): [FindingEvent, string] => [
  event.type === 'remediated' ? { ...event, proof: aProof({ agreeingReads: 3 }) } : event,
  'remediation',
]);
if (started === undefined || remediated === undefined) throw new Error('a remediation has two events');
const opened: [FindingEvent, string] = [anOpening(), 'event-1'];
const refusedOnce: [FindingEvent, string] = [refusal, 'request-2'];
const approvedOnce: [FindingEvent, string] = [anApproval(), 'request-1'];
const good = recordsOf(opened, refusedOnce, approvedOnce, started, remediated);

function aWorld(changes: Partial<World> = {}): World {
  return {
    messages: [root],
    replies: 2,
    rotationOf: new Map([[KEY.arn, true]]),
    records: new Map([[KEY.arn, good]]),
    ...{ queues: new Map([['kms-key-changes', 0]]), onTheWay: {}, givenUp: 0 },
    ...changes,
  };
}
const withRecords = (records: KeyRecords) => aWorld({ records: new Map([[KEY.arn, records]]) });

it('finds nothing wrong with a key that was approved once and is rotated now', () => {
  expect(violationsOf(aWorld(), [key], [approved, refused])).toEqual([]);
});

it.each<[string, World, SentClick[]]>([
  ['a second message', aWorld({ messages: [root, { ...root, ts: '2.000001' }] }), [approved, refused]],
  ['no message', aWorld({ messages: [] }), [approved, refused]],
  ['another channel', aWorld({ messages: [{ ...root, channel: 'C0PAYMENTS' }] }), [approved, refused]],
  ['a change without an approval', aWorld(), [refused]],
  ['an approval without a change', aWorld({ rotationOf: new Map([[KEY.arn, false]]) }), [approved, refused]],
  [
    'a message left in a queue',
    aWorld({ queues: new Map([['kms-key-changes-dead-letters', 1]]) }),
    [approved, refused],
  ],
  ['a delivery on its way', aWorld({ onTheWay: { 'event bus': 1 } }), [approved, refused]],
  ['a delivery given up', aWorld({ givenUp: 1 }), [approved, refused]],
  ['no finding', withRecords({ snapshots: [], events: [] }), []],
  ['a missing event', withRecords({ ...good, events: good.events.slice(1) }), [approved, refused]],
  ['a click recorded twice', withRecords(recordsOf(opened, refusedOnce, refusedOnce)), [refused]],
  ['a click that led to nothing', withRecords(recordsOf(opened)), [refused]],
  ['a refusal nobody was told of', aWorld(), [approved, { ...refused, said: [] }]],
  ['a click without an answer', aWorld(), [approved, { ...refused, statuses: [0] }]],
  ['an approval by somebody who may not', aWorld(), [aClick('guest', 'request-1', { said: [] }), refused]],
  ['a remediation without a result', withRecords(recordsOf(opened, approvedOnce, started)), [approved]],
])('finds %s', (_, world, clicks) => {
  expect(violationsOf(world, [key], clicks)).not.toEqual([]);
});

it('lets a click of a surge end undecided when the person was told, and no other click', () => {
  const world = aWorld({
    rotationOf: new Map([[KEY.arn, false]]),
    records: new Map([[KEY.arn, recordsOf(opened)]]),
  });
  const said = ['This could not be finished just now.'];
  const ofSurge = aClick('approver', 'request-1', { mustFinish: false, said });
  expect(violationsOf(world, [key], [ofSurge])).toEqual([]);
  expect(violationsOf(world, [key], [{ ...ofSurge, mustFinish: true }])).not.toEqual([]);
});
