import { createCarryOutPattern } from '../../functions/adapters/carry-out-pattern.ts';
import { digest } from '../../functions/adapters/digest.ts';
import type { PatternChange, PatternsTable } from '../../functions/adapters/patterns-table.ts';
import { AlreadyHandled, VersionConflict } from '../../functions/adapters/table-writes.ts';
import type { PatternDeps } from '../../functions/decide-finding/decide-pattern.ts';
import { EMPTY_PATTERN_CHAIN, type PatternHead, type PatternRecord } from '../../functions/domain/pattern-audit.ts';
import type { PatternCommand, PatternExemption } from '../../functions/domain/pattern-exemption.ts';
import type { Policy } from '../../functions/domain/policy.ts';
import { aPolicy, DAY_ONE } from '../builders.ts';

type Row = { head: PatternHead; records: PatternRecord[]; dueAt: string | null };

/** As much of the table as the use cases need. */
export type Patterns = Pick<
  PatternsTable,
  'load' | 'append' | 'ofAccount' | 'current' | 'dueBefore' | 'auditOf' | 'auditOfDay' | 'auditOfPerson'
>;

/** The exemptions of patterns in memory, with the table's conditions. `carryOut` is the real one on top of it. */
export function createInMemoryPatterns(policy: Policy = aPolicy()) {
  const rows = new Map<string, Row>();
  const used = new Set<string>();
  let ids = 0;
  const newId = () => {
    ids += 1;
    return `record-${ids}`;
  };
  const loadPolicy = () => Promise.resolve({ policy, version: 'policy-1' });
  const all = () =>
    [...rows.values()].flatMap(({ head: { pattern }, dueAt }) => (pattern === undefined ? [] : [{ pattern, dueAt }]));
  const records = () => [...rows.values()].flatMap((row) => row.records);

  const table: Patterns = {
    load: (id) => Promise.resolve(rows.get(id)?.head ?? EMPTY_PATTERN_CHAIN),

    append({ before, after, records: added, dueAt, onceId }: PatternChange) {
      const id = after.pattern?.id ?? '';
      const row = rows.get(id);
      if (onceId !== null && used.has(onceId)) return Promise.reject(new AlreadyHandled(onceId));
      if ((row?.head ?? EMPTY_PATTERN_CHAIN).hash !== before.hash) return Promise.reject(new VersionConflict(id));
      if (onceId !== null) used.add(onceId);
      rows.set(id, { head: after, records: [...(row?.records ?? []), ...added], dueAt });
      return Promise.resolve();
    },

    ofAccount: (accountId) =>
      Promise.resolve(
        all().flatMap(({ pattern }) =>
          pattern.pattern.accountId === accountId && pattern.ended === null ? [pattern] : [],
        ),
      ),

    current: (limit) =>
      Promise.resolve(
        all()
          .flatMap(({ pattern }) => (pattern.ended === null ? [pattern] : []))
          .sort((a, b) => (askedAt(a) < askedAt(b) ? 1 : -1))
          .slice(0, limit),
      ),

    dueBefore: (now, limit) =>
      Promise.resolve(
        all()
          .flatMap(({ pattern, dueAt }) => (dueAt !== null && dueAt <= now ? [{ pattern, dueAt }] : []))
          .sort((a, b) => (a.dueAt < b.dueAt ? -1 : 1))
          .map(({ pattern }) => pattern)
          .slice(0, limit),
      ),

    auditOf: (id) => Promise.resolve(rows.get(id)?.records ?? []),
    auditOfDay: (day) => Promise.resolve(records().filter(({ event }) => event.at.startsWith(day))),
    auditOfPerson: (_teamId, userId) =>
      Promise.resolve(
        records().filter(({ event }) =>
          event.type === 'pattern-requested' ? event.request.by.userId === userId : byOf(event) === userId,
        ),
      ),
  };

  const carryOut = createCarryOutPattern({ table, loadPolicy, newId, digest });
  return {
    ...table,
    carryOut,
    /** Carries out commands one after the other; answers what they lead to. */
    async given(id: string, commands: readonly PatternCommand[]): Promise<PatternExemption> {
      let last: PatternExemption | undefined;
      for (const command of commands) {
        const cause = { kind: 'slack' as const, id: 'given' };
        const { decision, pattern } = await carryOut({ id, cause, onceId: null, command: () => command });
        if (decision.outcome !== 'accepted') throw new Error(`${command.type}: ${JSON.stringify(decision)}`);
        last = pattern;
      }
      if (last === undefined) throw new Error('no command');
      return last;
    },
  };
}

/** All that the use cases of exemptions of patterns need: nobody has any, and Slack knows nobody, unless told otherwise. */
export function somePatternDeps(changes: Partial<PatternDeps> = {}, policy: Policy = aPolicy()): PatternDeps {
  const patterns = createInMemoryPatterns(policy);
  return {
    loadPolicy: () => Promise.resolve({ policy }),
    person: () => Promise.resolve(null),
    groupsOf: () => Promise.resolve({ known: false }),
    now: () => new Date(DAY_ONE),
    patterns,
    carryOutPattern: patterns.carryOut,
    coverage: () => Promise.resolve({ keys: [], isAll: true }),
    ...changes,
  };
}

function askedAt({ request, grant }: PatternExemption): string {
  return grant?.since ?? request?.at ?? '';
}

function byOf(event: PatternRecord['event']): string | null {
  return 'by' in event ? event.by.userId : null;
}
