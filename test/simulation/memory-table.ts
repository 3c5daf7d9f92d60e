import { marshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { DUE, OPEN_BATCH, PATTERN_DUE, STALE_DIGEST, TABLE_ATTRIBUTES } from '../../functions/contracts/table.ts';
import { changed, type Expressions, holds, type Item } from './expressions.ts';

/** One item before and after a write. */
export type ItemChange = { keys: Item; before: Item | undefined; after: Item };

/** DynamoDB refuses the write because of what stands in the table. */
export class ConditionFailed extends Error {
  public override readonly name = 'ConditionFailed';
}
/** A transaction was not done; one reason for each of its actions. */
export class TransactionCancelled extends Error {
  public override readonly name = 'TransactionCancelled';
  public readonly reasons: readonly ('None' | 'ConditionalCheckFailed')[];
  public constructor(reasons: readonly ('None' | 'ConditionalCheckFailed')[]) {
    super(reasons.join(', '));
    this.reasons = reasons;
  }
}

const item = z.record(z.string(), z.record(z.string(), z.unknown()));
const expressions = {
  ConditionExpression: z.string().optional(),
  ExpressionAttributeNames: z.record(z.string(), z.string()).optional(),
  ExpressionAttributeValues: item.optional(),
};
const putInput = z.looseObject({ ...expressions, Item: item });
const updateInput = z.looseObject({ ...expressions, Key: item, UpdateExpression: z.string() });
const getInput = z.looseObject({ Key: item });
const queryInput = z.looseObject({
  ...expressions,
  KeyConditionExpression: z.string(),
  IndexName: z.string().optional(),
  Limit: z.int().optional(),
});
const transactInput = z.looseObject({
  TransactItems: z.array(z.strictObject({ Put: putInput })),
  ClientRequestToken: z.string().optional(),
});

const { partitionKey, sortKey, groupKey, groupSort, timeKey, timeSort, timeToLive } = TABLE_ATTRIBUTES;
const INDEXES: Record<string, { hash: string; range: string }> = {
  byGroup: { hash: groupKey, range: groupSort },
  byTime: { hash: timeKey, range: timeSort },
};

type Stored = { item: Item; before: Item | undefined; writtenAt: number };

/**
 * The findings table in memory, on DynamoDB's low-level API and only as much of it as the project's stores use; what it
 * does not know it refuses loudly. Synchronous, so that whoever decides about order decides about all of it. Its
 * answers are compared with those of the sandbox's DynamoDB in memory-table.test.ts.
 */
export class MemoryTable {
  readonly #items = new Map<string, Stored>();
  readonly #tokens = new Set<string>();
  readonly #now: () => number;
  readonly #indexLagMs: number;
  readonly #onWrite: (changes: readonly ItemChange[]) => void;

  public constructor(options: {
    now: () => number;
    /** How long the indexes show an item as it was before its last write. */
    indexLagMs: number;
    /** Told of each write, after all of its changes are made. */
    onWrite: (changes: readonly ItemChange[]) => void;
  }) {
    this.#now = options.now;
    this.#indexLagMs = options.indexLagMs;
    this.#onWrite = options.onWrite;
  }

  /** The answer of an operation. @throws ConditionFailed, TransactionCancelled */
  public call(operation: string, input: unknown): object {
    switch (operation) {
      case 'GetItem': {
        const found = this.#items.get(addressOf(getInput.parse(input).Key))?.item;
        return found === undefined ? {} : { Item: found };
      }
      case 'PutItem':
        this.#write([this.#put(putInput.parse(input))]);
        return {};
      case 'UpdateItem':
        this.#write([this.#update(updateInput.parse(input))]);
        return {};
      case 'Query':
        return this.#query(queryInput.parse(input));
      case 'TransactWriteItems':
        this.#transact(transactInput.parse(input));
        return {};
      default:
        throw new Error(`the table in memory has no ${operation}`);
    }
  }

  /** Everything that stands in the table. */
  public items(): Item[] {
    return [...this.#items.values()].map((stored) => stored.item);
  }

  /** When the first finding, digest or batch is due; null when none is. */
  public earliestDeadline(): number | null {
    const deadlines = this.items()
      .filter((row) => [DUE, STALE_DIGEST, OPEN_BATCH, PATTERN_DUE].includes(textOf(row, timeKey)))
      .map((row) => Date.parse(textOf(row, timeSort).split('#')[0] ?? ''));
    return deadlines.length === 0 ? null : Math.min(...deadlines);
  }

  /** Takes away what is past its time to live, as DynamoDB does some time after. */
  public expire(): void {
    for (const [address, { item: row }] of this.#items) {
      const end = row[timeToLive]?.['N'];
      if (end !== undefined && Number(end) * 1000 < this.#now()) this.#items.delete(address);
    }
  }

  /** Writes past every condition, as somebody with rights on the table can. */
  public overwrite(row: Record<string, unknown>): void {
    const written = item.parse(marshall(row));
    this.#items.set(addressOf(written), { item: written, before: undefined, writtenAt: this.#now() });
  }

  #put(input: z.infer<typeof putInput>): ItemChange {
    const before = this.#items.get(addressOf(input.Item))?.item;
    if (!conditionHolds(input, before)) throw new ConditionFailed();
    return { keys: keysOf(input.Item), before, after: input.Item };
  }

  #update(input: z.infer<typeof updateInput>): ItemChange {
    const before = this.#items.get(addressOf(input.Key))?.item;
    if (!conditionHolds(input, before)) throw new ConditionFailed();
    const after = changed(input.UpdateExpression, before ?? input.Key, expressionsOf(input));
    return { keys: keysOf(input.Key), before, after };
  }

  #transact({ TransactItems: actions, ClientRequestToken: token }: z.infer<typeof transactInput>): void {
    if (token !== undefined && this.#tokens.has(token)) return;
    const addresses = new Set(actions.map(({ Put }) => addressOf(Put.Item)));
    if (addresses.size !== actions.length) throw new Error('a transaction writes an item twice');
    const changes: ItemChange[] = [];
    const reasons = actions.map(({ Put }) => {
      try {
        changes.push(this.#put(Put));
        return 'None' as const;
      } catch (error) {
        if (!(error instanceof ConditionFailed)) throw error;
        return 'ConditionalCheckFailed' as const;
      }
    });
    if (changes.length < actions.length) throw new TransactionCancelled(reasons);
    if (token !== undefined) this.#tokens.add(token);
    this.#write(changes);
  }

  #write(changes: readonly ItemChange[]): void {
    for (const { before, after } of changes) {
      this.#items.set(addressOf(after), { item: after, before, writtenAt: this.#now() });
    }
    this.#onWrite(changes);
  }

  #query(input: z.infer<typeof queryInput>): object {
    const index = input.IndexName === undefined ? { hash: partitionKey, range: sortKey } : INDEXES[input.IndexName];
    if (index === undefined) throw new Error(`there is no index ${input.IndexName ?? ''}`);
    const condition = expressionsOf(input);
    const found = [...this.#items.values()]
      .map((stored) => (input.IndexName === undefined ? stored.item : this.#seenByIndexes(stored)))
      .filter((row) => row !== undefined)
      .filter((row) => row[index.hash] !== undefined && row[index.range] !== undefined)
      .filter((row) => holds(input.KeyConditionExpression, row, condition))
      .sort((left, right) => (textOf(left, index.range) < textOf(right, index.range) ? -1 : 1));
    return { Items: found.slice(0, input.Limit ?? found.length) };
  }

  #seenByIndexes({ item: row, before, writtenAt }: Stored): Item | undefined {
    return this.#now() - writtenAt < this.#indexLagMs ? before : row;
  }
}

function conditionHolds(input: z.infer<typeof putInput> | z.infer<typeof updateInput>, row: Item | undefined): boolean {
  const { ConditionExpression: condition } = input;
  return condition === undefined || holds(condition, row ?? {}, expressionsOf(input));
}

function expressionsOf(input: {
  ExpressionAttributeNames?: Record<string, string> | undefined;
  ExpressionAttributeValues?: Item | undefined;
}): Expressions {
  return { names: input.ExpressionAttributeNames ?? {}, values: input.ExpressionAttributeValues ?? {} };
}

function keysOf(row: Item): Item {
  const [pk, sk] = [row[partitionKey], row[sortKey]];
  if (pk === undefined || sk === undefined) throw new Error('an item has no key');
  return { [partitionKey]: pk, [sortKey]: sk };
}

function addressOf(row: Item): string {
  return JSON.stringify(keysOf(row));
}

function textOf(row: Item, name: string): string {
  const text = row[name]?.['S'];
  return typeof text === 'string' ? text : '';
}
