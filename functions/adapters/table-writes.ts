import { oncePartition } from '../contracts/table.ts';
import type { ConditionalPut, Item } from './dynamodb.ts';

/** Somebody else changed the snapshot since it was loaded: load again and decide again. */
export class VersionConflict extends Error {
  public override readonly name = 'VersionConflict';
}

/** This CloudTrail event or Slack request has led to a change before. */
export class AlreadyHandled extends Error {
  public override readonly name = 'AlreadyHandled';
}

/** Causes are remembered this long; EventBridge gives up redelivery after one day, Slack after five minutes. */
const ONCE_DAYS = 30;

export const CONDITION_FAILED = 'ConditionalCheckFailed';

/** Somebody else was faster, or is writing at this moment. Anything else is not settled by deciding again. */
export function isLostRace(reason: string): boolean {
  return reason === CONDITION_FAILED || reason === 'TransactionConflict';
}

export function absent(item: Item): ConditionalPut {
  return { item, condition: { expression: 'attribute_not_exists(pk)' } };
}

/** Replaces the snapshot of a chain that stands at `before`; writes the first where there is none. */
export function moved(before: { sequence: number; hash: string }, item: Item): ConditionalPut {
  if (before.sequence === 0) return absent(item);
  return {
    item,
    condition: {
      expression: '#sequence = :sequence AND #hash = :hash',
      names: { '#sequence': 'sequence', '#hash': 'hash' },
      values: { ':sequence': before.sequence, ':hash': before.hash },
    },
  };
}

/** Remembers a cause, so that it changes nothing a second time. */
export function onceRow(onceId: string, at: string): Item {
  return {
    pk: oncePartition(onceId),
    sk: 'ONCE',
    ttl: Math.floor(Date.parse(at) / 1000) + ONCE_DAYS * 86_400,
  };
}
