import type { Assessment, Problem } from '../../../functions/domain/assessment.ts';
import type { Command } from '../../../functions/domain/commands.ts';
import { type Decision, decide, refusalEvent } from '../../../functions/domain/decide.ts';
import { evolve, ImpossibleEvent, replay } from '../../../functions/domain/evolve.ts';
import { type Closing, decidedBy, type Finding, type Status, severityOf } from '../../../functions/domain/finding.ts';
import type { FindingEvent } from '../../../functions/domain/finding-events.ts';
import type { Trigger } from '../../../functions/domain/people.ts';
import type { Refusal } from '../../../functions/domain/refusal.ts';
import {
  aFinding,
  aKey,
  anApproval,
  anAssessment,
  anExemption,
  anOpening,
  aPersonRef,
  aProof,
  aRemediation,
  aTrigger,
  commandsOfEveryType,
  given,
  HISTORY,
  later,
  PROBLEMS,
  someTerms,
} from '../../builders.ts';

const commands = commandsOfEveryType();
const at = later({ hours: 1 });
const recheck: Trigger = { kind: 'recheck', at, by: aPersonRef() };
const person = { kind: 'person', person: aPersonRef() } as const;

/** The finding after a command that has to be accepted. */
function when(finding: Finding | undefined, command: Command): { events: FindingEvent[]; after: Finding } {
  const decision = decide(command, finding);
  if (decision.outcome !== 'accepted') throw new Error(`not accepted: ${JSON.stringify(decision)}`);
  const [first, ...rest] = decision.events;
  return { events: decision.events, after: rest.reduce(evolve, evolve(finding, first)) };
}

const refused = (refusal: Refusal): Decision => ({ outcome: 'refused', refusal });

describe('no finding', () => {
  test.each(PROBLEMS)('opens for $verdict', (assessment) => {
    const { events } = when(undefined, anAssessment({ assessment }));
    expect(events).toEqual([anOpening({ assessment })]);
  });

  test.each<Assessment>([{ verdict: 'compliant' }, { verdict: 'not-applicable', reason: 'hmac-key' }])(
    'stays none for $verdict',
    (assessment) => {
      expect(decide(anAssessment({ assessment }), undefined)).toEqual({ outcome: 'ignored', because: 'nothing-wrong' });
    },
  );

  it('is approved at once by a route in auto mode', () => {
    const { events, after } = when(undefined, anAssessment({ mode: 'auto', route: 'playground' }));
    expect(events.map(({ type }) => type)).toEqual(['finding-opened', 'remediation-approved']);
    expect(decidedBy(after)).toMatchObject({ who: { kind: 'policy', route: 'playground' } });
  });

  it('asks even in auto mode when there is nothing the bot can do', () => {
    const assessment = { verdict: 'unknown', reason: { because: 'rotation-not-read' } } as const;
    expect(when(undefined, anAssessment({ mode: 'auto', assessment })).after.status).toBe('open');
  });

  it('gives every person the same answer', () => {
    expect(decide(commands.approve, undefined)).toEqual(refused({ reason: 'no-finding' }));
  });
});

