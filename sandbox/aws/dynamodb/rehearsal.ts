import { ApiError } from './api-error.ts';
import { type Engine, startEngine } from './engine.ts';
import { type Item, keyOf } from './item.ts';
import { keyAttributesOf, type Table } from './tables.ts';

/** One write as a single-item operation would do it. */
export type ItemWrite = {
  operation: 'PutItem' | 'UpdateItem' | 'DeleteItem';
  /** The operation's input, with the real table's name. */
  input: Record<string, unknown>;
};

/** What a write would do: leave the item so, or be refused. */
export type Outcome =
  | { outcome: 'done'; after: Item | undefined }
  | { outcome: 'condition-failed' }
  | { outcome: 'invalid'; message: string }
  /** Wrong whatever the data is, for example a syntax error: DynamoDB refuses the whole request for that. */
  | { outcome: 'malformed'; message: string };

export type Rehearsal = {
  /** Tries a write on a copy of the item. The real table is not touched. Calls must not overlap. */
  tryWrite: (table: Table, key: Item, before: Item | undefined, write: ItemWrite) => Promise<Outcome>;
  close: () => Promise<void>;
};

/**
 * A second dynalite in memory, with one-item copies of the tables. A transaction is tried here first, expression by
 * expression, by the engine that understands expressions; so the real tables never see a write that is taken back.
 */
export async function startRehearsal(options: { region: string; accountId: string }): Promise<Rehearsal> {
  const engine = await startEngine(options);
  const copies = new Map<Table, string>();

  async function copyOf(table: Table): Promise<string> {
    const existing = copies.get(table);
    if (existing !== undefined) return existing;
    const name = `copy-${copies.size}`;
    await engine.call('CreateTable', {
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: table.KeySchema,
      AttributeDefinitions: table.AttributeDefinitions,
      ...definitionsOf('GlobalSecondaryIndexes', table),
      ...definitionsOf('LocalSecondaryIndexes', table),
    });
    await engine.untilSettled(name);
    copies.set(table, name);
    return name;
  }

  return {
    async tryWrite(table, key, before, { operation, input }) {
      const copy = await copyOf(table);
      let after: Item | undefined;
      try {
        if (before !== undefined) await engine.call('PutItem', { TableName: copy, Item: before });
        await engine.call(operation, { ...input, TableName: copy });
        after = await engine.image(copy, key);
        return { outcome: 'done', after };
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.type === 'ConditionalCheckFailedException') return { outcome: 'condition-failed' };
        const malformed = await isMalformed(engine, operation, input);
        return { outcome: malformed ? 'malformed' : 'invalid', message: error.message };
      } finally {
        // The next one finds the copy empty, and it does not grow with the table.
        if (before !== undefined || after !== undefined) await engine.call('DeleteItem', { TableName: copy, Key: key });
      }
    },
    close: engine.close,
  };
}

/** dynalite looks at the request before it looks for the table, so a missing table tells the two kinds apart. */
async function isMalformed(engine: Engine, operation: string, input: Record<string, unknown>): Promise<boolean> {
  try {
    await engine.call(operation, { ...input, TableName: 'no-such-table' });
    return false;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return error.type !== 'ResourceNotFoundException';
  }
}

function definitionsOf(member: 'GlobalSecondaryIndexes' | 'LocalSecondaryIndexes', table: Table): object {
  const indexes = table[member];
  if (indexes === undefined) return {};
  return { [member]: indexes.map(({ IndexName, KeySchema, Projection }) => ({ IndexName, KeySchema, Projection })) };
}

/** The key that a write addresses, or `undefined` when it has none that fits the table. */
export function addressedKey(table: Table, { operation, input }: ItemWrite): Item | undefined {
  const holder = operation === 'PutItem' ? input['Item'] : input['Key'];
  return isItem(holder) ? keyOf(holder, keyAttributesOf(table)) : undefined;
}

function isItem(value: unknown): value is Item {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((member) => typeof member === 'object' && member !== null)
  );
}
