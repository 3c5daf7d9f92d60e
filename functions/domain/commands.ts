import type { Assessment, Problem } from './assessment.ts';
import type { AuthorityVerdict, FourEyesReason } from './authority.ts';
import type { Exemption, ExemptionRules, ExemptionTerms, PatternedExemption } from './exemption.ts';
import type { Mode, Proof } from './finding.ts';
import type { KeyFacts, KeyIdentity } from './key.ts';
import type { Decider, PersonRef, Trigger } from './people.ts';
import type { RemediationFailure } from './remedy.ts';

/** Commands of people name the episode they saw, who they are, and what authority said of them. */
type ByPerson = { at: string; episode: number; by: PersonRef; verdict: AuthorityVerdict };

/** That it takes a second person, who has so many hours to confirm. */
export type FourEyes = { because: FourEyesReason; confirmWithinHours: number };

/** What the policy says about a decision that a key need not rotate. */
type ExcuseRules = { ownerIsFullMember: boolean; rules: ExemptionRules; backOutWindowDays: number };

type Excuse<T> = ByPerson &
  ExcuseRules & {
    type: T;
    terms: ExemptionTerms;
    /** Null when the person may decide alone. */
    fourEyes: FourEyes | null;
  };

export type ExcuseCommand = Excuse<'exempt'> | Excuse<'renew-exemption'> | Excuse<'back-out'>;

/** `requestedAt` tells which request the person saw; `requester` is what authority says now of who made it. */
export type ConfirmCommand = ByPerson &
  ExcuseRules & { type: 'confirm-request'; requestedAt: string | null; requester: AuthorityVerdict };

export type PersonCommand =
  | (ByPerson & { type: 'approve'; rotationPeriodInDays: number })
  /** Ends the exemption and approves, in one step. */
  | (ByPerson & { type: 'fix-now'; rotationPeriodInDays: number })
  | ExcuseCommand
  | ConfirmCommand
  | (ByPerson & { type: 'withdraw-request'; requestedAt: string | null })
  | (ByPerson & { type: 'revoke-exemption' })
  | (ByPerson & { type: 'shorten-exemption'; until: string })
  | (ByPerson & { type: 'let-exemption-end' })
  | (ByPerson & { type: 're-check' });

export type RemediatorCommand =
  | { type: 'start-remediation'; at: string }
  | { type: 'confirm-remediation'; at: string; proof: Proof; kmsRequestId: string | null }
  | { type: 'fail-remediation'; at: string; failure: RemediationFailure; kmsRequestId: string | null }
  /** The key was looked at again and there is nothing left to do: somebody else did it, or it cannot be done any more. */
  | { type: 'close-unneeded'; at: string; assessment: Exclude<Assessment, Problem> };

export type ClockCommand =
  | ({ type: 'expire-exemption'; at: string; facts: KeyFacts | null; assessment: Assessment } & AutoRules)
  | { type: 'remind-owner'; at: string; daysLeft: number }
  | { type: 'lapse-request'; at: string }
  /** `reminder`: which of the policy's reminders it is; 1 is the first. */
  | { type: 'remind'; at: string; reminder: number }
  | { type: 'escalate'; at: string }
  | { type: 'report-overdue'; at: string };

/** What an exemption of a pattern does to a finding that is there already. */
export type FollowCommand =
  | { type: 'follow-pattern'; at: string; exemption: PatternedExemption; rules: ExemptionRules }
  /** The exemption of the pattern was ended, and those of its keys end with it. */
  | { type: 'leave-pattern'; at: string; patternId: string; endedBy: PersonRef };

/** What a route in `auto` mode needs to decide by itself. */
type AutoRules = {
  /** The mode that the route of the finding has in the policy now; `mode` is for a finding that would open. */
  presentMode: Mode;
  rotationPeriodInDays: number;
};

/** What was seen of a key, and how the policy wants it treated. */
export type AssessCommand = {
  type: 'assess';
  at: string;
  key: KeyIdentity;
  facts: KeyFacts | null;
  assessment: Assessment;
  trigger: Trigger;
  route: string;
  mode: Mode;
  /** What a pattern in force gives the key, if this opens its finding. */
  byPattern?: Exemption | undefined;
} & AutoRules;

export type Command = AssessCommand | PersonCommand | RemediatorCommand | ClockCommand | FollowCommand;

/** Who stands behind a refused command in the audit trail. */
export function deciderOf(command: PersonCommand): Decider {
  return { kind: 'person', person: command.by };
}
