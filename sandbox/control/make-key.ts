import * as z from 'zod';
import type { Kms } from '../aws/kms/kms.ts';
import { ACCOUNTS, DEFAULT_ACCOUNT, REGIONS } from '../world.ts';
import { actor, originOf } from './acting-as.ts';
import { importMaterial } from './key-material.ts';
import { anything, callerOf } from './kms-caller.ts';

const KINDS = ['symmetric', 'rsa', 'hmac', 'imported', 'multi-region', 'custom-key-store', 'aws-managed'] as const;

export const makeKeyBody = z.strictObject({
  kind: z.enum(KINDS),
  account: z.enum(ACCOUNTS.map(({ id }) => id)).default(DEFAULT_ACCOUNT),
  region: z.enum(REGIONS).default(REGIONS[0]),
  alias: z
    .string()
    .regex(/^alias\/[\w/-]+$/, 'expected alias/<name>')
    .optional(),
  description: z.string().default(''),
  tags: z.record(z.string(), z.string()).default({}),
  ...actor,
});

const created = z.object({ KeyMetadata: z.object({ KeyId: z.string(), Arn: z.string() }) });

/** Makes a key through the KMS API, as somebody; answers its ARN. @throws Refused when KMS refuses */
export function makeKey(kms: Kms, request: z.infer<typeof makeKeyBody>): { arn: string } {
  const { kind, account, region, alias, description } = request;
  if (kind === 'aws-managed') return { arn: kms.createAwsManagedKey(account, region, alias ?? 'alias/aws/ebs') };
  const call = callerOf(kms, originOf(request, account), region);
  const tags = Object.entries(request.tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
  const { KeyMetadata: key } = call('CreateKey', { Description: description, Tags: tags, ...specOf(kind) }, created);
  if (alias !== undefined) call('CreateAlias', { AliasName: alias, TargetKeyId: key.KeyId }, anything);
  if (kind === 'imported') importMaterial(call, key.KeyId);
  return { arn: key.Arn };
}

function specOf(kind: Exclude<(typeof KINDS)[number], 'aws-managed'>): object {
  switch (kind) {
    case 'symmetric':
      return {};
    case 'rsa':
      return { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' };
    case 'hmac':
      return { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' };
    case 'imported':
      return { Origin: 'EXTERNAL' };
    case 'multi-region':
      return { MultiRegion: true };
    case 'custom-key-store':
      return { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: 'cks-1234567890abcdef0' };
  }
}
