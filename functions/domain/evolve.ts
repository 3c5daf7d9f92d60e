import { type Assessment, isProblem } from './assessment.ts';
import { daysLeft, type Exemption } from './exemption.ts';
import type { ApprovedFinding, ExemptFinding, Finding, FindingBase, RotationHistory, Status } from './finding.ts';
import type { FindingEvent } from './finding-events.ts';
import type { Trigger } from './people.ts';
import { same } from './same.ts';

/** An event that cannot follow the finding's state: the stored history is broken, and nothing may be built on it. */
export class ImpossibleEvent extends Error {
  public override readonly name = 'ImpossibleEvent';
  public constructor(event: FindingEvent['type'], status: Status | 'none') {
    super(`event ${event} cannot happen to a finding in status ${status}`);
  }
}

/**
 * The next finding. Replaying all events of a key from `undefined` gives its stored snapshot.
 * @throws ImpossibleEvent when the event does not fit the state.
 */
export function evolve(finding: Finding | undefined, event: FindingEvent): Finding {
  if (event.type === 'finding-opened') {
    settled(finding, event);
    return {
      ...{ key: event.key, facts: event.facts, assessment: event.assessment, trigger: event.trigger },
      ...{ episode: event.episode, openedAt: event.at, route: event.route, mode: event.mode },
      history: historyAfterOpening(finding, event.trigger, event.at, event.assessment.verdict),
      ...asked(event.at),
    };
  }
  if (finding === undefined) throw new ImpossibleEvent(event.type, 'none');
  const base = baseOf(finding);

  switch (event.type) {
    case 'finding-reassessed': {
      const seen = {
        facts: event.facts ?? finding.facts,
        assessment: event.assessment,
        trigger: causeAfter(finding, event),
      };
      const asWaiting = waiting(finding, event);
      // What failed was the remedy of another problem: people are asked anew.
      return asWaiting.status === 'open' ? { ...asWaiting, ...seen } : { ...base, ...seen, ...asked(event.at) };
    }
    case 'finding-closed':
      // An approved finding closes when its remediation turns out not to be needed any more.
      if (finding.status !== 'approved') waiting(finding, event);
      return { ...base, status: 'closed', closedAt: event.at, closing: event.closing };
    case 'mode-changed': {
      if (finding.status === 'approved' || finding.status === 'closed')
        throw new ImpossibleEvent(event.type, finding.status);
      const present = { ...finding, mode: event.to };
      // Nobody was asked before.
      return present.status === 'open' && event.from === 'observe' ? { ...present, ...asked(event.at) } : present;
    }
    case 'remediation-approved':
      // Who has an exempt key fixed ends the exemption with it.
      if (finding.status !== 'exempt') waiting(finding, event);
      return { ...base, ...left(finding), ...underWay(event), thenExempt: null };
    case 'back-out-approved':
      if (finding.status !== 'remediated') throw new ImpossibleEvent(event.type, finding.status);
      return { ...base, ...underWay(event), thenExempt: event.thenExempt };
    case 'remediation-started':
      return { ...approved(finding, event), startedAt: event.at, lastActivityAt: event.at };
    case 'remediation-overdue':
      return { ...approved(finding, event), overdueReports: event.report, lastActivityAt: event.at };
    case 'remediated': {
      const { approval, remedy } = approved(finding, event);
      return {
        ...base,
        history: historyAfterRemediation(base, approval, event.at),
        status: 'remediated',
        approval,
        remedy,
        remediatedAt: event.at,
        proof: event.proof,
        kmsRequestId: event.kmsRequestId,
      };
    }
    case 'backed-out': {
      approved(finding, event);
      // The fix was taken back by decision: whoever leaves rotation off from now on undoes nothing of the bot's.
      const history = { ...base.history, switchedOnByBot: base.history.switchedOnByBot.slice(0, -1) };
      return {
        ...base,
        history,
        assessment: { verdict: 'rotation-off' },
        ...exemptOn(event.exemption),
      };
    }
    case 'remediation-failed': {
      const { approval, remedy } = approved(finding, event);
      const { failure, kmsRequestId } = event;
      return {
        ...base,
        ...{ status: 'failed', approval, remedy, failedAt: event.at, failure, kmsRequestId },
        ...{ remindersSent: 0, escalatedAt: null },
      };
    }
    case 'confirmation-requested':
      return { ...decidable(finding, event), request: event.request };
    case 'request-withdrawn':
    case 'request-lapsed':
      return withoutRequest(decidable(finding, event));
    case 'exemption-granted':
      waiting(finding, event);
      return { ...base, ...exemptOn(event.exemption) };
    case 'exemption-renewed':
      exempt(finding, event);
      return { ...base, ...(event.exemption.pattern ? {} : left(finding)), ...exemptOn(event.exemption) };
    case 'exemption-shortened': {
      const present = exempt(finding, event);
      // A key that was decided about by itself does not follow a pattern any more.
      const exemption = { ...present.exemption, until: event.until };
      delete exemption.pattern;
      // The owner is told of the new end: no reminder of it has to follow at once.
      const remindedDays = [...exemption.remindedDays, daysLeft(exemption, event.at)];
      return { ...present, ...left(finding), exemption: { ...exemption, remindedDays } };
    }
    case 'exemption-end-accepted': {
      const present = exempt(finding, event);
      return { ...present, exemption: { ...present.exemption, endAcceptedBy: event.by } };
    }
    case 'exemption-revoked':
      exempt(finding, event);
      return { ...base, ...(event.withPattern ? {} : left(finding)), ...asked(event.at) };
    case 'exemption-expired':
      exempt(finding, event);
      return {
        ...base,
        facts: event.facts ?? base.facts,
        assessment: isProblem(event.assessment) ? event.assessment : base.assessment,
        ...asked(event.at),
      };
    case 'exemption-reminded': {
      const { exemption, ...rest } = exempt(finding, event);
      return { ...rest, exemption: { ...exemption, remindedDays: [...exemption.remindedDays, event.daysLeft] } };
    }
    case 'reminded':
      return { ...waiting(finding, event), remindersSent: event.reminder };
    case 'escalated':
      return { ...waiting(finding, event), escalatedAt: event.at };
    case 'recheck-requested':
    case 'rechecked':
    case 'command-refused':
      return finding;
  }
}

