import type { AuditEvent } from '../../../functions/domain/audit.ts';
import { GENESIS_HASH } from '../../../functions/domain/audit.ts';
import type { FindingEvent, FindingEventType } from '../../../functions/domain/finding-events.ts';
import { renderReply } from '../../../functions/messages/thread-reply.ts';
import {
  aFinding,
  anOpening,
  aPersonRef,
  aPolicy,
  aProof,
  aRequest,
  aTrigger,
  KEY,
  later,
  someTerms,
} from '../../builders.ts';
import { expectSlackTakes, wordsOf } from './slack-limits.ts';

const at = later({ hours: 1 });
const by = aPersonRef();
const approval = { by: { kind: 'person' as const, person: by }, at };
const remedy = { id: 'enable-rotation' as const, rotationPeriodInDays: 365 };
const exemption = { ...someTerms({ ticket: 'SEC-1' }), grantedBy: by, grantedAt: at, remindedDays: [] };

const EVENTS: { [T in FindingEventType]: Extract<FindingEvent, { type: T }> | FindingEvent } = {
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

const { defaultRoute } = aPolicy();
const policy = aPolicy({
  defaultRoute: { ...defaultRoute, approvers: { users: ['U0123456789'], userGroups: ['S0123456789', '<!here>'] } },
});
const context = { policy, now: at, finding: aFinding('open') };

function record(event: FindingEvent, statusBefore: AuditEvent['statusBefore'] = 'open'): AuditEvent {
  return {
    ...{ schema: 1, id: 'event-1', sequence: 2, key: KEY, episode: 1, statusBefore, statusAfter: 'open', event },
    ...{ cause: { kind: 'clock', id: 'tick' }, policyVersion: '1', previousHash: GENESIS_HASH, hash: GENESIS_HASH },
  };
}

describe('renderReply', () => {
  it.each(Object.entries(EVENTS))('tells %s', (_, event) => {
    const reply = renderReply(record(event), context);
    if (reply !== null) expectSlackTakes(reply);
    expect(reply === null ? null : { ...reply, blocks: wordsOf(reply.blocks) }).toMatchSnapshot();
  });

  it('is silent where the message says it all', () => {
    const silent = Object.entries(EVENTS).filter(([, event]) => renderReply(record(event), context) === null);
    expect(silent.map(([type]) => type)).toEqual([
      'finding-opened',
      'finding-reassessed',
      'recheck-requested',
      'remediation-started',
      'command-refused',
    ]);
  });

  it('shows in the channel what somebody has to act on', () => {
    const loud = Object.entries(EVENTS).filter(([, event]) => renderReply(record(event), context)?.broadcast === true);
    expect(loud.map(([type]) => type)).toEqual(['remediation-failed', 'exemption-expired', 'escalated']);
  });

  it('does not ask again when nothing is wrong at the end of an exemption', () => {
    const event: FindingEvent = { type: 'exemption-expired', at, facts: null, assessment: { verdict: 'compliant' } };
    expect(renderReply(record(event), context)).toMatchObject({
      text: 'The exemption has ended. The key rotates as the policy asks.',
      broadcast: false,
    });
  });

  it('calls the approvers of the route, and nobody by an id that is none', () => {
    const reply = renderReply(record(EVENTS.reminded), context);
    expect(wordsOf(reply?.blocks)).toContain('@S0123456789');
    expect(wordsOf(reply?.blocks)).toContain('@U0123456789');
    expect(JSON.stringify(reply)).not.toContain('!here');
  });

  it('asks anew when a failed finding is seen in another light', () => {
    expect(renderReply(record(EVENTS['finding-reassessed'], 'failed'), context)?.text).toContain('Please decide.');
  });

  it('tells who undid the remediation when a drift loop opens', () => {
    const switchedOnByBot = [{ at, approvedBy: approval.by }];
    const history = { switchedOnByBot, switchedOffAgain: [{ at, by: 'deploy/pipeline', tool: 'Terraform' }] };
    const reply = renderReply(record(anOpening(), 'remediated'), {
      ...context,
      finding: { ...context.finding, history },
    });
    expect(reply?.text).toContain('switched off again by deploy/pipeline with Terraform');
    expect(reply?.text).toContain('Key Owner had approved it');
  });
});
