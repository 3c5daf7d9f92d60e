import { ACCOUNTS } from '../../world.ts';
import { materialsOf } from './key-metadata.ts';
import { arnOf, isReplica, type KeyMaterial, type KeyStore, type KmsKey } from './key-store.ts';

/** One key as the sandbox page shows it. Times are ISO 8601. */
export type KeyView = {
  arn: string;
  keyId: string;
  accountId: string;
  accountName: string;
  region: string;
  description: string;
  aliases: string[];
  tags: { TagKey: string; TagValue: string }[];
  keySpec: string;
  keyUsage: string;
  origin: string;
  keyState: string;
  keyManager: 'CUSTOMER' | 'AWS';
  multiRegion?: 'PRIMARY' | 'REPLICA';
  primaryArn?: string;
  creationDate: string;
  deletionDate?: string;
  rotation: { enabled: boolean; periodInDays?: number; nextRotationDate?: string; onDemandStartedAt?: string };
  rotations: { date: string; type: 'AUTOMATIC' | 'ON_DEMAND'; keyMaterialId: string }[];
  /** Imported keys only. */
  material?: { keyMaterialId: string; state: string; importState: string; description?: string; validTo?: string }[];
};

/** Every key of every account and Region, oldest first. */
export function keyViews(store: KeyStore): KeyView[] {
  return store
    .keys()
    .sort((a, b) => a.creationDate - b.creationDate)
    .map((key) => keyView(key, store));
}

function keyView(key: KmsKey, store: KeyStore): KeyView {
  const primary = store.primaryOf(key);
  return {
    arn: arnOf(key),
    keyId: key.keyId,
    accountId: key.accountId,
    accountName: ACCOUNTS.find((account) => account.id === key.accountId)?.name ?? key.accountId,
    region: key.region,
    description: key.description,
    aliases: store.aliasesOf(key).map((alias) => alias.name),
    tags: key.tags.map((tag) => ({ ...tag })),
    keySpec: key.keySpec,
    keyUsage: key.keyUsage,
    origin: key.origin,
    keyState: key.keyState,
    keyManager: key.keyManager,
    ...(key.primaryRegion === undefined
      ? {}
      : { multiRegion: isReplica(key) ? 'REPLICA' : 'PRIMARY', primaryArn: arnOf(primary) }),
    creationDate: iso(key.creationDate),
    ...(key.deletion?.date === undefined ? {} : { deletionDate: iso(key.deletion.date) }),
    rotation: rotationView(primary),
    rotations: materialsOf(key, store).flatMap(rotationEntry),
    ...(key.origin === 'EXTERNAL' ? { material: key.materials.map(materialView) } : {}),
  };
}

function rotationView({ rotation }: KmsKey): KeyView['rotation'] {
  return {
    enabled: rotation.enabled,
    ...(rotation.enabled ? { periodInDays: rotation.periodInDays } : {}),
    ...(rotation.enabled && rotation.nextDate !== undefined ? { nextRotationDate: iso(rotation.nextDate) } : {}),
    ...(rotation.onDemand === undefined ? {} : { onDemandStartedAt: iso(rotation.onDemand.startedAt) }),
  };
}

function rotationEntry(material: KeyMaterial): KeyView['rotations'] {
  if (material.rotationDate === undefined || material.rotationType === undefined) return [];
  return [{ date: iso(material.rotationDate), type: material.rotationType, keyMaterialId: material.id }];
}

function materialView(material: KeyMaterial): NonNullable<KeyView['material']>[number] {
  return {
    keyMaterialId: material.id,
    state: material.state,
    importState: material.importState ?? 'PENDING_IMPORT',
    ...(material.description === undefined ? {} : { description: material.description }),
    ...(material.validTo === undefined ? {} : { validTo: iso(material.validTo) }),
  };
}

const iso = (milliseconds: number) => new Date(milliseconds).toISOString();
