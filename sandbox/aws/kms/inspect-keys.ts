import * as z from 'zod';
import { keyMetadata } from './key-metadata.ts';
import { arnOf } from './key-store.ts';
import { operation } from './operation.ts';
import { page } from './paging.ts';
import { keyIdInput, limitInput, markerInput } from './validation.ts';

/** DescribeKey: the only operation here that takes an alias too, and one of two that other accounts may use by ARN. */
export const describeKey = operation({
  readOnly: true,
  input: z.object({ KeyId: keyIdInput }),
  run(request, call) {
    const key = call.keyToRead(request.KeyId, { acceptAlias: true, crossAccount: true });
    return { body: { KeyMetadata: keyMetadata(key, call.store) } };
  },
});

/** ListKeys: all keys of the caller's account in this Region, also those in deletion and those that AWS manages. */
export const listKeys = operation({
  readOnly: true,
  input: z.object({ Limit: limitInput(1000), Marker: markerInput }),
  run(request, call) {
    call.requireIdentityPolicy('*');
    const keys = call.store.keysAt({ accountId: call.caller.accountId, region: call.region });
    const { items, paging } = page(keys, request, { limit: 100, idOf: (key) => key.keyId });
    return { body: { Keys: items.map((key) => ({ KeyId: key.keyId, KeyArn: arnOf(key) })), ...paging } };
  },
});
