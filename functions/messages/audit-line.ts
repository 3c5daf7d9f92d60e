import type { AuditEvent } from '../domain/audit.ts';
import type { FindingEvent } from '../domain/finding-events.ts';
import { failureSentence } from './failure-sentence.ts';
import { causeWords } from './key-facts.ts';
import { decider, type Phrase, secondPerson } from './phrase.ts';
import { plain } from './plain.ts';
import { closingSentence, problemSentence } from './problem-sentence.ts';
import { refusalSentence } from './refusal-sentence.ts';
import { requestSentence } from './request-sentence.ts';
import { termsWords } from './terms-words.ts';

/** One line of a trail: when, what happened, and who answers for it. */
export function auditLine({ event }: AuditEvent): Phrase[] {
  return [{ time: event.at }, ' · ', ...eventPhrases(event)];
}

function eventPhrases(event: FindingEvent): Phrase[] {
  switch (event.type) {
    case 'finding-opened':
      return [
        'Finding opened: ',
        ...problemSentence(event.assessment),
        ' Caused by ',
        ...causeWords(event.trigger),
        '.',
      ];
    case 'finding-reassessed':
      return ['Looked at again: ', ...problemSentence(event.assessment)];
    case 'finding-closed':
      return ['Closed. ', ...closingSentence(event.closing)];
    case 'recheck-requested':
      return ['Re-check asked for by ', { person: event.by }, '.'];
    case 'rechecked':
      return ['Looked at again for ', { person: event.by }, '; nothing changed.'];
    case 'remediation-approved':
      return ['Approved by ', decider(event.approval.by), ...secondPerson(event.approval), '.'];
    case 'back-out-approved':
      return [
        ...['Back-out approved by ', decider(event.approval.by), ...secondPerson(event.approval), '; then exempt '],
        ...termsWords(event.thenExempt, 200),
      ];
    case 'remediation-started':
      return ['Remediation started.'];
    case 'remediated':
      return ['Remediated, read back from KMS.', ...requestId(event.kmsRequestId)];
    case 'backed-out':
      return ['Backed out, read back from KMS.', ...requestId(event.kmsRequestId)];
    case 'remediation-failed':
      return ['Remediation failed. ', ...failureSentence(event.failure)];
    case 'remediation-overdue':
      return [`No result yet (report ${event.report}).`];
    case 'exemption-granted':
      return [
        ...['Exempted by ', { person: event.exemption.grantedBy }, ...secondPerson(event.exemption), ' '],
        ...termsWords(event.exemption, 200),
      ];
    case 'exemption-renewed':
      return [
        ...['Exemption renewed by ', { person: event.by }, ...secondPerson(event.exemption), ' '],
        ...termsWords(event.exemption, 200),
      ];
    case 'mode-changed':
      return [`The mode of its route changed from ${event.from} to ${event.to}.`];
    case 'confirmation-requested':
      return requestSentence(event.request);
    case 'request-withdrawn':
      return ['Request withdrawn by ', { person: event.by }, '.'];
    case 'request-lapsed':
      return ['Request lapsed: nobody confirmed it.'];
    case 'exemption-shortened':
      return ['Exemption shortened by ', { person: event.by }, ' to ', { time: event.until }, '.'];
    case 'exemption-end-accepted':
      return ['Left to run out by ', { person: event.by }, '.'];
    case 'exemption-revoked':
      return [
        'Exemption ended by ',
        { person: event.by },
        event.withPattern === true ? ', for all keys of its pattern.' : '.',
      ];
    case 'exemption-expired':
      return ['Exemption ran out.'];
    case 'exemption-reminded':
      return [
        'Owner ',
        { person: event.owner },
        ` reminded, ${event.daysLeft === 1 ? '1 day' : `${event.daysLeft} days`} before the end.`,
      ];
    case 'reminded':
      return [`Approvers reminded (${event.reminder}).`];
    case 'escalated':
      return ['Escalated: nobody had decided.'];
    case 'command-refused':
      return ['Refused to ', decider(event.by), ` (${event.command}): ${refusalSentence(event.refusal)}`];
  }
}

function requestId(kmsRequestId: string | null): Phrase[] {
  return kmsRequestId === null ? [] : [` KMS request id ${plain(kmsRequestId, 80)}.`];
}
