import { type Assessment, isProblem } from './assessment.ts';
import { notSecondPerson } from './authority.ts';
import {
  type AssessCommand,
  type ClockCommand,
  type Command,
  type ConfirmCommand,
  deciderOf,
  type ExcuseCommand,
  type FollowCommand,
  type PersonCommand,
  type RemediatorCommand,
} from './commands.ts';
import { OVERDUE_REPORTS_BEFORE_FAILURE } from './deadlines.ts';
import { causeAfter, evolve } from './evolve.ts';
import {
  checkShortening,
  checkTerms,
  type Exemption,
  type ExemptionTerms,
  isLive,
  latestEnd,
  type PatternedExemption,
} from './exemption.ts';
import {
  type Closing,
  decidedBy,
  type Finding,
  firstExempt,
  isDriftLoop,
  isWaiting,
  type PendingRequest,
  type RemediatedFinding,
  requestOf,
} from './finding.ts';
import type { FindingEvent } from './finding-events.ts';
import type { PersonRef, Trigger } from './people.ts';
import type { Refusal } from './refusal.ts';
import { remedyFor } from './remedy.ts';
import { same } from './same.ts';

/**
 * What a command leads to. `ignored` is a normal outcome with nothing to record; `refused` changes nothing about the
 * finding but is itself recorded, as one `command-refused` event, because it was somebody's attempt.
 */
export type Decision =
  | { outcome: 'accepted'; events: [FindingEvent, ...FindingEvent[]] }
  | { outcome: 'ignored'; because: IgnoredBecause }
  | { outcome: 'refused'; refusal: Refusal };

export type IgnoredBecause =
  | 'nothing-wrong'
  | 'already-known'
  | 'remediation-under-way'
  | 'exempt'
  | 'not-awaiting-a-result'
  | 'not-exempt'
  | 'exemption-over'
  | 'exemption-still-live'
  | 'not-waiting-for-an-answer'
  | 'no-request-to-lapse'
  | 'does-not-follow';

/**
 * The one place where it is decided what a command does to a finding. Default deny: a pair of status and command that
 * is not written down here changes nothing.
 */
export function decide(command: Command, finding: Finding | undefined): Decision {
  switch (command.type) {
    case 'assess':
      return decideAssessment(command, finding);
    case 'approve':
    case 'exempt':
    case 'renew-exemption':
    case 'revoke-exemption':
    case 'shorten-exemption':
    case 'let-exemption-end':
    case 'fix-now':
    case 'back-out':
    case 're-check':
    case 'confirm-request':
    case 'withdraw-request':
      return decidePersonCommand(command, finding);
    case 'start-remediation':
    case 'confirm-remediation':
    case 'fail-remediation':
    case 'close-unneeded':
      return decideRemediation(command, finding);
    case 'expire-exemption':
    case 'remind-owner':
    case 'lapse-request':
    case 'remind':
    case 'escalate':
    case 'report-overdue':
      return decideClock(command, finding);
    case 'follow-pattern':
    case 'leave-pattern':
      return decideFollowing(command, finding);
  }
}

/** The audit event of a refused attempt. */
export function refusalEvent(command: PersonCommand, refusal: Refusal): FindingEvent {
  return { type: 'command-refused', at: command.at, command: command.type, by: deciderOf(command), refusal };
}

function decideAssessment(command: AssessCommand, finding: Finding | undefined): Decision {
  const { assessment } = command;
  if (finding === undefined) {
    return isProblem(assessment) ? open(command, finding, assessment) : ignored('nothing-wrong');
  }
  const change = modeChange(command, finding);
  if (change === null) return judge(command, finding);
  const decision = judge(command, evolve(finding, change));
  return decision.outcome === 'accepted' ? accepted(change, ...decision.events) : accepted(change);
}

