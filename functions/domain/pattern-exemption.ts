import { type AuthorityVerdict, notSecondPerson } from './authority.ts';
import {
  checkTerms,
  daysLeft,
  type ExemptionRefusal,
  type ExemptionRules,
  type ExemptionTerms,
  nextExemptionReminder,
  type PatternedExemption,
} from './exemption.ts';
import { isTooBroad, type KeyPattern } from './key-pattern.ts';
import type { PersonRef } from './people.ts';
import type { Refusal } from './refusal.ts';

/** What somebody asks for. It takes a second person, always: it excuses keys that nobody has seen yet. */
export type PatternRequest = { by: PersonRef; at: string; terms: ExemptionTerms; lapsesAt: string };

/** The permission. `since` is when it was first granted: what the policy's longest total counts from. */
export type PatternGrant = ExemptionTerms & {
  grantedBy: PersonRef;
  confirmedBy: PersonRef;
  grantedAt: string;
  since: string;
  remindedDays: number[];
  endAcceptedBy?: PersonRef | undefined;
};

/**
 * An exemption of all keys that a pattern matches, present and future, until it ends. It is no permission by itself: each
 * key gets an exemption of its own that names it and ends with it, so that a key's trail tells all about the key.
 */
export type PatternExemption = {
  id: string;
  pattern: KeyPattern;
  request: PatternRequest | null;
  grant: PatternGrant | null;
  /** Once it is there nothing happens any more. `by` is null when it ended by itself. */
  ended: { at: string; by: PersonRef | null; because: 'expired' | 'revoked' | 'never-confirmed' | 'withdrawn' } | null;
  /** What the last look over the account's findings came to: keys exempt by it, and those left out. */
  coverage: PatternCoverage | null;
  /** Whether the exemptions of its keys are as it was decided last. */
  isApplied: boolean;
};

/** `leftOut`: findings that one of the two people caused, or that cannot be exempt for another reason. */
export type PatternCoverage = { exempt: number; leftOut: number };

/** Everything that can happen to one, in the past tense. */
export type PatternEvent =
  | { type: 'pattern-requested'; at: string; id: string; pattern: KeyPattern; request: PatternRequest }
  | { type: 'pattern-confirmed'; at: string; by: PersonRef; until: string }
  | { type: 'pattern-withdrawn'; at: string; by: PersonRef }
  | { type: 'pattern-lapsed'; at: string }
  /** `isLast`: nobody has to look again, until something else is decided. */
  | { type: 'pattern-applied'; at: string; coverage: PatternCoverage; isLast: boolean }
  | { type: 'pattern-reminded'; at: string; daysLeft: number; owner: PersonRef }
  | { type: 'pattern-end-accepted'; at: string; by: PersonRef }
  | { type: 'pattern-revoked'; at: string; by: PersonRef }
  | { type: 'pattern-expired'; at: string }
  | { type: 'pattern-refused'; at: string; command: PatternAction; by: PersonRef; refusal: PatternRefusal };

export type PatternAction =
  | 'request-pattern'
  | 'confirm-pattern'
  | 'withdraw-pattern'
  | 'revoke-pattern'
  | 'let-pattern-end';

type ByPerson = { at: string; by: PersonRef; verdict: AuthorityVerdict };
type TermRules = { ownerIsFullMember: boolean; rules: ExemptionRules };

export type PatternPersonCommand =
  /** A new one, or the renewal of one that holds. */
  | (ByPerson &
      TermRules & {
        type: 'request-pattern';
        id: string;
        pattern: KeyPattern;
        terms: ExemptionTerms;
        confirmWithinHours: number;
      })
  /** `requestedAt` tells which request the person saw; `requester` is what authority says now of who made it. */
  | (ByPerson & TermRules & { type: 'confirm-pattern'; requestedAt: string; requester: AuthorityVerdict })
  | (ByPerson & { type: 'withdraw-pattern'; requestedAt: string })
  | (ByPerson & { type: 'revoke-pattern' })
  | (ByPerson & { type: 'let-pattern-end' });

export type PatternClockCommand =
  | { type: 'lapse-pattern'; at: string }
  | { type: 'expire-pattern'; at: string }
  | { type: 'remind-pattern-owner'; at: string; daysLeft: number }
  | { type: 'note-coverage'; at: string; coverage: PatternCoverage };

