import { ALGORITHM_FIELD, algorithmsOf } from './key-specs.ts';
import { arnOf, isReplica, type KeyMaterial, type KeyStore, type KmsKey } from './key-store.ts';
import { seconds } from './operation.ts';

/** KMS's `KeyMetadata` of a key, as DescribeKey and CreateKey answer it. */
export function keyMetadata(key: KmsKey, store: KeyStore): Record<string, unknown> {
  const current = materialsOf(key, store).find((material) => material.state === 'CURRENT');
  const imported = key.origin === 'EXTERNAL' && current?.importState === 'IMPORTED' ? current : undefined;
  return {
    AWSAccountId: key.accountId,
    KeyId: key.keyId,
    Arn: arnOf(key),
    CreationDate: seconds(key.creationDate),
    Enabled: key.keyState === 'Enabled',
    Description: key.description,
    KeyUsage: key.keyUsage,
    KeyState: key.keyState,
    ...(key.deletion?.date === undefined ? {} : { DeletionDate: seconds(key.deletion.date) }),
    ...(key.keyState === 'PendingReplicaDeletion' ? { PendingDeletionWindowInDays: key.deletion?.windowInDays } : {}),
    ...(imported?.validTo === undefined ? {} : { ValidTo: seconds(imported.validTo) }),
    Origin: key.origin,
    ...(key.customKeyStoreId === undefined ? {} : { CustomKeyStoreId: key.customKeyStoreId }),
    ...(key.cloudHsmClusterId === undefined ? {} : { CloudHsmClusterId: key.cloudHsmClusterId }),
    ...(key.xksKeyId === undefined ? {} : { XksKeyConfiguration: { Id: key.xksKeyId } }),
    ...(imported?.expirationModel === undefined ? {} : { ExpirationModel: imported.expirationModel }),
    KeyManager: key.keyManager,
    CustomerMasterKeySpec: key.keySpec,
    KeySpec: key.keySpec,
    [ALGORITHM_FIELD[key.keyUsage]]: algorithmsOf(key.keySpec, key.keyUsage) ?? [],
    MultiRegion: key.primaryRegion !== undefined,
    ...(key.primaryRegion === undefined ? {} : { MultiRegionConfiguration: multiRegionConfiguration(key, store) }),
    ...(current === undefined || key.keySpec !== 'SYMMETRIC_DEFAULT' ? {} : { CurrentKeyMaterialId: current.id }),
  };
}

function multiRegionConfiguration(key: KmsKey, store: KeyStore): object {
  const keyReference = (member: KmsKey) => ({ Arn: arnOf(member), Region: member.region });
  return {
    MultiRegionKeyType: isReplica(key) ? 'REPLICA' : 'PRIMARY',
    PrimaryKey: keyReference(store.primaryOf(key)),
    ReplicaKeys: store.replicasOf(key).map(keyReference),
  };
}

/**
 * The materials of a key. KMS copies generated material from the primary to its replicas; imported material everyone
 * has to bring to each Region.
 */
export function materialsOf(key: KmsKey, store: KeyStore): KeyMaterial[] {
  return key.origin === 'EXTERNAL' ? key.materials : store.primaryOf(key).materials;
}
