import type { MetricDatum } from '../contracts/metrics.ts';
import type { AuditEvent } from '../domain/audit.ts';
import { type Finding, severityOf } from '../domain/finding.ts';

type Datum = MetricDatum<'announce-finding'>;

/**
 * What an audit event adds to the metrics. `finding` is the last state of the event's episode; without it (refused
 * commands, and findings that are gone) what needs it is not measured.
 */
export function measure(record: AuditEvent, finding: Finding | null): Datum[] {
  return [...exemptionsOf(record), ...storyOf(record, finding)];
}

function exemptionsOf({ statusBefore, statusAfter }: AuditEvent): Datum[] {
  if (statusBefore !== 'exempt' && statusAfter === 'exempt') return [one('ExemptionsGranted')];
  if (statusBefore === 'exempt' && statusAfter !== 'exempt') return [one('ExemptionsEnded')];
  return [];
}

function storyOf({ event, statusBefore }: AuditEvent, finding: Finding | null): Datum[] {
  const decided = (decision: string): Datum => one('FindingsDecided', { decision });
  const sinceOpening = (name: 'TimeToDecision' | 'TimeToRemediate'): Datum[] =>
    finding === null ? [] : [{ name, value: secondsBetween(finding.openedAt, event.at) }];
  // What was decided before, and is decided otherwise now, says nothing about how long people take to answer.
  const timeToDecision = () => (statusBefore === 'open' ? sinceOpening('TimeToDecision') : []);

  switch (event.type) {
    case 'finding-opened': {
      const severity = finding === null ? 'unknown' : severityOf({ ...finding, assessment: event.assessment });
      return [one('FindingsOpened', { problem: event.assessment.verdict, severity })];
    }
    case 'finding-closed':
      return [one('FindingsClosed')];
    case 'remediation-approved':
      return event.approval.by.kind === 'person'
        ? [decided('remediate'), ...timeToDecision()]
        : [decided('remediate-automatically')];
    case 'back-out-approved':
      return [decided('back-out')];
    case 'exemption-granted':
      return [decided('exempt'), ...timeToDecision()];
    case 'exemption-renewed':
      return [decided('renew-exemption')];
    case 'exemption-revoked':
      return [decided('revoke-exemption')];
    case 'exemption-shortened':
      return [decided('shorten-exemption')];
    case 'exemption-end-accepted':
      return [decided('let-exemption-end')];
    case 'remediated':
      return [one('RemediationsConfirmed'), ...sinceOpening('TimeToRemediate')];
    case 'backed-out':
      return [one('RemediationsConfirmed')];
    case 'remediation-failed':
      return [one('RemediationsFailed')];
    case 'escalated':
      return [one('FindingsEscalated')];
    case 'command-refused':
      return [one('CommandsRefused')];
    // Steps on the way; FindingsStuck counts remediations that are overdue.
    case 'finding-reassessed':
    case 'recheck-requested':
    case 'rechecked':
    case 'remediation-started':
    case 'remediation-overdue':
    case 'exemption-expired':
    case 'exemption-reminded':
    case 'reminded':
    case 'mode-changed':
    case 'confirmation-requested':
    case 'request-withdrawn':
    case 'request-lapsed':
      return [];
  }
}

function one(name: Datum['name'], dimensions?: Record<string, string>): Datum {
  return { name, value: 1, ...(dimensions === undefined ? {} : { dimensions }) };
}

function secondsBetween(from: string, to: string): number {
  return Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
}
