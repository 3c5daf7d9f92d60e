import { isCausedBy } from './authority.ts';
import type { FollowCommand } from './commands.ts';
import type { Exemption } from './exemption.ts';
import type { Finding } from './finding.ts';
import type { KeyFacts, KeyIdentity } from './key.ts';
import { isMeantBy } from './key-pattern.ts';
import { exemptionBy, isInForce, type PatternExemption } from './pattern-exemption.ts';
import type { Trigger } from './people.ts';
import { culpritOf, type Policy } from './policy.ts';

type Seen = { key: KeyIdentity; facts: KeyFacts | null; trigger: Trigger };

/**
 * The exemption that patterns in force give a key whose finding would open at `at`; of several the one that holds longest.
 * Null when none means the key, when one of the two people caused the finding, or when the policy knows no patterns any more.
 */
export function exemptionByPatterns(
  patterns: readonly PatternExemption[],
  seen: Seen,
  { policy, at }: { policy: Policy; at: string },
): Exemption | null {
  return patterns
    .filter((pattern) => mayExempt(pattern, seen, { policy, at }))
    .map((pattern) => exemptionBy(pattern, at))
    .reduce<Exemption | null>((longest, one) => (longest !== null && longest.until >= one.until ? longest : one), null);
}

/** What a finding has to do to follow a pattern; null when it is none of its. `decide` says whether it can. */
export function followCommand(
  pattern: PatternExemption,
  finding: Finding,
  { policy, at }: { policy: Policy; at: string },
): FollowCommand | null {
  const { ended } = pattern;
  if (ended !== null) {
    const isByIt = finding.status === 'exempt' && finding.exemption.pattern?.id === pattern.id;
    return isByIt && ended.by !== null ? { type: 'leave-pattern', at, patternId: pattern.id, endedBy: ended.by } : null;
  }
  return mayExempt(pattern, finding, { policy, at })
    ? { type: 'follow-pattern', at, exemption: exemptionBy(pattern, at), rules: policy.exemptions }
    : null;
}

function mayExempt(pattern: PatternExemption, seen: Seen, { policy, at }: { policy: Policy; at: string }): boolean {
  const { patterns: allowed, selfExemption } = policy.exemptions;
  const { grant } = pattern;
  if (allowed === null || grant === null || !isInForce(pattern, at)) return false;
  if (!isMeantBy(pattern.pattern, seen.key, seen.facts)) return false;
  const culprit = culpritOf(policy, seen.trigger);
  return selfExemption || ![grant.grantedBy, grant.confirmedBy].some((person) => isCausedBy(person, culprit));
}
