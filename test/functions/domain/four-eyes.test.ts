import { comparePeople, fourEyesReason } from '../../../functions/domain/authority.ts';
import type { ConfirmCommand, ExcuseCommand, FourEyes } from '../../../functions/domain/commands.ts';
import { dueWork, nextDeadline } from '../../../functions/domain/deadlines.ts';
import { type Decision, decide } from '../../../functions/domain/decide.ts';
import { evolve } from '../../../functions/domain/evolve.ts';
import { type Finding, type PendingRequest, requestOf } from '../../../functions/domain/finding.ts';
import type { FindingEvent } from '../../../functions/domain/finding-events.ts';
import { deadlineRules } from '../../../functions/domain/policy.ts';
import type { Refusal } from '../../../functions/domain/refusal.ts';
import {
  aFinding,
  anActor,
  anApproval,
  anAssessment,
  aPersonRef,
  aPolicy,
  aRequest,
  commandsOfEveryType,
  given,
  HISTORY,
  later,
  someTerms,
} from '../../builders.ts';

const at = later({ hours: 1 });
const commands = commandsOfEveryType(at);
const fourEyes: FourEyes = { because: 'route-asks', confirmWithinHours: 24 };
const second = aPersonRef({ userId: 'U0SECOND', name: 'Second Approver', email: 'second@corp.example' });
const FOUND = { exempt: 'open', 'renew-exemption': 'exempt', 'back-out': 'remediated' } as const;
const actions = ['exempt', 'renew-exemption', 'back-out'] as const;

function waitingFor(action: ExcuseCommand['type'], changes: Partial<PendingRequest> = {}): Finding {
  return evolve(aFinding(FOUND[action]), {
    ...{ type: 'confirmation-requested', at: later({ minutes: 40 }) },
    request: aRequest({ action, at: later({ minutes: 40 }), ...changes }),
  });
}

function confirm(finding: Finding, changes: Partial<ConfirmCommand> = {}): Decision {
  const requestedAt = requestOf(finding)?.at ?? null;
  return decide({ ...commands['confirm-request'], by: second, requestedAt, ...changes }, finding);
}

function eventsOf(decision: Decision): FindingEvent[] {
  if (decision.outcome !== 'accepted') throw new Error(`expected an accepted command: ${JSON.stringify(decision)}`);
  return decision.events;
}

const refused = (refusal: Refusal): Decision => ({ outcome: 'refused', refusal });

describe('a decision that takes two people', () => {
  test.each(actions)('%s becomes a request that changes nothing else', (action) => {
    const before = aFinding(FOUND[action]);
    const events = eventsOf(decide({ ...commands[action], fourEyes }, before));
    const request: PendingRequest = {
      ...{ action, by: aPersonRef(), at, terms: someTerms(), because: 'route-asks' },
      lapsesAt: later({ hours: 25 }),
    };
    expect(events).toEqual([{ type: 'confirmation-requested', at, request }]);
    expect(events.reduce(evolve, before)).toEqual({ ...before, request });
  });

  test.each(actions)('%s takes effect when a second person confirms it, with both names', (action) => {
    const finding = waitingFor(action);
    const [event, ...more] = eventsOf(confirm(finding));
    expect(more).toEqual([]);
    const exemption = {
      ...someTerms(),
      ...{ grantedBy: aRequest().by, confirmedBy: second, grantedAt: at, remindedDays: [] },
    };
    expect(event).toMatchObject(
      action === 'back-out'
        ? { type: 'back-out-approved', approval: { at, confirmedBy: second }, thenExempt: exemption }
        : { exemption },
    );
    expect(event === undefined ? null : requestOf(evolve(finding, event))).toBeNull();
  });

  test.each(actions)('%s on terms that the policy forbids is not even asked for', (action) => {
    const tooLong = { ...commands[action], fourEyes, terms: someTerms({ until: later({ days: 400 }) }) };
    expect(decide(tooLong, aFinding(FOUND[action]))).toEqual(
      refused({ reason: 'until-beyond-maximum', maximumDays: 90 }),
    );
  });

  it('is asked for once', () => {
    expect(decide({ ...commands.exempt, fourEyes }, waitingFor('exempt'))).toEqual(
      refused({ reason: 'request-pending', by: 'First Approver', at: later({ minutes: 40 }) }),
    );
  });

  it('is asked for again when the time of the first request is over, and the trail says so', () => {
    const over = { ...commands.exempt, fourEyes, at: later({ days: 2 }) };
    expect(eventsOf(decide(over, waitingFor('exempt'))).map(({ type }) => type)).toEqual([
      'request-lapsed',
      'confirmation-requested',
    ]);
  });
});

