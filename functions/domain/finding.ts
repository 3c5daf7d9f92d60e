import type { NotApplicableReason, Problem } from './assessment.ts';
import type { FourEyesReason } from './authority.ts';
import type { Exemption, ExemptionTerms } from './exemption.ts';
import type { KeyFacts, KeyIdentity } from './key.ts';
import type { Decider, PersonRef, Trigger } from './people.ts';
import type { RemediationFailure, Remedy } from './remedy.ts';

/** `ask` waits for people, `auto` remediates without asking, `observe` only records. */
export type Mode = 'ask' | 'auto' | 'observe';

export type Severity = 'LOW' | 'MEDIUM' | 'HIGH';

/** What the bot switched on before and was not backed out, and who switched it off again: how a drift loop is known. */
export type RotationHistory = {
  switchedOnByBot: { at: string; approvedBy: Decider }[];
  switchedOffAgain: { at: string; by: string; tool: string }[];
};

/** What every finding has. An episode is one story from "something is wrong" to "settled"; it has one Slack message. */
export type FindingBase = {
  key: KeyIdentity;
  /** Null as long as nobody could read the key. */
  facts: KeyFacts | null;
  assessment: Problem;
  trigger: Trigger;
  episode: number;
  openedAt: string;
  /** Name of the policy's route when the episode opened. */
  route: string;
  mode: Mode;
  history: RotationHistory;
  /** When the key was first exempt in this episode; absent when it never was. */
  exemptSince?: string | undefined;
  /** Exemptions of a pattern that somebody took this key out of in this episode: they do not exempt it again. */
  leftPatterns?: string[] | undefined;
};

/** `confirmedBy` is the second person, where it took two. */
export type Approval = { by: Decider; at: string; confirmedBy?: PersonRef | undefined };

/** A decision that waits for a second person. It lapses by comparison with the clock, as an exemption ends. */
export type PendingRequest = {
  action: 'exempt' | 'renew-exemption' | 'back-out';
  by: PersonRef;
  at: string;
  terms: ExemptionTerms;
  because: FourEyesReason;
  lapsesAt: string;
};

/** What was read back from KMS before success was claimed. */
export type Proof = {
  readAt: string;
  agreeingReads: number;
  rotationEnabled: boolean | null;
  rotationPeriodInDays: number | null;
  nextRotationAt: string | null;
  /** The key material in use after an on-demand rotation. */
  currentKeyMaterialId: string | null;
};

/** Where a decision may wait for a second person; absent when none does. */
type MayHaveRequest = { request?: PendingRequest | undefined };

export type OpenFinding = FindingBase &
  MayHaveRequest & {
    status: 'open';
    /** When people were (last) asked: at opening, and again when an exemption ends. */
    askedAt: string;
    /** The last of the policy's reminders that was sent; 0 before the first. Those missed before it are not made up for. */
    remindersSent: number;
    escalatedAt: string | null;
  };
export type ApprovedFinding = FindingBase & {
  status: 'approved';
  approval: Approval;
  remedy: Remedy;
  /** Set before the KMS call is made, so that its effect can be attributed after a crash. */
  startedAt: string | null;
  overdueReports: number;
  lastActivityAt: string;
  /** A back-out ends in this exemption. */
  thenExempt: Exemption | null;
};
export type RemediatedFinding = FindingBase &
  MayHaveRequest & {
    status: 'remediated';
    approval: Approval;
    remedy: Remedy;
    remediatedAt: string;
    proof: Proof;
    kmsRequestId: string | null;
  };
export type FailedFinding = FindingBase &
  MayHaveRequest & {
    status: 'failed';
    approval: Approval;
    remedy: Remedy;
    failedAt: string;
    failure: RemediationFailure;
    kmsRequestId: string | null;
    remindersSent: number;
    escalatedAt: string | null;
  };
export type ExemptFinding = FindingBase & MayHaveRequest & { status: 'exempt'; exemption: Exemption };
export type ClosedFinding = FindingBase & { status: 'closed'; closedAt: string; closing: Closing };

/** Why a finding needs nobody any more. `by` names who settled it when an event said so. */
export type Closing =
  | { because: 'compliant'; by: string | null }
  | { because: 'not-applicable'; reason: NotApplicableReason; by: string | null };

/** The finding of one key. Each status carries exactly the data it has. */
export type Finding = OpenFinding | ApprovedFinding | RemediatedFinding | FailedFinding | ExemptFinding | ClosedFinding;

export type Status = Finding['status'];

/** Security Hub rates KMS.4 Medium; a period that is merely long passes every benchmark, a drift loop is a conflict. */
export function severityOf(finding: FindingBase): Severity {
  if (isDriftLoop(finding)) return 'HIGH';
  return finding.assessment.verdict === 'period-too-long' ? 'LOW' : 'MEDIUM';
}

/**
 * Whether the bot fixed this key before and somebody, or somebody's infrastructure as code, undid it. Such a key is
 * shown with its history instead of being asked about as if it were new.
 */
export function isDriftLoop(finding: Pick<FindingBase, 'history'>): boolean {
  return finding.history.switchedOffAgain.length > 0;
}

/** When the key was first exempt in this episode; null when it never was. Exemptions of earlier versions do not say it. */
export function firstExempt(finding: Finding): string | null {
  if (finding.exemptSince !== undefined) return finding.exemptSince;
  return finding.status === 'exempt' ? finding.exemption.grantedAt : null;
}

/**
 * Whether nobody has had to look at this episode so far, so that it needs no message: what is only observed, and a key that
 * is exempt with all of its pattern, whose message counts it, or was so from its opening until it was settled. Keys are made
 * by the hundred where people exempt them by a pattern.
 */
export function asksNobody(finding: Finding): boolean {
  if (finding.mode === 'observe') return true;
  if (finding.status === 'closed') return finding.exemptSince === finding.openedAt;
  return finding.status === 'exempt' && finding.exemption.pattern !== undefined;
}

/** The decision that waits for a second person, if any; it may have lapsed. */
export function requestOf(finding: Finding): PendingRequest | null {
  return 'request' in finding ? (finding.request ?? null) : null;
}

/** Whether a request can still be confirmed. At `lapsesAt` itself it cannot. */
export function isWaiting(request: PendingRequest, now: string): boolean {
  return Date.parse(now) < Date.parse(request.lapsesAt);
}

/** Whoever decided last about this finding, for the sentence that tells a late clicker. */
export function decidedBy(finding: Finding): { who: Decider | PersonRef; at: string } | null {
  switch (finding.status) {
    case 'open':
    case 'closed':
      return null;
    case 'approved':
    case 'remediated':
    case 'failed':
      return { who: finding.approval.by, at: finding.approval.at };
    case 'exempt':
      return { who: finding.exemption.grantedBy, at: finding.exemption.grantedAt };
  }
}