/** Replays a whole history. */
export function replay(events: readonly FindingEvent[]): Finding | undefined {
  return events.reduce<Finding | undefined>((finding, event) => evolve(finding, event), undefined);
}

/** Calls that can turn one problem into another; tagging and the like only make the bot look. */
const CAUSING = ['DisableKeyRotation', 'EnableKeyRotation', 'ImportKeyMaterial'];
/** The bot looked by itself: whatever it found, somebody else has done, and the event that names them may still come. */
const ONLY_FOUND: readonly Trigger['kind'][] = ['recheck', 'second-look', 'sweep'];

/**
 * Whoever made the present problem is its cause, so that they cannot exempt their own doing as somebody else's. A
 * re-check or a sweep that came before the event only found the problem; then the key may also have been made that way.
 */
export function causeAfter(
  finding: Finding,
  { trigger, assessment }: { trigger: Trigger; assessment: Assessment },
): Trigger {
  if (trigger.kind !== 'cloudtrail') return finding.trigger;
  const onlyFound = ONLY_FOUND.includes(finding.trigger.kind);
  const causing = CAUSING.includes(trigger.eventName) || (onlyFound && trigger.eventName === 'CreateKey');
  const unexplained = onlyFound || !same(assessment, finding.assessment);
  return causing && unexplained ? trigger : finding.trigger;
}

function asked(at: string): { status: 'open'; askedAt: string; remindersSent: number; escalatedAt: null } {
  return { status: 'open', askedAt: at, remindersSent: 0, escalatedAt: null };
}

