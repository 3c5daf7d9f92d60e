import * as z from 'zod';
import { alreadyExists, limitExceeded, notFound, validationException } from './errors.ts';
import { requireState } from './key-state.ts';
import { type Alias, aliasArn, arnOf, type KmsKey } from './key-store.ts';
import { type Call, operation, seconds } from './operation.ts';
import { page } from './paging.ts';
import { keyIdInput, limitInput, markerInput } from './validation.ts';

const MAX_ALIASES_OF_A_KEY = 50;

const aliasName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[a-zA-Z0-9:/_-]+$/);

/** CreateAlias. Its record names two resources, the key and the alias. */
export const createAlias = operation({
  input: z.object({ AliasName: aliasName, TargetKeyId: keyIdInput }),
  run(request, call) {
    checkName(request.AliasName);
    const place = { accountId: call.caller.accountId, region: call.region };
    const key = targetKey(request.TargetKeyId, call);
    requireState(key, 'CreateAlias');
    const arn = aliasArn({ ...place, name: request.AliasName });
    call.concerns(arn, place.accountId);
    if (call.store.alias(place, request.AliasName) !== undefined) {
      throw alreadyExists(`An alias with the name ${arn} already exists`);
    }
    checkCount(key, call);
    call.store.addAlias({
      name: request.AliasName,
      ...place,
      targetKeyId: key.keyId,
      creationDate: call.now,
      lastUpdatedDate: call.now,
    });
    return { body: {}, responseElements: { KeyId: arnOf(key) } };
  },
});

/** UpdateAlias: needs permission on the old and on the new key, which have to be of the same kind. */
export const updateAlias = operation({
  input: z.object({ AliasName: aliasName, TargetKeyId: keyIdInput }),
  run(request, call) {
    checkName(request.AliasName);
    const alias = existingAlias(request.AliasName, call);
    const former = call.key(alias.targetKeyId);
    const key = targetKey(request.TargetKeyId, call);
    requireState(key, 'UpdateAlias');
    const kind = (of: KmsKey) => `${of.keyUsage}/${of.keySpec === 'SYMMETRIC_DEFAULT' ? 'symmetric' : 'other'}`;
    if (kind(former) !== kind(key)) {
      throw validationException('Alias must be associated with a KMS key of the same type and key usage.');
    }
    checkCount(key, call);
    alias.targetKeyId = key.keyId;
    alias.lastUpdatedDate = call.now;
    return { body: {}, responseElements: { KeyId: arnOf(key) } };
  },
});

/** DeleteAlias. The key stays. */
export const deleteAlias = operation({
  input: z.object({ AliasName: aliasName }),
  run(request, call) {
    checkName(request.AliasName);
    const alias = existingAlias(request.AliasName, call);
    const key = call.key(alias.targetKeyId);
    call.store.removeAlias(alias);
    return { body: {}, responseElements: { KeyId: arnOf(key) } };
  },
});

/** ListAliases, of the account or of one key. */
export const listAliases = operation({
  readOnly: true,
  input: z.object({ KeyId: keyIdInput.optional(), Limit: limitInput(100), Marker: markerInput }),
  run(request, call) {
    const aliases = request.KeyId === undefined ? allAliases(call) : call.store.aliasesOf(call.key(request.KeyId));
    const { items, paging } = page(aliases, request, { limit: 50, idOf: (alias) => alias.name });
    return { body: { Aliases: items.map(listEntry), ...paging } };
  },
});

function allAliases(call: Call): Alias[] {
  call.requireIdentityPolicy('*');
  return call.store.aliases({ accountId: call.caller.accountId, region: call.region });
}

function listEntry(alias: Alias): object {
  return {
    AliasName: alias.name,
    AliasArn: aliasArn(alias),
    TargetKeyId: alias.targetKeyId,
    CreationDate: seconds(alias.creationDate),
    LastUpdatedDate: seconds(alias.lastUpdatedDate),
  };
}

function targetKey(identifier: string, call: Call): KmsKey {
  if (identifier.includes('alias/')) throw validationException('Aliases must refer to keys. Not aliases');
  return call.key(identifier);
}

function existingAlias(name: string, call: Call): Alias {
  const place = { accountId: call.caller.accountId, region: call.region };
  const alias = call.store.alias(place, name);
  if (alias === undefined) throw notFound(`Alias ${aliasArn({ ...place, name })} is not found.`);
  call.concerns(aliasArn(alias), alias.accountId);
  return alias;
}

function checkName(name: string): void {
  if (!name.startsWith('alias/') || name === 'alias/') {
    throw validationException('Alias must start with the prefix "alias/" and have a name after it.');
  }
  if (name.startsWith('alias/aws/')) {
    throw validationException('The alias prefix "alias/aws/" is reserved for AWS managed keys.');
  }
}

function checkCount(key: KmsKey, call: Call): void {
  if (call.store.aliasesOf(key).length >= MAX_ALIASES_OF_A_KEY) {
    throw limitExceeded(`The KMS key ${arnOf(key)} already has ${MAX_ALIASES_OF_A_KEY} aliases.`);
  }
}