describe('the second person', () => {
  const finding = waitingFor('exempt');

  it('is not the first one', () => {
    expect(confirm(finding, { by: aRequest().by })).toEqual(refused({ reason: 'own-request' }));
  });

  it('is not the first one with another account', () => {
    const by = aPersonRef({ userId: 'U0SAME', email: 'First@Corp.example' });
    expect(confirm(finding, { by })).toEqual(refused({ reason: 'own-request' }));
  });

  it('has an address, or nobody could tell', () => {
    expect(confirm(finding, { by: { ...second, email: null } })).toEqual(refused({ reason: 'second-person-not-told' }));
  });

  it('saw this very request', () => {
    expect(confirm(finding, { requestedAt: later({ minutes: 39 }) })).toEqual(refused({ reason: 'request-changed' }));
    expect(confirm(finding, { requestedAt: null })).toEqual(refused({ reason: 'request-changed' }));
  });

  it('comes in time', () => {
    expect(confirm(finding, { at: later({ days: 1, minutes: 9 }) }).outcome).toBe('accepted');
    expect(confirm(finding, { at: later({ days: 1, minutes: 10 }) })).toEqual(refused({ reason: 'request-lapsed' }));
  });

  it('cannot confirm what somebody asked who may not any more', () => {
    expect(confirm(finding, { requester: { allowed: false, reason: 'deactivated' } })).toEqual(
      refused({ reason: 'requester-may-not', by: 'First Approver' }),
    );
  });

  it('cannot confirm what the policy forbids by now', () => {
    expect(confirm(finding, { ownerIsFullMember: false })).toEqual(refused({ reason: 'owner-not-a-full-member' }));
    const rules = { ...commands.exempt.rules, maximumDays: 20 };
    expect(confirm(finding, { rules })).toEqual(refused({ reason: 'until-beyond-maximum', maximumDays: 20 }));
    const late = confirm(waitingFor('back-out', { lapsesAt: later({ days: 30 }) }), { at: later({ days: 15 }) });
    expect(late).toEqual(refused({ reason: 'back-out-window-over', days: 14 }));
  });
});

