import { evolve, replay } from './evolve.ts';
import type { Finding, Status } from './finding.ts';
import type { FindingEvent } from './finding-events.ts';
import type { KeyIdentity } from './key.ts';
import { same } from './same.ts';

/** What asked for the change: one CloudTrail event, one click, one run of the clock. Lets an auditor group events. */
export type Cause = {
  kind: 'cloudtrail' | 'kms-event' | 'slack' | 'clock' | 'remediation' | 'second-look' | 'sweep';
  /** CloudTrail eventID, Slack trigger id, … */
  id: string;
};

/** One line of the audit trail, as stored and published: who decided what, when, why, and what happened. */
export type AuditEvent = {
  schema: 1;
  /** Unique id of this event. */
  id: string;
  /** 1, 2, 3, … without gaps within one key. */
  sequence: number;
  key: KeyIdentity;
  episode: number;
  statusBefore: Status | 'none';
  statusAfter: Status;
  event: FindingEvent;
  cause: Cause;
  /** Identifies the policy document under which this was decided. */
  policyVersion: string;
  /** The hash of the event before, or 64 zeros for the first. */
  previousHash: string;
  /** SHA-256 over the canonical JSON (RFC 8785) of everything above. */
  hash: string;
};

export const GENESIS_HASH = '0'.repeat(64);

/** Hex SHA-256 over canonical JSON; passed in, because hashing is not a rule of this domain. */
export type Digest = (value: unknown) => string;

/** Where a key's chain stands: what the next event has to be attached to. */
export type ChainHead = { sequence: number; hash: string; finding: Finding | undefined };

export const EMPTY_CHAIN: ChainHead = { sequence: 0, hash: GENESIS_HASH, finding: undefined };

/** Seals new events onto a chain; answers the records to store and the chain's new head. */
export function seal(
  head: ChainHead,
  events: readonly FindingEvent[],
  context: { cause: Cause; policyVersion: string; newId: () => string },
  digest: Digest,
): { records: AuditEvent[]; head: ChainHead } {
  const records: AuditEvent[] = [];
  let current = head;
  for (const event of events) {
    const finding = evolve(current.finding, event);
    const unsealed = {
      schema: 1 as const,
      id: context.newId(),
      sequence: current.sequence + 1,
      key: finding.key,
      episode: finding.episode,
      statusBefore: current.finding?.status ?? ('none' as const),
      statusAfter: finding.status,
      event,
      cause: context.cause,
      policyVersion: context.policyVersion,
      previousHash: current.hash,
    };
    const record = { ...unsealed, hash: digest(unsealed) };
    records.push(record);
    current = { sequence: record.sequence, hash: record.hash, finding };
  }
  return { records, head: current };
}

export type ChainVerdict = { intact: true; events: number } | { intact: false; sequence: number; problem: string };

/**
 * Proves that nothing in a key's trail was altered, removed or inserted: numbering without gaps, each record's own
 * hash, each link to its predecessor, and, with `head`, that the stored snapshot ends the chain and, where it brings its
 * finding, that the events lead to exactly that finding.
 */
export function verifyChain(records: readonly AuditEvent[], digest: Digest, head?: ChainHead): ChainVerdict {
  const links = verifyLinks(records, digest, head);
  if (links.intact && head !== undefined && !leadTo(records, head.finding)) {
    return { intact: false, sequence: links.events, problem: 'the stored finding is not what its events lead to' };
  }
  return links;
}

/** The part of it that is the same for every chain of events. */
export function verifyLinks(
  records: readonly { sequence: number; previousHash: string; hash: string }[],
  digest: Digest,
  head?: { sequence: number; hash: string },
): ChainVerdict {
  let previousHash = GENESIS_HASH;
  let sequence = 0;
  for (const { hash, ...unsealed } of records) {
    sequence += 1;
    if (unsealed.sequence !== sequence) {
      return { intact: false, sequence, problem: `event ${sequence} is missing, found ${unsealed.sequence}` };
    }
    if (unsealed.previousHash !== previousHash) {
      return { intact: false, sequence, problem: `event ${sequence} does not follow the event before it` };
    }
    if (digest(unsealed) !== hash) return { intact: false, sequence, problem: `event ${sequence} was altered` };
    previousHash = hash;
  }
  if (head !== undefined && head.sequence > sequence) {
    const problem = `event ${sequence + 1} is missing: the snapshot stands at event ${head.sequence}`;
    return { intact: false, sequence: sequence + 1, problem };
  }
  if (head !== undefined && (head.sequence < sequence || head.hash !== previousHash)) {
    return { intact: false, sequence, problem: `the snapshot does not follow from event ${sequence}` };
  }
  return { intact: true, events: sequence };
}

function leadTo(records: readonly AuditEvent[], finding: Finding | undefined): boolean {
  try {
    return same(replay(records.map(({ event }) => event)), finding);
  } catch {
    // An event that cannot follow the one before it was never decided.
    return false;
  }
}
