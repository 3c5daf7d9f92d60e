import * as z from 'zod';
import { AwsError } from '../aws-error.ts';
import { malformedPolicy, tagException, unsupported, validationException } from './errors.ts';
import { keyMetadata } from './key-metadata.ts';
import { algorithmsOf, KEY_SPECS, KEY_USAGES, type KeySpec, type KeyUsage } from './key-specs.ts';
import { arnOf, type KmsKey, newKeyId, newMaterialId } from './key-store.ts';
import { type Call, operation } from './operation.ts';
import { checkPolicy, defaultKeyPolicy, evaluateKeyPolicy } from './policy.ts';
import { type Tag, tagInput } from './validation.ts';

const input = z.object({
  Policy: z.string().min(1).max(131072).optional(),
  Description: z.string().max(8192).optional(),
  KeyUsage: z.enum(KEY_USAGES).optional(),
  CustomerMasterKeySpec: z.enum(KEY_SPECS).optional(),
  KeySpec: z.enum(KEY_SPECS).optional(),
  Origin: z.enum(['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE']).optional(),
  CustomKeyStoreId: z.string().min(1).max(64).optional(),
  BypassPolicyLockoutSafetyCheck: z.boolean().optional(),
  Tags: z.array(tagInput).optional(),
  MultiRegion: z.boolean().optional(),
  XksKeyId: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[a-zA-Z0-9-_.]+$/)
    .optional(),
});
type CreateKeyInput = z.infer<typeof input>;

/** CreateKey (KMS API Reference). There is no rotation parameter: every key begins with rotation off. */
export const createKey = operation({
  input,
  run(request, call) {
    call.requireIdentityPolicy('*');
    if (request.KeySpec !== undefined && request.CustomerMasterKeySpec !== undefined) {
      throw validationException(
        'You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.',
      );
    }
    const keySpec = request.KeySpec ?? request.CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT';
    const keyUsage = usageOf(keySpec, request.KeyUsage);
    const origin = request.Origin ?? 'AWS_KMS';
    checkCustomKeyStore(request, origin, keySpec, call);
    const tags = request.Tags ?? [];
    checkTags(tags);
    const multiRegion = request.MultiRegion === true;
    const key: KmsKey = {
      keyId: newKeyId(multiRegion),
      accountId: call.caller.accountId,
      region: call.region,
      creationDate: call.now,
      description: request.Description ?? '',
      keySpec,
      keyUsage,
      origin,
      keyManager: 'CUSTOMER',
      keyState: origin === 'EXTERNAL' ? 'PendingImport' : 'Enabled',
      policy: request.Policy ?? defaultKeyPolicy(call.caller.accountId),
      tags,
      rotation: { enabled: false, periodInDays: 365 },
      materials:
        origin === 'AWS_KMS' && keySpec === 'SYMMETRIC_DEFAULT' ? [{ id: newMaterialId(), state: 'CURRENT' }] : [],
      customKeyStoreId: request.CustomKeyStoreId,
      cloudHsmClusterId: origin === 'AWS_CLOUDHSM' ? 'cluster-1a23b4cdefg' : undefined,
      xksKeyId: request.XksKeyId,
      primaryRegion: multiRegion ? call.region : undefined,
    };
    if (request.Policy !== undefined) {
      checkNewPolicy(request.Policy, key, call, request.BypassPolicyLockoutSafetyCheck === true);
    }
    call.store.add(key);
    call.concerns(arnOf(key), key.accountId);
    const body = { KeyMetadata: keyMetadata(key, call.store) };
    return { body, responseElements: body, requestParameters: asCloudTrailShows(request, key) };
  },
});

// CloudTrail shows the defaults of these, but tags, policy and multiRegion only where the caller gave them.
function asCloudTrailShows(request: CreateKeyInput, key: KmsKey): object {
  return {
    ...request,
    KeyUsage: key.keyUsage,
    KeySpec: key.keySpec,
    CustomerMasterKeySpec: key.keySpec,
    Origin: key.origin,
    Description: key.description,
    BypassPolicyLockoutSafetyCheck: request.BypassPolicyLockoutSafetyCheck === true,
  };
}

