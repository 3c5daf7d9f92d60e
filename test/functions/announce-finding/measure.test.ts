import { digest } from '../../../functions/adapters/digest.ts';
import { measure } from '../../../functions/announce-finding/measure.ts';
import { type AuditEvent, EMPTY_CHAIN, seal } from '../../../functions/domain/audit.ts';
import type { Status } from '../../../functions/domain/finding.ts';
import type { FindingEvent, FindingEventType } from '../../../functions/domain/finding-events.ts';
import {
  aFinding,
  aKey,
  anApproval,
  anExemption,
  anOpening,
  aPersonRef,
  aProof,
  aRemediation,
  aRequest,
  aTrigger,
  later,
} from '../../builders.ts';

const at = later({ minutes: 20 });
const by = aPersonRef();
const remedy = { id: 'enable-rotation', rotationPeriodInDays: 365 } as const;
const exemption = anExemption();
const compliant = { verdict: 'compliant' } as const;
const off = { verdict: 'rotation-off' } as const;
const failure = { because: 'rotation-limit-reached' } as const;
const [started = anOpening(), remediated = anOpening()] = aRemediation(at);
const approval = { by: { kind: 'person', person: by }, at } as const;

/** A record that says so; nobody checks its hash here. */
function aRecord(event: FindingEvent, statusBefore: Status | 'none', statusAfter: Status): AuditEvent {
  const sealing = { cause: { kind: 'clock' as const, id: 'run-1' }, policyVersion: '1', newId: () => 'event-1' };
  const [record] = seal(EMPTY_CHAIN, [anOpening()], sealing, digest).records;
  if (record === undefined) throw new Error('nothing was sealed');
  return { ...record, event, statusBefore, statusAfter };
}

/** An event of every type, the statuses around it, and what it adds to the metrics. */
const CHART: Record<FindingEventType, [FindingEvent, Status | 'none', Status, string[]]> = {
  'finding-opened': [anOpening(), 'none', 'open', ['FindingsOpened 1 rotation-off MEDIUM']],
  'finding-reassessed': [
    { type: 'finding-reassessed', at, facts: aKey(), assessment: off, trigger: aTrigger() },
    'open',
    'open',
    [],
  ],
  'finding-closed': [
    { type: 'finding-closed', at, closing: { because: 'compliant', by: null }, trigger: aTrigger() },
    'exempt',
    'closed',
    ['ExemptionsEnded 1', 'FindingsClosed 1'],
  ],
  'recheck-requested': [{ type: 'recheck-requested', at, by }, 'open', 'open', []],
  rechecked: [{ type: 'rechecked', at, by, assessment: compliant }, 'open', 'open', []],
  'remediation-approved': [anApproval(at), 'open', 'approved', ['FindingsDecided 1 remediate', 'TimeToDecision 1200']],
  'back-out-approved': [
    { type: 'back-out-approved', at, approval, remedy: { id: 'disable-rotation' }, thenExempt: exemption },
    'remediated',
    'approved',
    ['FindingsDecided 1 back-out'],
  ],
  'remediation-started': [started, 'approved', 'approved', []],
  remediated: [remediated, 'approved', 'remediated', ['RemediationsConfirmed 1', 'TimeToRemediate 1200']],
  'backed-out': [
    { type: 'backed-out', at, exemption, proof: aProof(), kmsRequestId: null },
    'approved',
    'exempt',
    ['ExemptionsGranted 1', 'RemediationsConfirmed 1'],
  ],
  'remediation-failed': [
    { type: 'remediation-failed', at, failure, kmsRequestId: null },
    'approved',
    'failed',
    ['RemediationsFailed 1'],
  ],
  'remediation-overdue': [{ type: 'remediation-overdue', at, report: 1 }, 'approved', 'approved', []],
  'exemption-granted': [
    { type: 'exemption-granted', at, exemption },
    'open',
    'exempt',
    ['ExemptionsGranted 1', 'FindingsDecided 1 exempt', 'TimeToDecision 1200'],
  ],
  'exemption-renewed': [
    { type: 'exemption-renewed', at, exemption, by },
    'exempt',
    'exempt',
    ['FindingsDecided 1 renew-exemption'],
  ],
  'mode-changed': [{ type: 'mode-changed', at, from: 'ask', to: 'auto' }, 'open', 'open', []],
  'confirmation-requested': [{ type: 'confirmation-requested', at, request: aRequest({ at }) }, 'open', 'open', []],
  'request-withdrawn': [{ type: 'request-withdrawn', at, by }, 'open', 'open', []],
  'request-lapsed': [{ type: 'request-lapsed', at }, 'open', 'open', []],
  'exemption-shortened': [
    { type: 'exemption-shortened', at, by, until: at, owner: by },
    'exempt',
    'exempt',
    ['FindingsDecided 1 shorten-exemption'],
  ],
  'exemption-end-accepted': [
    { type: 'exemption-end-accepted', at, by },
    'exempt',
    'exempt',
    ['FindingsDecided 1 let-exemption-end'],
  ],
  'exemption-revoked': [
    { type: 'exemption-revoked', at, by },
    'exempt',
    'open',
    ['ExemptionsEnded 1', 'FindingsDecided 1 revoke-exemption'],
  ],
  'exemption-expired': [
    { type: 'exemption-expired', at, facts: null, assessment: off },
    'exempt',
    'open',
    ['ExemptionsEnded 1'],
  ],
  'exemption-reminded': [{ type: 'exemption-reminded', at, daysLeft: 7, owner: by }, 'exempt', 'exempt', []],
  reminded: [{ type: 'reminded', at, reminder: 1 }, 'open', 'open', []],
  escalated: [{ type: 'escalated', at }, 'open', 'open', ['FindingsEscalated 1']],
  'command-refused': [
    {
      ...{ type: 'command-refused', at, command: 'approve' },
      by: { kind: 'person', person: by },
      refusal: { reason: 'no-finding' },
    },
    'open',
    'open',
    ['CommandsRefused 1'],
  ],
};

const written = (data: ReturnType<typeof measure>) =>
  data.map(({ name, value, dimensions = {} }) => [name, value, ...Object.values(dimensions)].join(' '));

it.each(Object.entries(CHART))('measures %s', (_type, [event, before, after, expected]) => {
  expect(written(measure(aRecord(event, before, after), aFinding('open')))).toEqual(expected);
});

it('does not call it a quick answer of people when the policy approves', () => {
  const event: FindingEvent = {
    ...{ type: 'remediation-approved', at, remedy },
    approval: { by: { kind: 'policy', route: 'default' }, at },
  };
  expect(written(measure(aRecord(event, 'open', 'approved'), aFinding('approved')))).toEqual([
    'FindingsDecided 1 remediate-automatically',
  ]);
});

it('measures no time without the finding', () => {
  expect(written(measure(aRecord(anApproval(at), 'open', 'approved'), null))).toEqual(['FindingsDecided 1 remediate']);
});
