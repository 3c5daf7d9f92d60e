import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod/mini';
import { auditEventSchema, findingSchema } from '../contracts/records.ts';
import * as keys from '../contracts/table.ts';
import { type AuditEvent, type ChainHead, EMPTY_CHAIN } from '../domain/audit.ts';
import type { Finding, Status } from '../domain/finding.ts';
import type { FindingEvent } from '../domain/finding-events.ts';
import { type DynamoDbTable, TransactionRefused } from './dynamodb.ts';
import {
  AlreadyHandled,
  absent,
  CONDITION_FAILED,
  isLostRace,
  moved,
  onceRow,
  VersionConflict,
} from './table-writes.ts';

/** A step of one finding: what it stood on, what it leads to, and the events between. */
export type Change = {
  before: ChainHead;
  after: ChainHead;
  records: AuditEvent[];
  /** When the clock has to look at the finding again. */
  dueAt: string | null;
  /** Identifies the cause; a second change with the same one is refused. */
  onceId: string | null;
};

/** Read one by one, so that one damaged row does not hide the others. */
export type DueFinding = { keyArn: string; read: () => Finding };

export type FindingsTable = ReturnType<typeof createFindingsTable>;

const snapshotItem = z.object({ sequence: z.int().check(z.minimum(1)), hash: z.string(), finding: findingSchema });
const eventItem = z.object({ record: auditEventSchema });
const rowKey = z.object({ pk: z.string() });
/** `{ name: { S: … } }`: Lambda's types of it differ from the SDK's, the wire form does not. */
const attributeMap = z.record(
  z.string(),
  z.custom<AttributeValue>((value: unknown) => typeof value === 'object' && value !== null),
);

/** The findings table, one function per access pattern; see contracts/table.ts for the keys. */
export function createFindingsTable(table: DynamoDbTable) {
  async function auditWhere(index: string, hashName: string, hash: string): Promise<AuditEvent[]> {
    const items = await table.query({
      index,
      keyCondition: { expression: '#hash = :hash', names: { '#hash': hashName }, values: { ':hash': hash } },
    });
    return items.map((item) => eventItem.parse(item).record);
  }

  /** Whether this very event is stored. Events are never overwritten, so this stays true whatever follows them. */
  async function isStored({ key, sequence, hash }: AuditEvent): Promise<boolean> {
    const item = await table.get({ pk: keys.partitionOf(key.arn), sk: keys.eventSortKey(sequence) });
    return item !== undefined && eventItem.parse(item).record.hash === hash;
  }

  return {
    /** Where a key's chain stands, read consistently; `EMPTY_CHAIN` when the key has no finding. */
    async load(keyArn: string): Promise<ChainHead> {
      const item = await table.get({ pk: keys.partitionOf(keyArn), sk: keys.SNAPSHOT_SORT_KEY });
      return item === undefined ? EMPTY_CHAIN : snapshotItem.parse(item);
    },

    /**
     * Appends events and moves the snapshot, in one transaction or not at all.
     * @throws VersionConflict when the snapshot has moved; AlreadyHandled when `onceId` was used before.
     */
    async append({ before, after, records, dueAt, onceId }: Change): Promise<void> {
      const { finding } = after;
      const [first] = records;
      if (finding === undefined || first === undefined) throw new RangeError('a change has at least one event');
      const once = onceId === null ? [] : [absent(onceRow(onceId, first.event.at))];
      const events = records.map((record) => absent(eventRow(record)));
      try {
        await table.putTogether([...once, moved(before, snapshotRow(after, finding, dueAt)), ...events]);
      } catch (error) {
        // When the answer to an earlier attempt was lost, what stands in the way is our own write: that is success.
        if (await isStored(first).catch(() => false)) return;
        if (!(error instanceof TransactionRefused) || !error.reasons.some(isLostRace)) throw error;
        if (onceId !== null && error.reasons[0] === CONDITION_FAILED) {
          throw new AlreadyHandled(`${onceId} was handled before`, { cause: error });
        }
        throw new VersionConflict(`the finding of ${finding.key.arn} has changed meanwhile`, { cause: error });
      }
    },

    /** Findings whose next deadline has passed, most overdue first. `read` throws for a row that this version cannot read. */
    async findingsDueBefore(now: string, limit: number): Promise<DueFinding[]> {
      const items = await table.query({
        index: keys.INDEX_BY_TIME,
        keyCondition: {
          expression: 'timeKey = :due AND timeSort < :now',
          // Sorts after every ARN, so that a deadline exactly at `now` counts as passed.
          values: { ':due': keys.DUE, ':now': `${now}#~` },
        },
        limit,
      });
      return items.map((item) => ({
        keyArn: keys.keyArnOf(rowKey.parse(item).pk),
        read: () => snapshotItem.parse(item).finding,
      }));
    },

    async findingsByStatus(status: Status): Promise<Finding[]> {
      const items = await table.query({
        index: keys.INDEX_BY_GROUP,
        keyCondition: { expression: 'groupKey = :group', values: { ':group': keys.statusGroup(status) } },
      });
      return items.map((item) => snapshotItem.parse(item).finding);
    },

    /** A part of them, in the order in which they were opened; `next` is null when there are no more. */
    async findingsPage(
      status: Status,
      { after, limit }: { after: string | null; limit: number },
    ): Promise<{ findings: Finding[]; next: string | null }> {
      const items = await table.query({
        index: keys.INDEX_BY_GROUP,
        keyCondition: {
          expression: `groupKey = :group${after === null ? '' : ' AND groupSort > :after'}`,
          values: { ':group': keys.statusGroup(status), ...(after === null ? {} : { ':after': after }) },
        },
        limit,
      });
      const findings = items.map((item) => snapshotItem.parse(item).finding);
      const last = findings.at(-1);
      // One query answers at most 1 MB, which may be less than the limit: only an empty page is surely the last.
      return { findings, next: last === undefined ? null : keys.findingSort(last.openedAt, last.key.arn) };
    },

    /** The last events of a day (`yyyy-mm-dd`, UTC), newest first. */
    async newestOfDay(day: string, limit: number): Promise<AuditEvent[]> {
      const items = await table.query({
        index: keys.INDEX_BY_GROUP,
        keyCondition: { expression: 'groupKey = :group', values: { ':group': keys.dayGroup(day) } },
        limit,
        newestFirst: true,
      });
      return items.map((item) => eventItem.parse(item).record);
    },

    /** The whole trail of a key, oldest first. */
    async auditOf(keyArn: string): Promise<AuditEvent[]> {
      const items = await table.query({
        keyCondition: {
          expression: 'pk = :pk AND begins_with(sk, :event)',
          values: { ':pk': keys.partitionOf(keyArn), ':event': keys.EVENT_SORT_KEY_PREFIX },
        },
        consistent: true,
      });
      return items.map((item) => eventItem.parse(item).record);
    },

    /** Everything that happened on a day (`yyyy-mm-dd`, UTC), in order of time. */
    auditOfDay: (day: string): Promise<AuditEvent[]> =>
      auditWhere(keys.INDEX_BY_GROUP, keys.TABLE_ATTRIBUTES.groupKey, keys.dayGroup(day)),

    /** Everything a person decided or was refused, in order of time. */
    auditOfPerson: (teamId: string, userId: string): Promise<AuditEvent[]> =>
      auditWhere(keys.INDEX_BY_TIME, keys.TABLE_ATTRIBUTES.timeKey, keys.personTime(teamId, userId)),
  };
}

