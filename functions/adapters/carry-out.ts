import { findingEventSchema } from '../contracts/records.ts';
import { type Cause, type Digest, seal } from '../domain/audit.ts';
import type { Command } from '../domain/commands.ts';
import { nextDeadline } from '../domain/deadlines.ts';
import { type Decision, decide, refusalEvent } from '../domain/decide.ts';
import type { Finding } from '../domain/finding.ts';
import type { FindingEvent } from '../domain/finding-events.ts';
import { deadlineRules, type Policy } from '../domain/policy.ts';
import type { FindingsTable } from './findings-table.ts';
import { type Pause, untilWon } from './lost-races.ts';
import { AlreadyHandled } from './table-writes.ts';
import { offsetAt } from './time-zone.ts';

export type CarryOutRequest = {
  keyArn: string;
  cause: Cause;
  /** The same id never changes a finding twice. Null: repetition is harmless by the domain's own rules. */
  onceId: string | null;
  /** Made from the finding as it is now; null when there is nothing to do. May be asked again after a lost race. */
  command: (finding: Finding | undefined) => Command | null;
};

export type CarriedOut = {
  decision: Decision | { outcome: 'ignored'; because: 'duplicate-delivery' | 'nothing-to-do' };
  /** The finding afterwards. */
  finding: Finding | undefined;
};

export type CarryOut = (request: CarryOutRequest) => Promise<CarriedOut>;

/**
 * Load, decide, save: the only way a finding changes. Nothing is sent from here; the table's stream tells the rest.
 * The promise rejects with VersionConflict when the race is lost again and again, with PolicyUnreadable, and
 * with a ZodError for an event that could not be read again once it is stored.
 */
export function createCarryOut(deps: {
  table: Pick<FindingsTable, 'load' | 'append'>;
  loadPolicy: () => Promise<{ policy: Policy; version: string }>;
  newId: () => string;
  digest: Digest;
  pause?: Pause;
}): CarryOut {
  async function attempt({ keyArn, cause, onceId, command: commandFor }: CarryOutRequest): Promise<CarriedOut> {
    const { policy, version: policyVersion } = await deps.loadPolicy();
    const before = await deps.table.load(keyArn);
    const command = commandFor(before.finding);
    if (command === null) {
      return { decision: { outcome: 'ignored', because: 'nothing-to-do' }, finding: before.finding };
    }
    const decision = decide(command, before.finding);
    const events = eventsOf(decision, command, before.finding).map((event) => findingEventSchema.parse(event));
    if (events.length === 0) return { decision, finding: before.finding };
    const { newId, digest } = deps;
    // Like the texts of the event: an eventID of outside may hold what UTF-8 cannot.
    const context = { cause: { ...cause, id: cause.id.toWellFormed() }, policyVersion, newId };
    const { records, head: after } = seal(before, events, context, digest);
    const dueAt =
      after.finding === undefined ? null : nextDeadline(after.finding, deadlineRules(policy, after.finding, offsetAt));
    await deps.table.append({ before, after, records, dueAt, onceId });
    return { decision, finding: after.finding };
  }

  return async (request) => {
    try {
      return await untilWon(() => attempt(request), deps.pause);
    } catch (error) {
      if (!(error instanceof AlreadyHandled)) throw error;
      const { finding } = await deps.table.load(request.keyArn);
      return { decision: { outcome: 'ignored', because: 'duplicate-delivery' }, finding };
    }
  };
}

function eventsOf(decision: Decision, command: Command, finding: Finding | undefined): FindingEvent[] {
  switch (decision.outcome) {
    case 'accepted':
      return decision.events;
    case 'ignored':
      return [];
    case 'refused':
      // Without a finding there is no trail to write to; the person is told, and the log has it.
      return finding === undefined || !('verdict' in command) ? [] : [refusalEvent(command, decision.refusal)];
  }
}
