import type { Command } from '../../../functions/domain/commands.ts';
import { dueWork, nextDeadline } from '../../../functions/domain/deadlines.ts';
import { decide } from '../../../functions/domain/decide.ts';
import { evolve } from '../../../functions/domain/evolve.ts';
import type { Finding } from '../../../functions/domain/finding.ts';
import { deadlineRules } from '../../../functions/domain/policy.ts';
import {
  aFinding,
  anAssessment,
  aPersonRef,
  aPolicy,
  commandsOfEveryType,
  DAY_ONE,
  later,
  someTerms,
} from '../../builders.ts';

const at = later({ hours: 1 });
const commands = commandsOfEveryType(at);
const rules = deadlineRules(aPolicy(), aFinding('open'), () => 0);

/** The finding after each command in turn; every one of them has to be accepted. */
function afterwards(finding: Finding, ...steps: Command[]): Finding {
  return steps.reduce((present, command) => {
    const decision = decide(command, present);
    if (decision.outcome !== 'accepted') throw new Error(`${command.type}: ${JSON.stringify(decision)}`);
    return decision.events.reduce(evolve, present);
  }, finding);
}

describe('an exemption that is shortened', () => {
  const shortened = afterwards(aFinding('exempt'), commands['shorten-exemption']);

  it('ends earlier, and is as it was otherwise', () => {
    const { exemption } = aFinding('exempt');
    expect(shortened).toEqual({
      ...aFinding('exempt'),
      exemption: { ...exemption, until: later({ days: 20 }), remindedDays: [20] },
    });
  });

  it('reminds nobody at once of what they were told a moment ago', () => {
    const soon = afterwards(aFinding('exempt'), { ...commands['shorten-exemption'], until: later({ days: 5 }) });
    expect(nextDeadline(soon, rules)).toBe(later({ days: 4 }));
    expect(nextDeadline(shortened, rules)).toBe(later({ days: 6 }));
  });

  it.each([
    { until: at, refusal: { reason: 'until-not-in-future' } },
    { until: 'soon', refusal: { reason: 'until-not-in-future' } },
    { until: later({ days: 30 }), refusal: { reason: 'not-shorter', until: later({ days: 30 }) } },
    { until: later({ days: 31 }), refusal: { reason: 'not-shorter', until: later({ days: 30 }) } },
  ])('does not end at $until', ({ until, refusal }) => {
    expect(decide({ ...commands['shorten-exemption'], until }, aFinding('exempt'))).toEqual({
      ...{ outcome: 'refused', refusal },
    });
  });
});

describe('an exemption that somebody lets end', () => {
  const letEnd = afterwards(aFinding('exempt'), commands['let-exemption-end']);

  it('says who, reminds nobody any more, and ends as before', () => {
    expect(letEnd).toMatchObject({ exemption: { endAcceptedBy: aPersonRef() } });
    expect(nextDeadline(letEnd, rules)).toBe(later({ days: 30 }));
    expect(dueWork(letEnd, rules, later({ days: 29 }))).toEqual([]);
    expect(decide({ ...commands['remind-owner'], at: later({ days: 29 }), daysLeft: 1 }, letEnd).outcome).toBe(
      'ignored',
    );
  });

  it('is said once', () => {
    expect(decide(commands['let-exemption-end'], letEnd)).toEqual({
      ...{ outcome: 'refused', refusal: { reason: 'end-accepted', by: 'Key Owner' } },
    });
  });

  it('is reminded of again when it is renewed', () => {
    const renewed = afterwards(letEnd, commands['renew-exemption']);
    expect(renewed).toMatchObject({ exemption: { remindedDays: [] } });
    expect(nextDeadline(renewed, rules)).toBe(later({ days: 16 }));
  });
});

describe('an exempt key that is to be fixed now', () => {
  it('is approved in the same step', () => {
    const { exemption, ...rest } = aFinding('exempt');
    expect(exemption.until).toBe(later({ days: 30 }));
    expect(afterwards(aFinding('exempt'), commands['fix-now'])).toMatchObject({
      ...{ ...rest, status: 'approved', approval: { at }, remedy: { id: 'enable-rotation' }, thenExempt: null },
    });
  });

  it('stays exempt when the bot could do nothing to it', () => {
    const finding: Finding = {
      ...aFinding('exempt'),
      assessment: { verdict: 'manual-rotation-due', pendingKeyMaterialId: null, lastRotatedAt: null },
    };
    expect(decide(commands['fix-now'], finding)).toMatchObject({ refusal: { reason: 'nothing-to-approve' } });
  });
});

describe('the total of all exemptions of a finding', () => {
  const since = at;
  const first = afterwards(aFinding('open'), commands.exempt);
  const inDays = (days: number) => someTerms({ until: later({ days, hours: 1 }) });
  const total = { ...commands.exempt.rules, maximumTotalDays: 100 };

  it('counts from the first one, over renewals, ends and failures', () => {
    expect(first).toMatchObject({ exemptSince: since, exemption: { since } });
    const later90 = later({ days: 20 });
    const renewed = afterwards(first, { ...commands['renew-exemption'], at: later90, terms: inDays(60) });
    expect(renewed).toMatchObject({ exemptSince: since, exemption: { since, grantedAt: later90 } });
    const revoked = afterwards(renewed, { ...commands['revoke-exemption'], at: later({ days: 21 }) });
    const again = { ...commands.exempt, at: later({ days: 22 }), rules: total };
    expect(decide({ ...again, terms: inDays(101) }, revoked)).toEqual({
      outcome: 'refused',
      refusal: { reason: 'until-beyond-total', maximumTotalDays: 100, latest: later({ days: 100, hours: 1 }) },
    });
    expect(decide({ ...again, terms: inDays(100) }, revoked).outcome).toBe('accepted');
  });

  it('begins anew with the next finding of the key', () => {
    const closed = afterwards(
      first,
      { ...commands['revoke-exemption'], at: later({ days: 1 }) },
      anAssessment({ at: later({ days: 2 }), assessment: { verdict: 'compliant' } }),
    );
    const next = afterwards(closed, anAssessment({ at: later({ days: 3 }) }));
    expect(closed).toHaveProperty('exemptSince', since);
    expect(next).not.toHaveProperty('exemptSince');
    expect(next.openedAt).not.toBe(DAY_ONE);
  });
});
