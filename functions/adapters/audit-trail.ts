import { type AuditEvent, type ChainHead, type ChainVerdict, verifyChain } from '../domain/audit.ts';
import { type PatternHead, type PatternRecord, verifyPatternChain } from '../domain/pattern-audit.ts';
import { digest } from './digest.ts';
import type { FindingsTable } from './findings-table.ts';
import type { PatternsTable } from './patterns-table.ts';

/** A key's events, oldest first, where its chain stands, and whether the two hold together. */
export type AuditTrail = { events: AuditEvent[]; head: ChainHead; verdict: ChainVerdict };

/**
 * Reads and verifies the trail of a key. An event that is appended between the two reads must not look like a broken
 * chain, so they are repeated until the chain stood still.
 */
export async function readAuditTrail(
  findings: Pick<FindingsTable, 'load' | 'auditOf'>,
  keyArn: string,
): Promise<AuditTrail> {
  const { head, events } = await standingStill(
    () => findings.load(keyArn),
    () => findings.auditOf(keyArn),
  );
  return { events, head, verdict: verifyChain(events, digest, head) };
}

/** The same for the trail of an exemption of a pattern. */
export async function readPatternTrail(
  patterns: Pick<PatternsTable, 'load' | 'auditOf'>,
  id: string,
): Promise<{ events: PatternRecord[]; head: PatternHead; verdict: ChainVerdict }> {
  const { head, events } = await standingStill(
    () => patterns.load(id),
    () => patterns.auditOf(id),
  );
  return { events, head, verdict: verifyPatternChain(events, digest, head) };
}

async function standingStill<Head extends { sequence: number }, Event>(
  load: () => Promise<Head>,
  auditOf: () => Promise<Event[]>,
): Promise<{ head: Head; events: Event[] }> {
  for (;;) {
    const head = await load();
    const events = await auditOf();
    if ((await load()).sequence === head.sequence) return { head, events };
  }
}
