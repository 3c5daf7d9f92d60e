import { assess, isProblem, type KeyObservation } from './assessment.ts';
import type { Cause } from './audit.ts';
import type { AssessCommand } from './commands.ts';
import type { Finding } from './finding.ts';
import { exemptionByPatterns } from './follow-pattern.ts';
import { type KeyIdentity, parseKeyArn } from './key.ts';
import type { PatternExemption } from './pattern-exemption.ts';
import type { Trigger } from './people.ts';
import { type Policy, routeFor, routeOf } from './policy.ts';

/** Throws when the key cannot be looked at now but perhaps later. */
export type ObserveKey = (key: KeyIdentity) => Promise<KeyObservation>;

/** A key and what was seen of it. */
export type Sight = { key: KeyIdentity; observation: KeyObservation };
/** For a replica: its primary, whose rotation is that of both, and the replica itself. */
export type Looked = Sight & { replica: Sight | null };

export type JudgeDeps = {
  now: () => Date;
  /** The exemptions of patterns of an account, read consistently. */
  patternsOf: (accountId: string) => Promise<PatternExemption[]>;
  carryOut: (request: {
    keyArn: string;
    cause: Cause;
    onceId: string | null;
    command: (finding: Finding | undefined) => AssessCommand | null;
  }) => Promise<{ decision: { outcome: 'accepted' | 'ignored' | 'refused' } }>;
};

/** Looks at a key; a replica leads to its primary. */
export async function lookAt(key: KeyIdentity, observeKey: ObserveKey): Promise<Looked> {
  const sight = { key, observation: await observeKey(key) };
  const primary = primaryOf(sight);
  return primary === null
    ? { ...sight, replica: null }
    : { key: primary, observation: await observeKey(primary), replica: sight };
}

/** The primary of a replica; null for every other key. */
export function primaryOf({ observation }: Sight): KeyIdentity | null {
  if (observation.seen !== 'key' || observation.facts.multiRegionKeyType !== 'REPLICA') return null;
  return observation.facts.primaryArn === null ? null : parseKeyArn(observation.facts.primaryArn);
}

/** Brings the finding of a key up to date with what was seen of it; answers whether that changed anything. */
export async function judge(
  request: { seen: Looked; trigger: Trigger; cause: Cause; onceId: string | null; policy: Policy },
  { now, carryOut, patternsOf }: JudgeDeps,
): Promise<'changed' | 'unchanged'> {
  const { seen, onceId, cause, trigger, policy } = request;
  const { replica } = seen;
  const mayOpen = isProblem(assess(seen.observation, policy.rotation, now().toISOString()));
  const patterns = mayOpen && policy.exemptions.patterns !== null ? await patternsOf(seen.key.accountId) : [];
  const commandAfter = (sight: Sight, finding: Finding | undefined) =>
    assessCommand(sight, finding, { trigger, policy, patterns, at: now().toISOString() });
  const decisions: { outcome: string }[] = [];
  if (replica !== null) {
    // UpdatePrimaryRegion makes a primary with a finding into a replica; nobody can act on that finding any more.
    const { decision } = await carryOut({
      ...{ keyArn: replica.key.arn, cause, onceId: onceId === null ? null : `${onceId}#replica` },
      command: (finding) => (finding === undefined ? null : commandAfter(replica, finding)),
    });
    decisions.push(decision);
  }
  const { decision } = await carryOut({
    keyArn: seen.key.arn,
    cause,
    onceId,
    command: (finding) => commandAfter(seen, finding),
  });
  decisions.push(decision);
  return decisions.some(({ outcome }) => outcome === 'accepted') ? 'changed' : 'unchanged';
}

function assessCommand(
  { key, observation }: Sight,
  finding: Finding | undefined,
  {
    trigger,
    policy,
    patterns,
    at,
  }: { trigger: Trigger; policy: Policy; patterns: readonly PatternExemption[]; at: string },
): AssessCommand {
  const facts = observation.seen === 'no-key' ? null : observation.facts;
  const { name: route, mode } = routeFor(policy, key, facts);
  const byPattern = exemptionByPatterns(patterns, { key, facts, trigger }, { policy, at });
  return {
    ...(byPattern === null ? {} : { byPattern }),
    ...{ type: 'assess', at, key, facts, trigger, route, mode },
    assessment: assess(observation, policy.rotation, at),
    presentMode: finding === undefined ? mode : routeOf(policy, finding).mode,
    rotationPeriodInDays: policy.rotation.periodInDays,
  };
}
