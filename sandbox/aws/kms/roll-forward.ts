import { type CloudTrailRecord, type EventBridgeEvent, kmsEvent, serviceEventRecord } from '../cloudtrail.ts';
import { forgetMaterial } from './import-material.ts';
import { arnOf, isReplica, type KeyMaterial, type KeyStore, type KmsKey, newMaterialId } from './key-store.ts';
import { DAY } from './operation.ts';

export type Outlets = {
  emit: (record: CloudTrailRecord) => void;
  emitServiceEvent: (event: EventBridgeEvent) => void;
};

type Due = { at: number; happen: () => void };

/**
 * Lets everything happen that fell due since the last look: rotations, expiry of imported material, deletions, the end
 * of transient states. Each happens at its own time and in order, however far the clock jumped. Answers when the next
 * one is due as long as nobody changes a key.
 */
export function rollForward(store: KeyStore, now: number, outlets: Outlets): number {
  for (;;) {
    const next = firstDue(store, outlets);
    if (next === undefined) return Number.POSITIVE_INFINITY;
    if (next.at > now) return next.at;
    next.happen();
  }
}

function firstDue(store: KeyStore, outlets: Outlets): Due | undefined {
  let first: Due | undefined;
  for (const key of store.each()) {
    for (const due of duesOf(key, store, outlets)) {
      if (first === undefined || due.at < first.at) first = due;
    }
  }
  return first;
}

function duesOf(key: KmsKey, store: KeyStore, outlets: Outlets): Due[] {
  const dues: Due[] = [];
  const { settles, rotation, deletion } = key;
  if (settles !== undefined) {
    dues.push({
      at: settles.at,
      happen() {
        key.keyState = settles.into;
        key.settles = undefined;
      },
    });
  }
  const { onDemand } = rotation;
  if (onDemand !== undefined) {
    dues.push({
      at: onDemand.endsAt,
      happen() {
        rotation.onDemand = undefined;
        rotate(key, { type: 'ON_DEMAND', at: onDemand.endsAt }, store, outlets);
      },
    });
  }
  if (rotation.enabled && rotation.nextDate !== undefined && key.keyState === 'Enabled') {
    // A rotation missed while the key was disabled happens when it is enabled again.
    const at = Math.max(rotation.nextDate, key.reenabledAt ?? 0);
    dues.push({
      at,
      happen() {
        rotation.nextDate = at + rotation.periodInDays * DAY;
        rotate(key, { type: 'AUTOMATIC', at }, store, outlets);
      },
    });
  }
  for (const material of key.materials) {
    const at = material.validTo;
    if (at !== undefined)
      dues.push({
        at,
        happen: () => {
          expire(key, material, at, store, outlets);
        },
      });
  }
  const date = deletion?.date;
  if (date !== undefined)
    dues.push({
      at: date,
      happen: () => {
        remove(key, date, store, outlets);
      },
    });
  return dues;
}

function rotate(
  key: KmsKey,
  rotation: { type: 'AUTOMATIC' | 'ON_DEMAND'; at: number },
  store: KeyStore,
  outlets: Outlets,
): void {
  const previous = key.materials.find((material) => material.state === 'CURRENT');
  const next = key.materials.find((material) => material.state === 'PENDING_ROTATION')?.id ?? newMaterialId();
  if (key.origin === 'EXTERNAL') {
    for (const member of [key, ...store.replicasOf(key)]) makeCurrent(member, next, rotation);
  } else {
    key.materials.push({ id: next, state: 'PENDING_ROTATION' });
    makeCurrent(key, next, rotation);
  }
  const materialIds = { previous: previous?.id ?? '', current: next };
  outlets.emit(
    serviceEventRecord({
      ...about(key, rotation.at),
      eventName: 'RotateKey',
      details: {
        rotationType: rotation.type,
        keyOrigin: key.origin,
        previousKeyMaterialId: materialIds.previous,
        currentKeyMaterialId: materialIds.current,
        keyId: key.keyId,
      },
    }),
  );
  outlets.emitServiceEvent(
    kmsEvent({
      ...about(key, rotation.at),
      detailType: 'KMS CMK Rotation',
      detail: {
        'key-id': key.keyId,
        'key-origin': key.origin,
        'rotation-type': rotation.type,
        'previous-key-material-id': materialIds.previous,
        'current-key-material-id': materialIds.current,
      },
    }),
  );
}

function makeCurrent(key: KmsKey, id: string, rotation: { type: 'AUTOMATIC' | 'ON_DEMAND'; at: number }): void {
  for (const material of key.materials) {
    if (material.state === 'CURRENT') material.state = 'NON_CURRENT';
    if (material.id !== id) continue;
    material.state = 'CURRENT';
    material.rotationDate = rotation.at;
    material.rotationType = rotation.type;
  }
}

function expire(key: KmsKey, material: KeyMaterial, at: number, store: KeyStore, outlets: Outlets): void {
  forgetMaterial(key, material, store);
  outlets.emit(
    serviceEventRecord({
      ...about(key, at),
      eventName: 'DeleteExpiredKeyMaterial',
      details: { keyId: key.keyId, keyMaterialId: material.id },
    }),
  );
  outlets.emitServiceEvent(
    kmsEvent({
      ...about(key, at),
      detailType: 'KMS Imported Key Material Expiration',
      detail: { 'key-id': key.keyId, 'key-material-id': material.id },
    }),
  );
}

function remove(key: KmsKey, at: number, store: KeyStore, outlets: Outlets): void {
  const primary = store.primaryOf(key);
  store.remove(key);
  if (isReplica(key) && primary.keyState === 'PendingReplicaDeletion' && store.replicasOf(primary).length === 0) {
    const windowInDays = primary.deletion?.windowInDays ?? 0;
    primary.keyState = 'PendingDeletion';
    primary.deletion = { windowInDays, date: at + windowInDays * DAY };
  }
  outlets.emit(serviceEventRecord({ ...about(key, at), eventName: 'DeleteKey' }));
  outlets.emitServiceEvent(
    kmsEvent({ ...about(key, at), detailType: 'KMS CMK Deletion', detail: { 'key-id': key.keyId } }),
  );
}

function about(key: KmsKey, time: number) {
  return { arn: arnOf(key), accountId: key.accountId, region: key.region, time };
}
