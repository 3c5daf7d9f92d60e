import { createHash } from 'node:crypto';
import * as z from 'zod';
import { AwsError } from '../aws-error.ts';
import { invalidState, notFound, unsupported, validationException } from './errors.ts';
import { requireState, wrongOrigin } from './key-state.ts';
import { arnOf, isReplica, type KeyMaterial, type KeyStore, type KmsKey } from './key-store.ts';
import { type Call, DAY, operation, seconds } from './operation.ts';
import { blobInput, keyIdInput } from './validation.ts';
import {
  type ImportToken,
  issueImportToken,
  readImportToken,
  unwrap,
  WRAPPING_ALGORITHMS,
  wrappingPublicKey,
} from './wrapping-key.ts';

const MAX_VALIDITY = 365 * DAY;

/** GetParametersForImport: a public key and a token, good for 24 hours. */
export const getParametersForImport = operation({
  readOnly: true,
  input: z.object({
    KeyId: keyIdInput,
    WrappingAlgorithm: z.enum([...WRAPPING_ALGORITHMS, 'SM2PKE']),
    WrappingKeySpec: z.enum(['RSA_2048', 'RSA_3072', 'RSA_4096', 'SM2']),
  }),
  run(request, call) {
    const key = importableKey(request.KeyId, call);
    requireState(key, 'GetParametersForImport');
    const { WrappingAlgorithm: algorithm, WrappingKeySpec: keySpec } = request;
    if (algorithm === 'SM2PKE' || keySpec === 'SM2') throw unsupported('SM2 is available in China Regions only.');
    const validTo = call.now + DAY;
    return {
      body: {
        KeyId: arnOf(key),
        ImportToken: issueImportToken({ arn: arnOf(key), algorithm, keySpec, validTo }),
        PublicKey: wrappingPublicKey(keySpec),
        ParametersValidTo: seconds(validTo),
      },
    };
  },
});

const importInput = z.object({
  KeyId: keyIdInput,
  ImportToken: blobInput,
  EncryptedKeyMaterial: blobInput,
  ValidTo: z.number().optional(),
  ExpirationModel: z.enum(['KEY_MATERIAL_EXPIRES', 'KEY_MATERIAL_DOES_NOT_EXPIRE']).optional(),
  ImportType: z.enum(['NEW_KEY_MATERIAL', 'EXISTING_KEY_MATERIAL']).optional(),
  KeyMaterialDescription: z
    .string()
    .max(256)
    .regex(/^[a-zA-Z0-9:/_\s.-]*$/)
    .optional(),
  KeyMaterialId: z
    .string()
    .length(64)
    .regex(/^[a-f0-9]+$/)
    .optional(),
});
type ImportInput = z.infer<typeof importInput>;

/**
 * ImportKeyMaterial (KMS API Reference). The material is unwrapped where the sandbox can, because its id follows from it;
 * bytes that cannot be unwrapped are taken as they are, so that a demonstration needs no cryptography.
 */
export const importKeyMaterial = operation({
  input: importInput,
  run(request, call) {
    const key = importableKey(request.KeyId, call);
    requireState(key, 'ImportKeyMaterial');
    const token = checkToken(request.ImportToken, key, call.now);
    const validity = checkValidity(request, call.now);
    const id = materialId(request, key, token);
    const isNew = (request.ImportType ?? defaultImportType(key)) === 'NEW_KEY_MATERIAL';
    const material = isNew ? addMaterial(id, request, key, call.store) : knownMaterial(id, key);
    material.importState = 'IMPORTED';
    material.expirationModel = validity.expirationModel;
    material.validTo = validity.validTo;
    if (request.KeyMaterialDescription !== undefined) describeEverywhere(material, request, key, call.store);
    if (key.keyState === 'PendingImport' && isComplete(key)) key.keyState = 'Enabled';
    releasePendingMaterial(key, call.store);
    const body = { KeyId: arnOf(key), KeyMaterialId: material.id };
    return {
      body,
      responseElements: body,
      requestParameters: { ...request, ExpirationModel: validity.expirationModel },
    };
  },
});

/** DeleteImportedKeyMaterial: the key becomes unusable until the same material is imported again. */
export const deleteImportedKeyMaterial = operation({
  input: z.object({ KeyId: keyIdInput, KeyMaterialId: importInput.shape.KeyMaterialId }),
  run(request, call) {
    const key = importableKey(request.KeyId, call);
    requireState(key, 'DeleteImportedKeyMaterial');
    const material =
      request.KeyMaterialId === undefined
        ? key.materials.find((candidate) => candidate.state === 'CURRENT')
        : key.materials.find((candidate) => candidate.id === request.KeyMaterialId);
    if (material === undefined && request.KeyMaterialId !== undefined) {
      throw notFound(`Key material ${request.KeyMaterialId} is not associated with ${arnOf(key)}.`);
    }
    if (material !== undefined) forgetMaterial(key, material, call.store);
    const body = { KeyId: arnOf(key), ...(material === undefined ? {} : { KeyMaterialId: material.id }) };
    return { body, responseElements: body };
  },
});

/**
 * What deletion and expiry have in common: material that was once used leaves the key waiting for it, material that was
 * only pending leaves no trace.
 */
export function forgetMaterial(key: KmsKey, material: KeyMaterial, store: KeyStore): void {
  material.validTo = undefined;
  material.expirationModel = undefined;
  material.importState = 'PENDING_IMPORT';
  if (isPermanent(material)) {
    if (key.keyState === 'Enabled' || key.keyState === 'Disabled') key.keyState = 'PendingImport';
    return;
  }
  if (isReplica(key)) return;
  for (const member of [key, ...store.replicasOf(key)]) {
    member.materials = member.materials.filter((other) => other.id !== material.id);
  }
}

