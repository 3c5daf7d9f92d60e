import type { AuditEvent } from '../../functions/domain/audit.ts';
import type { Exemption } from '../../functions/domain/exemption.ts';
import type { FindingEvent } from '../../functions/domain/finding-events.ts';
import type { Decider, PersonRef, Trigger } from '../../functions/domain/people.ts';
import { failureSentence } from '../../functions/messages/failure-sentence.ts';
import { utc } from '../../functions/messages/phrase.ts';
import { closingSentence, notApplicableSentence, problemSentence } from '../../functions/messages/problem-sentence.ts';
import { proofSentence } from '../../functions/messages/proof-sentence.ts';
import { requestSentence } from '../../functions/messages/request-sentence.ts';
import { sentence, table } from '../terminal.ts';

/** Audit events as a table: when, what, who, and the rest in words. `withKey` adds which key. */
export function eventTable(events: readonly AuditEvent[], withKey: boolean): string {
  return table(
    ['AT', '#', ...(withKey ? ['KEY'] : []), 'EVENT', 'WHO', 'WHAT'],
    events.map(({ sequence, key, event }) => [
      utc(event.at),
      String(sequence),
      ...(withKey ? [`${key.accountId}/${key.region}/${key.keyId}`] : []),
      ...[event.type, whoOf(event), whatOf(event)],
    ]),
  );
}

/** Who is behind an event; empty when it is the bot or the clock. */
function whoOf(event: FindingEvent): string {
  switch (event.type) {
    case 'finding-opened':
    case 'finding-reassessed':
    case 'finding-closed':
      return triggeredBy(event.trigger);
    case 'recheck-requested':
    case 'rechecked':
    case 'exemption-renewed':
    case 'exemption-revoked':
    case 'exemption-shortened':
    case 'exemption-end-accepted':
    case 'request-withdrawn':
      return person(event.by);
    case 'confirmation-requested':
      return person(event.request.by);
    case 'remediation-approved':
    case 'back-out-approved':
      return decider(event.approval.by);
    case 'exemption-granted':
      return person(event.exemption.grantedBy);
    case 'command-refused':
      return decider(event.by);
    case 'remediation-started':
    case 'remediated':
    case 'backed-out':
    case 'remediation-failed':
    case 'remediation-overdue':
    case 'exemption-expired':
    case 'exemption-reminded':
    case 'reminded':
    case 'escalated':
    case 'mode-changed':
    case 'request-lapsed':
      return '';
  }
}

/** What happened, and why, as far as the event says. */
function whatOf(event: FindingEvent): string {
  switch (event.type) {
    case 'finding-opened':
    case 'finding-reassessed':
      return sentence(problemSentence(event.assessment));
    case 'finding-closed':
      return sentence(closingSentence(event.closing));
    case 'remediation-approved':
    case 'remediation-started':
      return event.remedy.id;
    case 'back-out-approved':
      return exemptionWords(event.thenExempt);
    case 'remediated':
      return sentence(proofSentence(event.proof, event.kmsRequestId));
    case 'backed-out':
      return `${exemptionWords(event.exemption)} ${sentence(proofSentence(event.proof, event.kmsRequestId))}`;
    case 'remediation-failed':
      return sentence(failureSentence(event.failure));
    case 'remediation-overdue':
      return `report ${event.report}`;
    case 'exemption-granted':
    case 'exemption-renewed':
      return exemptionWords(event.exemption);
    case 'exemption-expired':
    case 'rechecked':
      switch (event.assessment.verdict) {
        case 'compliant':
          return 'The key rotates as the policy asks.';
        case 'not-applicable':
          return `${notApplicableSentence(event.assessment.reason)}.`;
        case 'rotation-off':
        case 'period-too-long':
        case 'manual-rotation-due':
        case 'unknown':
          return sentence(problemSentence(event.assessment));
      }
      break;
    case 'exemption-reminded':
      return `${event.daysLeft} days left, owner ${person(event.owner)}`;
    case 'reminded':
      return `reminder ${event.reminder}`;
    case 'mode-changed':
      return `from ${event.from} to ${event.to}`;
    case 'confirmation-requested':
      return sentence(requestSentence(event.request));
    case 'exemption-shortened':
      return `until ${utc(event.until)}`;
    case 'command-refused':
      return `${event.command}: ${event.refusal.reason}`;
    case 'recheck-requested':
    case 'exemption-revoked':
    case 'exemption-end-accepted':
    case 'request-withdrawn':
    case 'request-lapsed':
    case 'escalated':
      return '';
  }
}

export function exemptionWords({ owner, until, reason, ticket }: Exemption): string {
  return `until ${utc(until)}, owner ${person(owner)}, reason: ${reason}${ticket === null ? '' : ` (${ticket})`}`;
}

export function person({ name, userId }: PersonRef): string {
  return `${name} (${userId})`;
}

export function decider(by: Decider): string {
  return by.kind === 'person' ? person(by.person) : `policy route "${by.route}"`;
}

function triggeredBy(trigger: Trigger): string {
  switch (trigger.kind) {
    case 'cloudtrail':
      return `${trigger.actor.name} with ${trigger.tool}`;
    case 'recheck':
      return person(trigger.by);
    case 'kms-event':
      return 'KMS';
    case 'exemption-end':
    case 'second-look':
    case 'sweep':
      return '';
  }
}