describe('open', () => {
  it('is not told again what it knows', () => {
    expect(decide(anAssessment({ at }), aFinding('open'))).toEqual({ outcome: 'ignored', because: 'already-known' });
  });

  it('keeps the facts it has when a look brings none', () => {
    const decision = decide(anAssessment({ at, facts: null }), aFinding('open'));
    expect(decision).toEqual({ outcome: 'ignored', because: 'already-known' });
    const assessment = { verdict: 'unknown', reason: { because: 'rotation-not-read' } } as const;
    expect(when(aFinding('open'), anAssessment({ at, facts: null, assessment })).after.facts).toEqual(aKey());
  });

  it('is re-assessed when the assessment or the facts change', () => {
    const assessment = { verdict: 'period-too-long', periodInDays: 730, maximumPeriodInDays: 365 } as const;
    expect(when(aFinding('open'), anAssessment({ at, assessment })).after).toEqual({ ...aFinding('open'), assessment });
    const facts = aKey({ tags: [] });
    expect(when(aFinding('open'), anAssessment({ at, facts })).after).toEqual({ ...aFinding('open'), facts });
  });

  it('answers a person who asked for a re-check even when nothing changed', () => {
    const { events, after } = when(aFinding('open'), anAssessment({ at, trigger: recheck }));
    expect(events).toEqual([{ type: 'rechecked', at, by: aPersonRef(), assessment: { verdict: 'rotation-off' } }]);
    expect(after).toEqual(aFinding('open'));
  });

  it('closes and names who settled it', () => {
    const trigger = aTrigger({ eventName: 'EnableKeyRotation' });
    const { after } = when(aFinding('open'), anAssessment({ at, assessment: { verdict: 'compliant' }, trigger }));
    expect(after).toMatchObject({ status: 'closed', closedAt: at, closing: { because: 'compliant', by: 'deployer' } });
  });

  it('closes without a name when only a look told', () => {
    const assessment = { verdict: 'not-applicable', reason: 'pending-deletion' } as const;
    const { after } = when(aFinding('open'), anAssessment({ at, assessment, trigger: recheck }));
    expect(after).toMatchObject({ closing: { because: 'not-applicable', reason: 'pending-deletion', by: null } });
  });

  it.each([
    { problem: PROBLEMS[0], remedy: { id: 'enable-rotation', rotationPeriodInDays: 180 } },
    { problem: PROBLEMS[1], remedy: { id: 'enable-rotation', rotationPeriodInDays: 180 } },
    { problem: PROBLEMS[2], remedy: { id: 'rotate-on-demand', keyMaterialId: 'a'.repeat(64) } },
  ])('starts remediation of $problem.verdict when an approver approves', ({ problem, remedy }) => {
    const { after } = when(given([anOpening(problem && { assessment: problem })]), {
      ...commands.approve,
      rotationPeriodInDays: 180,
    });
    expect(after).toMatchObject({ status: 'approved', remedy, approval: { by: person, at }, startedAt: null });
  });

  test.each(PROBLEMS.slice(3))('has nothing to approve when it is $verdict', (assessment) => {
    const decision = decide(commands.approve, given([anOpening({ assessment })]));
    expect(decision).toEqual(refused({ reason: 'nothing-to-approve' }));
  });

  it('is exempt when an approver grants it', () => {
    expect(when(aFinding('open'), commands.exempt).after).toMatchObject({
      status: 'exempt',
      exemption: { ...someTerms(), grantedBy: aPersonRef(), grantedAt: at, remindedDays: [] },
    });
  });

  it('is not exempt on terms that the policy forbids', () => {
    const exempt = commands.exempt;
    expect(decide({ ...exempt, ownerIsFullMember: false }, aFinding('open'))).toEqual(
      refused({ reason: 'owner-not-a-full-member' }),
    );
    expect(decide({ ...exempt, terms: someTerms({ reason: 'because' }) }, aFinding('open'))).toEqual(
      refused({ reason: 'reason-too-short', minimumLength: 10 }),
    );
  });

  it('is escalated once and reminded in turn', () => {
    const { after: reminded } = when(aFinding('open'), commands.remind);
    expect(decide(commands.remind, reminded)).toEqual({ outcome: 'ignored', because: 'already-known' });
    const { after: twice } = when(reminded, { ...commands.remind, reminder: 2 });
    const { after: escalated } = when(twice, commands.escalate);
    expect(escalated).toMatchObject({ remindersSent: 2, escalatedAt: at });
    expect(decide(commands.escalate, escalated)).toEqual({ outcome: 'ignored', because: 'already-known' });
  });
});

