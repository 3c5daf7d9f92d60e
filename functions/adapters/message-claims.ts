import * as z from 'zod/mini';
import {
  digestMessageSortKey,
  digestPartition,
  type MessagePart,
  messageSortKey,
  partitionOf,
  patternMessageSortKey,
  patternPartition,
  TABLE_ATTRIBUTES,
} from '../contracts/table.ts';
import { ConditionFailed, type DynamoDbTable } from './dynamodb.ts';

/** Which message: of an episode, or of a digest or a pattern, its own or one of the replies that it has by name. */
export type MessageSlot =
  | { keyArn: string; episode: number; part: MessagePart }
  | { digest: string; part: string }
  | { pattern: string; part: string };

const refusedWith = z._default(z.nullable(z.string()), null);
const claimRow = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('claimed'),
    postId: z.string(),
    claimedAt: z.iso.datetime(),
    /** Until then whoever claimed it is at it; null, for claims of versions that knew no lease, counts as over. */
    leaseUntil: z._default(z.nullable(z.iso.datetime()), null),
    channel: z.string(),
    refusedWith,
  }),
  z.object({
    state: z.literal('posted'),
    postId: z.string(),
    channel: z.string(),
    ts: z.string(),
    renderedVersion: z.int().check(z.minimum(0)),
    refusedWith,
  }),
  z.object({ state: z.literal('released'), refusedWith }),
  z.object({ state: z.literal('in-digest'), digest: z.string(), refusedWith }),
]);

/**
 * What is known of a message: `claimed`, so it may or may not stand in the channel; `posted` there; `released`, so it
 * certainly does not; or `in-digest`, so there is none, and the digest shows the finding. `refusedWith` is the last refusal
 * of Slack that was reported for it.
 */
export type MessageClaim = z.infer<typeof claimRow>;

export type MessageClaims = ReturnType<typeof createMessageClaims>;

function placeOf(slot: MessageSlot): [string, string] {
  if ('digest' in slot) return [digestPartition(slot.digest), digestMessageSortKey(slot.part)];
  return 'pattern' in slot
    ? [patternPartition(slot.pattern), patternMessageSortKey(slot.part)]
    : [partitionOf(slot.keyArn), messageSortKey(slot.episode, slot.part)];
}

/**
 * The claims on Slack messages, next to the finding they are about. Slack has no idempotency key, so a message is
 * claimed before it is posted: after a crash in between, the claim says that somebody has to look first.
 */
export function createMessageClaims(table: DynamoDbTable) {
  const keyOf = (slot: MessageSlot) => {
    const [partition, sort] = placeOf(slot);
    return { [TABLE_ATTRIBUTES.partitionKey]: partition, [TABLE_ATTRIBUTES.sortKey]: sort };
  };

  /** Answers whether the condition held. */
  async function update(
    slot: MessageSlot,
    change: { expression: string; condition: string; values: Record<string, unknown> },
  ): Promise<boolean> {
    // `state` is a reserved word of DynamoDB; every expression here tests it.
    const { expression, condition, values } = change;
    try {
      await table.update(keyOf(slot), { expression, names: { '#state': 'state' }, values }, condition);
      return true;
    } catch (error) {
      if (error instanceof ConditionFailed) return false;
      throw error;
    }
  }

  return {
    /** What is stored now; null when nobody ever claimed the message. */
    async read(slot: MessageSlot): Promise<MessageClaim | null> {
      const item = await table.get(keyOf(slot));
      return item === undefined ? null : claimRow.parse(item);
    },

    /** Claims a message that nobody has claimed; false when somebody else was faster. */
    claim(
      slot: MessageSlot,
      claim: { postId: string; claimedAt: string; leaseUntil: string; channel: string },
    ): Promise<boolean> {
      return update(slot, {
        expression:
          'SET #state = :claimed, postId = :postId, claimedAt = :claimedAt, leaseUntil = :leaseUntil, channel = :channel',
        condition: 'attribute_not_exists(#state) OR #state = :released',
        values: {
          ':claimed': 'claimed',
          ':released': 'released',
          ':postId': claim.postId,
          ':claimedAt': claim.claimedAt,
          ':leaseUntil': claim.leaseUntil,
          ':channel': claim.channel,
        },
      });
    },

    /** Takes a claim over, or gives it up, by moving its lease; false when somebody else has moved it meanwhile. */
    moveLease(slot: MessageSlot, { from, to }: { from: string | null; to: string }): Promise<boolean> {
      const [unmoved, values] =
        from === null ? ['attribute_not_exists(leaseUntil)', {}] : ['leaseUntil = :from', { ':from': from }];
      return update(slot, {
        expression: 'SET leaseUntil = :to',
        condition: `#state = :claimed AND ${unmoved}`,
        values: { ':claimed': 'claimed', ':to': to, ...values },
      });
    },

    /** Records where a claimed message stands and which version of the finding it shows; false if it was not claimed. */
    posted(slot: MessageSlot, place: { channel: string; ts: string; renderedVersion: number }): Promise<boolean> {
      return update(slot, {
        expression:
          'SET #state = :posted, channel = :channel, ts = :ts, renderedVersion = :version REMOVE claimedAt, leaseUntil',
        condition: '#state = :claimed',
        values: {
          ':posted': 'posted',
          ':claimed': 'claimed',
          ':channel': place.channel,
          ':ts': place.ts,
          ':version': place.renderedVersion,
        },
      });
    },

    /** Records that a posted message shows a version; false, and nothing changes, when it shows that or a newer one. */
    rendered(slot: MessageSlot, version: number): Promise<boolean> {
      return update(slot, {
        expression: 'SET renderedVersion = :version',
        condition: '#state = :posted AND renderedVersion < :version',
        values: { ':posted': 'posted', ':version': version },
      });
    },

    /**
     * Frees a message that certainly does not stand in the channel, so that it can be claimed again. Only the very claim,
     * or the very message, that was seen: another run may have posted it anew meanwhile. False when that was so.
     */
    release(slot: MessageSlot, seen: { leaseUntil: string } | { ts: string }): Promise<boolean> {
      const [state, unchanged, value] =
        'ts' in seen ? ['posted', 'ts = :seen', seen.ts] : ['claimed', 'leaseUntil = :seen', seen.leaseUntil];
      return update(slot, {
        expression: 'SET #state = :released REMOVE postId, claimedAt, leaseUntil, channel, ts, renderedVersion',
        condition: `#state = :state AND ${unchanged}`,
        values: { ':released': 'released', ':state': state, ':seen': value },
      });
    },

    /** Leaves a message that nobody has claimed to a digest; false when something was decided about it before. */
    intoDigest(slot: MessageSlot, digest: string): Promise<boolean> {
      return update(slot, {
        expression: 'SET #state = :state, digest = :digest',
        condition: 'attribute_not_exists(#state)',
        values: { ':state': 'in-digest', ':digest': digest },
      });
    },

    /** Lets a finding have a message of its own again; false when it is not in that digest any more. */
    outOfDigest(slot: MessageSlot, digest: string): Promise<boolean> {
      return update(slot, {
        expression: 'SET #state = :released REMOVE digest',
        condition: '#state = :state AND digest = :digest',
        values: { ':released': 'released', ':state': 'in-digest', ':digest': digest },
      });
    },

    /** Remembers that people were told of this refusal, so that they are told once; false when there is no claim. */
    reported(slot: MessageSlot, code: string): Promise<boolean> {
      return update(slot, {
        expression: 'SET refusedWith = :code',
        condition: 'attribute_exists(#state)',
        values: { ':code': code },
      });
    },
  };
}
