import type { ClockCommand } from './commands.ts';
import { daysLeft, type ExemptionRules, nextExemptionReminder } from './exemption.ts';
import { type ApprovedFinding, type Finding, requestOf } from './finding.ts';

/** When unanswered findings are brought up again, and when a remediation counts as stuck. */
export type DeadlineRules = {
  /** Hours after asking; each is one reminder, and they should grow rarer. */
  remindAfterHours: number[];
  /** Hours after asking; once. Null: never. */
  escalateAfterHours: number | null;
  exemption: ExemptionRules;
  /** The first instant, at or after this one, at which people may be reminded or called. */
  opening: (instant: number) => number;
};

/** A remediation takes seconds; after this long without a result something is wrong. */
const OVERDUE_AFTER_MINUTES = 15;
/** After this many watchdog reports without a result the remediation counts as failed and people are asked again. */
export const OVERDUE_REPORTS_BEFORE_FAILURE = 3;
/** No run of the remediator lasts longer; the timeout of its function has to stay below. */
const LONGEST_RUN_MINUTES = 5;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** What the clock will have to do next about a finding; an expiry needs the key to be looked at first. */
export type DueWork = Exclude<ClockCommand, { type: 'expire-exemption' }> | { type: 'expire-exemption'; at: string };

type Deadline = {
  at: number;
  /** From then on it is too late for it. */
  before?: number;
  /** Whether it disturbs people, and so waits until that is allowed. */
  disturbs?: boolean;
  work: (now: string) => DueWork;
};

/** The instant at which the clock has next to look at this finding, or null when nothing will ever be due. */
export function nextDeadline(finding: Finding, rules: DeadlineRules): string | null {
  const next = deadlines(finding, rules)[0];
  return next === undefined ? null : new Date(next.at).toISOString();
}

/** Everything that is due at `now`, earliest first. */
export function dueWork(finding: Finding, rules: DeadlineRules, now: string): DueWork[] {
  const instant = Date.parse(now);
  const isOpen = rules.opening(instant) === instant;
  return (
    deadlines(finding, rules)
      .filter(({ at, before = Infinity }) => at <= instant && instant < before)
      // What was missed while nobody looked waits for the next opening too.
      .filter(({ disturbs = false }) => isOpen || !disturbs)
      .map(({ work }) => work(now))
  );
}

/**
 * Whether the watchdog may end this remediation while a run that begins at `now` is still at work. Such a run must not
 * touch the key: by the time it does, the approval may be spent and somebody may have decided otherwise.
 */
export function isAboutToBeGivenUp(finding: ApprovedFinding, now: string): boolean {
  if (finding.overdueReports + 1 < OVERDUE_REPORTS_BEFORE_FAILURE) return false;
  const givenUpAt = Date.parse(finding.lastActivityAt) + OVERDUE_AFTER_MINUTES * MINUTE;
  return givenUpAt - Date.parse(now) < LONGEST_RUN_MINUTES * MINUTE;
}

/** Whether an approved remediation has had no result for longer than the watchdog waits, now or at an earlier look. */
export function isOverdue({ overdueReports, lastActivityAt }: ApprovedFinding, now: string): boolean {
  return overdueReports > 0 || Date.parse(now) - Date.parse(lastActivityAt) > OVERDUE_AFTER_MINUTES * MINUTE;
}

function deadlines(finding: Finding, rules: DeadlineRules): Deadline[] {
  return unsorted(finding, rules)
    .map((deadline) => (deadline.disturbs === true ? { ...deadline, at: rules.opening(deadline.at) } : deadline))
    .sort((a, b) => a.at - b.at);
}

function unsorted(finding: Finding, rules: DeadlineRules): Deadline[] {
  return [...ofStatus(finding, rules), ...ofRequest(finding)];
}

function ofRequest(finding: Finding): Deadline[] {
  const request = requestOf(finding);
  if (request === null) return [];
  const lapse: Deadline = { at: Date.parse(request.lapsesAt), work: (at) => ({ type: 'lapse-request', at }) };
  // With an exemption ends what was asked about it.
  return [finding.status === 'exempt' ? { ...lapse, before: Date.parse(finding.exemption.until) } : lapse];
}

function ofStatus(finding: Finding, rules: DeadlineRules): Deadline[] {
  switch (finding.status) {
    case 'open':
      return unanswered(finding.askedAt, finding, rules);
    case 'failed':
      return unanswered(finding.failedAt, finding, rules);
    case 'approved':
      return [
        {
          at: Date.parse(finding.lastActivityAt) + OVERDUE_AFTER_MINUTES * MINUTE,
          work: (at) => ({ type: 'report-overdue', at }),
        },
      ];
    case 'exempt': {
      const { exemption } = finding;
      const until = Date.parse(exemption.until);
      const end: Deadline = { at: until, work: (at) => ({ type: 'expire-exemption', at }) };
      const reminder = nextExemptionReminder(exemption, rules.exemption);
      if (reminder === null) return [end];
      const remind: Deadline = {
        ...{ at: Date.parse(reminder), before: until, disturbs: true },
        work: (at) => ({ type: 'remind-owner', at, daysLeft: daysLeft(exemption, at) }),
      };
      return [remind, end];
    }
    case 'remediated':
    case 'closed':
      return [];
  }
}

function unanswered(
  askedAt: string,
  finding: Extract<Finding, { status: 'open' | 'failed' }>,
  rules: DeadlineRules,
): Deadline[] {
  // A finding that is only observed was never put to anybody, so nobody can owe an answer.
  if (finding.mode === 'observe') return [];
  const asked = Date.parse(askedAt);
  const due: Deadline[] = [];
  const reminders = rules.remindAfterHours.map((hours) => asked + hours * HOUR);
  const next = reminders[finding.remindersSent];
  if (next !== undefined) {
    // Several that passed while nobody looked are one reminder, the latest.
    const latest = (now: string) => reminders.filter((reminder) => reminder <= Date.parse(now)).length;
    due.push({ at: next, disturbs: true, work: (at) => ({ type: 'remind', at, reminder: latest(at) }) });
  }
  if (rules.escalateAfterHours !== null && finding.escalatedAt === null) {
    const escalation = asked + rules.escalateAfterHours * HOUR;
    due.push({ at: escalation, disturbs: true, work: (at) => ({ type: 'escalate', at }) });
  }
  return due;
}