describe('every state', () => {
  const people = Object.values(commands).filter((command) => 'by' in command);

  test.each(people.map((command) => ({ type: command.type, command })))(
    'refuses $type to whoever may not, first of all',
    ({ command }) => {
      const denied: Command = { ...command, episode: 7, verdict: { allowed: false, reason: 'guest' } };
      expect(decide(denied, aFinding('open'))).toEqual(refused({ reason: 'guest' }));
      expect(decide(denied, undefined)).toEqual(refused({ reason: 'guest' }));
    },
  );

  test.each(people.map((command) => ({ type: command.type, command })))(
    'refuses $type from the message of an earlier episode',
    ({ command }) => {
      const later = given([...HISTORY.closed, anOpening({ episode: 2, at })]);
      expect(decide(command, later)).toEqual(refused({ reason: 'earlier-episode' }));
    },
  );

  test.each(['open', 'failed'] as const)(
    'lets a person ask for a re-check, which changes nothing yet: %s',
    (status) => {
      const { events, after } = when(aFinding(status), commands['re-check']);
      expect(events).toEqual([{ type: 'recheck-requested', at, by: aPersonRef() }]);
      expect(after).toEqual(aFinding(status));
    },
  );

  it('says in which status it is to whoever would renew, revoke or back out what is not there', () => {
    const notExempt = refused({ reason: 'not-exempt', status: 'open' });
    expect(decide(commands['renew-exemption'], aFinding('open'))).toEqual(notExempt);
    expect(decide(commands['revoke-exemption'], aFinding('open'))).toEqual(notExempt);
    const notRemediated = refused({ reason: 'not-remediated', status: 'open' });
    expect(decide(commands['back-out'], aFinding('open'))).toEqual(notRemediated);
  });

  it('records a refused attempt with whoever made it', () => {
    expect(refusalEvent(commands.exempt, { reason: 'guest' })).toEqual({
      ...{ type: 'command-refused', at, command: 'exempt', by: person, refusal: { reason: 'guest' } },
    });
  });

  it.each<{ status: Status; by: string | null; decided: string | null }>([
    { status: 'approved', by: 'Key Owner', decided: later({ minutes: 10 }) },
    { status: 'remediated', by: 'Key Owner', decided: later({ minutes: 10 }) },
    { status: 'exempt', by: 'Key Owner', decided: later({ minutes: 10 }) },
    { status: 'closed', by: null, decided: null },
  ])('tells a late clicker who decided: $status by $by', ({ status, by, decided }) => {
    const refusal: Refusal = { reason: 'already-decided', status, by, at: decided };
    expect(decide(commands.approve, aFinding(status))).toEqual(refused(refusal));
    expect(decide(commands.exempt, aFinding(status))).toEqual(refused(refusal));
  });

  it('tells a late clicker which route decided', () => {
    const { after } = when(undefined, anAssessment({ mode: 'auto', route: 'playground' }));
    expect(decide(commands.approve, after)).toMatchObject({ refusal: { by: 'playground' } });
  });
});

describe('decidedBy', () => {
  it('is nobody before a decision or without one, the approver after a failure', () => {
    expect(decidedBy(aFinding('open'))).toBeNull();
    expect(decidedBy(aFinding('closed'))).toBeNull();
    expect(decidedBy(aFinding('failed'))).toEqual({ who: person, at: later({ minutes: 10 }) });
  });
});

describe('approved', () => {
  const started = given([
    ...HISTORY.approved,
    { type: 'remediation-started', at, remedy: aFinding('approved').remedy },
  ]);

  it('notes the start before anything is done', () => {
    expect(when(aFinding('approved'), commands['start-remediation']).after).toEqual(started);
  });

  it('is remediated by a confirmed result', () => {
    const { after } = when(started, commands['confirm-remediation']);
    expect(after).toMatchObject({
      ...{ status: 'remediated', remediatedAt: at, proof: aProof(), kmsRequestId: 'request-1' },
      history: { switchedOnByBot: [{ at, approvedBy: person }], switchedOffAgain: [] },
    });
  });

  it('fails with what KMS answered', () => {
    const { events, after } = when(started, commands['fail-remediation']);
    const failure = { because: 'rotation-limit-reached' };
    expect(events).toEqual([{ type: 'remediation-failed', at, failure, kmsRequestId: null }]);
    expect(after).toMatchObject({ status: 'failed', failedAt: at, failure });
  });

  it('claims no success for what was not started', () => {
    const decision = decide(commands['confirm-remediation'], aFinding('approved'));
    expect(decision).toEqual({ outcome: 'ignored', because: 'not-awaiting-a-result' });
  });

  it('closes without naming anybody when there is nothing left to do', () => {
    const { after } = when(started, commands['close-unneeded']);
    expect(after).toMatchObject({ status: 'closed', closing: { because: 'compliant', by: null } });
  });

  it('is not decided about by another look, but whoever asked for one is answered', () => {
    const ignored = { outcome: 'ignored', because: 'remediation-under-way' };
    expect(decide(commands.assess, started)).toEqual(ignored);
    const { events, after } = when(started, { ...commands.assess, trigger: recheck });
    expect(events.map(({ type }) => type)).toEqual(['rechecked']);
    expect(after).toEqual(started);
  });

  it('fails at the third report that no result came', () => {
    const { after: once } = when(started, commands['report-overdue']);
    const { after: twice, events } = when(once, commands['report-overdue']);
    expect(events).toEqual([{ type: 'remediation-overdue', at, report: 2 }]);
    expect(when(twice, commands['report-overdue']).after).toMatchObject({
      ...{ status: 'failed', failure: { because: 'no-result', attempts: 3 }, remindersSent: 0, escalatedAt: null },
    });
  });
});

