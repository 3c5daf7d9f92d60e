import { type AuditEvent, type ChainHead, type ChainVerdict, verifyChain } from '../domain/audit.ts';
import { digest } from './digest.ts';
import type { FindingsTable } from './findings-table.ts';

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
  for (;;) {
    const head = await findings.load(keyArn);
    const events = await findings.auditOf(keyArn);
    if ((await findings.load(keyArn)).sequence !== head.sequence) continue;
    return { events, head, verdict: verifyChain(events, digest, head) };
  }
}
