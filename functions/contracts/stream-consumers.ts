import type { FindingEventType } from '../domain/finding-events.ts';
import { EVENT_SORT_KEY_PREFIX } from './table.ts';

/** The functions that the table's stream starts, and the audit events that each of them is for. */
export const STREAM_CONSUMERS = {
  'announce-finding': 'all',
  'remediate-key': ['remediation-approved', 'back-out-approved', 'remediation-overdue'],
  'detect-finding': ['recheck-requested', 'exemption-revoked'],
} as const satisfies Record<string, readonly FindingEventType[] | 'all'>;

/**
 * The event-source filter of a consumer: new audit events of these types. Snapshots, claims and the rest of the table
 * start nobody. Lambda Developer Guide, "Control which events Lambda sends to your function".
 */
export function auditEventFilter(eventTypes: readonly FindingEventType[] | 'all'): object {
  return {
    eventName: ['INSERT'],
    dynamodb: {
      Keys: { sk: { S: [{ prefix: EVENT_SORT_KEY_PREFIX }] } },
      ...(eventTypes === 'all' ? {} : { NewImage: { eventType: { S: eventTypes } } }),
    },
  };
}