/** What the policy says of the finding's own route since somebody last looked; what opens anew has its mode with it. */
function modeChange(
  { at, presentMode, assessment }: Pick<AssessCommand, 'at' | 'presentMode' | 'assessment'>,
  finding: Finding,
): FindingEvent | null {
  if (finding.mode === presentMode || finding.status === 'approved' || finding.status === 'closed') return null;
  if (finding.status === 'remediated' && isProblem(assessment)) return null;
  return { type: 'mode-changed', at, from: finding.mode, to: presentMode };
}

function judge(command: AssessCommand, finding: Finding): Decision {
  const { assessment } = command;
  switch (finding.status) {
    case 'open':
      return decideOpenAssessment(command, finding);
    case 'failed':
      return same(finding.assessment, assessment)
        ? unchanged(command, 'already-known')
        : decideOpenAssessment(command, finding);
    case 'approved':
      // The remediator looks for itself before it acts and after; a second opinion here would race with it.
      return unchanged(command, 'remediation-under-way');
    case 'remediated':
    case 'closed':
      return isProblem(assessment) ? open(command, finding, assessment) : unchanged(command, 'nothing-wrong');
    case 'exempt':
      // An exemption is a permission for a time: what the key does meanwhile is nobody's question.
      return isLive(finding.exemption, command.at) ? unchanged(command, 'exempt') : endExemption(command, finding);
  }
}

function decideOpenAssessment(
  command: AssessCommand,
  finding: Extract<Finding, { status: 'open' | 'failed' }>,
): Decision {
  const { at, facts, assessment, trigger } = command;
  if (!isProblem(assessment))
    return accepted({ type: 'finding-closed', at, closing: closing(assessment, trigger), trigger });
  const known = same(finding.assessment, assessment) && sameFacts(finding, command);
  const reassessed: FindingEvent = { type: 'finding-reassessed', at, facts, assessment, trigger };
  if (!known || !same(finding.trigger, causeAfter(finding, command))) {
    return accepted(reassessed, ...remediation(evolve(finding, reassessed), command));
  }
  const [approved] = remediation(finding, command);
  return approved === undefined ? unchanged(command, 'already-known') : accepted(approved);
}

/**
 * What a route in `auto` mode does by itself about a finding that waits: it approves. Not in a drift loop, where the bot
 * would fight somebody's infrastructure as code for ever; not what failed, which people look at first; and not while
 * somebody's request waits for a second person.
 */
function remediation(
  finding: Finding,
  { at, rotationPeriodInDays }: { at: string; rotationPeriodInDays: number },
): FindingEvent[] {
  const { mode, route, assessment } = finding;
  if (finding.status !== 'open' || mode !== 'auto' || isDriftLoop(finding) || requestOf(finding) !== null) return [];
  const remedy = remedyFor(assessment, rotationPeriodInDays);
  const approval = { by: { kind: 'policy' as const, route }, at };
  return remedy === null ? [] : [{ type: 'remediation-approved', at, approval, remedy }];
}

/** A person who asked for a re-check gets an answer in the trail even when nothing changed; an event does not. */
function unchanged(command: AssessCommand, because: IgnoredBecause): Decision {
  const { trigger, at, assessment } = command;
  return trigger.kind === 'recheck'
    ? accepted({ type: 'rechecked', at, by: trigger.by, assessment })
    : ignored(because);
}

function open(
  command: AssessCommand,
  previous: Finding | undefined,
  assessment: Parameters<typeof remedyFor>[0],
): Decision {
  const { at, key, facts, trigger, route, mode } = command;
  const opened: FindingEvent = {
    ...{ type: 'finding-opened', at, key, facts, assessment, trigger, route, mode },
    episode: (previous?.episode ?? 0) + 1,
  };
  const { byPattern: exemption, mode: openedIn } = command;
  // Nobody is asked, and nothing is remediated: two people have decided about this key beforehand.
  if (exemption !== undefined && openedIn !== 'observe') {
    return accepted(opened, { type: 'exemption-granted', at, exemption });
  }
  return accepted(opened, ...remediation(evolve(previous, opened), command));
}