export type PatternCommand = PatternPersonCommand | PatternClockCommand;

export type PatternRefusal =
  | Extract<
      Refusal,
      {
        reason:
          | 'owner-not-a-full-member'
          | 'request-pending'
          | 'no-request'
          | 'request-lapsed'
          | 'request-changed'
          | 'own-request'
          | 'second-person-not-told'
          | 'requester-may-not'
          | 'end-accepted';
      }
    >
  | ExemptionRefusal
  | { reason: Exclude<AuthorityVerdict, { allowed: true }>['reason'] }
  | { reason: 'pattern-too-broad' }
  | { reason: 'pattern-ended' }
  | { reason: 'pattern-not-granted' };

export type PatternDecision =
  | { outcome: 'accepted'; events: [PatternEvent, ...PatternEvent[]] }
  | { outcome: 'ignored' }
  | { outcome: 'refused'; refusal: PatternRefusal };

/**
 * For so long after a decision the account's findings are gone over again and again: whoever opened one meanwhile may have
 * read the patterns before.
 */
const APPLIED_FOR_MS = 10 * 60_000;

/** Whether it holds: keys that it means may be exempt by it. At `until` itself it has ended. */
export function isInForce({ grant, ended }: PatternExemption, now: string): boolean {
  return grant !== null && ended === null && Date.parse(now) < Date.parse(grant.until);
}

/** When it was last decided which keys are exempt by it; null before anything was. */
function lastDecidedAt({ grant, ended }: PatternExemption): string | null {
  return ended?.at ?? grant?.grantedAt ?? null;
}

function isOver(current: PatternExemption, now: string): boolean {
  return current.ended !== null || (current.grant !== null && !isInForce(current, now));
}

/** The exemption of one key that it stands for. @throws Error before anything was granted */
export function exemptionBy(current: PatternExemption, at: string): PatternedExemption {
  const { owner, reason, ticket, until, grantedBy, confirmedBy } = grantOf(current);
  const pattern = { id: current.id, means: current.pattern };
  return { owner, reason, ticket, until, grantedBy, confirmedBy, grantedAt: at, remindedDays: [], since: at, pattern };
}

/** What the clock has to do about it; `apply` is to go over the account's findings. */
export type PatternWork =
  | { type: 'lapse'; at: string }
  | { type: 'expire'; at: string }
  | { type: 'apply'; at: string }
  | { type: 'remind'; at: string; daysLeft: number };

/** Everything that is due at `now`. */
export function duePatternWork(current: PatternExemption, rules: ExemptionRules, now: string): PatternWork[] {
  return patternDeadlines(current, rules)
    .filter(({ at }) => Date.parse(at) <= Date.parse(now))
    .map(({ type }) =>
      type === 'remind' ? { type, at: now, daysLeft: daysLeft(grantOf(current), now) } : { type, at: now },
    );
}

/** The instant at which the clock has next to look at it, or null when nothing will ever be due. */
export function nextPatternDeadline(current: PatternExemption, rules: ExemptionRules): string | null {
  const instants = patternDeadlines(current, rules).map(({ at }) => Date.parse(at));
  return instants.length === 0 ? null : new Date(Math.min(...instants)).toISOString();
}

function patternDeadlines(
  current: PatternExemption,
  rules: ExemptionRules,
): { type: PatternWork['type']; at: string }[] {
  const { request, grant, ended, isApplied } = current;
  const decidedAt = lastDecidedAt(current);
  const apply = isApplied || decidedAt === null ? [] : [{ type: 'apply' as const, at: decidedAt }];
  if (ended !== null) return apply;
  const reminder = grant === null ? null : nextExemptionReminder(grant, rules);
  return [
    ...(request === null ? [] : [{ type: 'lapse' as const, at: request.lapsesAt }]),
    ...(grant === null ? [] : [{ type: 'expire' as const, at: grant.until }]),
    ...(reminder === null ? [] : [{ type: 'remind' as const, at: reminder }]),
    ...apply,
  ];
}

