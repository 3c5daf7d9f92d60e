import type { FindingEventType } from '../domain/finding-events.ts';
import type { PatternEvent } from '../domain/pattern-exemption.ts';
import {
  BATCH_SORT_KEY_PREFIX,
  EVENT_SORT_KEY_PREFIX,
  PATTERN_RECORD_SORT_KEY_PREFIX,
  REFRESH_SORT_KEY_PREFIX,
  TURN_SORT_KEY_PREFIX,
} from './table.ts';

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
  return recordFilter(EVENT_SORT_KEY_PREFIX, eventTypes);
}

function recordFilter(prefix: string, eventTypes: readonly string[] | 'all'): object {
  return {
    eventName: ['INSERT'],
    dynamodb: {
      Keys: { sk: { S: [{ prefix }] } },
      ...(eventTypes === 'all' ? {} : { NewImage: { eventType: { S: eventTypes } } }),
    },
  };
}

/** Every function that the table's stream starts. */
export const STREAM_CONSUMER_NAMES = ['announce-finding', 'remediate-key', 'detect-finding', 'sweep-keys'] as const;
export type StreamConsumer = (typeof STREAM_CONSUMER_NAMES)[number];

/** The new items of a digest's partition that start a function, by what their sort keys begin with. */
const DIGEST_ITEMS: Partial<Record<StreamConsumer, readonly string[]>> = {
  'announce-finding': [REFRESH_SORT_KEY_PREFIX],
  'sweep-keys': [BATCH_SORT_KEY_PREFIX, TURN_SORT_KEY_PREFIX],
};

/** The events of exemptions of patterns that start a function: those that people see, and those that keys follow. */
const PATTERN_EVENTS: Partial<Record<StreamConsumer, readonly PatternEvent['type'][] | 'all'>> = {
  'announce-finding': 'all',
  'sweep-keys': ['pattern-confirmed', 'pattern-revoked'],
};

/** All event-source filters of a consumer; a record that fits any of them starts it. */
export function streamFilters(consumer: StreamConsumer): object[] {
  const auditEvents = consumer === 'sweep-keys' ? [] : [auditEventFilter(STREAM_CONSUMERS[consumer])];
  const digestItems = (DIGEST_ITEMS[consumer] ?? []).map((prefix) => ({
    eventName: ['INSERT'],
    dynamodb: { Keys: { sk: { S: [{ prefix }] } } },
  }));
  const events = PATTERN_EVENTS[consumer];
  const patternEvents = events === undefined ? [] : [recordFilter(PATTERN_RECORD_SORT_KEY_PREFIX, events)];
  return [...auditEvents, ...digestItems, ...patternEvents];
}
