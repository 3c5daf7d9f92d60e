import { type AttributeValue, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  paginateQuery,
  QueryCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { auditEventSchema, findingSchema } from '../contracts/records.ts';
import * as keys from '../contracts/table.ts';
import { type AuditEvent, type ChainHead, EMPTY_CHAIN } from '../domain/audit.ts';
import type { Finding, Status } from '../domain/finding.ts';
import type { FindingEvent } from '../domain/finding-events.ts';

/** Somebody else changed the finding since it was loaded: load again and decide again. */
export class VersionConflict extends Error {
  public override readonly name = 'VersionConflict';
}

/** This CloudTrail event or Slack request has led to a change before. */
export class AlreadyHandled extends Error {
  public override readonly name = 'AlreadyHandled';
}

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

export type FindingsTable = ReturnType<typeof createFindingsTable>;

/** Causes are remembered this long; EventBridge gives up redelivery after one day, Slack after five minutes. */
const ONCE_DAYS = 30;

const snapshotItem = z.object({ sequence: z.int().min(1), hash: z.string(), finding: findingSchema });
const eventItem = z.object({ record: auditEventSchema });
/** `{ name: { S: … } }`: Lambda's types of it differ from the SDK's, the wire form does not. */
const attributeMap = z.record(
  z.string(),
  z.custom<AttributeValue>((value) => typeof value === 'object' && value !== null),
);

/** The findings table, one function per access pattern; see contracts/table.ts for the keys. */
export function createFindingsTable({ client, tableName }: { client: DynamoDBDocumentClient; tableName: string }) {
  async function query(input: Omit<ConstructorParameters<typeof QueryCommand>[0], 'TableName'>): Promise<unknown[]> {
    const items: unknown[] = [];
    for await (const page of paginateQuery({ client }, { TableName: tableName, ...input })) {
      items.push(...(page.Items ?? []));
    }
    return items;
  }

  async function auditWhere(index: string, hashName: string, hash: string): Promise<AuditEvent[]> {
    const items = await query({
      IndexName: index,
      KeyConditionExpression: '#hash = :hash',
      ExpressionAttributeNames: { '#hash': hashName },
      ExpressionAttributeValues: { ':hash': hash },
    });
    return items.map((item) => eventItem.parse(item).record);
  }

  return {
    /** Where a key's chain stands, read consistently; `EMPTY_CHAIN` when the key has no finding. */
    async load(keyArn: string): Promise<ChainHead> {
      const { Item } = await client.send(
        new GetCommand({
          TableName: tableName,
          Key: { pk: keys.partitionOf(keyArn), sk: keys.SNAPSHOT_SORT_KEY },
          ConsistentRead: true,
        }),
      );
      return Item === undefined ? EMPTY_CHAIN : snapshotItem.parse(Item);
    },

    /**
     * Appends events and moves the snapshot, in one transaction or not at all.
     * @throws VersionConflict when the snapshot has moved; AlreadyHandled when `onceId` was used before.
     */
    async append({ before, after, records, dueAt, onceId }: Change): Promise<void> {
      const { finding } = after;
      const [first] = records;
      if (finding === undefined || first === undefined) throw new RangeError('a change has at least one event');
      const once =
        onceId === null
          ? []
          : [
              {
                Put: {
                  TableName: tableName,
                  Item: {
                    pk: keys.oncePartition(onceId),
                    sk: 'ONCE',
                    ttl: Math.floor(Date.parse(first.event.at) / 1000) + ONCE_DAYS * 86_400,
                  },
                  ConditionExpression: 'attribute_not_exists(pk)',
                },
              },
            ];
      const snapshot = {
        Put: {
          TableName: tableName,
          Item: snapshotRow(after, finding, dueAt),
          ...(before.finding === undefined
            ? { ConditionExpression: 'attribute_not_exists(pk)' }
            : {
                ConditionExpression: '#sequence = :sequence AND #hash = :hash',
                ExpressionAttributeNames: { '#sequence': 'sequence', '#hash': 'hash' },
                ExpressionAttributeValues: { ':sequence': before.sequence, ':hash': before.hash },
              }),
        },
      };
      const events = records.map((record) => ({
        Put: { TableName: tableName, Item: eventRow(record), ConditionExpression: 'attribute_not_exists(pk)' },
      }));
      try {
        await client.send(new TransactWriteCommand({ TransactItems: [...once, snapshot, ...events] }));
      } catch (error) {
        if (!(error instanceof TransactionCanceledException)) throw error;
        const failed = (error.CancellationReasons ?? []).map(({ Code }) => Code === 'ConditionalCheckFailed');
        if (onceId !== null && failed[0] === true) {
          throw new AlreadyHandled(`${onceId} was handled before`, { cause: error });
        }
        throw new VersionConflict(`the finding of ${finding.key.arn} has changed meanwhile`, { cause: error });
      }
    },

    /** Findings whose next deadline has passed, most overdue first. */
    async findingsDueBefore(now: string, limit: number): Promise<Finding[]> {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: tableName,
          IndexName: keys.INDEX_BY_TIME,
          KeyConditionExpression: 'timeKey = :due AND timeSort < :now',
          // Sorts after every ARN, so that a deadline exactly at `now` counts as passed.
          ExpressionAttributeValues: { ':due': keys.DUE, ':now': `${now}#~` },
          Limit: limit,
        }),
      );
      return Items.map((item) => snapshotItem.parse(item).finding);
    },

    async findingsByStatus(status: Status): Promise<Finding[]> {
      const items = await query({
        IndexName: keys.INDEX_BY_GROUP,
        KeyConditionExpression: 'groupKey = :group',
        ExpressionAttributeValues: { ':group': keys.statusGroup(status) },
      });
      return items.map((item) => snapshotItem.parse(item).finding);
    },

    /** The whole trail of a key, oldest first. */
    async auditOf(keyArn: string): Promise<AuditEvent[]> {
      const items = await query({
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :event)',
        ExpressionAttributeValues: { ':pk': keys.partitionOf(keyArn), ':event': keys.EVENT_SORT_KEY_PREFIX },
        ConsistentRead: true,
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
    groupSort: `${finding.openedAt}#${arn}`,
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
    case 'exemption-renewed':
    case 'exemption-revoked':
      return event.by;
    case 'remediation-approved':
    case 'back-out-approved':
      return event.approval.by.kind === 'person' ? event.approval.by.person : null;
    case 'exemption-granted':
      return event.exemption.grantedBy;
    case 'command-refused':
      return event.by.kind === 'person' ? event.by.person : null;
    case 'finding-opened':
    case 'finding-reassessed':
    case 'finding-closed':
    case 'rechecked':
    case 'remediation-started':
    case 'remediated':
    case 'backed-out':
    case 'remediation-failed':
    case 'remediation-overdue':
    case 'exemption-expired':
    case 'exemption-reminded':
    case 'reminded':
    case 'escalated':
      return null;
  }
}
