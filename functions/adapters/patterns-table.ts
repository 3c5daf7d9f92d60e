import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod/mini';
import { patternRecordSchema, patternSchema } from '../contracts/pattern-records.ts';
import * as keys from '../contracts/table.ts';
import { EMPTY_PATTERN_CHAIN, type PatternHead, type PatternRecord } from '../domain/pattern-audit.ts';
import type { PatternEvent, PatternExemption } from '../domain/pattern-exemption.ts';
import type { PersonRef } from '../domain/people.ts';
import { type ConditionalPut, type DynamoDbTable, type Item, TransactionRefused } from './dynamodb.ts';
import {
  AlreadyHandled,
  absent,
  CONDITION_FAILED,
  isLostRace,
  moved,
  onceRow,
  VersionConflict,
} from './table-writes.ts';

/** A step of one exemption of a pattern: what it stood on, what it leads to, and the events between. */
export type PatternChange = {
  before: PatternHead;
  after: PatternHead;
  records: PatternRecord[];
  /** When the clock has to look at it again. */
  dueAt: string | null;
  /** Identifies the cause; a second change with the same one is refused. */
  onceId: string | null;
};

export type PatternsTable = ReturnType<typeof createPatternsTable>;

/** What has ended is kept in the account's list for so long, then in its own partition alone. */
const LISTED_DAYS_AFTER_END = 2;

const snapshotItem = z.object({ sequence: z.int().check(z.minimum(1)), hash: z.string(), pattern: patternSchema });
const patternItem = z.object({ pattern: patternSchema });
const recordItem = z.object({ record: patternRecordSchema });
const attributeMap = z.record(
  z.string(),
  z.custom<AttributeValue>((value: unknown) => typeof value === 'object' && value !== null),
);

/** Exemptions of patterns, one function per access pattern; see contracts/table.ts for the keys. */
export function createPatternsTable(table: DynamoDbTable) {
  async function recordsWhere(index: string, hashName: string, hash: string): Promise<PatternRecord[]> {
    const items = await table.query({
      index,
      keyCondition: { expression: '#hash = :hash', names: { '#hash': hashName }, values: { ':hash': hash } },
    });
    return items.map((item) => recordItem.parse(item).record);
  }

  /** Whether this very event is stored. Events are never overwritten, so this stays true whatever follows them. */
  async function isStored({ patternId, sequence, hash }: PatternRecord): Promise<boolean> {
    const item = await table.get({ pk: keys.patternPartition(patternId), sk: keys.patternRecordSortKey(sequence) });
    return item !== undefined && recordItem.parse(item).record.hash === hash;
  }

  async function inGroup(group: string, limit?: number): Promise<PatternExemption[]> {
    const items = await table.query({
      index: keys.INDEX_BY_GROUP,
      keyCondition: { expression: 'groupKey = :group', values: { ':group': group } },
      ...(limit === undefined ? {} : { limit }),
      newestFirst: true,
    });
    return items.map((item) => patternItem.parse(item).pattern);
  }

  return {
    /** Where a chain stands, read consistently; `EMPTY_PATTERN_CHAIN` when there is none of that id. */
    async load(id: string): Promise<PatternHead> {
      const item = await table.get({ pk: keys.patternPartition(id), sk: keys.PATTERN_SORT_KEY });
      return item === undefined ? EMPTY_PATTERN_CHAIN : snapshotItem.parse(item);
    },

    /**
     * Appends events and moves the snapshot and the account's list, in one transaction or not at all.
     * @throws VersionConflict when the snapshot has moved; AlreadyHandled when `onceId` was used before.
     */
    async append({ before, after, records, dueAt, onceId }: PatternChange): Promise<void> {
      const { pattern } = after;
      const [first] = records;
      if (pattern === undefined || first === undefined) throw new RangeError('a change has at least one event');
      const once = onceId === null ? [] : [absent(onceRow(onceId, first.event.at))];
      const listed: ConditionalPut = {
        item: listRow(after.sequence, pattern),
        condition: {
          expression: 'attribute_not_exists(pk) OR #sequence < :sequence',
          names: { '#sequence': 'sequence' },
          values: { ':sequence': after.sequence },
        },
      };
      const events = records.map((record) => absent(recordRow(record)));
      try {
        await table.putTogether([...once, moved(before, snapshotRow(after, pattern, dueAt)), listed, ...events]);
      } catch (error) {
        // When the answer to an earlier attempt was lost, what stands in the way is our own write: that is success.
        if (await isStored(first).catch(() => false)) return;
        if (!(error instanceof TransactionRefused) || !error.reasons.some(isLostRace)) throw error;
        if (onceId !== null && error.reasons[0] === CONDITION_FAILED) {
          throw new AlreadyHandled(`${onceId} was handled before`, { cause: error });
        }
        throw new VersionConflict(`the exemption ${pattern.id} has changed meanwhile`, { cause: error });
      }
    },

    /** Those of an account that have not ended, read consistently: whoever exempts a key by one must not read late. */
    async ofAccount(accountId: string): Promise<PatternExemption[]> {
      const items = await table.query({
        keyCondition: { expression: 'pk = :pk', values: { ':pk': keys.accountPatternsPartition(accountId) } },
        consistent: true,
      });
      return items.map((item) => patternItem.parse(item).pattern).filter(({ ended }) => ended === null);
    },

    /** All that have not ended, those that were asked for last first. */
    current: (limit: number): Promise<PatternExemption[]> => inGroup(keys.CURRENT_PATTERNS, limit),

    /** All that there ever were: those that hold or are asked for, then those that have ended. */
    all: async (): Promise<PatternExemption[]> => [
      ...(await inGroup(keys.CURRENT_PATTERNS)),
      ...(await inGroup(keys.ENDED_PATTERNS)),
    ],

    /** Those whose next deadline has passed, most overdue first. */
    async dueBefore(now: string, limit: number): Promise<PatternExemption[]> {
      const items = await table.query({
        index: keys.INDEX_BY_TIME,
        keyCondition: {
          expression: 'timeKey = :due AND timeSort < :now',
          // Sorts after every id, so that a deadline exactly at `now` counts as passed.
          values: { ':due': keys.PATTERN_DUE, ':now': `${now}#~` },
        },
        limit,
      });
      return items.map((item) => patternItem.parse(item).pattern);
    },

    /** The whole trail of one, oldest first. */
    async auditOf(id: string): Promise<PatternRecord[]> {
      const items = await table.query({
        keyCondition: {
          expression: 'pk = :pk AND begins_with(sk, :record)',
          values: { ':pk': keys.patternPartition(id), ':record': keys.PATTERN_RECORD_SORT_KEY_PREFIX },
        },
        consistent: true,
      });
      return items.map((item) => recordItem.parse(item).record);
    },

    /** Everything that happened to patterns on a day (`yyyy-mm-dd`, UTC), in order of time. */
    auditOfDay: (day: string): Promise<PatternRecord[]> =>
      recordsWhere(keys.INDEX_BY_GROUP, keys.TABLE_ATTRIBUTES.groupKey, keys.patternDayGroup(day)),

    /** Everything a person decided about patterns, or was refused, in order of time. */
    auditOfPerson: (teamId: string, userId: string): Promise<PatternRecord[]> =>
      recordsWhere(keys.INDEX_BY_TIME, keys.TABLE_ATTRIBUTES.timeKey, keys.patternPersonTime(teamId, userId)),
  };
}

