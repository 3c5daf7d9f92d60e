import type { Assessment, Problem } from './assessment.ts';
import type { Action } from './authority.ts';
import type { Exemption } from './exemption.ts';
import type { Approval, Closing, Mode, PendingRequest, Proof } from './finding.ts';
import type { KeyFacts, KeyIdentity } from './key.ts';
import type { Decider, PersonRef, Trigger } from './people.ts';
import type { Refusal } from './refusal.ts';
import type { RemediationFailure, Remedy } from './remedy.ts';

/** Everything that can happen to a finding, in the past tense. The events are the audit trail and the outbox. */
export type FindingEvent =
  | {
      type: 'finding-opened';
      at: string;
      key: KeyIdentity;
      facts: KeyFacts | null;
      assessment: Problem;
      trigger: Trigger;
      episode: number;
      route: string;
      mode: Mode;
    }
  | { type: 'finding-reassessed'; at: string; facts: KeyFacts | null; assessment: Problem; trigger: Trigger }
  | { type: 'finding-closed'; at: string; closing: Closing; trigger: Trigger }
  | { type: 'mode-changed'; at: string; from: Mode; to: Mode }
  | { type: 'recheck-requested'; at: string; by: PersonRef }
  | { type: 'rechecked'; at: string; by: PersonRef; assessment: Assessment }
  | { type: 'remediation-approved'; at: string; approval: Approval; remedy: Remedy }
  | { type: 'back-out-approved'; at: string; approval: Approval; remedy: Remedy; thenExempt: Exemption }
  | { type: 'remediation-started'; at: string; remedy: Remedy }
  | { type: 'remediated'; at: string; remedy: Remedy; proof: Proof; kmsRequestId: string | null }
  | { type: 'backed-out'; at: string; exemption: Exemption; proof: Proof; kmsRequestId: string | null }
  | { type: 'remediation-failed'; at: string; failure: RemediationFailure; kmsRequestId: string | null }
  | { type: 'remediation-overdue'; at: string; report: number }
  | { type: 'confirmation-requested'; at: string; request: PendingRequest }
  | { type: 'request-withdrawn'; at: string; by: PersonRef }
  | { type: 'request-lapsed'; at: string }
  | { type: 'exemption-granted'; at: string; exemption: Exemption }
  | { type: 'exemption-renewed'; at: string; exemption: Exemption; by: PersonRef }
  | { type: 'exemption-shortened'; at: string; by: PersonRef; until: string; owner: PersonRef }
  | { type: 'exemption-end-accepted'; at: string; by: PersonRef }
  /** `withPattern`: it was the exemption of a pattern that was ended, and this one with it. */
  | { type: 'exemption-revoked'; at: string; by: PersonRef; withPattern?: true | undefined }
  | { type: 'exemption-expired'; at: string; facts: KeyFacts | null; assessment: Assessment }
  | { type: 'exemption-reminded'; at: string; daysLeft: number; owner: PersonRef }
  | { type: 'reminded'; at: string; reminder: number }
  | { type: 'escalated'; at: string }
  | { type: 'command-refused'; at: string; command: Action; by: Decider; refusal: Refusal };

export type FindingEventType = FindingEvent['type'];