/** The one place where it is decided what a command does to an exemption of a pattern. Default deny. */
export function decidePattern(command: PatternCommand, current: PatternExemption | undefined): PatternDecision {
  switch (command.type) {
    case 'request-pattern':
    case 'confirm-pattern':
    case 'withdraw-pattern':
    case 'revoke-pattern':
    case 'let-pattern-end':
      return decidePerson(command, current);
    case 'lapse-pattern':
    case 'expire-pattern':
    case 'remind-pattern-owner':
    case 'note-coverage':
      return current === undefined ? { outcome: 'ignored' } : decideClock(command, current);
  }
}

/** What an event makes of it. @throws Error for an event that cannot follow */
export function evolvePattern(current: PatternExemption | undefined, event: PatternEvent): PatternExemption {
  if (event.type === 'pattern-requested') {
    const { id, pattern, request } = event;
    return { grant: null, ended: null, coverage: null, isApplied: true, ...current, id, pattern, request };
  }
  if (current === undefined) throw new Error(`${event.type} cannot be the first event of a pattern's exemption`);
  const { at } = event;
  switch (event.type) {
    case 'pattern-confirmed':
      return { ...current, request: null, grant: granted(current, event), isApplied: false };
    case 'pattern-withdrawn':
      return withoutRequest(current, { at, by: event.by, because: 'withdrawn' });
    case 'pattern-lapsed':
      return withoutRequest(current, { at, by: null, because: 'never-confirmed' });
    case 'pattern-applied':
      return { ...current, coverage: event.coverage, isApplied: event.isLast };
    case 'pattern-reminded': {
      const grant = grantOf(current);
      return { ...current, grant: { ...grant, remindedDays: [...grant.remindedDays, event.daysLeft] } };
    }
    case 'pattern-end-accepted':
      return { ...current, grant: { ...grantOf(current), endAcceptedBy: event.by } };
    case 'pattern-revoked':
      return { ...current, request: null, ended: { at, by: event.by, because: 'revoked' }, isApplied: false };
    case 'pattern-expired':
      // The keys' own exemptions end at the same instant, by themselves.
      return { ...current, request: null, ended: { at, by: null, because: 'expired' }, isApplied: true };
    case 'pattern-refused':
      return current;
  }
}

function granted({ request, grant }: PatternExemption, { at, by }: { at: string; by: PersonRef }): PatternGrant {
  if (request === null) throw new Error('there is no request that could be confirmed');
  const since = grant?.since ?? at;
  return { ...request.terms, grantedBy: request.by, confirmedBy: by, grantedAt: at, since, remindedDays: [] };
}

/** A renewal that comes to nothing leaves what was granted; a first request leaves nothing. */
function withoutRequest(current: PatternExemption, end: PatternExemption['ended']): PatternExemption {
  return { ...current, request: null, ended: current.grant === null ? end : current.ended };
}

function grantOf({ grant }: PatternExemption): PatternGrant {
  if (grant === null) throw new Error('nothing was granted yet');
  return grant;
}

function decidePerson(command: PatternPersonCommand, current: PatternExemption | undefined): PatternDecision {
  const { at, by, verdict } = command;
  if (!verdict.allowed) return refused({ reason: verdict.reason });
  if (command.type === 'request-pattern') return decideRequest(command, current);
  if (current === undefined || isOver(current, at)) return refused({ reason: 'pattern-ended' });
  switch (command.type) {
    case 'confirm-pattern':
      return confirm(command, current);
    case 'withdraw-pattern': {
      const request = seenRequest(command, current);
      return 'reason' in request ? refused(request) : accepted({ type: 'pattern-withdrawn', at, by });
    }
    case 'revoke-pattern':
      return current.grant === null
        ? refused({ reason: 'pattern-not-granted' })
        : accepted({ type: 'pattern-revoked', at, by });
    case 'let-pattern-end': {
      if (current.grant === null) return refused({ reason: 'pattern-not-granted' });
      const { endAcceptedBy } = current.grant;
      if (endAcceptedBy !== undefined) return refused({ reason: 'end-accepted', by: endAcceptedBy.name });
      return accepted({ type: 'pattern-end-accepted', at, by });
    }
  }
}

