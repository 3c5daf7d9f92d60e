import type { KeyPattern } from './key-pattern.ts';
import type { PersonRef } from './people.ts';

/** What a person asks for; `until` is an ISO instant. */
export type ExemptionTerms = { owner: PersonRef; reason: string; ticket: string | null; until: string };

/** A time-limited permission not to rotate one key. It ends by comparison with the clock, never by deletion. */
export type Exemption = ExemptionTerms & {
  grantedBy: PersonRef;
  /** The second person, where it took two. */
  confirmedBy?: PersonRef | undefined;
  grantedAt: string;
  /** How many days were left each time the owner was reminded. */
  remindedDays: number[];
  /** When the key was first exempt in this episode: what the policy's longest total counts from. */
  since?: string | undefined;
  /** Who said that it may end; nobody is reminded any more then. */
  endAcceptedBy?: PersonRef | undefined;
  /** The exemption of a pattern that it follows. A key that was decided about by itself follows none. */
  pattern?: { id: string; means: KeyPattern } | undefined;
};

/** The exemption of one key by a pattern. */
export type PatternedExemption = Exemption & { pattern: NonNullable<Exemption['pattern']> };

export type ExemptionRules = {
  maximumDays: number;
  /** All exemptions of an episode together. */
  maximumTotalDays: number;
  minimumReasonLength: number;
  ticketRequired: boolean;
  /** Days before the end at which the owner is reminded. */
  reminderDays: number[];
};

export type ExemptionRefusal =
  | { reason: 'reason-too-short'; minimumLength: number }
  | { reason: 'ticket-missing' }
  | { reason: 'until-not-in-future' }
  | { reason: 'until-beyond-maximum'; maximumDays: number }
  | { reason: 'until-beyond-total'; maximumTotalDays: number; latest: string };

const DAY = 86_400_000;

/**
 * Everything that is wrong with the terms, so that a form can show it all at once. Empty when they may be granted.
 * `since`: when the key was first exempt in this episode; null when it never was.
 */
export function checkTerms(
  terms: ExemptionTerms,
  rules: ExemptionRules,
  now: string,
  since: string | null,
): ExemptionRefusal[] {
  const refusals: ExemptionRefusal[] = [];
  if (terms.reason.trim().length < rules.minimumReasonLength) {
    refusals.push({ reason: 'reason-too-short', minimumLength: rules.minimumReasonLength });
  }
  if (rules.ticketRequired && (terms.ticket ?? '').trim() === '') refusals.push({ reason: 'ticket-missing' });
  // Written so that an unreadable date (NaN) is refused as well.
  if (!(Date.parse(terms.until) > Date.parse(now))) refusals.push({ reason: 'until-not-in-future' });
  else if (Date.parse(terms.until) > Date.parse(now) + rules.maximumDays * DAY) {
    refusals.push({ reason: 'until-beyond-maximum', maximumDays: rules.maximumDays });
  } else if (Date.parse(terms.until) > Date.parse(latestEnd(rules, now, since))) {
    const { maximumTotalDays } = rules;
    refusals.push({ reason: 'until-beyond-total', maximumTotalDays, latest: latestEnd(rules, now, since) });
  }
  return refusals;
}

/** What is wrong with ending an exemption earlier, at `until`. */
export function checkShortening(
  until: string,
  exemption: Exemption,
  now: string,
): ({ reason: 'until-not-in-future' } | { reason: 'not-shorter'; until: string })[] {
  if (!(Date.parse(until) > Date.parse(now))) return [{ reason: 'until-not-in-future' }];
  return Date.parse(until) < Date.parse(exemption.until) ? [] : [{ reason: 'not-shorter', until: exemption.until }];
}

/** The last instant an exemption granted at `now` may run to; in the past when the total is used up. */
export function latestEnd(rules: ExemptionRules, now: string, since: string | null): string {
  const one = Date.parse(now) + rules.maximumDays * DAY;
  const all = Date.parse(since ?? now) + rules.maximumTotalDays * DAY;
  return new Date(Math.min(one, all)).toISOString();
}

/** Whether the exemption still holds. At `until` itself it has ended. */
export function isLive(exemption: Exemption, now: string): boolean {
  return Date.parse(now) < Date.parse(exemption.until);
}

/**
 * When the owner has next to be reminded, or null when no mark is left. A mark that passed while nobody looked is made
 * up for by the next reminder: one reminder that says how many days are left is worth more than several in a row.
 */
export function nextExemptionReminder(
  exemption: Pick<Exemption, 'until' | 'grantedAt' | 'remindedDays' | 'endAcceptedBy' | 'pattern'>,
  rules: ExemptionRules,
): string | null {
  // Of a pattern the owner is reminded once, not once a key.
  if (exemption.endAcceptedBy !== undefined || exemption.pattern !== undefined) return null;
  const until = Date.parse(exemption.until);
  const granted = Date.parse(exemption.grantedAt);
  const lastReminder = Math.min(...exemption.remindedDays);
  const marks = rules.reminderDays
    .filter((days) => days < lastReminder)
    .map((days) => until - days * DAY)
    // A mark that had passed when the exemption was granted would fire at once and say nothing new.
    .filter((at) => at > granted);
  return marks.length === 0 ? null : new Date(Math.min(...marks)).toISOString();
}

/** Days until the exemption ends, a begun day counted as a whole one. */
export function daysLeft(exemption: Pick<Exemption, 'until'>, now: string): number {
  return Math.ceil((Date.parse(exemption.until) - Date.parse(now)) / DAY);
}