function endExemption(
  command: Pick<AssessCommand, 'at' | 'facts' | 'assessment' | 'trigger' | 'rotationPeriodInDays'>,
  finding: Finding,
): Decision {
  const { at, facts, assessment, trigger } = command;
  const expired: FindingEvent = { type: 'exemption-expired', at, facts, assessment };
  if (isProblem(assessment)) return accepted(expired, ...remediation(evolve(finding, expired), command));
  return accepted(expired, { type: 'finding-closed', at, closing: closing(assessment, trigger), trigger });
}

function decidePersonCommand(command: PersonCommand, finding: Finding | undefined): Decision {
  if (!command.verdict.allowed) return refused({ reason: command.verdict.reason });
  if (finding === undefined) return refused({ reason: 'no-finding' });
  if (command.episode !== finding.episode) return refused({ reason: 'earlier-episode' });
  const { at, by } = command;
  // A look changes nothing; everything else is a decision.
  if (finding.mode === 'observe' && command.type !== 're-check') return refused({ reason: 'only-observed' });

  switch (command.type) {
    case 'approve':
      return isUndecided(finding) ? approve(command, finding) : alreadyDecided(finding);
    case 'exempt':
    case 'renew-exemption':
    case 'back-out':
      return decideExcuse(command, finding);
    case 'confirm-request':
      return confirm(command, finding);
    case 'withdraw-request': {
      const request = seenRequest(command, finding);
      return 'reason' in request ? refused(request) : accepted({ type: 'request-withdrawn', at, by });
    }
    case 'revoke-exemption':
      if (finding.status !== 'exempt') return refused({ reason: 'not-exempt', status: finding.status });
      return accepted({ type: 'exemption-revoked', at, by });
    case 'shorten-exemption':
      return finding.status === 'exempt'
        ? shorten(command, finding.exemption)
        : refused({ reason: 'not-exempt', status: finding.status });
    case 'let-exemption-end':
      return finding.status === 'exempt'
        ? letEnd(command, finding.exemption)
        : refused({ reason: 'not-exempt', status: finding.status });
    case 'fix-now':
      return finding.status === 'exempt'
        ? approve(command, finding)
        : refused({ reason: 'not-exempt', status: finding.status });
    case 're-check':
      // What a re-check opens has no known cause, so that whoever caused it could exempt it: it only settles what is open.
      return isUndecided(finding) ? accepted({ type: 'recheck-requested', at, by }) : alreadyDecided(finding);
  }
}

function isUndecided(finding: Finding): finding is Extract<Finding, { status: 'open' | 'failed' }> {
  return finding.status === 'open' || finding.status === 'failed';
}

function approve(
  { at, by, rotationPeriodInDays }: Extract<PersonCommand, { type: 'approve' | 'fix-now' }>,
  finding: Extract<Finding, { status: 'open' | 'failed' | 'exempt' }>,
): Decision {
  const remedy = remedyFor(finding.assessment, rotationPeriodInDays);
  if (remedy === null) return refused({ reason: 'nothing-to-approve' });
  const approval = { by: { kind: 'person' as const, person: by }, at };
  return accepted({ type: 'remediation-approved', at, approval, remedy });
}

function shorten(
  { at, by, until }: Extract<PersonCommand, { type: 'shorten-exemption' }>,
  exemption: Exemption,
): Decision {
  const [refusal] = checkShortening(until, exemption, at);
  if (refusal !== undefined) return refused(refusal);
  return accepted({ type: 'exemption-shortened', at, by, until, owner: exemption.owner });
}

function letEnd({ at, by }: { at: string; by: PersonRef }, exemption: Exemption): Decision {
  const { endAcceptedBy } = exemption;
  if (endAcceptedBy !== undefined) return refused({ reason: 'end-accepted', by: endAcceptedBy.name });
  return accepted({ type: 'exemption-end-accepted', at, by });
}

