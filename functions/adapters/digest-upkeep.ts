import * as z from 'zod/mini';
import * as keys from '../contracts/table.ts';
import {
  type Batch,
  type DigestMember,
  type DigestSummary,
  type JoinedMember,
  sortTextOf,
  takesMembers,
} from '../domain/digest.ts';
import {
  batchKey,
  beganAtOf,
  digestId,
  digestKey,
  endOf,
  itemsWithin,
  joinedMember,
  parseBatch,
  type StoredBatch,
  secondsAfter,
} from './digests-table.ts';
import { ConditionFailed, type DynamoDbTable, type Item } from './dynamodb.ts';

const pointerRow = z.object({ digest: z.string(), lastJoinedAt: z.iso.datetime() });
const partitionKey = z.object({ pk: z.string() });
const orderKeys = z.object({ pk: z.object({ S: z.string() }), sk: z.object({ S: z.string() }) });

/** Counts of arrivals and orders are of no use after their minute, or after the stream has carried them. */
const ORDERS_KEPT_DAYS = 2;
/** A digest is rendered at most once in such a time: chat.update takes about fifty calls a minute for all of them. */
const REFRESH_EVERY_MS = 10_000;
/** How exactly it is remembered when a digest got its last member: not every one of thousands writes it. */
const JOIN_NOTED_EVERY_MS = 30_000;

