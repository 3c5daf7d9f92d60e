import type { Region } from '../../world.ts';
import { type KeyStore, type KmsKey, newKeyId, newMaterialId } from './key-store.ts';
import { DAY } from './operation.ts';

const PERIOD_IN_DAYS = 365;

/** What the key policies that AWS writes for its managed keys leave to the account; recorded, they differ per service. */
const FOR_THE_ACCOUNT: Record<string, string[]> = {
  'alias/aws/acm': ['kms:DescribeKey'],
};
const USUAL = ['kms:Describe*', 'kms:Get*', 'kms:List*', 'kms:RevokeGrant'];

/** The key that an AWS service makes for itself in an account, such as `alias/aws/ebs`: always rotating, nobody's to change. */
export function addAwsManagedKey(
  store: KeyStore,
  key: { accountId: string; region: Region; alias: string; now: number },
): KmsKey {
  const { accountId, region, alias, now } = key;
  const service = alias.slice('alias/aws/'.length);
  const added: KmsKey = {
    keyId: newKeyId(false),
    accountId,
    region,
    creationDate: now,
    description: `Default key that protects my ${service.toUpperCase()} data when no other key is defined`,
    keySpec: 'SYMMETRIC_DEFAULT',
    keyUsage: 'ENCRYPT_DECRYPT',
    origin: 'AWS_KMS',
    keyManager: 'AWS',
    keyState: 'Enabled',
    policy: JSON.stringify({
      Version: '2012-10-17',
      Id: `auto-${service}-1`,
      Statement: [
        {
          Sid: 'Allow direct access to key metadata to the account',
          Effect: 'Allow',
          Principal: { AWS: `arn:aws:iam::${accountId}:root` },
          Action: FOR_THE_ACCOUNT[alias] ?? USUAL,
          Resource: '*',
        },
      ],
    }),
    tags: [],
    rotation: { enabled: true, periodInDays: PERIOD_IN_DAYS, enabledAt: now, nextDate: now + PERIOD_IN_DAYS * DAY },
    materials: [{ id: newMaterialId(), state: 'CURRENT' }],
  };
  store.add(added);
  store.addAlias({ name: alias, accountId, region, targetKeyId: added.keyId, creationDate: now, lastUpdatedDate: now });
  return added;
}
