import { patternEventSchema } from '../contracts/pattern-records.ts';
import type { Cause, Digest } from '../domain/audit.ts';
import { sealPattern } from '../domain/pattern-audit.ts';
import {
  decidePattern,
  nextPatternDeadline,
  type PatternCommand,
  type PatternDecision,
  type PatternEvent,
  type PatternExemption,
} from '../domain/pattern-exemption.ts';
import type { Policy } from '../domain/policy.ts';
import { type Pause, untilWon } from './lost-races.ts';
import type { PatternsTable } from './patterns-table.ts';
import { AlreadyHandled } from './table-writes.ts';

export type CarryOutPattern = (request: {
  id: string;
  cause: Cause;
  /** The same id never changes an exemption twice. Null: repetition is harmless by the domain's own rules. */
  onceId: string | null;
  /** Made from the exemption as it is now; null when there is nothing to do. May be asked again after a lost race. */
  command: (current: PatternExemption | undefined) => PatternCommand | null;
}) => Promise<{
  decision: PatternDecision;
  /** The exemption afterwards. */
  pattern: PatternExemption | undefined;
}>;

/**
 * Load, decide, save: the only way an exemption of a pattern changes, as `createCarryOut` is for a finding. A repetition
 * of the same `onceId` is `ignored`.
 * @throws VersionConflict, PolicyUnreadable, ZodError, as there
 */
export function createCarryOutPattern(deps: {
  table: Pick<PatternsTable, 'load' | 'append'>;
  loadPolicy: () => Promise<{ policy: Policy; version: string }>;
  newId: () => string;
  digest: Digest;
  pause?: Pause;
}): CarryOutPattern {
  const { newId, digest } = deps;

  async function attempt({ id, cause, onceId, command: commandFor }: Parameters<CarryOutPattern>[0]) {
    const { policy, version: policyVersion } = await deps.loadPolicy();
    const before = await deps.table.load(id);
    const command = commandFor(before.pattern);
    if (command === null) return { decision: { outcome: 'ignored' as const }, pattern: before.pattern };
    const decision = decidePattern(command, before.pattern);
    const events = eventsOf(decision, command, before.pattern).map((event) => patternEventSchema.parse(event));
    if (events.length === 0) return { decision, pattern: before.pattern };
    const context = { cause: { ...cause, id: cause.id.toWellFormed() }, policyVersion, newId };
    const { records, head: after } = sealPattern(before, events, context, digest);
    const dueAt = after.pattern === undefined ? null : nextPatternDeadline(after.pattern, policy.exemptions);
    await deps.table.append({ before, after, records, dueAt, onceId });
    return { decision, pattern: after.pattern };
  }

  return async (request) => {
    try {
      return await untilWon(() => attempt(request), deps.pause);
    } catch (error) {
      if (!(error instanceof AlreadyHandled)) throw error;
      const { pattern } = await deps.table.load(request.id);
      return { decision: { outcome: 'ignored' }, pattern };
    }
  };
}

function eventsOf(
  decision: PatternDecision,
  command: PatternCommand,
  current: PatternExemption | undefined,
): PatternEvent[] {
  switch (decision.outcome) {
    case 'accepted':
      return decision.events;
    case 'ignored':
      return [];
    case 'refused': {
      // Without an exemption there is no trail to write to; the person is told, and the log has it.
      if (current === undefined || !('verdict' in command)) return [];
      const { at, by, type } = command;
      return [{ type: 'pattern-refused', at, command: type, by, refusal: decision.refusal }];
    }
  }
}
