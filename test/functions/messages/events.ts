import type { AuditEvent } from '../../../functions/domain/audit.ts';
import { GENESIS_HASH } from '../../../functions/domain/audit.ts';
import type { FindingEvent, FindingEventType } from '../../../functions/domain/finding-events.ts';
import { anOpening, aPersonRef, aProof, aRequest, aTrigger, KEY, later, someTerms } from '../../builders.ts';

const at = later({ hours: 1 });
const by = aPersonRef();
const approval = { by: { kind: 'person' as const, person: by }, at };
const remedy = { id: 'enable-rotation' as const, rotationPeriodInDays: 365 };
const exemption = { ...someTerms({ ticket: 'SEC-1' }), grantedBy: by, grantedAt: at, remindedDays: [] };

/** One of every type of event. */
export const EVENTS: { [T in FindingEventType]: Extract<FindingEvent, { type: T }> | FindingEvent } = {
  'finding-opened': anOpening(),
  'finding-reassessed': {
    type: 'finding-reassessed',
    at,
    facts: null,
    assessment: { verdict: 'rotation-off' },
    trigger: aTrigger(),
  },
  'finding-closed': {
    type: 'finding-closed',
    at,
    closing: { because: 'not-applicable', reason: 'disabled', by: 'deployer' },
    trigger: aTrigger(),
  },
  'mode-changed': { type: 'mode-changed', at, from: 'ask', to: 'auto' },
  'recheck-requested': { type: 'recheck-requested', at, by },
  rechecked: { type: 'rechecked', at, by, assessment: { verdict: 'rotation-off' } },
  'remediation-approved': { type: 'remediation-approved', at, approval, remedy },
  'back-out-approved': {
    type: 'back-out-approved',
    at,
    approval,
    remedy: { id: 'disable-rotation' },
    thenExempt: { ...exemption, ticket: null },
  },
  'remediation-started': { type: 'remediation-started', at, remedy },
  remediated: { type: 'remediated', at, remedy, proof: aProof(), kmsRequestId: 'request-1' },
  'backed-out': {
    type: 'backed-out',
    at,
    exemption,
    proof: aProof({ rotationEnabled: false, rotationPeriodInDays: null, nextRotationAt: null }),
    kmsRequestId: 'request-2',
  },
  'remediation-failed': {
    type: 'remediation-failed',
    at,
    failure: { because: 'no-result', attempts: 3 },
    kmsRequestId: null,
  },
  'remediation-overdue': { type: 'remediation-overdue', at, report: 1 },
  'confirmation-requested': { type: 'confirmation-requested', at, request: aRequest() },
  'request-withdrawn': { type: 'request-withdrawn', at, by },
  'request-lapsed': { type: 'request-lapsed', at },
  'exemption-granted': { type: 'exemption-granted', at, exemption },
  'exemption-renewed': { type: 'exemption-renewed', at, exemption, by },
  'exemption-shortened': { type: 'exemption-shortened', at, by, until: later({ days: 9 }), owner: by },
  'exemption-end-accepted': { type: 'exemption-end-accepted', at, by },
  'exemption-revoked': { type: 'exemption-revoked', at, by },
  'exemption-expired': { type: 'exemption-expired', at, facts: null, assessment: { verdict: 'rotation-off' } },
  'exemption-reminded': { type: 'exemption-reminded', at, daysLeft: 7, owner: by },
  reminded: { type: 'reminded', at, reminder: 2 },
  escalated: { type: 'escalated', at },
  'command-refused': {
    type: 'command-refused',
    at,
    command: 'approve',
    by: { kind: 'person', person: by },
    refusal: { reason: 'guest' },
  },
};

/** The event as a line of the trail. */
export function record(event: FindingEvent, statusBefore: AuditEvent['statusBefore'] = 'open'): AuditEvent {
  return {
    ...{ schema: 1, id: 'event-1', sequence: 2, key: KEY, episode: 1, statusBefore, statusAfter: 'open', event },
    ...{ cause: { kind: 'clock', id: 'tick' }, policyVersion: '1', previousHash: GENESIS_HASH, hash: GENESIS_HASH },
  };
}