/** Reads the audit event out of a stream record's new image. */
export function parseEventImage(image: unknown): AuditEvent {
  return eventItem.parse(unmarshall(attributeMap.parse(image))).record;
}

function snapshotRow({ sequence, hash }: ChainHead, finding: Finding, dueAt: string | null) {
  const { arn } = finding.key;
  return {
    pk: keys.partitionOf(arn),
    sk: keys.SNAPSHOT_SORT_KEY,
    sequence,
    hash,
    finding,
    groupKey: keys.statusGroup(finding.status),
    groupSort: keys.findingSort(finding.openedAt, arn),
    ...(dueAt === null ? {} : { timeKey: keys.DUE, timeSort: `${dueAt}#${arn}` }),
  };
}

function eventRow(record: AuditEvent) {
  const { arn } = record.key;
  const { at, type } = record.event;
  const time = `${at}#${arn}#${String(record.sequence).padStart(10, '0')}`;
  const person = personBehind(record.event);
  return {
    pk: keys.partitionOf(arn),
    sk: keys.eventSortKey(record.sequence),
    eventType: type,
    record,
    groupKey: keys.dayGroup(at),
    groupSort: time,
    ...(person === null ? {} : { timeKey: keys.personTime(person.teamId, person.userId), timeSort: time }),
  };
}

/** Whose attempt or decision an event is, for the question "what did this person do". */
function personBehind(event: FindingEvent): { teamId: string; userId: string } | null {
  switch (event.type) {
    case 'recheck-requested':
    case 'exemption-revoked':
    case 'exemption-shortened':
    case 'exemption-end-accepted':
    case 'request-withdrawn':
      return event.by;
    case 'confirmation-requested':
      return event.request.by;
    case 'remediation-approved':
    case 'back-out-approved':
      return event.approval.confirmedBy ?? (event.approval.by.kind === 'person' ? event.approval.by.person : null);
    case 'exemption-granted':
    case 'exemption-renewed':
      // Who asked has an event of their own.
      return event.exemption.confirmedBy ?? event.exemption.grantedBy;
    case 'command-refused':
      return event.by.kind === 'person' ? event.by.person : null;
    case 'finding-opened':
    case 'finding-reassessed':
    case 'finding-closed':
    case 'mode-changed':
    case 'rechecked':
    case 'remediation-started':
    case 'remediated':
    case 'backed-out':
    case 'remediation-failed':
    case 'remediation-overdue':
    case 'request-lapsed':
    case 'exemption-expired':
    case 'exemption-reminded':
    case 'reminded':
    case 'escalated':
      return null;
  }
}
