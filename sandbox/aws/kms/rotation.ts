import * as z from 'zod';
import { conflict, invalidState, limitExceeded, unsupported } from './errors.ts';
import { materialsOf } from './key-metadata.ts';
import { notPrimary, requireState, wrongOrigin } from './key-state.ts';
import { arnOf, isReplica, type KeyMaterial, type KmsKey } from './key-store.ts';
import { type Call, DAY, operation, seconds } from './operation.ts';
import { page } from './paging.ts';
import { keyIdInput, limitInput, markerInput } from './validation.ts';

const DEFAULT_PERIOD_IN_DAYS = 365;
/** KMS Developer Guide, "Resource quotas": on-demand rotations per key, not adjustable. */
const MAX_ON_DEMAND_ROTATIONS = 25;
const CONFLICT_BEFORE_AUTOMATIC = 20 * 60 * 1000;

/**
 * EnableKeyRotation (KMS API Reference). Answers with an empty body. Without a period the answer is 365 days also for a
 * key that had another one: the documentation names 365 as the value that is used then, and does not say that an
 * earlier one is kept.
 */
export const enableKeyRotation = operation({
  input: z.object({ KeyId: keyIdInput, RotationPeriodInDays: z.int().min(90).max(2560).optional() }),
  run(request, call) {
    const asked = request.RotationPeriodInDays;
    const key = call.key(
      request.KeyId,
      asked === undefined ? {} : { conditionValues: { 'kms:RotationPeriodInDays': String(asked) } },
    );
    requireNoCustomKeyStore(key);
    requireState(key, 'EnableKeyRotation');
    requireAutomaticRotation(key);
    const { rotation } = key;
    if (!rotation.enabled || rotation.enabledAt === undefined) rotation.enabledAt = call.now;
    rotation.enabled = true;
    rotation.periodInDays = asked ?? DEFAULT_PERIOD_IN_DAYS;
    rotation.nextDate = nextDate(key, rotation.enabledAt, call.now);
    return { body: {}, responseElements: { KeyId: arnOf(key) } };
  },
});

/** DisableKeyRotation. CloudTrail shows no response elements for it, unlike for EnableKeyRotation. */
export const disableKeyRotation = operation({
  input: z.object({ KeyId: keyIdInput }),
  run(request, call) {
    const key = call.key(request.KeyId);
    requireNoCustomKeyStore(key);
    requireState(key, 'DisableKeyRotation');
    requireAutomaticRotation(key);
    key.rotation.enabled = false;
    key.rotation.nextDate = undefined;
    return { body: {} };
  },
});

/**
 * GetKeyRotationStatus. Which fields there are tells as much as their values: a key with rotation off has neither a
 * period nor a next date.
 */
export const getKeyRotationStatus = operation({
  readOnly: true,
  input: z.object({ KeyId: keyIdInput }),
  run(request, call) {
    const key = call.keyToRead(request.KeyId, { crossAccount: true });
    requireNoCustomKeyStore(key);
    requireState(key, 'GetKeyRotationStatus');
    return { body: { KeyId: key.keyId, ...rotationStatus(key, call) } };
  },
});

function rotationStatus(key: KmsKey, call: Call): object {
  // A replica shows what its primary has; nothing can be set on the replica.
  const { rotation } = isReplica(key) ? call.store.primaryOf(key) : key;
  const onDemand = rotation.onDemand && { OnDemandRotationStartDate: seconds(rotation.onDemand.startedAt) };
  const deleting = key.keyState === 'PendingDeletion' || key.keyState === 'PendingReplicaDeletion';
  if (deleting || !rotation.enabled) return { KeyRotationEnabled: false, ...onDemand };
  return {
    KeyRotationEnabled: true,
    RotationPeriodInDays: rotation.periodInDays,
    ...(rotation.nextDate === undefined ? {} : { NextRotationDate: seconds(rotation.nextDate) }),
    ...onDemand,
  };
}