/** Exempt, renew or back out: at once, or as a request when it takes a second person. */
function decideExcuse(command: ExcuseCommand, finding: Finding): Decision {
  const { type: action, at, by, terms, fourEyes } = command;
  const refusal = notExcusable(action, command, finding) ?? refusedTerms(command, finding);
  if (refusal !== null) return refused(refusal);
  if (fourEyes === null) return accepted(excuseEvent(action, { ...terms, grantedBy: by, ...grantedNow(finding, at) }));
  const pending = requestOf(finding);
  if (pending !== null && isWaiting(pending, at)) {
    return refused({ reason: 'request-pending', by: pending.by.name, at: pending.at });
  }
  const lapsesAt = new Date(Date.parse(at) + fourEyes.confirmWithinHours * 3_600_000).toISOString();
  const request: PendingRequest = { action, by, at, terms, because: fourEyes.because, lapsesAt };
  const requested: FindingEvent = { type: 'confirmation-requested', at, request };
  return pending === null ? accepted(requested) : accepted({ type: 'request-lapsed', at }, requested);
}

/** The second person's word. What was asked is judged once more, as things are now. */
function confirm(command: ConfirmCommand, finding: Finding): Decision {
  const { at, by, requester } = command;
  const request = seenRequest(command, finding);
  if ('reason' in request) return refused(request);
  const refusal =
    notSecondPerson(by, request.by) ??
    (requester.allowed ? null : { reason: 'requester-may-not' as const, by: request.by.name }) ??
    notExcusable(request.action, command, finding) ??
    refusedTerms({ ...command, terms: request.terms }, finding);
  if (refusal !== null) return refused(refusal);
  const { terms, by: grantedBy, action } = request;
  return accepted(excuseEvent(action, { ...terms, grantedBy, confirmedBy: by, ...grantedNow(finding, at) }));
}

/** The request that somebody saw, if that is the one that waits. */
function seenRequest(
  { at, requestedAt }: { at: string; requestedAt: string | null },
  finding: Finding,
): PendingRequest | Refusal {
  const request = requestOf(finding);
  if (request === null) return { reason: 'no-request' };
  if (request.at !== requestedAt) return { reason: 'request-changed' };
  return isWaiting(request, at) ? request : { reason: 'request-lapsed' };
}

/** Why the finding is in no state for it. */
function notExcusable(
  action: ExcuseCommand['type'],
  { at, backOutWindowDays }: { at: string; backOutWindowDays: number },
  finding: Finding,
): Refusal | null {
  switch (action) {
    case 'exempt':
      return isUndecided(finding) ? null : decidedBefore(finding);
    case 'renew-exemption':
      return finding.status === 'exempt' ? null : { reason: 'not-exempt', status: finding.status };
    case 'back-out':
      return finding.status === 'remediated'
        ? notBackedOut(finding, at, backOutWindowDays)
        : { reason: 'not-remediated', status: finding.status };
  }
}

function notBackedOut(finding: RemediatedFinding, at: string, windowDays: number): Refusal | null {
  const switchedOnNow = finding.history.switchedOnByBot.some((fix) => fix.at === finding.remediatedAt);
  if (!switchedOnNow) return { reason: 'not-switched-on-by-bot' };
  return Date.parse(at) - Date.parse(finding.remediatedAt) > windowDays * 86_400_000
    ? { reason: 'back-out-window-over', days: windowDays }
    : null;
}

function grantedNow(finding: Finding, at: string): Pick<Exemption, 'grantedAt' | 'remindedDays' | 'since'> {
  return { grantedAt: at, remindedDays: [], since: firstExempt(finding) ?? at };
}

function refusedTerms(
  {
    at,
    terms,
    rules,
    ownerIsFullMember,
  }: Pick<ExcuseCommand, 'at' | 'rules' | 'ownerIsFullMember'> & { terms: ExemptionTerms },
  finding: Finding,
): Refusal | null {
  if (!ownerIsFullMember) return { reason: 'owner-not-a-full-member' };
  const [refusal] = checkTerms(terms, rules, at, firstExempt(finding));
  return refusal ?? null;
}

