import {
  duePatternWork,
  type PatternClockCommand,
  type PatternExemption,
  type PatternWork,
} from '../domain/pattern-exemption.ts';
import { type ApplyPatternDeps, applyPattern } from './apply-pattern.ts';

export type KeepPatternsDeps = ApplyPatternDeps & {
  /** Most overdue first. */
  patternsDueBefore: (now: string, limit: number) => Promise<PatternExemption[]>;
};

const PAGE = 100;

/**
 * What the clock does for exemptions of patterns: requests lapse, what ran out ends, owners are reminded once for all keys,
 * and findings are made to follow. Answers how many were due.
 * @throws PolicyUnreadable before anything is done; AggregateError after all the others were done
 */
export async function keepPatterns(now: string, deps: KeepPatternsDeps): Promise<number> {
  const errors: unknown[] = [];
  const due = await deps.patternsDueBefore(now, PAGE);
  if (due.length === 0) return 0;
  const { policy } = await deps.loadPolicy();
  for (const { id } of due) {
    if (!deps.hasTime()) break;
    try {
      const pattern = await deps.loadPattern(id);
      const work = pattern === undefined ? [] : duePatternWork(pattern, policy.exemptions, now);
      for (const item of work) await carryOut(id, item, deps);
    } catch (error) {
      errors.push(new Error(`exemption of pattern ${id}`, { cause: error }));
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} exemptions of patterns failed`);
  return due.length;
}

async function carryOut(id: string, work: PatternWork, deps: KeepPatternsDeps): Promise<void> {
  if (work.type === 'apply') {
    await applyPattern(id, deps);
    return;
  }
  const cause = { kind: 'clock' as const, id: `sweep#${work.at}` };
  const command = commandFor(work);
  await deps.carryOutPattern({ id, cause, onceId: null, command: () => command });
}

type Dated = Exclude<PatternWork, { type: 'apply' }>;

function commandFor(work: Dated): PatternClockCommand {
  const { at } = work;
  switch (work.type) {
    case 'lapse':
      return { type: 'lapse-pattern', at };
    case 'expire':
      return { type: 'expire-pattern', at };
    case 'remind':
      return { type: 'remind-pattern-owner', at, daysLeft: work.daysLeft };
  }
}