/** Reads the record out of a stream record's new image. */
export function parsePatternImage(image: unknown): PatternRecord {
  return recordItem.parse(unmarshall(attributeMap.parse(image))).record;
}

function snapshotRow({ sequence, hash }: PatternHead, pattern: PatternExemption, dueAt: string | null): Item {
  const { id, ended } = pattern;
  return {
    pk: keys.patternPartition(id),
    sk: keys.PATTERN_SORT_KEY,
    ...{ sequence, hash, pattern },
    groupKey: ended === null ? keys.CURRENT_PATTERNS : keys.ENDED_PATTERNS,
    groupSort: `${askedAt(pattern)}#${id}`,
    ...(dueAt === null ? {} : { timeKey: keys.PATTERN_DUE, timeSort: `${dueAt}#${id}` }),
  };
}

function askedAt({ request, grant }: PatternExemption): string {
  return grant?.since ?? request?.at ?? '';
}

function listRow(sequence: number, pattern: PatternExemption): Item {
  const { id, ended } = pattern;
  const endedAt = ended === null ? null : Math.floor(Date.parse(ended.at) / 1000);
  return {
    pk: keys.accountPatternsPartition(pattern.pattern.accountId),
    sk: id,
    ...{ sequence, pattern },
    ...(endedAt === null ? {} : { ttl: endedAt + LISTED_DAYS_AFTER_END * 86_400 }),
  };
}

function recordRow(record: PatternRecord): Item {
  const { patternId, sequence, event } = record;
  const time = `${event.at}#${patternId}#${String(sequence).padStart(10, '0')}`;
  const person = personBehind(event);
  return {
    pk: keys.patternPartition(patternId),
    sk: keys.patternRecordSortKey(sequence),
    eventType: event.type,
    record,
    groupKey: keys.patternDayGroup(event.at),
    groupSort: time,
    ...(person === null ? {} : { timeKey: keys.patternPersonTime(person.teamId, person.userId), timeSort: time }),
  };
}

/** Whose attempt or decision an event is, for the question "what did this person do". */
function personBehind(event: PatternEvent): PersonRef | null {
  switch (event.type) {
    case 'pattern-requested':
      return event.request.by;
    case 'pattern-confirmed':
    case 'pattern-withdrawn':
    case 'pattern-end-accepted':
    case 'pattern-revoked':
    case 'pattern-refused':
      return event.by;
    case 'pattern-lapsed':
    case 'pattern-applied':
    case 'pattern-reminded':
    case 'pattern-expired':
      return null;
  }
}
