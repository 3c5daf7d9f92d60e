import * as z from 'zod/mini';
import { batchSchema, digestMemberSchema, digestSummarySchema } from '../contracts/digest-records.ts';
import * as keys from '../contracts/table.ts';
import type { Batch, JoinedMember } from '../domain/digest.ts';
import { type DynamoDbTable, type Item, TransactionRefused } from './dynamodb.ts';

/** What is stored of a digest besides its members. `version` grows with every change of what it shows. */
export type StoredDigest = z.infer<typeof digestRow> & { id: string };

/** A batch, who is at it until when, and when it came to its end. */
export type StoredBatch = z.infer<typeof batchRow>;

const digestRow = z.object({
  channel: z.string(),
  beganAt: z.iso.datetime(),
  version: z.int().check(z.minimum(0)),
  /** Until then somebody is rendering it. */
  turnUntil: z.optional(z.iso.datetime()),
  /** Whether the message shows an earlier state; its presence puts the digest into an index. */
  timeKey: z.optional(z.literal(keys.STALE_DIGEST)),
  summary: z.optional(digestSummarySchema),
});
const memberRow = z.object({ member: digestMemberSchema, joinedAt: z.iso.datetime(), groupSort: z.string() });
const batchRow = z.object({
  batch: batchSchema,
  workUntil: z.iso.datetime(),
  doneAt: z.optional(z.iso.datetime()),
  refused: z._default(z.int(), 0),
});
/** A digest is kept so long after it began, with all that belongs to it. */
const KEPT_DAYS = 400;
export const digestKey = (id: string) => ({ pk: keys.digestPartition(id), sk: keys.DIGEST_SORT_KEY });
export const batchKey = ({ digest, requestId }: Pick<Batch, 'digest' | 'requestId'>) => ({
  pk: keys.digestPartition(digest),
  sk: `${keys.BATCH_SORT_KEY_PREFIX}${requestId}`,
});

/**
 * Digests as people meet them, one function per access pattern; see contracts/table.ts for the keys. What keeps them
 * going is in digest-upkeep.ts, which the function that people wait for does without.
 */
export function createDigests(table: DynamoDbTable) {
  return {
    /** A digest; null when there is none, or none any more. */
    async load(id: string, now: string): Promise<StoredDigest | null> {
      // DynamoDB takes expired items away at some time after.
      const item = endOf(id) < secondsAfter(now, 0) ? undefined : await table.get(digestKey(id));
      return item === undefined ? null : { ...digestRow.parse(item), id };
    },

    /** Members in the order in which people should see them, from the one after `after` on; each with its place. */
    async page(
      id: string,
      { after, size }: { after: string; size: number },
    ): Promise<{ member: JoinedMember; place: string }[]> {
      const items = await table.query({
        index: keys.INDEX_BY_GROUP,
        keyCondition: {
          expression: 'groupKey = :group AND groupSort > :after',
          values: { ':group': keys.digestPartition(id), ':after': after },
        },
        limit: size,
      });
      return items.map((item) => {
        const { member, joinedAt, groupSort: place } = memberRow.parse(item);
        return { member: { ...member, joinedAt }, place };
      });
    },

    /** Stores a person's "Approve all"; false when this very request is stored. */
    async putBatch(batch: Batch): Promise<boolean> {
      const item = {
        ...batchKey(batch),
        ...{ batch, workUntil: batch.at, refused: 0 },
        ...{ timeKey: keys.OPEN_BATCH, timeSort: `${batch.at}#${batch.requestId}` },
        ttl: endOf(batch.digest),
      };
      try {
        await table.putTogether([{ item, condition: { expression: 'attribute_not_exists(pk)' } }]);
        return true;
      } catch (error) {
        if (error instanceof TransactionRefused && error.reasons[0] === 'ConditionalCheckFailed') return false;
        throw error;
      }
    },

    /** All batches of a digest, oldest first. */
    async batches(id: string): Promise<StoredBatch[]> {
      const batches = (await itemsWithin(table, id, keys.BATCH_SORT_KEY_PREFIX)).map(parseBatch);
      const place = ({ batch: { at, requestId } }: StoredBatch) => `${at}#${requestId}`;
      return batches.sort((a, b) => (place(a) < place(b) ? -1 : 1));
    },
  };
}

/** The items of a digest's partition whose sort keys begin so. */
export async function itemsWithin(table: DynamoDbTable, id: string, prefix: string): Promise<Item[]> {
  return await table.query({
    keyCondition: {
      expression: 'pk = :pk AND begins_with(sk, :prefix)',
      values: { ':pk': keys.digestPartition(id), ':prefix': prefix },
    },
    consistent: true,
  });
}

export function parseBatch(item: Item): StoredBatch {
  return batchRow.parse(item);
}

export function joinedMember(item: Item): JoinedMember {
  const { member, joinedAt } = memberRow.parse(item);
  return { ...member, joinedAt };
}

/** Its name tells when a digest began, so that all its items can end together. */
export function digestId(channel: string, beganAt: string): string {
  return `${channel}#${beganAt}`;
}

/** When a digest and all that belongs to it ends, as DynamoDB's time to live wants it. */
export function endOf(id: string): number {
  return secondsAfter(beganAtOf(id), KEPT_DAYS);
}

export function beganAtOf(id: string): string {
  return id.slice(id.indexOf('#') + 1);
}

/** An instant so many days later, as DynamoDB's time to live wants it. */
export function secondsAfter(now: string, days: number): number {
  return Math.floor(Date.parse(now) / 1000) + days * 86_400;
}