function excuseEvent(action: ExcuseCommand['type'], exemption: Exemption): FindingEvent {
  const { grantedAt: at, grantedBy: by, confirmedBy } = exemption;
  switch (action) {
    case 'exempt':
      return { type: 'exemption-granted', at, exemption };
    case 'renew-exemption':
      return { type: 'exemption-renewed', at, exemption, by };
    case 'back-out': {
      const second = confirmedBy === undefined ? {} : { confirmedBy };
      const approval = { by: { kind: 'person' as const, person: by }, at, ...second };
      return { type: 'back-out-approved', at, approval, remedy: { id: 'disable-rotation' }, thenExempt: exemption };
    }
  }
}

function decideRemediation(command: RemediatorCommand, finding: Finding | undefined): Decision {
  if (finding?.status !== 'approved') return ignored('not-awaiting-a-result');
  const { at } = command;
  switch (command.type) {
    case 'start-remediation':
      // A back-out that comes too late would switch rotation off without a permission.
      if (finding.thenExempt !== null && !isLive(finding.thenExempt, at)) return ignored('exemption-over');
      return accepted({ type: 'remediation-started', at, remedy: finding.remedy });
    case 'fail-remediation': {
      const { failure, kmsRequestId } = command;
      return accepted({ type: 'remediation-failed', at, failure, kmsRequestId });
    }
    case 'close-unneeded': {
      // Nobody is named: whoever caused the finding is not known to have settled it.
      const { trigger } = finding;
      return accepted({ type: 'finding-closed', at, closing: closing(command.assessment, null), trigger });
    }
    case 'confirm-remediation': {
      // Success is claimed only for what was started: anything else was somebody else's doing.
      if (finding.startedAt === null) return ignored('not-awaiting-a-result');
      const { proof, kmsRequestId } = command;
      const { remedy, thenExempt } = finding;
      return thenExempt === null
        ? accepted({ type: 'remediated', at, remedy, proof, kmsRequestId })
        : accepted({ type: 'backed-out', at, exemption: thenExempt, proof, kmsRequestId });
    }
  }
}

function decideFollowing(command: FollowCommand, finding: Finding | undefined): Decision {
  const { at } = command;
  if (finding === undefined || finding.mode === 'observe') return ignored('does-not-follow');
  if (command.type === 'leave-pattern') {
    const isByIt = finding.status === 'exempt' && finding.exemption.pattern?.id === command.patternId;
    return isByIt && isLive(finding.exemption, at)
      ? accepted({ type: 'exemption-revoked', at, by: command.endedBy, withPattern: true })
      : ignored('does-not-follow');
  }
  const exemption = { ...command.exemption, since: firstExempt(finding) ?? at };
  if (!mayFollow(finding, exemption, command)) return ignored('does-not-follow');
  return finding.status === 'exempt'
    ? accepted({ type: 'exemption-renewed', at, exemption, by: exemption.confirmedBy ?? exemption.grantedBy })
    : accepted({ type: 'exemption-granted', at, exemption });
}

function mayFollow(
  finding: Finding,
  exemption: PatternedExemption,
  { at, rules }: Extract<FollowCommand, { type: 'follow-pattern' }>,
): boolean {
  const { id } = exemption.pattern;
  const request = requestOf(finding);
  if (request !== null && isWaiting(request, at)) return false;
  if (finding.leftPatterns?.includes(id)) return false;
  // The total that the policy allows is a key's, however it comes to it.
  if (Date.parse(exemption.until) > Date.parse(latestEnd(rules, at, exemption.since ?? at))) return false;
  if (finding.status !== 'exempt') return isUndecided(finding);
  const { exemption: present } = finding;
  const isByIt = present.pattern?.id === id && isLive(present, at);
  return isByIt && !same(grantOf(present), grantOf(exemption));
}