describe('remediated', () => {
  it('opens the next episode when the key is wrong again', () => {
    expect(when(aFinding('remediated'), anAssessment({ at })).after).toMatchObject({ status: 'open', episode: 2 });
  });

  it('is backed out into an exemption', () => {
    const { after: approved } = when(aFinding('remediated'), commands['back-out']);
    const thenExempt = anExemption({ grantedAt: at });
    expect(approved).toMatchObject({
      ...{ status: 'approved', approval: { by: person, at }, remedy: { id: 'disable-rotation' }, thenExempt },
    });
    const { after: started } = when(approved, commands['start-remediation']);
    const { after } = when(started, { ...commands['confirm-remediation'], at: later({ hours: 2 }) });
    expect(after).toMatchObject({
      ...{ status: 'exempt', assessment: { verdict: 'rotation-off' }, exemption: thenExempt },
    });
  });

  it('is not backed out any more once the exemption it would end in is over', () => {
    const { after: approved } = when(aFinding('remediated'), commands['back-out']);
    const justBefore = { ...commands['start-remediation'], at: later({ days: 30, milliseconds: -1 }) };
    expect(decide(justBefore, approved).outcome).toBe('accepted');
    const tooLate = { ...commands['start-remediation'], at: later({ days: 30 }) };
    expect(decide(tooLate, approved)).toEqual({ outcome: 'ignored', because: 'exemption-over' });
  });

  it.each([
    { days: 14, milliseconds: 0, outcome: 'accepted' },
    { days: 14, milliseconds: 1, outcome: 'refused' },
  ])('is backed out within the window: $days days and $milliseconds ms: $outcome', ({ outcome, ...time }) => {
    const finding = aFinding('remediated');
    const moment = new Date(Date.parse(finding.remediatedAt) + time.days * 86_400_000 + time.milliseconds);
    const decision = decide({ ...commands['back-out'], at: moment.toISOString() }, finding);
    expect(decision.outcome).toBe(outcome);
    if (outcome === 'refused') expect(decision).toEqual(refused({ reason: 'back-out-window-over', days: 14 }));
  });

  it('is not backed out when the bot only shortened the period', () => {
    const assessment = { verdict: 'period-too-long', periodInDays: 730, maximumPeriodInDays: 365 } as const;
    const finding = given([anOpening({ assessment }), anApproval(), ...aRemediation()]);
    expect(decide(commands['back-out'], finding)).toEqual(refused({ reason: 'not-switched-on-by-bot' }));
  });

  it('is not backed out for what the bot did in an earlier episode', () => {
    const assessment = { verdict: 'period-too-long', periodInDays: 730, maximumPeriodInDays: 365 } as const;
    const again = [anOpening({ episode: 2, at, assessment }), anApproval(at), ...aRemediation(later({ hours: 2 }))];
    const backOut = { ...commands['back-out'], episode: 2, at: later({ hours: 3 }) };
    const decision = decide(backOut, given([...HISTORY.remediated, ...again]));
    expect(decision).toEqual(refused({ reason: 'not-switched-on-by-bot' }));
  });

  it('is not backed out on terms that the policy forbids', () => {
    const backOut = { ...commands['back-out'], terms: someTerms({ until: at }) };
    expect(decide(backOut, aFinding('remediated'))).toEqual(refused({ reason: 'until-not-in-future' }));
  });
});