function exemptOn(exemption: Exemption): { status: 'exempt'; exemption: Exemption; exemptSince?: string } {
  const { since } = exemption;
  return { status: 'exempt', exemption, ...(since === undefined ? {} : { exemptSince: since }) };
}

function underWay({
  at,
  approval,
  remedy,
}: Extract<FindingEvent, { type: 'remediation-approved' | 'back-out-approved' }>): Omit<
  ApprovedFinding,
  keyof FindingBase | 'thenExempt'
> {
  return { status: 'approved', approval, remedy, startedAt: null, overdueReports: 0, lastActivityAt: at };
}

function baseOf(finding: Finding): FindingBase {
  const { key, facts, assessment, trigger, episode, openedAt, route, mode, history } = finding;
  const { exemptSince, leftPatterns } = finding;
  return {
    ...{ key, facts, assessment, trigger, episode, openedAt, route, mode, history },
    ...(exemptSince === undefined ? {} : { exemptSince }),
    ...(leftPatterns === undefined ? {} : { leftPatterns }),
  };
}

/** Who decides about one key takes it out of the pattern that exempts it. */
function left(finding: Finding): Pick<FindingBase, 'leftPatterns'> {
  const pattern = finding.status === 'exempt' ? finding.exemption.pattern : undefined;
  return pattern === undefined ? {} : { leftPatterns: [...(finding.leftPatterns ?? []), pattern.id] };
}

function settled(finding: Finding | undefined, event: FindingEvent): void {
  if (finding === undefined || finding.status === 'closed' || finding.status === 'remediated') return;
  throw new ImpossibleEvent(event.type, finding.status);
}

function approved(finding: Finding, event: FindingEvent): ApprovedFinding {
  if (finding.status !== 'approved') throw new ImpossibleEvent(event.type, finding.status);
  return finding;
}

function exempt(finding: Finding, event: FindingEvent): ExemptFinding {
  if (finding.status !== 'exempt') throw new ImpossibleEvent(event.type, finding.status);
  return finding;
}

function waiting(finding: Finding, event: FindingEvent): Extract<Finding, { status: 'open' | 'failed' }> {
  if (finding.status !== 'open' && finding.status !== 'failed') throw new ImpossibleEvent(event.type, finding.status);
  return finding;
}

type Decidable = Extract<Finding, { status: 'open' | 'failed' | 'exempt' | 'remediated' }>;

function decidable(finding: Finding, event: FindingEvent): Decidable {
  if (finding.status === 'approved' || finding.status === 'closed') {
    throw new ImpossibleEvent(event.type, finding.status);
  }
  return finding;
}

function withoutRequest(finding: Decidable): Finding {
  const rest = { ...finding };
  delete rest.request;
  return rest;
}

const NO_HISTORY: RotationHistory = { switchedOnByBot: [], switchedOffAgain: [] };

function historyAfterOpening(
  previous: Finding | undefined,
  trigger: Trigger,
  at: string,
  verdict: string,
): RotationHistory {
  const history = previous?.history ?? NO_HISTORY;
  if (verdict !== 'rotation-off' || history.switchedOnByBot.length === 0) return history;
  const culprit =
    trigger.kind === 'cloudtrail' && trigger.eventName === 'DisableKeyRotation'
      ? { by: trigger.actor.name, tool: trigger.tool }
      : { by: 'unknown', tool: 'unknown' };
  return { ...history, switchedOffAgain: [...history.switchedOffAgain, { at, ...culprit }] };
}

function historyAfterRemediation(
  { history, assessment }: FindingBase,
  approval: ApprovedFinding['approval'],
  at: string,
): RotationHistory {
  // Shortening a period switches nothing on, so it is no ground for a drift loop or a back-out.
  if (assessment.verdict !== 'rotation-off') return history;
  return { ...history, switchedOnByBot: [...history.switchedOnByBot, { at, approvedBy: approval.by }] };
}
