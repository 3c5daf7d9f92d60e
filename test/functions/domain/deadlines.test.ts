import {
  type DeadlineRules,
  type DueWork,
  dueWork,
  isAboutToBeGivenUp,
  nextDeadline,
} from '../../../functions/domain/deadlines.ts';
import type { Finding } from '../../../functions/domain/finding.ts';
import { aFinding, DAY_ONE, later, someRules } from '../../builders.ts';

const RULES: DeadlineRules = {
  ...{ remindAfterHours: [4, 24, 72], escalateAfterHours: 48, exemption: someRules() },
  opening: (instant) => instant,
};
const failedAt = { minutes: 31 };

describe('the next deadline', () => {
  const table: { of: string; finding: Finding; rules?: Partial<DeadlineRules>; expected: string | null }[] = [
    { of: 'open, first reminder', finding: aFinding('open'), expected: later({ hours: 4 }) },
    {
      ...{ of: 'open, second reminder', finding: { ...aFinding('open'), remindersSent: 1 } },
      expected: later({ hours: 24 }),
    },
    {
      ...{ of: 'open, escalation comes before the third', finding: { ...aFinding('open'), remindersSent: 2 } },
      expected: later({ hours: 48 }),
    },
    {
      ...{ of: 'open, all but escalation', finding: { ...aFinding('open'), remindersSent: 3 } },
      expected: later({ hours: 48 }),
    },
    {
      ...{ of: 'open, never escalated', finding: { ...aFinding('open'), remindersSent: 3 } },
      ...{ rules: { escalateAfterHours: null }, expected: null },
    },
    {
      ...{ of: 'open, all done', finding: { ...aFinding('open'), remindersSent: 3, escalatedAt: DAY_ONE } },
      expected: null,
    },
    { of: 'open, only observed', finding: { ...aFinding('open'), mode: 'observe' }, expected: null },
    { of: 'failed', finding: aFinding('failed'), expected: later({ hours: 4, ...failedAt }) },
    { of: 'approved', finding: aFinding('approved'), expected: later({ minutes: 25 }) },
    { of: 'exempt', finding: aFinding('exempt'), expected: later({ days: 16 }) },
    {
      ...{ of: 'exempt without reminders', finding: aFinding('exempt'), expected: later({ days: 30 }) },
      rules: { exemption: someRules({ reminderDays: [] }) },
    },
    { of: 'remediated', finding: aFinding('remediated'), expected: null },
    { of: 'closed', finding: aFinding('closed'), expected: null },
  ];

  test.each(table)('$of: $expected', ({ finding, rules, expected }) => {
    expect(nextDeadline(finding, { ...RULES, ...rules })).toBe(expected);
  });
});

describe('due work', () => {
  const exempt = later({ days: 30 });
  const table: { at: string; finding: Finding; expected: DueWork[] }[] = [
    { at: later({ hours: 4, milliseconds: -1 }), finding: aFinding('open'), expected: [] },
    {
      at: later({ hours: 4 }),
      finding: aFinding('open'),
      expected: [{ type: 'remind', at: later({ hours: 4 }), reminder: 1 }],
    },
    {
      ...{ at: later({ hours: 80 }), finding: { ...aFinding('open'), remindersSent: 2 } },
      expected: [
        { type: 'escalate', at: later({ hours: 80 }) },
        { type: 'remind', at: later({ hours: 80 }), reminder: 3 },
      ],
    },
    {
      // Nobody swept for a day: one reminder, not two in a row.
      ...{ at: later({ hours: 30 }), finding: aFinding('open') },
      expected: [{ type: 'remind', at: later({ hours: 30 }), reminder: 2 }],
    },
    {
      ...{ at: later({ minutes: 25 }), finding: aFinding('approved') },
      expected: [{ type: 'report-overdue', at: later({ minutes: 25 }) }],
    },
    {
      ...{ at: later({ days: 16 }), finding: aFinding('exempt') },
      expected: [{ type: 'remind-owner', at: later({ days: 16 }), daysLeft: 14 }],
    },
    {
      // Nobody swept for ten days: what is said is how many days are left by now.
      ...{ at: later({ days: 26 }), finding: aFinding('exempt') },
      expected: [{ type: 'remind-owner', at: later({ days: 26 }), daysLeft: 4 }],
    },
    {
      ...{ at: exempt, finding: aFinding('exempt') },
      expected: [{ type: 'expire-exemption', at: exempt }],
    },
    { at: later({ days: 999 }), finding: aFinding('closed'), expected: [] },
  ];

  test.each(table)('of $finding.status at $at: $expected', ({ at, finding, expected }) => {
    expect(dueWork(finding, RULES, at)).toEqual(expected);
  });
});

describe('a remediation that the watchdog may give up on', () => {
  const approved = { ...aFinding('approved'), lastActivityAt: DAY_ONE };
  it.each([
    { reports: 2, at: later({ minutes: 10 }), expected: false },
    { reports: 2, at: later({ minutes: 10, milliseconds: 1 }), expected: true },
    { reports: 2, at: later({ minutes: 40 }), expected: true },
    { reports: 3, at: later({ minutes: 14 }), expected: true },
    { reports: 1, at: later({ minutes: 14 }), expected: false },
  ])('$reports reports, $at: $expected', ({ reports, at, expected }) => {
    expect(isAboutToBeGivenUp({ ...approved, overdueReports: reports }, at)).toBe(expected);
  });
});

describe('outside working hours', () => {
  const morning = later({ hours: 23 });
  const closed: DeadlineRules = { ...RULES, opening: (instant) => Math.max(instant, Date.parse(morning)) };

  it('reminders and escalation wait for the opening, and one reminder makes up for those that were missed', () => {
    expect(nextDeadline(aFinding('open'), closed)).toBe(morning);
    expect(dueWork(aFinding('open'), closed, later({ hours: 22 }))).toEqual([]);
    expect(dueWork(aFinding('open'), closed, morning)).toEqual([{ type: 'remind', at: morning, reminder: 1 }]);
  });

  it('what was missed by day does not come by night', () => {
    const evening = later({ days: 3 });
    const night: DeadlineRules = { ...RULES, opening: (at) => (at >= Date.parse(evening) ? at + 1 : at) };
    expect(dueWork(aFinding('open'), night, evening)).toEqual([]);
  });

  it('an exemption that ends meanwhile is not reminded of', () => {
    const late: DeadlineRules = { ...RULES, opening: (at) => Math.max(at, Date.parse(later({ days: 31 }))) };
    expect(nextDeadline(aFinding('exempt'), late)).toBe(later({ days: 30 }));
    expect(dueWork(aFinding('exempt'), late, later({ days: 31 })).map(({ type }) => type)).toEqual([
      'expire-exemption',
    ]);
  });

  it('a remediation without a result is reported all the same', () => {
    expect(nextDeadline(aFinding('approved'), closed)).toBe(later({ minutes: 25 }));
  });
});