/** RotateKeyOnDemand: starts a rotation that runs for a while, and leaves the automatic schedule as it is. */
export const rotateKeyOnDemand = operation({
  input: z.object({ KeyId: keyIdInput }),
  run(request, call) {
    const key = call.key(request.KeyId);
    requireNoCustomKeyStore(key);
    requireState(key, 'RotateKeyOnDemand');
    if (key.keySpec !== 'SYMMETRIC_DEFAULT') throw unsupported('');
    if (isReplica(key)) throw notPrimary(key);
    const done = key.materials.filter((material) => material.rotationType === 'ON_DEMAND').length;
    if (done + (key.rotation.onDemand ? 1 : 0) >= MAX_ON_DEMAND_ROTATIONS) {
      throw limitExceeded(
        `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${arnOf(key)}`,
      );
    }
    if (key.rotation.onDemand !== undefined || isAutomaticRotationNear(key, call.now)) {
      throw conflict(`A rotation of ${arnOf(key)} is in progress or is scheduled to start within the next 20 minutes.`);
    }
    if (key.origin === 'EXTERNAL' && !key.materials.some((material) => material.state === 'PENDING_ROTATION')) {
      throw invalidState(`No available key material pending rotation for the key: ${arnOf(key)}.`);
    }
    key.rotation.onDemand = { startedAt: call.now, endsAt: call.now + call.settings.onDemandRotationMs };
    const body = { KeyId: arnOf(key) };
    return { body, responseElements: body };
  },
});

function isAutomaticRotationNear(key: KmsKey, now: number): boolean {
  const { enabled, nextDate: next } = key.rotation;
  return enabled && next !== undefined && next - now <= CONFLICT_BEFORE_AUTOMATIC;
}

/** ListKeyRotations: completed rotations, oldest first; `ALL_KEY_MATERIAL` adds the first material and a pending one. */
export const listKeyRotations = operation({
  readOnly: true,
  input: z.object({
    KeyId: keyIdInput,
    IncludeKeyMaterial: z.enum(['ROTATIONS_ONLY', 'ALL_KEY_MATERIAL']).optional(),
    Limit: limitInput(1000),
    Marker: markerInput,
  }),
  run(request, call) {
    const key = call.key(request.KeyId);
    requireNoCustomKeyStore(key);
    if (key.keySpec !== 'SYMMETRIC_DEFAULT') throw unsupported('');
    const all = request.IncludeKeyMaterial === 'ALL_KEY_MATERIAL';
    const rows = materialsOf(key, call.store)
      .filter((material) => all || material.rotationDate !== undefined)
      .map((material, index) => ({ material, place: String(index).padStart(6, '0') }));
    const { items, paging } = page(rows, request, { limit: 100, idOf: (row) => row.place });
    // As recorded: the identifier comes back in the form in which it was given.
    const shownId = request.KeyId.startsWith('arn:') ? arnOf(key) : key.keyId;
    return { body: { Rotations: items.map((row) => ({ KeyId: shownId, ...rotationEntry(row.material) })), ...paging } };
  },
});

function rotationEntry(material: KeyMaterial): object {
  return {
    KeyMaterialId: material.id,
    KeyMaterialState: material.state,
    ...(material.description === undefined ? {} : { KeyMaterialDescription: material.description }),
    ...(material.importState === undefined ? {} : { ImportState: material.importState }),
    ...(material.expirationModel === undefined ? {} : { ExpirationModel: material.expirationModel }),
    ...(material.validTo === undefined ? {} : { ValidTo: seconds(material.validTo) }),
    ...(material.rotationDate === undefined ? {} : { RotationDate: seconds(material.rotationDate) }),
    ...(material.rotationType === undefined ? {} : { RotationType: material.rotationType }),
  };
}

/**
 * Automatic rotation is for symmetric encryption keys with material that KMS made, set on the primary
 * (KMS Developer Guide, "Rotate AWS KMS keys").
 */
function requireAutomaticRotation(key: KmsKey): void {
  // Recorded from AWS: for an asymmetric key the message is empty.
  if (key.keySpec !== 'SYMMETRIC_DEFAULT') throw unsupported('');
  if (key.origin !== 'AWS_KMS') throw wrongOrigin(key);
  if (isReplica(key)) throw notPrimary(key);
}

/** The key-state table lets this go before the state (note 7), and the state before everything else about the key. */
function requireNoCustomKeyStore(key: KmsKey): void {
  if (key.origin === 'AWS_CLOUDHSM' || key.origin === 'EXTERNAL_KEY_STORE') throw wrongOrigin(key);
}

/**
 * The next automatic rotation counts from when rotation was last enabled, or from the last automatic rotation since.
 * A shorter period can put that into the past; the rotation is then due at once.
 */
function nextDate(key: KmsKey, enabledAt: number, now: number): number {
  const lastAutomatic = key.materials.findLast((material) => material.rotationType === 'AUTOMATIC')?.rotationDate ?? 0;
  return Math.max(Math.max(enabledAt, lastAutomatic) + key.rotation.periodInDays * DAY, now);
}
