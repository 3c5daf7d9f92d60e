import { type Cause, type ChainVerdict, type Digest, GENESIS_HASH, verifyLinks } from './audit.ts';
import { evolvePattern, type PatternEvent, type PatternExemption } from './pattern-exemption.ts';
import { same } from './same.ts';

/** One line of the audit trail of an exemption of a pattern; its fields mean what they mean in a key's trail. */
export type PatternRecord = {
  schema: 1;
  id: string;
  sequence: number;
  patternId: string;
  event: PatternEvent;
  cause: Cause;
  policyVersion: string;
  previousHash: string;
  hash: string;
};

/** Where the chain stands: what the next event has to be attached to. */
export type PatternHead = { sequence: number; hash: string; pattern: PatternExemption | undefined };

export const EMPTY_PATTERN_CHAIN: PatternHead = { sequence: 0, hash: GENESIS_HASH, pattern: undefined };

/** Seals new events onto a chain; answers the records to store and the chain's new head. */
export function sealPattern(
  head: PatternHead,
  events: readonly PatternEvent[],
  context: { cause: Cause; policyVersion: string; newId: () => string },
  digest: Digest,
): { records: PatternRecord[]; head: PatternHead } {
  const records: PatternRecord[] = [];
  let current = head;
  for (const event of events) {
    const pattern = evolvePattern(current.pattern, event);
    const unsealed = {
      schema: 1 as const,
      id: context.newId(),
      sequence: current.sequence + 1,
      patternId: pattern.id,
      event,
      cause: context.cause,
      policyVersion: context.policyVersion,
      previousHash: current.hash,
    };
    const record = { ...unsealed, hash: digest(unsealed) };
    records.push(record);
    current = { sequence: record.sequence, hash: record.hash, pattern };
  }
  return { records, head: current };
}

/** Proves of a pattern's trail what `verifyChain` proves of a key's. */
export function verifyPatternChain(
  records: readonly PatternRecord[],
  digest: Digest,
  head?: PatternHead,
): ChainVerdict {
  const links = verifyLinks(records, digest, head);
  if (links.intact && head !== undefined && !leadTo(records, head.pattern)) {
    return { intact: false, sequence: links.events, problem: 'the stored exemption is not what its events lead to' };
  }
  return links;
}

function leadTo(records: readonly PatternRecord[], pattern: PatternExemption | undefined): boolean {
  try {
    const replayed = records.reduce<PatternExemption | undefined>(
      (current, { event }) => evolvePattern(current, event),
      undefined,
    );
    return same(replayed, pattern);
  } catch {
    // An event that cannot follow the one before it was never decided.
    return false;
  }
}
