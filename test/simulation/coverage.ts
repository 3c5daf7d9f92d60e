import { unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { parseEventImage } from '../../functions/adapters/findings-table.ts';
import { parsePatternImage } from '../../functions/adapters/patterns-table.ts';
import { batchSchema, digestMemberSchema } from '../../functions/contracts/digest-records.ts';
import {
  BATCH_SORT_KEY_PREFIX,
  DIGEST_SORT_KEY,
  digestPartition,
  EVENT_SORT_KEY_PREFIX,
  keyArnOf,
  MEMBER_SORT_KEY_PREFIX,
  PATTERN_RECORD_SORT_KEY_PREFIX,
} from '../../functions/contracts/table.ts';
import type { AuditEvent } from '../../functions/domain/audit.ts';
import { type Batch, isMeant, type JoinedMember } from '../../functions/domain/digest.ts';
import type { PatternRecord } from '../../functions/domain/pattern-audit.ts';
import type { ItemChange } from './memory-table.ts';
import type { Invocation } from './scheduler.ts';
import type { Situation } from './situations.ts';

type BatchUnderWay = { batch: Batch; takenBy: Invocation | undefined; isMet: boolean };

const memberRow = z.object({ member: digestMemberSchema, joinedAt: z.string() });
const batchRow = z.object({ batch: batchSchema, workUntil: z.string(), doneAt: z.string().optional() });
const inDigestRow = z.object({ pk: z.string(), state: z.literal('in-digest') });
const attributes = z.record(z.string(), z.custom<never>());

/** Notes which situations a schedule reaches; changes nothing. */
export class Coverage {
  readonly #reached = new Set<Situation>();
  readonly #channels = new Set<string>();
  /** ARNs of keys whose message was left to a digest. */
  readonly #inDigest = new Set<string>();
  readonly #members = new Map<string, Map<string, JoinedMember>>();
  readonly #batches = new Map<string, BatchUnderWay>();

  public reached(): Situation[] {
    return [...this.#reached];
  }

  public note(situation: Situation): void {
    this.#reached.add(situation);
  }

  public policyIsBroken(): void {
    const isWaiting = [...this.#members.values()].some((members) =>
      [...members.values()].some(({ isApprovable }) => isApprovable),
    );
    if (isWaiting) this.note('the policy becomes unreadable while a digest waits');
    if (this.#batches.size > 0) this.note('the policy becomes unreadable while a batch is under way');
  }

  /** What was written together, and by which run. */
  public onWrite(changes: readonly ItemChange[], invocation: Invocation | undefined): void {
    for (const change of changes) {
      const [pk, sk] = [String(change.keys['pk']?.['S']), String(change.keys['sk']?.['S'])];
      if (sk.startsWith(EVENT_SORT_KEY_PREFIX)) this.#onEvent(parseEventImage(change.after));
      else if (sk.startsWith(PATTERN_RECORD_SORT_KEY_PREFIX)) this.#onPattern(parsePatternImage(change.after));
      else if (pk.startsWith(digestPartition(''))) this.#onDigestItem(pk, sk, change, invocation);
      else if (sk.endsWith('#root')) this.#onPlaced(change);
    }
  }

  #onPattern({ event }: PatternRecord): void {
    if (event.type === 'pattern-confirmed') this.note('two people exempt a pattern');
  }

  #onDigestItem(pk: string, sk: string, change: ItemChange, invocation: Invocation | undefined): void {
    if (sk === DIGEST_SORT_KEY && change.before === undefined) this.#onStorm(pk);
    if (sk.startsWith(MEMBER_SORT_KEY_PREFIX)) {
      const { member, joinedAt } = memberRow.parse(plain(change.after));
      if (member.status === 'moved') this.note('a key leaves its digest');
      const members = this.#members.get(pk) ?? new Map<string, JoinedMember>();
      this.#members.set(pk, members.set(sk, { ...member, joinedAt }));
    }
    if (sk.startsWith(BATCH_SORT_KEY_PREFIX)) this.#onBatch(pk, change, invocation);
  }

  #onStorm(pk: string): void {
    this.note('a storm becomes a digest');
    const channel = pk.split('#')[1] ?? '';
    if (this.#channels.has(channel)) this.note('a channel has another storm and another digest');
    this.#channels.add(channel);
  }

  #onPlaced({ after }: ItemChange): void {
    const placed = inDigestRow.safeParse(plain(after));
    if (placed.success) this.#inDigest.add(keyArnOf(placed.data.pk));
  }

  #onBatch(pk: string, { before, after }: ItemChange, invocation: Invocation | undefined): void {
    const { batch, workUntil, doneAt } = batchRow.parse(plain(after));
    if (doneAt !== undefined) {
      this.#batches.delete(batch.requestId);
      return;
    }
    const known = this.#batches.get(batch.requestId) ?? { batch, takenBy: undefined, isMet: false };
    this.#batches.set(batch.requestId, known);
    // Taken, and not left.
    if (before === undefined || invocation?.functionName !== 'sweep-keys' || invocation === known.takenBy) return;
    if (known.takenBy?.state === 'killed') this.note('a batch goes on after its run died');
    if (known.takenBy?.state === 'ended') this.note('a batch goes on after its run had an error');
    known.takenBy = workUntil > batch.at ? invocation : undefined;
    this.#onTaken(batch, [...(this.#members.get(pk)?.values() ?? [])]);
  }

  #onTaken(batch: Batch, members: readonly JoinedMember[]): void {
    if (members.some((member) => member.isApprovable && !isMeant(member, batch))) {
      this.note('a batch meets a key that its person was not shown');
    }
    if (members.filter((member) => isMeant(member, batch)).length < batch.count) {
      this.note('a batch meets a key that was decided meanwhile');
    }
  }

  #onFollowing(event: AuditEvent['event'], statusBefore: AuditEvent['statusBefore'], cause: string): void {
    if (event.type === 'exemption-revoked' && event.withPattern === true) this.note('a key leaves with its pattern');
    if (event.type !== 'exemption-granted' || event.exemption.pattern === undefined) return;
    const isApplied = cause === 'clock' && (statusBefore === 'open' || statusBefore === 'failed');
    this.note(
      isApplied ? 'a finding that waits is exempt by a pattern' : 'a finding is exempt by a pattern when it opens',
    );
  }

  #onEvent({ cause, event, key, statusBefore }: AuditEvent): void {
    const isOfBatch = this.#batches.has(cause.id);
    if (isOfBatch) this.note(event.type === 'command-refused' ? 'a batch is refused a key' : 'a batch approves a key');
    this.#onFollowing(event, statusBefore, cause.kind);
    if (!this.#inDigest.has(key.arn)) return;
    if (event.type === 'mode-changed') this.note('the mode of a key in a digest changes');
    if (event.type === 'exemption-granted') this.note('a key of a digest becomes exempt');
    if ('exemption' in event && event.exemption.confirmedBy !== undefined) {
      this.note('two people decide about one key of a digest');
    }
    if (cause.kind === 'slack' && !isOfBatch && event.type !== 'command-refused') {
      this.note('a person decides about one key of a digest');
    }
  }
}

function plain(item: ItemChange['after']): unknown {
  return unmarshall(attributes.parse(item));
}