describe('a request', () => {
  test.each(actions)('to %s is withdrawn', (action) => {
    const finding = waitingFor(action);
    const withdraw = { ...commands['withdraw-request'], requestedAt: later({ minutes: 40 }) };
    const events = eventsOf(decide(withdraw, finding));
    expect(events).toEqual([{ type: 'request-withdrawn', at, by: aPersonRef() }]);
    expect(events.reduce(evolve, finding)).toEqual(aFinding(FOUND[action]));
    expect(decide({ ...withdraw, requestedAt: null }, finding)).toEqual(refused({ reason: 'request-changed' }));
  });

  test.each(actions)('to %s lapses by itself', (action) => {
    const finding = waitingFor(action);
    const due = later({ days: 1, minutes: 10 });
    const rules = {
      ...deadlineRules(aPolicy(), aFinding('open'), () => 0),
      remindAfterHours: [],
      escalateAfterHours: null,
    };
    expect(nextDeadline(finding, rules)).toBe(due);
    expect(dueWork(finding, rules, due)).toEqual([{ type: 'lapse-request', at: due }]);
    expect(decide({ type: 'lapse-request', at }, finding)).toEqual({
      outcome: 'ignored',
      because: 'no-request-to-lapse',
    });
    const events = eventsOf(decide({ type: 'lapse-request', at: due }, finding));
    expect(events.reduce(evolve, finding)).toEqual(aFinding(FOUND[action]));
  });

  it('ends with the exemption that it would have renewed', () => {
    const finding = waitingFor('renew-exemption', { lapsesAt: later({ days: 40 }) });
    const expired = eventsOf(decide({ ...commands['expire-exemption'], at: later({ days: 31 }) }, finding));
    expect(requestOf(expired.reduce(evolve, finding))).toBeNull();
  });

  it('gives way to whoever has the key rotate, ends the exemption or settles it', () => {
    expect(requestOf(evolve(waitingFor('exempt'), anApproval(at)))).toBeNull();
    const ended = eventsOf(decide(commands['revoke-exemption'], waitingFor('renew-exemption')));
    expect(requestOf(ended.reduce(evolve, waitingFor('renew-exemption')))).toBeNull();
    const closed = eventsOf(decide(anAssessment({ at, assessment: { verdict: 'compliant' } }), waitingFor('exempt')));
    expect(requestOf(closed.reduce(evolve, waitingFor('exempt')))).toBeNull();
  });

  it('stays while the finding is asked about', () => {
    const finding = evolve(waitingFor('exempt'), { type: 'reminded', at, reminder: 1 });
    expect(requestOf(finding)).not.toBeNull();
  });

  it.each(['approved', 'closed'] as const)('cannot be made about a finding in status %s', (status) => {
    const [first, ...rest] = HISTORY[status];
    const requested: FindingEvent = { type: 'confirmation-requested', at, request: aRequest() };
    expect(() => given([first, ...rest, requested])).toThrow('cannot happen');
  });
});

describe('fourEyesReason', () => {
  const told = { causedBy: anActor({ email: 'dev@corp.example' }), causedByUserIds: [], isTold: true };
  const question = { ...told, person: aPersonRef(), selfExemption: false };
  const hidden = { ...question, causedBy: anActor(), isTold: false };

  it('lets one person decide where it is told that somebody else caused it', () => {
    expect(fourEyesReason(question, false)).toBeNull();
    expect(fourEyesReason({ ...question, causedBy: null }, false)).toBeNull();
  });

  it('asks for two where the route does, or where one alone may be who caused it', () => {
    expect(fourEyesReason(question, true)).toBe('route-asks');
    expect(fourEyesReason(hidden, false)).toBe('cause-not-told');
  });

  it('cannot compare with somebody whose address Slack does not show', () => {
    const person = aPersonRef({ email: null });
    expect(fourEyesReason({ ...question, person }, false)).toBe('cause-not-told');
    expect(fourEyesReason({ ...question, person, causedByUserIds: ['U0DEV'] }, false)).toBeNull();
    expect(fourEyesReason({ ...question, person, causedBy: null }, false)).toBeNull();
  });

  it('has nothing to hide where people may exempt their own findings', () => {
    expect(fourEyesReason({ ...hidden, selfExemption: true }, false)).toBeNull();
    expect(fourEyesReason({ ...hidden, selfExemption: true }, true)).toBe('route-asks');
  });
});

describe('comparePeople', () => {
  const one = aPersonRef({ userId: 'U0ONE', email: 'one@corp.example' });
  it('tells people apart by user id and address', () => {
    expect(comparePeople(one, { ...one, email: null })).toBe('same');
    expect(comparePeople(one, { ...one, userId: 'U0TWO', email: 'ONE@corp.example' })).toBe('same');
    expect(comparePeople(one, { ...one, userId: 'U0TWO', email: 'two@corp.example' })).toBe('different');
    expect(comparePeople(one, { ...one, userId: 'U0TWO', email: null })).toBe('cannot-tell');
    expect(comparePeople({ ...one, email: null }, { ...one, userId: 'U0TWO' })).toBe('cannot-tell');
  });
});
