import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { findingEventSchema } from '../contracts/records.ts';
import { type Cause, type Digest, seal } from '../domain/audit.ts';
import type { Command } from '../domain/commands.ts';
import { nextDeadline } from '../domain/deadlines.ts';
import { type Decision, decide, refusalEvent } from '../domain/decide.ts';
import type { Finding } from '../domain/finding.ts';
import type { FindingEvent } from '../domain/finding-events.ts';
import { deadlineRules, type Policy } from '../domain/policy.ts';
import { AlreadyHandled, type FindingsTable, VersionConflict } from './findings-table.ts';
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
 * Lost races in a row before giving up; each means that somebody else got something done. With the pauses between them
 * that is at most two seconds, inside the three in which Slack wants an answer.
 */
const ATTEMPTS = 10;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 320;

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
  /** Lets the others go first after a lost race. */
  pause?: (lostRaces: number) => Promise<void>;
}): CarryOut {
  const { pause = randomPause } = deps;

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
    for (let lostRaces = 0; ; ) {
      try {
        return await attempt(request);
      } catch (error) {
        if (error instanceof AlreadyHandled) {
          const { finding } = await deps.table.load(request.keyArn);
          return { decision: { outcome: 'ignored', because: 'duplicate-delivery' }, finding };
        }
        if (!(error instanceof VersionConflict)) throw error;
        lostRaces += 1;
        if (lostRaces === ATTEMPTS) throw error;
        await pause(lostRaces);
      }
    }
  };
}

/** Of random length: those who lost the same race would meet again in the next one. */
async function randomPause(lostRaces: number): Promise<void> {
  const share = randomBytes(1).readUInt8() / 255;
  await sleep(share * Math.min(FIRST_PAUSE_MS * 2 ** (lostRaces - 1), LONGEST_PAUSE_MS));
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