function grantOf({ owner, reason, ticket, until, grantedBy, confirmedBy }: Exemption) {
  return { owner, reason, ticket, until, grantedBy, confirmedBy };
}

function decideClock(command: ClockCommand, finding: Finding | undefined): Decision {
  const { at } = command;
  switch (command.type) {
    case 'expire-exemption': {
      if (finding?.status !== 'exempt') return ignored('not-exempt');
      if (isLive(finding.exemption, at)) return ignored('exemption-still-live');
      const trigger = { kind: 'exemption-end' as const, at };
      const change = modeChange(command, finding);
      if (change === null) return endExemption({ ...command, trigger }, finding);
      const decision = endExemption({ ...command, trigger }, evolve(finding, change));
      return decision.outcome === 'accepted' ? accepted(change, ...decision.events) : decision;
    }
    case 'remind-owner': {
      if (finding?.status !== 'exempt' || !isLive(finding.exemption, at)) return ignored('not-exempt');
      const { daysLeft } = command;
      const { owner, remindedDays } = finding.exemption;
      const isAccepted = finding.exemption.endAcceptedBy !== undefined;
      if (isAccepted || remindedDays.some((days) => days <= daysLeft)) return ignored('already-known');
      return accepted({ type: 'exemption-reminded', at, daysLeft, owner });
    }
    case 'lapse-request': {
      const request = finding === undefined ? null : requestOf(finding);
      if (request === null || isWaiting(request, at)) return ignored('no-request-to-lapse');
      return accepted({ type: 'request-lapsed', at });
    }
    case 'remind':
      if (finding === undefined || !isUndecided(finding)) return ignored('not-waiting-for-an-answer');
      if (command.reminder <= finding.remindersSent) return ignored('already-known');
      return accepted({ type: 'reminded', at, reminder: command.reminder });
    case 'escalate':
      if (finding === undefined || !isUndecided(finding)) return ignored('not-waiting-for-an-answer');
      return finding.escalatedAt === null ? accepted({ type: 'escalated', at }) : ignored('already-known');
    case 'report-overdue': {
      if (finding?.status !== 'approved') return ignored('not-awaiting-a-result');
      const report = finding.overdueReports + 1;
      const overdue: FindingEvent = { type: 'remediation-overdue', at, report };
      if (report < OVERDUE_REPORTS_BEFORE_FAILURE) return accepted(overdue);
      const failure = { because: 'no-result' as const, attempts: report };
      return accepted({ type: 'remediation-failed', at, failure, kmsRequestId: null });
    }
  }
}

function closing(assessment: Exclude<Assessment, Parameters<typeof remedyFor>[0]>, trigger: Trigger | null): Closing {
  const by = trigger?.kind === 'cloudtrail' ? trigger.actor.name : null;
  return assessment.verdict === 'compliant'
    ? { because: 'compliant', by }
    : { because: 'not-applicable', reason: assessment.reason, by };
}

function alreadyDecided(finding: Finding): Decision {
  return refused(decidedBefore(finding));
}

function decidedBefore(finding: Finding): Refusal {
  const decided = decidedBy(finding);
  const who = decided?.who ?? null;
  const name = who === null ? null : 'kind' in who ? (who.kind === 'person' ? who.person.name : who.route) : who.name;
  return { reason: 'already-decided', status: finding.status, by: name, at: decided?.at ?? null };
}

function sameFacts(finding: Finding, { facts }: AssessCommand): boolean {
  return facts === null || same(finding.facts, facts);
}

function accepted(...events: [FindingEvent, ...FindingEvent[]]): Decision {
  return { outcome: 'accepted', events };
}

function ignored(because: IgnoredBecause): Decision {
  return { outcome: 'ignored', because };
}

function refused(refusal: Refusal): Decision {
  return { outcome: 'refused', refusal };
}
