import type { FindingEventType } from '../domain/finding-events.ts';
import { EVENT_SORT_KEY_PREFIX } from './table.ts';

/**
 * After these the key is looked at once more. Whoever wrote them had looked before writing; a change in between has an
 * event of its own, but that found the finding not yet moved and may have had nothing to say.
 */
const WORTH_A_SECOND_LOOK = [
  'finding-opened',
  'finding-reassessed',
  'finding-closed',
  'remediated',
  'remediation-failed',
  'exemption-expired',
] as const satisfies readonly FindingEventType[];

/** The functions that the table's stream starts, and the audit events that each of them is for. */
export const STREAM_CONSUMERS = {
  'announce-finding': 'all',
  'remediate-key': ['remediation-approved', 'back-out-approved', 'remediation-overdue'],
  'detect-finding': ['recheck-requested', 'exemption-revoked', ...WORTH_A_SECOND_LOOK],
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