function decideRequest(
  command: Extract<PatternPersonCommand, { type: 'request-pattern' }>,
  current: PatternExemption | undefined,
): PatternDecision {
  const { at, by, terms, confirmWithinHours } = command;
  if (current !== undefined && isOver(current, at)) return refused({ reason: 'pattern-ended' });
  // A renewal is of the same keys: whoever wants others asks for another one.
  const { id, pattern } = current ?? command;
  if (isTooBroad(pattern)) return refused({ reason: 'pattern-too-broad' });
  const refusal = refusedTerms(command, terms, current);
  if (refusal !== null) return refused(refusal);
  const pending = current?.request ?? null;
  if (pending !== null && isWaiting(pending, at)) {
    return refused({ reason: 'request-pending', by: pending.by.name, at: pending.at });
  }
  const lapsesAt = new Date(Date.parse(at) + confirmWithinHours * 3_600_000).toISOString();
  return accepted({ type: 'pattern-requested', at, id, pattern, request: { by, at, terms, lapsesAt } });
}

function confirm(
  command: Extract<PatternPersonCommand, { type: 'confirm-pattern' }>,
  current: PatternExemption,
): PatternDecision {
  const { at, by, requester } = command;
  const request = seenRequest(command, current);
  if ('reason' in request) return refused(request);
  const refusal =
    notSecondPerson(by, request.by) ??
    (requester.allowed ? null : { reason: 'requester-may-not' as const, by: request.by.name }) ??
    refusedTerms(command, request.terms, current);
  return refusal === null
    ? accepted({ type: 'pattern-confirmed', at, by, until: request.terms.until })
    : refused(refusal);
}

function decideClock(command: PatternClockCommand, current: PatternExemption): PatternDecision {
  const { at } = command;
  const { request, grant } = current;
  if (command.type === 'note-coverage') return noteCoverage(command, current);
  if (current.ended !== null) return { outcome: 'ignored' };
  switch (command.type) {
    case 'lapse-pattern':
      return request === null || isWaiting(request, at)
        ? { outcome: 'ignored' }
        : accepted({ type: 'pattern-lapsed', at });
    case 'expire-pattern':
      return grant === null || isInForce(current, at)
        ? { outcome: 'ignored' }
        : accepted({ type: 'pattern-expired', at });
    case 'remind-pattern-owner': {
      if (grant === null || !isInForce(current, at) || grant.endAcceptedBy !== undefined) return { outcome: 'ignored' };
      if (grant.remindedDays.some((days) => days <= command.daysLeft)) return { outcome: 'ignored' };
      return accepted({ type: 'pattern-reminded', at, daysLeft: command.daysLeft, owner: grant.owner });
    }
  }
}

function noteCoverage(
  { at, coverage }: Extract<PatternClockCommand, { type: 'note-coverage' }>,
  current: PatternExemption,
): PatternDecision {
  const decidedAt = lastDecidedAt(current);
  if (current.isApplied || decidedAt === null) return { outcome: 'ignored' };
  const isLast = Date.parse(at) - Date.parse(decidedAt) >= APPLIED_FOR_MS;
  const known = current.coverage;
  const isKnown = known?.exempt === coverage.exempt && known.leftOut === coverage.leftOut;
  return isKnown && !isLast ? { outcome: 'ignored' } : accepted({ type: 'pattern-applied', at, coverage, isLast });
}

/** The request that somebody saw, if that is the one that waits. */
function seenRequest(
  { at, requestedAt }: { at: string; requestedAt: string },
  { request }: PatternExemption,
): PatternRequest | PatternRefusal {
  if (request === null) return { reason: 'no-request' };
  if (request.at !== requestedAt) return { reason: 'request-changed' };
  return isWaiting(request, at) ? request : { reason: 'request-lapsed' };
}

/** Whether a request can still be confirmed. */
export function isWaiting({ lapsesAt }: PatternRequest, now: string): boolean {
  return Date.parse(now) < Date.parse(lapsesAt);
}

function refusedTerms(
  { at, rules, ownerIsFullMember }: TermRules & { at: string },
  terms: ExemptionTerms,
  current: PatternExemption | undefined,
): PatternRefusal | null {
  if (!ownerIsFullMember) return { reason: 'owner-not-a-full-member' };
  const [refusal] = checkTerms(terms, rules, at, current?.grant?.since ?? null);
  return refusal ?? null;
}

function accepted(...events: [PatternEvent, ...PatternEvent[]]): PatternDecision {
  return { outcome: 'accepted', events };
}

function refused(refusal: PatternRefusal): PatternDecision {
  return { outcome: 'refused', refusal };
}
