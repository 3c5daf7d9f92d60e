import * as z from 'zod';
import { ApiError } from './api-error.ts';
import { type Engine, type RawAnswer, type RawRequest, toApiError } from './engine.ts';
import { addressId, type ItemAddress, itemSchema, keyOf } from './item.ts';
import { addressedKey } from './rehearsal.ts';
import { keyAttributesOf, type Tables } from './tables.ts';
import type { Writer } from './writer.ts';

const batchSchema = z.object({
  RequestItems: z.record(
    z.string(),
    z.array(
      z.object({
        PutRequest: z.object({ Item: itemSchema }).optional(),
        DeleteRequest: z.object({ Key: itemSchema }).optional(),
      }),
    ),
  ),
});
const itemWriteSchema = z.looseObject({
  TableName: z.string(),
  ReturnValuesOnConditionCheckFailure: z.enum(['ALL_OLD', 'NONE']).optional(),
});

/** The operations that this file passes on. */
export type SingleWriteOperation = 'PutItem' | 'UpdateItem' | 'DeleteItem' | 'BatchWriteItem';

/**
 * Passes a write on to dynalite unchanged, and adds what dynalite lacks: stream records, and the item that made a
 * condition fail. Throws ApiError only for that last one; other refusals are dynalite's own answer. The caller holds
 * the write lock.
 */
export async function passWriteOn(
  { engine, tables, writer }: { engine: Engine; tables: Tables; writer: Writer },
  operation: SingleWriteOperation,
  input: Record<string, unknown>,
  raw: RawRequest,
): Promise<RawAnswer> {
  const parsed = itemWriteSchema.safeParse(input);
  const wantsOldItem = parsed.success && parsed.data.ReturnValuesOnConditionCheckFailure === 'ALL_OLD';
  const addresses = await addressesOf(tables, operation, input);
  const observed = addresses.filter(({ tableName }) => wantsOldItem || tables.streamArnOf(tableName) !== undefined);

  return await writer.observe(observed, async (before) => {
    const answer = await engine.forward(raw);
    const [oldItem] = before;
    if (wantsOldItem && oldItem !== undefined && answer.status === 400) {
      const error = toApiError(answer.body);
      if (error.type === 'ConditionalCheckFailedException') {
        throw new ApiError(error.type, error.message, { Item: oldItem });
      }
    }
    return answer;
  });
}

/** The items that a request writes to. A request that dynalite will refuse may give none. */
async function addressesOf(
  tables: Tables,
  operation: SingleWriteOperation,
  input: Record<string, unknown>,
): Promise<ItemAddress[]> {
  try {
    if (operation === 'BatchWriteItem') return await addressesOfBatch(tables, input);
    const parsed = itemWriteSchema.safeParse(input);
    if (!parsed.success) return [];
    const table = await tables.get(parsed.data.TableName);
    const key = addressedKey(table, { operation, input });
    return key === undefined ? [] : [{ tableName: table.TableName, key }];
  } catch (error) {
    if (error instanceof ApiError) return [];
    throw error;
  }
}

async function addressesOfBatch(tables: Tables, input: Record<string, unknown>): Promise<ItemAddress[]> {
  const batch = batchSchema.safeParse(input);
  if (!batch.success) return [];
  const addresses = new Map<string, ItemAddress>();
  for (const [tableName, requests] of Object.entries(batch.data.RequestItems)) {
    const keyAttributes = keyAttributesOf(await tables.get(tableName));
    for (const { PutRequest, DeleteRequest } of requests) {
      const key = keyOf(PutRequest?.Item ?? DeleteRequest?.Key ?? {}, keyAttributes);
      if (key !== undefined) addresses.set(addressId({ tableName, key }), { tableName, key });
    }
  }
  return [...addresses.values()];
}
