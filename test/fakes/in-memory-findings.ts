import { createCarryOut } from '../../functions/adapters/carry-out.ts';
import { digest } from '../../functions/adapters/digest.ts';
import type { Change, DueFinding } from '../../functions/adapters/findings-table.ts';
import { AlreadyHandled, VersionConflict } from '../../functions/adapters/table-writes.ts';
import { findingSort } from '../../functions/contracts/table.ts';
import { type AuditEvent, type ChainHead, EMPTY_CHAIN, seal } from '../../functions/domain/audit.ts';
import type { Finding, Status } from '../../functions/domain/finding.ts';
import type { FindingEvent } from '../../functions/domain/finding-events.ts';
import type { PatternExemption } from '../../functions/domain/pattern-exemption.ts';
import type { Policy } from '../../functions/domain/policy.ts';
import { aPolicy } from '../builders.ts';

type Row = { head: ChainHead; records: AuditEvent[]; dueAt: string | null };

/**
 * The findings table in memory, with its conditions: a moved snapshot and a used `onceId` are refused as the table
 * refuses them. `carryOut` is the real one on top of it.
 */
export function createInMemoryFindings(policy: Policy = aPolicy()) {
  const rows = new Map<string, Row>();
  const used = new Set<string>();
  let ids = 0;
  const newId = () => {
    ids += 1;
    return `audit-${ids}`;
  };
  const loadPolicy = () => Promise.resolve({ policy, version: 'policy-1' });

  function load(keyArn: string): Promise<ChainHead> {
    return Promise.resolve(rows.get(keyArn)?.head ?? EMPTY_CHAIN);
  }

  function append({ before, after, records, dueAt, onceId }: Change): Promise<void> {
    const arn = after.finding?.key.arn ?? '';
    const row = rows.get(arn);
    if (onceId !== null && used.has(onceId)) return Promise.reject(new AlreadyHandled(onceId));
    if ((row?.head ?? EMPTY_CHAIN).hash !== before.hash) return Promise.reject(new VersionConflict(arn));
    if (onceId !== null) used.add(onceId);
    rows.set(arn, { head: after, records: [...(row?.records ?? []), ...records], dueAt });
    return Promise.resolve();
  }

  const carryOut = createCarryOut({ table: { load, append }, loadPolicy, newId, digest });

  return {
    load,
    append,
    loadPolicy,
    carryOut,
    /** None: who needs some brings its own. */
    patternsOf: (): Promise<PatternExemption[]> => Promise.resolve([]),
    loadFinding: async (keyArn: string): Promise<Finding | undefined> => (await load(keyArn)).finding,
    findingsDueBefore: (now: string, limit: number): Promise<DueFinding[]> =>
      Promise.resolve(
        [...rows.values()]
          .flatMap(({ head, dueAt }) => (head.finding === undefined || dueAt === null ? [] : [{ head, dueAt }]))
          .filter(({ dueAt }) => dueAt <= now)
          .sort((a, b) => (a.dueAt < b.dueAt ? -1 : 1))
          .flatMap(({ head: { finding } }) =>
            finding === undefined ? [] : [{ keyArn: finding.key.arn, read: () => finding }],
          )
          .slice(0, limit),
      ),
    findingsPage: (status: Status, { after, limit }: { after: string | null; limit: number }) => {
      const all = [...rows.values()]
        .flatMap(({ head: { finding } }) => (finding?.status === status ? [finding] : []))
        .map((finding) => ({ finding, sort: findingSort(finding.openedAt, finding.key.arn) }))
        .filter(({ sort }) => after === null || sort > after)
        .sort((a, b) => (a.sort < b.sort ? -1 : 1))
        .slice(0, limit);
      return Promise.resolve({ findings: all.map(({ finding }) => finding), next: all.at(-1)?.sort ?? null });
    },
    newestOfDay: (day: string, limit: number): Promise<AuditEvent[]> =>
      Promise.resolve(
        [...rows.values()]
          .flatMap(({ records }) => records)
          .filter(({ event }) => event.at.startsWith(day))
          .sort((a, b) => (a.event.at < b.event.at ? 1 : -1))
          .slice(0, limit),
      ),
    auditOf: (keyArn: string): AuditEvent[] => rows.get(keyArn)?.records ?? [],
    eventTypes: (keyArn: string): string[] => (rows.get(keyArn)?.records ?? []).map(({ event }) => event.type),
    /** Stores a history as if it had happened; answers the last record. `dueAt` is a time long past. */
    async given(events: readonly FindingEvent[]): Promise<AuditEvent> {
      const [first] = events;
      if (first?.type !== 'finding-opened') throw new Error('a history begins with finding-opened');
      const before = await load(first.key.arn);
      const context = { cause: { kind: 'slack' as const, id: 'given' }, policyVersion: 'policy-1', newId };
      const { records, head } = seal(before, events, context, digest);
      await append({ before, after: head, records, dueAt: '2000-01-01T00:00:00.000Z', onceId: null });
      const last = records.at(-1);
      if (last === undefined) throw new Error('no record');
      return last;
    },
  };
}