function usageOf(keySpec: KeySpec, asked: KeyUsage | undefined): KeyUsage {
  if (asked === undefined) {
    if (keySpec === 'SYMMETRIC_DEFAULT') return 'ENCRYPT_DECRYPT';
    throw validationException(
      'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
    );
  }
  if (algorithmsOf(keySpec, asked) === undefined) {
    throw validationException(`KeyUsage ${asked} is not compatible with KeySpec ${keySpec}`);
  }
  return asked;
}

function checkCustomKeyStore(request: CreateKeyInput, origin: KmsKey['origin'], keySpec: KeySpec, call: Call): void {
  const inCustomStore = origin === 'AWS_CLOUDHSM' || origin === 'EXTERNAL_KEY_STORE';
  if (inCustomStore !== (request.CustomKeyStoreId !== undefined)) {
    throw validationException(
      inCustomStore
        ? `You must specify a CustomKeyStoreId when the Origin is ${origin}.`
        : `CustomKeyStoreId is not valid when the Origin is ${origin}.`,
    );
  }
  if ((origin === 'EXTERNAL_KEY_STORE') !== (request.XksKeyId !== undefined)) {
    throw validationException('XksKeyId is required when, and only valid if, the Origin is EXTERNAL_KEY_STORE.');
  }
  if (!inCustomStore) return;
  // The sandbox has no CreateCustomKeyStore; every well-formed id is a connected key store.
  if (!/^cks-[0-9a-f]{17}$/.test(request.CustomKeyStoreId ?? '')) {
    throw new AwsError(
      'CustomKeyStoreNotFoundException',
      `Custom key store ${request.CustomKeyStoreId ?? ''} not found.`,
    );
  }
  if (keySpec !== 'SYMMETRIC_DEFAULT' || request.MultiRegion === true) {
    throw unsupported('Only single-Region symmetric encryption keys can be created in a custom key store.');
  }
  if (
    call.store.keysAt({ accountId: call.caller.accountId, region: call.region }).some((key) => sameXksKey(key, request))
  ) {
    throw new AwsError('XksKeyAlreadyInUseException', `The external key ${request.XksKeyId ?? ''} is already in use.`);
  }
}

function sameXksKey(key: KmsKey, request: CreateKeyInput): boolean {
  return (
    request.XksKeyId !== undefined &&
    key.xksKeyId === request.XksKeyId &&
    key.customKeyStoreId === request.CustomKeyStoreId
  );
}

/**
 * The rules for the tags of one key (KMS API Reference, "TagResource").
 * @throws AwsError TagException
 */
export function checkTags(tags: Tag[]): void {
  if (tags.length > 50) throw tagException('Too many tags');
  if (new Set(tags.map((tag) => tag.TagKey)).size < tags.length) throw tagException('Duplicate tag keys');
  if (tags.some((tag) => tag.TagKey.toLowerCase().startsWith('aws:'))) {
    throw tagException('Tags beginning with aws: are reserved');
  }
}

/**
 * A policy is taken only if the caller can change it again with it, unless the caller says to skip that check
 * (KMS API Reference, "PutKeyPolicy", BypassPolicyLockoutSafetyCheck).
 * @throws AwsError MalformedPolicyDocumentException
 */
export function checkNewPolicy(policy: string, key: KmsKey, call: Call, bypassLockoutCheck: boolean): void {
  checkPolicy(policy);
  if (bypassLockoutCheck) return;
  const answer = evaluateKeyPolicy(policy, {
    caller: call.caller,
    action: 'kms:PutKeyPolicy',
    keyArn: arnOf(key),
    conditionValues: {},
  });
  if (answer === 'denied' || answer === 'silent') {
    throw malformedPolicy('The new key policy will not allow you to update the key policy in the future.');
  }
}