describe('failed', () => {
  it('keeps its failure while the key is as it was', () => {
    const changed = anAssessment({ at, facts: aKey({ description: 'changed' }) });
    expect(decide(changed, aFinding('failed'))).toEqual({ outcome: 'ignored', because: 'already-known' });
  });

  it('asks anew when another problem is found', () => {
    const { after } = when(aFinding('failed'), anAssessment({ at, facts: null, assessment: PROBLEMS[4] ?? never() }));
    expect(after).toMatchObject({ status: 'open', askedAt: at, remindersSent: 0, facts: aKey() });
  });

  it('can be approved again', () => {
    expect(when(aFinding('failed'), commands.approve).after.status).toBe('approved');
  });
});

describe('exempt', () => {
  const end = later({ days: 30 });
  const assess = (changes: Partial<typeof commands.assess>): Command => ({
    ...anAssessment({ at: end }),
    ...changes,
  });

  it('stays so until the very end, whatever the key does', () => {
    const justBefore = later({ days: 30, milliseconds: -1 });
    const exempt = { outcome: 'ignored', because: 'exempt' };
    expect(decide(assess({ at: justBefore }), aFinding('exempt'))).toEqual(exempt);
    expect(decide({ ...commands['expire-exemption'], at: justBefore }, aFinding('exempt'))).toEqual({
      ...{ outcome: 'ignored', because: 'exemption-still-live' },
    });
  });

  it('opens again at the end, and asks anew', () => {
    for (const command of [assess({}), { ...commands['expire-exemption'], at: end }]) {
      expect(when(aFinding('exempt'), command).after).toMatchObject({ status: 'open', askedAt: end, facts: aKey() });
    }
  });

  it.each<{ assessment: Extract<Assessment, { verdict: 'compliant' | 'not-applicable' }>; closing: Closing }>([
    { assessment: { verdict: 'compliant' }, closing: { because: 'compliant', by: null } },
    {
      assessment: { verdict: 'not-applicable', reason: 'key-deleted' },
      closing: { because: 'not-applicable', reason: 'key-deleted', by: null },
    },
  ])('closes at the end when the key is $assessment.verdict by then', ({ assessment, closing }) => {
    const { events, after } = when(aFinding('exempt'), { ...commands['expire-exemption'], at: end, assessment });
    expect(events).toEqual([
      { type: 'exemption-expired', at: end, facts: null, assessment },
      { type: 'finding-closed', at: end, closing, trigger: { kind: 'exemption-end', at: end } },
    ]);
    expect(after).toMatchObject({ status: 'closed', closing });
  });

  it('closes at the end, and names whoever settled it, when an event comes before the clock', () => {
    const trigger = aTrigger({ eventName: 'EnableKeyRotation', at: end });
    const { events } = when(aFinding('exempt'), assess({ assessment: { verdict: 'compliant' }, trigger }));
    expect(events.at(-1)).toEqual({
      ...{ type: 'finding-closed', at: end, trigger },
      closing: { because: 'compliant', by: 'deployer' },
    });
  });

  it('is renewed on new terms, and reminded again', () => {
    const { after: reminded } = when(aFinding('exempt'), commands['remind-owner']);
    expect(reminded).toMatchObject({ exemption: { remindedDays: [14] } });
    const terms = someTerms({ until: later({ days: 60 }) });
    const { after } = when(reminded, { ...commands['renew-exemption'], terms });
    const since = aFinding('exempt').exemption.grantedAt;
    const exemption = anExemption({ ...terms, grantedAt: at, since });
    expect(after).toEqual({ ...aFinding('exempt'), exemption, exemptSince: since });
  });

  it('reminds no owner twice of the same day, and not after the end', () => {
    const { after } = when(aFinding('exempt'), commands['remind-owner']);
    expect(decide(commands['remind-owner'], after)).toEqual({ outcome: 'ignored', because: 'already-known' });
    const missed = { ...commands['remind-owner'], daysLeft: 20 };
    expect(decide(missed, after)).toEqual({ outcome: 'ignored', because: 'already-known' });
    const next = when(after, { ...commands['remind-owner'], daysLeft: 7 });
    expect(next.after).toMatchObject({ exemption: { remindedDays: [14, 7] } });
    const atEnd = { ...commands['remind-owner'], at: end };
    expect(decide(atEnd, aFinding('exempt'))).toEqual({ outcome: 'ignored', because: 'not-exempt' });
  });

  it('is open again once revoked', () => {
    expect(when(aFinding('exempt'), commands['revoke-exemption']).after).toMatchObject({ status: 'open', askedAt: at });
  });
});

