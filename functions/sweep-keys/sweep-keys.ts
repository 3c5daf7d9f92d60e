import type { Alert } from '../contracts/notice.ts';
import { assess, type KeyObservation } from '../domain/assessment.ts';
import type { Cause } from '../domain/audit.ts';
import type { ClockCommand } from '../domain/commands.ts';
import { type DueWork, dueWork } from '../domain/deadlines.ts';
import type { Finding } from '../domain/finding.ts';
import type { KeyIdentity } from '../domain/key.ts';
import { deadlineRules, type Policy, routeOf } from '../domain/policy.ts';
import type { OffsetAt } from '../domain/working-hours.ts';

export type SweepDeps = {
  loadPolicy: () => Promise<{ policy: Policy }>;
  /** Most overdue first. */
  findingsDueBefore: (now: string, limit: number) => Promise<{ keyArn: string; read: () => Finding }[]>;
  /** Throws when the key cannot be looked at now but perhaps later. */
  observeKey: (key: KeyIdentity) => Promise<KeyObservation>;
  carryOut: (request: {
    keyArn: string;
    cause: Cause;
    onceId: string | null;
    command: (finding: Finding | undefined) => ClockCommand | null;
  }) => Promise<{ decision: { outcome: 'accepted' | 'ignored' | 'refused' } }>;
  alert: (alert: Alert) => Promise<void>;
  offsetAt: OffsetAt;
  /** Whether there is time for another finding; the rest is left to the next run. */
  hasTime: () => boolean;
};

/** How many findings were due, how many commands of each kind were carried out, and how many findings failed. */
export type SweepCounts = { due: number; done: Partial<Record<DueWork['type'], number>>; failed: number };

/** Some findings could not be brought forward; they are still due, so the next run tries them again. */
export class SweepIncomplete extends AggregateError {
  public override readonly name = 'SweepIncomplete';
  public readonly counts: SweepCounts;
  public constructor(errors: Error[], counts: SweepCounts) {
    super(errors, `${counts.failed} of ${counts.due} due findings failed`);
    this.counts = counts;
  }
}

const PAGE = 50;

/**
 * Does what the clock asks for: ends exemptions, reminds, escalates, reports remediations without a result. One finding
 * that fails does not stop the others.
 * @throws SweepIncomplete after all the others were done; PolicyUnreadable, after an alert, before any was
 */
export async function sweepFindings(now: string, deps: SweepDeps): Promise<SweepCounts> {
  const policy = await policyOrAlert(now, deps);
  const counts: SweepCounts = { due: 0, done: {}, failed: 0 };
  const errors: Error[] = [];
  const handled = new Set<string>();
  while (deps.hasTime()) {
    // What failed, or has its next deadline in the past as well, is still at the front: ask for as many more.
    const page = await deps.findingsDueBefore(now, PAGE + handled.size);
    const next = page.filter(({ keyArn }) => !handled.has(keyArn));
    if (next.length === 0) break;
    for (const { keyArn, read } of next) {
      if (!deps.hasTime()) break;
      handled.add(keyArn);
      counts.due += 1;
      try {
        await bringForward(read(), { now, policy, deps, counts });
      } catch (cause) {
        counts.failed += 1;
        errors.push(new Error(`finding of ${keyArn}`, { cause }));
      }
    }
  }
  if (errors.length > 0) throw new SweepIncomplete(errors, counts);
  return counts;
}

async function policyOrAlert(at: string, deps: SweepDeps): Promise<Policy> {
  try {
    return (await deps.loadPolicy()).policy;
  } catch (error) {
    if (error instanceof Error && error.name === 'PolicyUnreadable') {
      const message = `Nothing is decided or remediated: ${error.message}.`;
      await deps.alert({ kind: 'alert', alert: 'policy-unreadable', at, message, keyArn: null });
    }
    throw error;
  }
}

async function bringForward(
  finding: Finding,
  { now, policy, deps, counts }: { now: string; policy: Policy; deps: SweepDeps; counts: SweepCounts },
): Promise<void> {
  const rules = deadlineRules(policy, finding, deps.offsetAt);
  for (const work of dueWork(finding, rules, now)) {
    const command = await commandFor(work, finding, policy, deps);
    const { decision } = await deps.carryOut({
      keyArn: finding.key.arn,
      cause: { kind: 'clock', id: `sweep#${now}` },
      onceId: null,
      // Somebody may have decided since the page was read; then this is not due any more.
      command: (current) =>
        current?.episode === finding.episode && dueWork(current, rules, now).some(({ type }) => type === work.type)
          ? command
          : null,
    });
    if (decision.outcome === 'accepted') counts.done[work.type] = (counts.done[work.type] ?? 0) + 1;
  }
}

async function commandFor(work: DueWork, finding: Finding, policy: Policy, deps: SweepDeps): Promise<ClockCommand> {
  if (work.type !== 'expire-exemption') return work;
  const observation = await deps.observeKey(finding.key);
  const facts = observation.seen === 'no-key' ? null : observation.facts;
  return {
    ...{ ...work, facts, assessment: assess(observation, policy.rotation, work.at) },
    presentMode: routeOf(policy, finding).mode,
    rotationPeriodInDays: policy.rotation.periodInDays,
  };
}
