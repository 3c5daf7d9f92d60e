import { createHash } from 'node:crypto';
import * as z from 'zod';
import { ApiError, validationError } from './api-error.ts';
import type { Engine } from './engine.ts';
import { addressId, type Item, type ItemChange, itemSchema, sameImage } from './item.ts';
import { addressedKey, type ItemWrite, type Rehearsal } from './rehearsal.ts';
import type { Table, Tables } from './tables.ts';
import type { Writer } from './writer.ts';

const actionSchema = z.looseObject({ TableName: z.string() });
const writeItemSchema = z.object({
  Put: actionSchema.optional(),
  Update: actionSchema.optional(),
  Delete: actionSchema.optional(),
  ConditionCheck: actionSchema.optional(),
});
const writeSchema = z.object({
  TransactItems: z.array(writeItemSchema),
  ClientRequestToken: z.string().max(36).optional(),
});
const getSchema = z.object({ TransactItems: z.array(z.object({ Get: actionSchema })) });

/** One action of a transaction; `readOnly` for a ConditionCheck. */
type Action = ItemWrite & { tableName: string; readOnly: boolean; wantsOldItem: boolean };

type Reason = { Code: 'None' | 'ConditionalCheckFailed' | 'ValidationError'; Message?: string; Item?: Item };

export type Transactions = {
  /** TransactWriteItems. The caller holds the write lock. Throws ApiError. */
  write: (input: unknown) => Promise<Record<string, unknown>>;
  /** TransactGetItems. The caller holds the write lock, so that all items are of one moment. Throws ApiError. */
  read: (input: unknown) => Promise<Record<string, unknown>>;
};

const MAX_ACTIONS = 100;
const TOKEN_LIFETIME_MS = 10 * 60 * 1000;

/**
 * Transactions for dynalite: every action is rehearsed on a copy of its item, and only when all of them pass are the
 * results written. TransactionConflict cannot occur, because there is one writer. Tokens of finished transactions
 * are remembered for ten minutes of simulated time, in memory only (API_TransactWriteItems, ClientRequestToken).
 * ReturnConsumedCapacity and ReturnItemCollectionMetrics are ignored.
 */
export function createTransactions(engine: Engine, tables: Tables, rehearsal: Rehearsal, writer: Writer): Transactions {
  const finished = new Map<string, { digest: string; expiresAt: number }>();

  function remember(token: string, digest: string): void {
    // Oldest first, and all live equally long.
    for (const [other, { expiresAt }] of finished) {
      if (expiresAt > Date.now()) break;
      finished.delete(other);
    }
    finished.set(token, { digest, expiresAt: Date.now() + TOKEN_LIFETIME_MS });
  }

  return {
    async write(input) {
      const { TransactItems: items, ClientRequestToken: token } = parse(writeSchema, input);
      checkCount(items.length);
      const actions = items.map(toAction);

      const digest = createHash('sha256').update(JSON.stringify(items)).digest('base64');
      const earlier = token === undefined ? undefined : finished.get(token);
      if (earlier !== undefined && earlier.expiresAt > Date.now()) {
        if (earlier.digest === digest) return {};
        throw new ApiError(
          'IdempotentParameterMismatchException',
          'Idempotent parameter mismatch: the token was used with other parameters',
        );
      }

      const targets = await locate(tables, actions);
      const changes: ItemChange[] = [];
      const reasons: Reason[] = [];
      for (const { action, table, key } of targets) {
        if (key === undefined) {
          reasons.push({ Code: 'ValidationError', Message: 'The provided key element does not match the schema' });
          continue;
        }
        const before = await engine.image(table.TableName, key);
        const result = await rehearsal.tryWrite(table, key, before, action);
        switch (result.outcome) {
          case 'malformed':
            throw validationError(result.message);
          case 'invalid':
            reasons.push({ Code: 'ValidationError', Message: result.message });
            break;
          case 'condition-failed':
            reasons.push({
              Code: 'ConditionalCheckFailed',
              Message: 'The conditional request failed',
              ...(action.wantsOldItem && before !== undefined ? { Item: before } : {}),
            });
            break;
          case 'done':
            reasons.push({ Code: 'None' });
            if (!action.readOnly) changes.push({ tableName: table.TableName, key, before, after: result.after });
        }
      }
      if (reasons.some(({ Code }) => Code !== 'None')) throw cancelled(reasons);

      await writer.commit(changes.filter(({ before, after }) => !sameImage(before, after)));
      if (token !== undefined) remember(token, digest);
      return {};
    },

    async read(input) {
      const { TransactItems: items } = parse(getSchema, input);
      checkCount(items.length);
      const responses: Record<string, unknown>[] = [];
      for (const { Get } of items) {
        const { Item: item } = await engine.call('GetItem', { ...Get, ConsistentRead: true });
        responses.push(item === undefined ? {} : { Item: itemSchema.parse(item) });
      }
      return { Responses: responses };
    },
  };
}

function toAction(item: z.infer<typeof writeItemSchema>): Action {
  const [entry, ...more] = Object.entries(item).flatMap(([kind, value]) =>
    value === undefined ? [] : [{ kind, action: value }],
  );
  if (entry === undefined || more.length > 0) {
    throw validationError('TransactItems can only contain one of Check, Put, Update or Delete');
  }
  const { kind, action } = entry;
  const { ReturnValuesOnConditionCheckFailure: returned, ...input } = action;
  const common = { input, tableName: action.TableName, wantsOldItem: returned === 'ALL_OLD' };
  switch (kind) {
    case 'Put':
      return { ...common, operation: 'PutItem', readOnly: false };
    case 'Update':
      if (typeof input['UpdateExpression'] !== 'string') {
        throw validationError("Value null at 'transactItems.1.member.update.updateExpression' must not be null");
      }
      return { ...common, operation: 'UpdateItem', readOnly: false };
    case 'Delete':
      return { ...common, operation: 'DeleteItem', readOnly: false };
    default:
      if (typeof input['ConditionExpression'] !== 'string') {
        throw validationError(
          "Value null at 'transactItems.1.member.conditionCheck.conditionExpression' must not be null",
        );
      }
      // On the copy, a conditional delete tells whether the condition holds.
      return { ...common, operation: 'DeleteItem', readOnly: true };
  }
}

async function locate(
  tables: Tables,
  actions: readonly Action[],
): Promise<{ action: Action; table: Table; key: Item | undefined }[]> {
  const seen = new Set<string>();
  const targets = [];
  for (const action of actions) {
    const table = await tables.get(action.tableName);
    const key = addressedKey(table, action);
    if (key !== undefined) {
      const id = addressId({ tableName: table.TableName, key });
      if (seen.has(id)) {
        throw validationError('Transaction request cannot include multiple operations on one item');
      }
      seen.add(id);
    }
    targets.push({ action, table, key });
  }
  return targets;
}

function cancelled(reasons: readonly Reason[]): ApiError {
  const codes = reasons.map(({ Code }) => Code).join(', ');
  const message = `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`;
  return new ApiError('TransactionCanceledException', message, { CancellationReasons: reasons });
}

function checkCount(count: number): void {
  if (count >= 1 && count <= MAX_ACTIONS) return;
  const limit = count < 1 ? 'greater than or equal to 1' : `less than or equal to ${MAX_ACTIONS}`;
  throw validationError(
    `1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have length ${limit}`,
  );
}

function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw validationError(
    `1 validation error detected: Value at '${issue?.path.join('.') ?? ''}' failed to satisfy constraint: ${issue?.message ?? ''}`,
  );
}