describe('a drift loop', () => {
  const disabled = aTrigger({ eventName: 'DisableKeyRotation', at });

  it('is a key that the bot fixed and somebody switched off again', () => {
    const { after } = when(aFinding('remediated'), anAssessment({ at, trigger: disabled }));
    expect(after.history.switchedOffAgain).toEqual([{ at, by: 'deployer', tool: 'Terraform' }]);
    expect(severityOf(after)).toBe('HIGH');
  });

  it.each<Trigger>([aTrigger({ eventName: 'TagResource' }), recheck])(
    'has an unknown culprit after $kind',
    (trigger) => {
      const { after } = when(aFinding('remediated'), anAssessment({ at, trigger }));
      expect(after.history.switchedOffAgain).toEqual([{ at, by: 'unknown', tool: 'unknown' }]);
    },
  );

  it('is none after a back-out: people took back what the bot had done', () => {
    const backedOut = [commands['back-out'], commands['start-remediation'], commands['confirm-remediation']];
    const end = later({ days: 30 });
    const compliant = { ...commands['expire-exemption'], at: end, assessment: { verdict: 'compliant' } as const };
    const settled = [...backedOut, compliant].reduce<Finding>(
      (finding, command) => when(finding, command).after,
      aFinding('remediated'),
    );
    const { after } = when(settled, anAssessment({ at: end, trigger: disabled, mode: 'auto' }));
    expect(after).toMatchObject({ status: 'approved', history: { switchedOnByBot: [], switchedOffAgain: [] } });
  });

  it('is not fought in auto mode: people are asked', () => {
    const { events } = when(aFinding('remediated'), anAssessment({ at, trigger: disabled, mode: 'auto' }));
    expect(events.map(({ type }) => type)).toEqual(['finding-opened']);
  });

  it('is none when the key is wrong in another way, or was never fixed by the bot', () => {
    const tooLong = anAssessment({ at, assessment: PROBLEMS[1] ?? never(), mode: 'auto' });
    expect(when(aFinding('remediated'), tooLong).after).toMatchObject({ status: 'approved' });
    expect(severityOf(when(aFinding('closed'), anAssessment({ at, trigger: disabled })).after)).toBe('MEDIUM');
  });
});

describe('severity', () => {
  test.each(PROBLEMS)('of $verdict', (assessment) => {
    const expected = assessment.verdict === 'period-too-long' ? 'LOW' : 'MEDIUM';
    expect(severityOf(given([anOpening({ assessment })]))).toBe(expected);
  });
});

