import type { AuditEvent } from '../domain/audit.ts';
import type { KeyEvent } from './kms-event.ts';

/** What ties a log line to a story. The same names in every function, so that one query finds them all. */
export type LogKeys = {
  keyArn?: string;
  episode?: number;
  auditEventId?: string;
  sequence?: number;
  policyVersion?: string;
  /** CloudTrail's eventID, or EventBridge's id of an event that KMS sends itself. */
  cloudTrailEventId?: string;
  /** A digest that names a request of Slack; the audit trail has it as the cause. */
  slackRequestId?: string;
};

/** An audit event's own ids, and the id of what caused it. */
export function keysOfRecord({ key, episode, id, sequence, policyVersion, cause }: AuditEvent): LogKeys {
  const keys = { keyArn: key.arn, episode, auditEventId: id, sequence, policyVersion };
  if (cause.kind === 'cloudtrail' || cause.kind === 'kms-event') return { ...keys, cloudTrailEventId: cause.id };
  return cause.kind === 'slack' ? { ...keys, slackRequestId: cause.id } : keys;
}

export function keysOfEvent({ key, eventId }: Pick<KeyEvent, 'key' | 'eventId'>): LogKeys {
  return { keyArn: key.arn, cloudTrailEventId: eventId };
}
