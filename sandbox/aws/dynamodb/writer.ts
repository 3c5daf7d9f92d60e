import { ApiError } from './api-error.ts';
import type { Engine } from './engine.ts';
import type { ItemAddress, ItemChange } from './item.ts';
import type { Journal, JournalEntry } from './journal.ts';
import type { StreamStore } from './stream-store.ts';
import type { Tables } from './tables.ts';

export type Writer = {
  /**
   * Runs a write that dynalite does by itself, and emits the stream records of the addressed items. The caller holds
   * the write lock.
   */
  observe: <T>(addresses: readonly ItemAddress[], write: (before: ItemChange['before'][]) => Promise<T>) => Promise<T>;
  /** Makes all changes, or after a crash finishes them at the next start. The caller holds the write lock. */
  commit: (changes: readonly ItemChange[]) => Promise<void>;
  /** Resolves when no commit is half done; what reads wait for. */
  untilCommitted: () => Promise<void>;
  /** Finishes what a crash interrupted. Called once, before the front takes requests. */
  recover: () => Promise<void>;
};

/**
 * Writes items and their stream records as one: the journal holds the intent, then dynalite gets the items, then the
 * streams get their records. A process that dies in between finishes at its next start. Should dynalite refuse a
 * change that was rehearsed, nothing is answered any more until a restart: half a transaction must not be seen.
 */
export function createWriter(engine: Engine, tables: Tables, streams: StreamStore, journal: Journal): Writer {
  let committing: Promise<void> = Promise.resolve();

  async function untilCommitted(): Promise<void> {
    try {
      await committing;
    } catch {
      throw new ApiError('InternalServerError', 'A transaction could not be finished; restart to finish it');
    }
  }

  function lengthsOf(addresses: readonly ItemAddress[]): Record<string, number> {
    const arns = addresses.map(({ tableName }) => tables.streamArnOf(tableName)).filter((arn) => arn !== undefined);
    return Object.fromEntries(arns.map((arn) => [arn, streams.length(arn)]));
  }

  function emit(changes: readonly ItemChange[], lengthsBefore: Record<string, number>): void {
    for (const [streamArn, lengthBefore] of Object.entries(lengthsBefore)) {
      const own = changes.filter(({ tableName }) => tables.streamArnOf(tableName) === streamArn);
      streams.append(streamArn, own, streams.length(streamArn) - lengthBefore);
    }
  }

  async function apply({ tableName, key }: ItemAddress, after: ItemChange['after'] | null): Promise<void> {
    if (after === undefined || after === null) await engine.call('DeleteItem', { TableName: tableName, Key: key });
    else await engine.call('PutItem', { TableName: tableName, Item: after });
  }

  return {
    async observe(addresses, write) {
      await untilCommitted();
      const before = await Promise.all(addresses.map(({ tableName, key }) => engine.image(tableName, key)));
      const streamLengths = lengthsOf(addresses);
      const hasStream = Object.keys(streamLengths).length > 0;
      if (hasStream) journal.begin(entryOf(addresses, before, streamLengths));
      const result = await write(before);
      if (hasStream) {
        const after = await Promise.all(addresses.map(({ tableName, key }) => engine.image(tableName, key)));
        emit(
          addresses.map((address, index) => ({ ...address, before: before[index], after: after[index] })),
          streamLengths,
        );
        journal.end();
      }
      return result;
    },

    commit(changes) {
      const work = async () => {
        const streamLengths = lengthsOf(changes);
        journal.begin({
          changes: changes.map(({ tableName, key, before, after }) => ({
            tableName,
            key,
            before: before ?? null,
            redo: { after: after ?? null },
          })),
          streamLengths,
        });
        for (const change of changes) await apply(change, change.after);
        emit(changes, streamLengths);
        journal.end();
      };
      // After a failure this stays rejected, and with it everything that waits for it.
      committing = committing.then(work);
      return committing;
    },

    untilCommitted,

    async recover() {
      const entry = journal.interrupted();
      if (entry === undefined) return;
      const changes: ItemChange[] = [];
      for (const { tableName, key, before, redo } of entry.changes) {
        if (redo !== undefined) await apply({ tableName, key }, redo.after);
        changes.push({ tableName, key, before: before ?? undefined, after: await engine.image(tableName, key) });
      }
      emit(changes, entry.streamLengths);
      journal.end();
    },
  };
}

function entryOf(
  addresses: readonly ItemAddress[],
  before: readonly ItemChange['before'][],
  streamLengths: Record<string, number>,
): JournalEntry {
  return { changes: addresses.map((address, index) => ({ ...address, before: before[index] ?? null })), streamLengths };
}