describe('replay', () => {
  it('of nothing is no finding', () => {
    expect(replay([])).toBeUndefined();
  });

  test.each(Object.entries(HISTORY))('gives the finding: %s', (status, events) => {
    expect(replay(events)?.status).toBe(status);
  });

  const impossible: { event: FindingEvent; statuses: (Status | 'none')[] }[] = [
    { event: anOpening({ episode: 2 }), statuses: ['open', 'approved', 'failed', 'exempt'] },
    {
      event: {
        ...{ type: 'finding-reassessed', at, facts: null, trigger: aTrigger() },
        assessment: { verdict: 'rotation-off' },
      },
      statuses: ['none', 'approved', 'remediated', 'exempt', 'closed'],
    },
    { event: HISTORY.closed[1] ?? never(), statuses: ['none', 'remediated', 'exempt', 'closed'] },
    { event: anApproval(), statuses: ['none', 'approved', 'remediated', 'closed'] },
    {
      event: {
        ...{ type: 'back-out-approved', at, approval: { by: person, at }, remedy: { id: 'disable-rotation' } },
        thenExempt: anExemption(),
      },
      statuses: ['none', 'open', 'approved', 'failed', 'exempt', 'closed'],
    },
    ...[
      ...aRemediation(),
      HISTORY.failed[2] ?? never(),
      { type: 'remediation-overdue' as const, at, report: 1 },
      {
        ...{ type: 'backed-out' as const, at, proof: aProof(), kmsRequestId: null },
        exemption: aFinding('exempt').exemption,
      },
    ].map((event) => ({ event, statuses: ['none', 'open', 'remediated', 'failed', 'exempt', 'closed'] as Status[] })),
    {
      event: HISTORY.exempt[1] ?? never(),
      statuses: ['none', 'approved', 'remediated', 'exempt', 'closed'],
    },
    ...[
      { type: 'exemption-renewed' as const, at, by: aPersonRef(), exemption: aFinding('exempt').exemption },
      { type: 'exemption-shortened' as const, at, by: aPersonRef(), until: at, owner: aPersonRef() },
      { type: 'exemption-end-accepted' as const, at, by: aPersonRef() },
      { type: 'exemption-revoked' as const, at, by: aPersonRef() },
      { type: 'exemption-expired' as const, at, facts: null, assessment: { verdict: 'rotation-off' as const } },
      { type: 'exemption-reminded' as const, at, daysLeft: 7, owner: aPersonRef() },
    ].map((event) => ({ event, statuses: ['none', 'open', 'approved', 'remediated', 'failed', 'closed'] as Status[] })),
    ...[
      { type: 'reminded' as const, at, reminder: 1 },
      { type: 'escalated' as const, at },
    ].map((event) => ({ event, statuses: ['none', 'approved', 'remediated', 'exempt', 'closed'] as Status[] })),
  ];

  const cases = impossible.flatMap(({ event, statuses }) =>
    statuses.map((status) => ({ type: event.type, event, status })),
  );

  test.each(cases)('stops at a broken history: $type in $status', ({ type, event, status }) => {
    const finding = status === 'none' ? undefined : aFinding(status);
    expect(() => evolve(finding, event)).toThrow(ImpossibleEvent);
    expect(() => evolve(finding, event)).toThrow(`event ${type} cannot happen to a finding in status ${status}`);
  });

  it('stops with an error that can be told by its name', () => {
    expect(new ImpossibleEvent('escalated', 'none').name).toBe('ImpossibleEvent');
  });
});

function never(): never {
  throw new Error('the builders changed');
}

describe('the cause of a finding that changes', () => {
  const open = aFinding('open');
  const changed = { verdict: 'period-too-long', periodInDays: 730, maximumPeriodInDays: 365 } as const;
  const causeAfter = (trigger: Trigger, assessment: Problem = changed, finding: Finding = open) =>
    evolve(finding, { type: 'finding-reassessed', at, facts: null, assessment, trigger }).trigger;

  it.each(['DisableKeyRotation', 'EnableKeyRotation', 'ImportKeyMaterial'])(
    'is whoever made the present problem by %s',
    (eventName) => {
      const trigger = aTrigger({ eventId: 'later', eventName });
      expect(causeAfter(trigger)).toEqual(trigger);
    },
  );

  it.each<[string, Trigger]>([
    ['somebody who only tagged the key', aTrigger({ eventId: 'later', eventName: 'TagResource' })],
    ['somebody who asked for a re-check', recheck],
  ])('is not %s', (_, trigger) => {
    expect(causeAfter(trigger)).toEqual(open.trigger);
  });

  it('is whoever made the same kind of problem worse', () => {
    const tooLong = given([anOpening({ assessment: changed })]);
    const trigger = aTrigger({ eventId: 'later', eventName: 'EnableKeyRotation' });
    expect(causeAfter(trigger, { ...changed, periodInDays: 2560 }, tooLong)).toEqual(trigger);
  });

  it('is whoever made the problem, although somebody else asked for a re-check before the event came', () => {
    const found = given([anOpening({ trigger: recheck })]);
    const trigger = aTrigger({ eventName: 'DisableKeyRotation' });
    expect(when(found, anAssessment({ at, trigger })).after).toEqual({ ...found, trigger });
    expect(decide(anAssessment({ at, trigger: aTrigger({ eventName: 'TagResource' }) }), found)).toEqual({
      ...{ outcome: 'ignored', because: 'already-known' },
    });
  });

  it('stays when the problem stays', () => {
    expect(causeAfter(aTrigger({ eventId: 'later', eventName: 'DisableKeyRotation' }), open.assessment)).toEqual(
      open.trigger,
    );
  });
});
