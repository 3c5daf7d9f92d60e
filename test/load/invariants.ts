import { digest } from '../../functions/adapters/digest.ts';
import { type AuditEvent, verifyChain } from '../../functions/domain/audit.ts';
import { CHANNELS } from '../../sandbox/world.ts';
import { type Click, mayDecide } from './clicks.ts';
import type { PlannedKey } from './events.ts';
import type { KeyRecords, World } from './outside.ts';

/** A click that was sent, once or twice, with what came back. */
export type SentClick = Click & {
  requestId: string;
  /** Whether the bot had the time to decide about it. */
  mustFinish: boolean;
  statuses: number[];
  latencies: number[];
  /** What the person was told. */
  said: readonly string[];
};

/** Whether the person was told that the click could not be decided now. */
export function wasToldUnfinished({ said }: SentClick): boolean {
  return said.some((sentence) => sentence.startsWith('This could not be finished'));
}

const PAYMENTS_ACCOUNT = '444455556666';

/** Every promise that does not hold, as a sentence. */
export function violationsOf(world: World, keys: readonly PlannedKey[], clicks: readonly SentClick[]): string[] {
  return [
    ...keys.flatMap((key) => violationsOfKey(key, world, clicks)),
    ...clicks.flatMap((click) => violationsOfClick(click, world)),
    ...[...world.queues]
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${count} messages left in queue ${name}`),
    ...Object.entries(world.onTheWay).map(([where, count]) => `${count} still on the way: ${where}`),
    ...(world.givenUp === 0 ? [] : [`${world.givenUp} stream records were given up`]),
    ...repeatedPosts(world),
  ];
}

function violationsOfKey(key: PlannedKey, world: World, clicks: readonly SentClick[]): string[] {
  const { arn } = key;
  if (arn === undefined) return ['a key could not be made'];
  const { snapshots, events } = world.records.get(arn) ?? { snapshots: [], events: [] };
  const say = (what: string) => `${key.is} key ${arn}: ${what}`;
  const chain = chainOf({ snapshots, events });
  const roots = world.messages.filter(({ postId }) => postId.startsWith(`${arn}#`));
  const approvals = events.filter(({ event }) => event.type === 'remediation-approved');
  const found: string[] = [];
  const expectEqual = (what: string, actual: unknown, expected: unknown) => {
    if (actual !== expected) found.push(say(`${what}: ${String(actual)} instead of ${String(expected)}`));
  };
  if (chain !== null) found.push(say(chain));
  switch (key.is) {
    case 'fine':
      expectEqual('findings', snapshots.length, 0);
      expectEqual('messages', roots.length, 0);
      break;
    case 'rotating':
      // A finding may have been opened and closed when the second call came late; none may be left.
      if (snapshots.some(({ finding }) => finding.status !== 'closed')) found.push(say('has an open finding'));
      expectEqual('approvals', approvals.length, 0);
      expectEqual('rotation', world.rotationOf.get(arn), true);
      break;
    case 'problem': {
      const deciders = clicks.filter((click) => mayDecide(click) && click.finding.ref.key === arn);
      expectEqual('findings', snapshots.length, 1);
      expectEqual('messages', roots.length, 1);
      expectEqual('channel', roots[0]?.channel, CHANNELS[key.accountId === PAYMENTS_ACCOUNT ? 1 : 0].id);
      expectEqual('openings', count(events, 'finding-opened'), 1);
      const undecided = deciders.every((click) => !click.mustFinish && wasToldUnfinished(click));
      const decided = deciders.length === 0 ? 0 : undecided ? approvals.length : 1;
      for (const type of ['remediation-approved', 'remediation-started', 'remediated'] as const) {
        expectEqual(type, count(events, type), decided);
      }
      expectEqual('rotation', world.rotationOf.get(arn), decided === 1);
      if (events.some(({ event }) => event.type === 'remediated' && event.proof.agreeingReads < 3)) {
        found.push(say('remediated without three agreeing reads'));
      }
      const approvedBy = approvals[0]?.cause.id;
      if (approvedBy !== undefined && !deciders.some(({ requestId }) => requestId === approvedBy)) {
        found.push(say('was approved by nobody who may'));
      }
    }
  }
  return found;
}

function violationsOfClick(click: SentClick, world: World): string[] {
  const say = (what: string) => `click ${click.requestId} of ${click.by}: ${what}`;
  const found = click.statuses.filter((status) => status !== 200).map((status) => say(`answered with ${status}`));
  const events = world.records.get(click.finding.ref.key)?.events ?? [];
  const [record, ...more] = events.filter(({ cause }) => cause.id === click.requestId);
  const unfinished = wasToldUnfinished(click);
  if (more.length > 0) found.push(say(`led to ${more.length + 1} records`));
  if (record === undefined && !unfinished) found.push(say('led to nothing, and nobody was told'));
  if (unfinished && click.mustFinish) found.push(say('was not finished'));
  const isApproval = record?.event.type === 'remediation-approved';
  if (isApproval && !mayDecide(click)) found.push(say('was accepted'));
  if (record !== undefined && !unfinished && click.said.length !== (isApproval ? 0 : 1)) {
    found.push(say(`was told ${click.said.length} sentences about one ${record.event.type}`));
  }
  return found;
}

function repeatedPosts({ messages }: World): string[] {
  const seen = new Set<string>();
  return messages.flatMap(({ postId }) => {
    if (seen.has(postId)) return [`message ${postId} was posted twice`];
    seen.add(postId);
    return [];
  });
}

function chainOf({ snapshots, events }: KeyRecords): string | null {
  const [head] = snapshots;
  const verdict = verifyChain(events, digest, head);
  return verdict.intact ? null : `audit chain: ${verdict.problem}`;
}

function count(events: readonly AuditEvent[], type: AuditEvent['event']['type']): number {
  return events.filter(({ event }) => event.type === type).length;
}