/** What keeps digests going: who joins them, what has to be rendered, and who works on a batch. */
export function createDigestUpkeep(table: DynamoDbTable) {
  /** Answers whether the condition held. */
  async function update(...[key, change, condition]: Parameters<DynamoDbTable['update']>): Promise<boolean> {
    try {
      await table.update(key, change, condition);
      return true;
    } catch (error) {
      if (error instanceof ConditionFailed) return false;
      throw error;
    }
  }

  /** Of two orders with the same sort key the stream carries one. */
  async function putOrder(id: string, sk: string, now: string): Promise<void> {
    await update(
      { pk: keys.digestPartition(id), sk },
      {
        expression: 'SET #ttl = :ttl',
        names: { '#ttl': 'ttl' },
        values: { ':ttl': secondsAfter(now, ORDERS_KEPT_DAYS) },
      },
      'attribute_not_exists(pk)',
    );
  }

  async function idsFrom(timeKey: string, limit: number): Promise<Item[]> {
    return await table.query({
      index: keys.INDEX_BY_TIME,
      keyCondition: { expression: 'timeKey = :timeKey', values: { ':timeKey': timeKey } },
      limit,
    });
  }

  return {
    /** Counts a finding in, once however often it is asked for. */
    async arrive(
      { channel, minute, keyArn, episode }: { channel: string; minute: string; keyArn: string; episode: number },
      now: string,
    ): Promise<void> {
      const sk = keys.arrivalSortKey(keyArn, episode);
      await table.put({ pk: keys.arrivalsPartition(channel, minute), sk, ttl: secondsAfter(now, ORDERS_KEPT_DAYS) });
    },

    /** How many findings were counted in; counts no further than `atMost`. */
    async arrivals(channel: string, minute: string, atMost: number): Promise<number> {
      const items = await table.query({
        keyCondition: { expression: 'pk = :pk', values: { ':pk': keys.arrivalsPartition(channel, minute) } },
        limit: atMost,
        consistent: true,
      });
      return items.length;
    },

    /** The digest that takes a channel's findings now; a new one begins when the last storm is over. */
    async current(channel: string, now: string): Promise<string> {
      const key = { pk: keys.channelPartition(channel), sk: keys.DIGEST_SORT_KEY };
      for (;;) {
        const item = await table.get(key);
        const stored = item === undefined ? null : pointerRow.parse(item);
        if (stored !== null && takesMembers({ ...stored, beganAt: beganAtOf(stored.digest) }, now)) {
          if (Date.parse(now) - Date.parse(stored.lastJoinedAt) > JOIN_NOTED_EVERY_MS) {
            const change = { expression: 'SET lastJoinedAt = :now', values: { ':now': now, ':id': stored.digest } };
            await update(key, change, 'digest = :id');
          }
          return stored.digest;
        }
        const id = digestId(channel, now);
        // First, so that whoever finds the digest's name finds the digest.
        await update(
          digestKey(id),
          {
            expression: 'SET channel = :channel, beganAt = :now, #version = :zero, #ttl = :ttl',
            names: { '#version': 'version', '#ttl': 'ttl' },
            values: { ':channel': channel, ':now': now, ':zero': 0, ':ttl': endOf(id) },
          },
          'attribute_not_exists(pk)',
        );
        const [unchanged, seen] =
          stored === null ? ['attribute_not_exists(digest)', {}] : ['digest = :seen', { ':seen': stored.digest }];
        const began = await update(
          key,
          { expression: 'SET digest = :id, lastJoinedAt = :now', values: { ':id': id, ':now': now, ...seen } },
          unchanged,
        );
        if (began) return id;
      }
    },

    /**
     * Stores how a member is now; nothing changes when it is stored as of that event or a later one. That it has left counts
     * over what an earlier event's retry has stored of the very same state.
     */
    async putMember(id: string, member: DigestMember, version: number, now: string): Promise<void> {
      const { key, episode } = member;
      await update(
        { pk: keys.digestPartition(id), sk: keys.memberSortKey(key.arn, episode) },
        {
          expression:
            'SET #member = :member, #version = :version, joinedAt = if_not_exists(joinedAt, :now), groupKey = :group, groupSort = :sort, #ttl = :ttl',
          names: { '#member': 'member', '#version': 'version', '#ttl': 'ttl' },
          values: {
            ...{ ':member': member, ':version': version, ':now': now },
            ...{ ':group': keys.digestPartition(id), ':sort': sortTextOf(member), ':ttl': endOf(id) },
          },
        },
        `attribute_not_exists(#version) OR #version < :version${member.status === 'moved' ? ' OR #version = :version' : ''}`,
      );
    },

    /** Notes that the digest's message shows an earlier state from now on. False when there is no such digest. */
    changed(id: string, now: string): Promise<boolean> {
      return update(
        digestKey(id),
        {
          expression: 'SET timeKey = :stale, timeSort = :sort ADD #version :one',
          names: { '#version': 'version', '#ttl': 'ttl' },
          values: {
            ...{ ':stale': keys.STALE_DIGEST, ':sort': `${now}#${id}`, ':one': 1 },
            ':now': secondsAfter(now, 0),
          },
        },
        // Of one that is past its end this must not make a new one.
        '#ttl > :now',
      );
    },

    /** Has the digest rendered, through the stream; at most once in REFRESH_EVERY_MS. */
    async askForRefresh(id: string, now: string): Promise<void> {
      const slot = Math.floor(Date.parse(now) / REFRESH_EVERY_MS) * REFRESH_EVERY_MS;
      const sk = `${keys.REFRESH_SORT_KEY_PREFIX}${new Date(slot).toISOString()}`;
      await putOrder(id, sk, now);
    },

    /** Digests whose message shows an earlier state, longest ago first. */
    async stale(limit: number): Promise<string[]> {
      const items = await idsFrom(keys.STALE_DIGEST, limit);
      return items.map((item) => partitionKey.parse(item).pk.slice(keys.digestPartition('').length));
    },

    /** Takes the turn to render; false while another run has it. */
    takeTurn(id: string, { now, until }: { now: string; until: string }): Promise<boolean> {
      return update(
        digestKey(id),
        { expression: 'SET turnUntil = :until', values: { ':now': now, ':until': until } },
        'attribute_exists(pk) AND attribute_not_exists(turnUntil) OR attribute_exists(pk) AND turnUntil < :now',
      );
    },

    /** Gives the turn back. */
    async endTurn(id: string, until: string): Promise<void> {
      await update(
        digestKey(id),
        { expression: 'REMOVE turnUntil', values: { ':until': until } },
        'turnUntil = :until',
      );
    },

    /**
     * Records what the message shows; it is current unless something has changed meanwhile, which false says. What time
     * alone will change soon (`isSettled` is false) stays to be shown once more.
     */
    shown(
      id: string,
      { version, summary, isSettled }: { version: number; summary: DigestSummary; isSettled: boolean },
    ): Promise<boolean> {
      return update(
        digestKey(id),
        {
          expression: `SET summary = :summary ${isSettled ? 'REMOVE timeKey, timeSort' : 'ADD #version :one'}`,
          names: { '#version': 'version' },
          values: { ':summary': summary, ':version': version, ...(isSettled ? {} : { ':one': 1 }) },
        },
        '#version = :version',
      );
    },

    /** All members. */
    async members(id: string): Promise<JoinedMember[]> {
      return (await itemsWithin(table, id, keys.MEMBER_SORT_KEY_PREFIX)).map(joinedMember);
    },

    async loadBatch(ref: Pick<Batch, 'digest' | 'requestId'>): Promise<StoredBatch | null> {
      const item = await table.get(batchKey(ref));
      return item === undefined ? null : parseBatch(item);
    },

    /** Batches that are not done, oldest first. */
    async openBatches(limit: number): Promise<Batch[]> {
      return (await idsFrom(keys.OPEN_BATCH, limit)).map((item) => parseBatch(item).batch);
    },

    /** Takes a batch to work on it; false while another run has it, or when it is done. */
    takeBatch(ref: Batch, { from, to }: { from: string; to: string }): Promise<boolean> {
      return update(
        batchKey(ref),
        { expression: 'SET workUntil = :to', values: { ':from': from, ':to': to } },
        'attribute_not_exists(doneAt) AND workUntil = :from',
      );
    },

    /** Leaves a batch to whichever run comes next. */
    async leaveBatch(ref: Batch, { from, now }: { from: string; now: string }): Promise<void> {
      await update(
        batchKey(ref),
        { expression: 'SET workUntil = :now', values: { ':from': from, ':now': now } },
        'workUntil = :from',
      );
    },

    /** Has another run go on with a batch, through the stream. */
    async askToGoOn({ digest, requestId }: Batch, now: string): Promise<void> {
      const sk = `${keys.TURN_SORT_KEY_PREFIX}${requestId}#${now}`;
      await putOrder(digest, sk, now);
    },

    /** Ends a batch. `refused`: for how many keys the person was refused. */
    async endBatch(ref: Batch, { now, refused }: { now: string; refused: number }): Promise<void> {
      await update(
        batchKey(ref),
        {
          expression: 'SET doneAt = :now, refused = :refused REMOVE timeKey, timeSort',
          values: { ':now': now, ':refused': refused },
        },
        'attribute_exists(pk) AND attribute_not_exists(doneAt)',
      );
    },
  };
}

/** What a new item of a digest's partition asks for, by the keys in its stream record. @throws ZodError */
export function parseDigestOrder(streamKeys: unknown): { digest: string; requestId: string } {
  const { pk, sk } = orderKeys.parse(streamKeys);
  const [, requestId = ''] = sk.S.split('#');
  return { digest: pk.S.slice(keys.digestPartition('').length), requestId };
}