function importableKey(identifier: string, call: Call): KmsKey {
  const key = call.key(identifier);
  if (key.origin !== 'EXTERNAL') throw wrongOrigin(key);
  return key;
}

function checkToken(text: string, key: KmsKey, now: number): ImportToken {
  const token = readImportToken(text);
  if (token === undefined || token.arn !== arnOf(key)) {
    throw new AwsError('InvalidImportTokenException', 'The import token is invalid or belongs to another KMS key.');
  }
  if (token.validTo <= now) throw new AwsError('ExpiredImportTokenException', 'The import token is expired.');
  return token;
}

function checkValidity(request: ImportInput, now: number): Pick<KeyMaterial, 'expirationModel' | 'validTo'> {
  const expirationModel = request.ExpirationModel ?? 'KEY_MATERIAL_EXPIRES';
  if (expirationModel === 'KEY_MATERIAL_DOES_NOT_EXPIRE') {
    if (request.ValidTo !== undefined) {
      throw validationException(
        'A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE',
      );
    }
    return { expirationModel };
  }
  if (request.ValidTo === undefined) {
    throw validationException('A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES');
  }
  const validTo = request.ValidTo * 1000;
  if (validTo <= now) throw validationException('The validTo date must be in the future.');
  if (validTo > now + MAX_VALIDITY) throw validationException('The validTo date must be within 365 days from now.');
  return { expirationModel, validTo };
}

function defaultImportType(key: KmsKey): 'NEW_KEY_MATERIAL' | 'EXISTING_KEY_MATERIAL' {
  return key.materials.length === 0 && !isReplica(key) ? 'NEW_KEY_MATERIAL' : 'EXISTING_KEY_MATERIAL';
}

/** The id follows from key id and material; where the bytes cannot be unwrapped, from what the caller says or sends. */
function materialId(request: ImportInput, key: KmsKey, token: ImportToken): string {
  const wrapped = Buffer.from(request.EncryptedKeyMaterial, 'base64');
  const material = unwrap(token, wrapped);
  const computed = createHash('sha256')
    .update(key.keyId)
    .update(material ?? wrapped)
    .digest('hex');
  if (material === undefined) return request.KeyMaterialId ?? computed;
  if (key.keySpec === 'SYMMETRIC_DEFAULT' && material.length !== 32) {
    throw new AwsError(
      'IncorrectKeyMaterialException',
      'Key material for a symmetric encryption key is 256 bits long.',
    );
  }
  if (request.KeyMaterialId !== undefined && request.KeyMaterialId !== computed) throw incorrectMaterial();
  return computed;
}

function addMaterial(id: string, request: ImportInput, key: KmsKey, store: KeyStore): KeyMaterial {
  if (request.KeyMaterialId !== undefined) {
    throw validationException('KeyMaterialId is not valid when the ImportType is NEW_KEY_MATERIAL.');
  }
  if (isReplica(key)) throw unsupported(`${arnOf(key)} is not a multi-region primary key.`);
  if (key.materials.some((material) => material.id === id)) throw incorrectMaterial();
  if (key.materials.length > 0 && key.keySpec !== 'SYMMETRIC_DEFAULT') {
    throw unsupported('The key material of asymmetric and HMAC keys cannot be changed.');
  }
  const pending = key.materials.find((material) => !isPermanent(material));
  if (pending !== undefined) {
    throw invalidState(
      `New key material (id: ${id}) cannot be imported into KMS key ${arnOf(key)}, because another key material (id: ${pending.id}) is pending rotation.`,
    );
  }
  const replicas = store.replicasOf(key);
  const later = replicas.length === 0 ? 'PENDING_ROTATION' : 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION';
  const material: KeyMaterial = { id, state: key.materials.length === 0 ? 'CURRENT' : later };
  key.materials.push(material);
  // KMS copies id and description to the replicas, not the material.
  for (const replica of replicas) replica.materials.push({ ...material, importState: 'PENDING_IMPORT' });
  return material;
}

function knownMaterial(id: string, key: KmsKey): KeyMaterial {
  const material = key.materials.find((candidate) => candidate.id === id);
  if (material === undefined) throw incorrectMaterial();
  return material;
}

function describeEverywhere(material: KeyMaterial, request: ImportInput, key: KmsKey, store: KeyStore): void {
  for (const member of isReplica(key) ? [key] : [key, ...store.replicasOf(key)]) {
    const same = member.materials.find((other) => other.id === material.id);
    if (same !== undefined) same.description = request.KeyMaterialDescription;
  }
}

/** New material of a multi-Region key can be rotated to once every Region has it. */
function releasePendingMaterial(key: KmsKey, store: KeyStore): void {
  const primary = store.primaryOf(key);
  const members = [primary, ...store.replicasOf(primary)];
  const waiting = primary.materials.find((each) => each.state === 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION');
  if (waiting === undefined) return;
  const copies = members.map((member) => member.materials.find((each) => each.id === waiting.id));
  if (!copies.every((copy) => copy?.importState === 'IMPORTED')) return;
  for (const copy of copies) if (copy !== undefined) copy.state = 'PENDING_ROTATION';
}

function isPermanent(material: KeyMaterial): boolean {
  return material.state === 'CURRENT' || material.state === 'NON_CURRENT';
}

function isComplete(key: KmsKey): boolean {
  const permanent = key.materials.filter(isPermanent);
  return permanent.length > 0 && permanent.every((material) => material.importState === 'IMPORTED');
}

function incorrectMaterial(): AwsError {
  return new AwsError(
    'IncorrectKeyMaterialException',
    'The key material in the request is not the expected key material for this KMS key.',
  );
}
