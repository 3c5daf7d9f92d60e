import {
  checkTerms,
  daysLeft,
  type ExemptionRefusal,
  type ExemptionRules,
  type ExemptionTerms,
  isLive,
  latestEnd,
  nextExemptionReminder,
} from '../../../functions/domain/exemption.ts';
import { anExemption, DAY_ONE, later, someRules, someTerms } from '../../builders.ts';

describe('terms', () => {
  const notInFuture: ExemptionRefusal = { reason: 'until-not-in-future' };
  const table: {
    when: string;
    terms: Partial<ExemptionTerms>;
    rules?: Partial<ExemptionRules>;
    refusals: ExemptionRefusal[];
  }[] = [
    { when: 'all is well', terms: {}, refusals: [] },
    { when: 'the reason has just the length', terms: { reason: '1234567890' }, refusals: [] },
    {
      ...{ when: 'the reason is short', terms: { reason: '123456789' } },
      refusals: [{ reason: 'reason-too-short', minimumLength: 10 }],
    },
    {
      ...{ when: 'the reason is padded', terms: { reason: '  no       ' } },
      refusals: [{ reason: 'reason-too-short', minimumLength: 10 }],
    },
    {
      when: 'a ticket is needed',
      terms: {},
      rules: { ticketRequired: true },
      refusals: [{ reason: 'ticket-missing' }],
    },
    {
      ...{ when: 'the ticket is blank', terms: { ticket: '  ' }, rules: { ticketRequired: true } },
      refusals: [{ reason: 'ticket-missing' }],
    },
    { when: 'a ticket is there', terms: { ticket: 'SEC-1' }, rules: { ticketRequired: true }, refusals: [] },
    { when: 'it would end now', terms: { until: DAY_ONE }, refusals: [notInFuture] },
    { when: 'it would end in a millisecond', terms: { until: later({ milliseconds: 1 }) }, refusals: [] },
    { when: 'the date is no date', terms: { until: 'next spring' }, refusals: [notInFuture] },
    { when: 'it ends at the bound', terms: { until: later({ days: 90 }) }, refusals: [] },
    {
      ...{ when: 'it ends a millisecond over the bound', terms: { until: later({ days: 90, milliseconds: 1 }) } },
      refusals: [{ reason: 'until-beyond-maximum', maximumDays: 90 }],
    },
    {
      ...{ when: 'everything is wrong', terms: { reason: '', until: 'never' }, rules: { ticketRequired: true } },
      refusals: [{ reason: 'reason-too-short', minimumLength: 10 }, { reason: 'ticket-missing' }, notInFuture],
    },
  ];

  test.each(table)('when $when: $refusals', ({ terms, rules, refusals }) => {
    expect(checkTerms(someTerms(terms), someRules(rules), DAY_ONE, null)).toEqual(refusals);
  });

  it('may run to the maximum of the policy', () => {
    expect(latestEnd(someRules({ maximumDays: 7 }), DAY_ONE, null)).toBe(later({ days: 7 }));
  });

  it('may not run beyond the total, counted from the first exemption', () => {
    const rules = someRules({ maximumDays: 90, maximumTotalDays: 100 });
    const since = later({ days: -60 });
    expect(latestEnd(rules, DAY_ONE, since)).toBe(later({ days: 40 }));
    expect(checkTerms(someTerms({ until: later({ days: 40 }) }), rules, DAY_ONE, since)).toEqual([]);
    expect(checkTerms(someTerms({ until: later({ days: 41 }) }), rules, DAY_ONE, since)).toEqual([
      { reason: 'until-beyond-total', maximumTotalDays: 100, latest: later({ days: 40 }) },
    ]);
    expect(Date.parse(latestEnd(rules, DAY_ONE, later({ days: -101 })))).toBeLessThan(Date.parse(DAY_ONE));
  });
});

describe('liveness', () => {
  it.each([
    { now: later({ days: 30, milliseconds: -1 }), live: true },
    { now: later({ days: 30 }), live: false },
    { now: later({ days: 30, milliseconds: 1 }), live: false },
  ])('at $now: $live', ({ now, live }) => {
    expect(isLive(anExemption(), now)).toBe(live);
  });

  it('is denied to an end that cannot be read', () => {
    expect(isLive(anExemption({ until: 'never' }), DAY_ONE)).toBe(false);
  });
});

describe('the next reminder', () => {
  it('is the earliest mark, whatever the order in the policy', () => {
    const next = nextExemptionReminder(anExemption(), someRules({ reminderDays: [1, 14, 7] }));
    expect(next).toBe(later({ days: 16 }));
  });

  it.each([
    { remindedDays: [14], next: later({ days: 23 }) },
    { remindedDays: [14, 7], next: later({ days: 29 }) },
    { remindedDays: [5], next: later({ days: 29 }) },
  ])('comes after the last that was sent, at $remindedDays days: $next', ({ remindedDays, next }) => {
    expect(nextExemptionReminder(anExemption({ remindedDays }), someRules())).toBe(next);
  });

  it('passes over marks before the grant, and the one at the grant itself', () => {
    const next = nextExemptionReminder(anExemption({ grantedAt: later({ days: 23 }) }), someRules());
    expect(next).toBe(later({ days: 29 }));
  });

  it.each([
    { rules: someRules({ reminderDays: [] }), exemption: anExemption() },
    { rules: someRules(), exemption: anExemption({ remindedDays: [14, 7, 1] }) },
  ])('is none when no mark is left', ({ rules, exemption }) => {
    expect(nextExemptionReminder(exemption, rules)).toBeNull();
  });
});

describe('the days left', () => {
  it.each([
    { now: later({ days: 16 }), left: 14 },
    { now: later({ days: 16, minutes: 1 }), left: 14 },
    { now: later({ days: 17 }), left: 13 },
    { now: later({ days: 29, hours: 23 }), left: 1 },
  ])('at $now: $left, a begun day counted', ({ now, left }) => {
    expect(daysLeft(anExemption(), now)).toBe(left);
  });
});
