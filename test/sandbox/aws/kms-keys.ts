import {
  type CreateKeyCommandInput,
  EnableKeyRotationCommand,
  type KMSClient,
  ReplicateKeyCommand,
} from '@aws-sdk/client-kms';
import { type AwsFixture, DEV_ACCOUNT, importMaterial, type MadeKey, makeKey, SECOND } from './kms-fixture.ts';

export const CUSTOM_STORE: CreateKeyCommandInput = {
  Origin: 'AWS_CLOUDHSM',
  CustomKeyStoreId: 'cks-1234567890abcdef0',
};
const EXTERNAL_STORE: CreateKeyCommandInput = {
  Origin: 'EXTERNAL_KEY_STORE',
  CustomKeyStoreId: 'cks-1234567890abcdef1',
};

/** Kinds of keys that KMS treats differently. */
export type Kind =
  | 'symmetric'
  | 'symmetric, rotating'
  | 'RSA'
  | 'ECC'
  | 'ML-DSA'
  | 'SM2'
  | 'HMAC'
  | 'imported, waiting for material'
  | 'imported'
  | 'in a CloudHSM key store'
  | 'in an external key store'
  | 'multi-Region primary'
  | 'multi-Region replica';

export type Pair = { primary: MadeKey; replica: MadeKey };

export type Keys = ReturnType<typeof createKeys>;

/** Makes keys of every kind in the development account; single-Region and primary keys in eu-central-1. */
export function createKeys(aws: AwsFixture) {
  const dev: KMSClient = aws.client();
  let made = 0;
  const next = () => {
    made += 1;
    return made;
  };
  const make: Record<Kind, () => Promise<MadeKey>> = {
    symmetric: () => makeKey(dev),
    'symmetric, rotating': async () => {
      const key = await makeKey(dev);
      await dev.send(new EnableKeyRotationCommand({ KeyId: key.id, RotationPeriodInDays: 180 }));
      return key;
    },
    RSA: () => makeKey(dev, { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' }),
    ECC: () => makeKey(dev, { KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' }),
    'ML-DSA': () => makeKey(dev, { KeySpec: 'ML_DSA_65', KeyUsage: 'SIGN_VERIFY' }),
    SM2: () => makeKey(dev, { KeySpec: 'SM2', KeyUsage: 'SIGN_VERIFY' }),
    HMAC: () => makeKey(dev, { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }),
    'imported, waiting for material': () => makeKey(dev, { Origin: 'EXTERNAL' }),
    imported: async () => {
      const key = await makeKey(dev, { Origin: 'EXTERNAL' });
      await importMaterial(dev, key);
      return key;
    },
    'in a CloudHSM key store': () => makeKey(dev, CUSTOM_STORE),
    'in an external key store': () => makeKey(dev, { ...EXTERNAL_STORE, XksKeyId: `xks-${next()}` }),
    'multi-Region primary': () => makeKey(dev, { MultiRegion: true }),
    'multi-Region replica': async () => (await primaryAndReplica()).replica,
  };

  async function primaryAndReplica(): Promise<Pair> {
    return replicated(await makeKey(dev, { MultiRegion: true }));
  }

  /** A primary without material cannot be replicated, so it gets its material first. */
  async function importedPrimaryAndReplica(material: Buffer): Promise<Pair> {
    const primary = await makeKey(dev, { MultiRegion: true, Origin: 'EXTERNAL' });
    await importMaterial(dev, primary, { EncryptedKeyMaterial: material });
    return replicated(primary);
  }

  async function replicated(primary: MadeKey): Promise<Pair> {
    await dev.send(new ReplicateKeyCommand({ KeyId: primary.id, ReplicaRegion: 'us-east-1' }));
    aws.clock.advance(2 * SECOND);
    return { primary, replica: { id: primary.id, arn: primary.arn.replace('eu-central-1', 'us-east-1') } };
  }

  const clientOf = (key: MadeKey) =>
    aws.client(DEV_ACCOUNT, key.arn.includes(':us-east-1:') ? 'us-east-1' : 'eu-central-1');

  return { make, next, primaryAndReplica, importedPrimaryAndReplica, clientOf };
}
