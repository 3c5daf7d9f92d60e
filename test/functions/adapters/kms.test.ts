import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  DisableKeyCommand,
  EnableKeyRotationCommand,
  type KMSClient,
  PutKeyPolicyCommand,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UpdatePrimaryRegionCommand,
} from '@aws-sdk/client-kms';
import { createKeyReader, type KeyReader } from '../../../functions/adapters/kms.ts';
import { createKeyChanges, type KeyChanges } from '../../../functions/adapters/kms-changes.ts';
import { TransientKmsError } from '../../../functions/adapters/kms-errors.ts';
import { type KeyIdentity, parseKeyArn } from '../../../functions/domain/key.ts';
import { HUB_ACCOUNT, READ_ROLE, REMEDIATE_ROLE } from '../../../sandbox/world.ts';
import {
  type AwsFixture,
  anyText,
  DEV_ACCOUNT,
  importMaterial,
  type MadeKey,
  makeKey,
  startAws,
} from '../../sandbox/aws/kms-fixture.ts';

const EXTERNAL_ID = 'external-id-of-the-bot';
const READER = `arn:aws:iam::${DEV_ACCOUNT}:role/${READ_ROLE}`;
const REMEDIATOR = `arn:aws:iam::${DEV_ACCOUNT}:role/${REMEDIATE_ROLE}`;

let aws: AwsFixture;
let reader: KeyReader;
let changes: KeyChanges;
let admin: KMSClient;
const environment = { ...process.env };

beforeAll(async () => {
  aws = await startAws({
    kms: { onDemandRotationMs: 0 },
    sts: { externalIds: { [READ_ROLE]: EXTERNAL_ID, [REMEDIATE_ROLE]: EXTERNAL_ID } },
  });
  process.env['AWS_ENDPOINT_URL'] = aws.url;
  process.env['AWS_ACCESS_KEY_ID'] = HUB_ACCOUNT.id;
  process.env['AWS_SECRET_ACCESS_KEY'] = 'any';
  const access = { externalId: EXTERNAL_ID, sessionName: 'detect-finding', stsRegion: 'eu-central-1' };
  reader = createKeyReader({ ...access, roleName: READ_ROLE });
  changes = createKeyChanges({ ...access, roleName: REMEDIATE_ROLE });
  admin = aws.client();
});
afterAll(async () => {
  process.env = environment;
  await aws.stop();
});
afterEach(() => {
  for (const { service, operation, error } of aws.faults.list()) {
    aws.faults.set({ service, operation, error, times: 0 });
  }
});

function identity({ arn }: { arn: string }): KeyIdentity {
  const key = parseKeyArn(arn);
  if (key === null) throw new Error(`${arn} is no key`);
  return key;
}
const fail = (operation: string, error: string, times = 3, service = 'kms') => {
  aws.faults.set({ service, operation, error, times });
};
async function newKey(input: Parameters<typeof makeKey>[1] = {}): Promise<MadeKey & { key: KeyIdentity }> {
  const made = await makeKey(admin, input);
  return { ...made, key: identity(made) };
}
async function importedKey() {
  const made = await newKey({ Origin: 'EXTERNAL' });
  const first = await importMaterial(admin, made);
  return { ...made, first };
}

describe('observeKey', () => {
  it('tells everything about a key, aliases and tags in order', async () => {
    const { id, key } = await newKey({ Description: 'Ledger', Tags: [{ TagKey: 'team', TagValue: 'payments' }] });
    await admin.send(new TagResourceCommand({ KeyId: id, Tags: [{ TagKey: 'env', TagValue: 'dev' }] }));
    for (const name of ['ledger', 'archive']) {
      await admin.send(new CreateAliasCommand({ AliasName: `alias/${name}`, TargetKeyId: id }));
    }
    await expect(reader.observeKey(key)).resolves.toEqual({
      seen: 'key',
      reading: { kind: 'automatic', enabled: false },
      facts: {
        ...key,
        aliases: ['archive', 'ledger'],
        description: 'Ledger',
        tags: [
          { key: 'env', value: 'dev' },
          { key: 'team', value: 'payments' },
        ],
        keyManager: 'CUSTOMER',
        keyState: 'Enabled',
        keySpec: 'SYMMETRIC_DEFAULT',
        keyUsage: 'ENCRYPT_DECRYPT',
        origin: 'AWS_KMS',
        customKeyStoreId: null,
        multiRegionKeyType: null,
        primaryArn: null,
        createdAt: anyText,
      },
    });
  });

  it('reads as many tags and aliases as a key may have', async () => {
    const Tags = Array.from({ length: 50 }, (_, index) => ({ TagKey: `tag-${index}`, TagValue: 'x' }));
    const { id, key } = await newKey({ Tags });
    for (let index = 0; index < 50; index += 1) {
      await admin.send(new CreateAliasCommand({ AliasName: `alias/many/${index}`, TargetKeyId: id }));
    }
    const seen = await reader.observeKey(key);
    expect(seen.seen === 'key' && [seen.facts.tags.length, seen.facts.aliases.length]).toEqual([50, 50]);
  });

  it('reads the period of a key that rotates', async () => {
    const { id, key } = await newKey();
    await admin.send(new EnableKeyRotationCommand({ KeyId: id, RotationPeriodInDays: 200 }));
    const reading = { kind: 'automatic', enabled: true, periodInDays: 200 };
    await expect(reader.observeKey(key)).resolves.toMatchObject({ reading });
  });

  it('reads the pending material and the last rotation of an imported key', async () => {
    const { id, key } = await importedKey();
    await expect(reader.observeKey(key)).resolves.toMatchObject({
      reading: { kind: 'imported', pendingKeyMaterialId: null, lastRotatedAt: null },
    });
    const pending = await importMaterial(admin, { id, arn: key.arn }, { ImportType: 'NEW_KEY_MATERIAL' });
    await expect(reader.observeKey(key)).resolves.toMatchObject({ reading: { pendingKeyMaterialId: pending } });
    await admin.send(new RotateKeyOnDemandCommand({ KeyId: id }));
    await expect(reader.observeKey(key)).resolves.toMatchObject({
      reading: { pendingKeyMaterialId: null, lastRotatedAt: anyText },
    });
  });

  it.each([
    ['asymmetric', { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }],
    ['HMAC', { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }],
    ['pending import', { Origin: 'EXTERNAL' }],
  ] as const)('makes no rotation call for a key that cannot rotate: %s', async (_kind, input) => {
    const { key } = await newKey(input);
    fail('GetKeyRotationStatus', 'UnsupportedOperationException', 1);
    fail('ListKeyRotations', 'UnsupportedOperationException', 1);
    await expect(reader.observeKey(key)).resolves.toMatchObject({ seen: 'key', reading: { kind: 'not-read' } });
  });

  it('names the primary of a replica and reaches it in its own Region', async () => {
    const { id, key, arn } = await newKey({ MultiRegion: true });
    await admin.send(new ReplicateKeyCommand({ KeyId: id, ReplicaRegion: 'us-east-1' }));
    aws.clock.advance(60_000);
    const replica = identity({ arn: key.arn.replace('eu-central-1', 'us-east-1') });
    await expect(reader.observeKey(replica)).resolves.toMatchObject({
      facts: { region: 'us-east-1', multiRegionKeyType: 'REPLICA', primaryArn: arn },
      reading: { kind: 'not-read' },
    });
  });

  it('says that there is no key', async () => {
    const { key } = await newKey();
    const other = identity({ arn: key.arn.replace(/[^/]+$/, '00000000-0000-4000-8000-000000000000') });
    await expect(reader.observeKey(other)).resolves.toEqual({ seen: 'no-key' });
  });

  it.each([
    ['AccessDeniedException:key-policy', 'key-policy'],
    ['AccessDeniedException:role', 'identity-policy'],
    ['AccessDeniedException:scp', 'service-control-policy'],
  ])('names the policy behind %s', async (error, deniedBy) => {
    const { key } = await newKey();
    fail('DescribeKey', error, 1);
    await expect(reader.observeKey(key)).resolves.toEqual({
      seen: 'refusal',
      facts: null,
      reason: { because: 'access-denied', operation: 'kms:DescribeKey', deniedBy, principal: READER },
    });
  });

  it('sees a real key policy that names somebody else', async () => {
    const { id, key } = await newKey();
    const Principal = { AWS: `arn:aws:iam::${DEV_ACCOUNT}:role/kms-admin` };
    const Statement = [{ Effect: 'Allow', Principal, Action: 'kms:*', Resource: '*' }];
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
    await admin.send(new PutKeyPolicyCommand({ KeyId: id, Policy, BypassPolicyLockoutSafetyCheck: true }));
    await expect(reader.observeKey(key)).resolves.toMatchObject({
      seen: 'refusal',
      reason: { deniedBy: 'key-policy' },
    });
    await expect(changes.enableRotation(key, 365)).resolves.toEqual({
      outcome: 'refused',
      failure: {
        because: 'policy-denies',
        operation: 'kms:EnableKeyRotation',
        deniedBy: 'key-policy',
        principal: REMEDIATOR,
      },
      kmsRequestId: anyText,
    });
  });

  it.each(['GetKeyRotationStatus', 'ListAliases', 'ListResourceTags'])(
    'is a refusal when %s is denied',
    async (name) => {
      const { key } = await newKey();
      fail(name, 'AccessDeniedException:role', 1);
      await expect(reader.observeKey(key)).resolves.toMatchObject({
        seen: 'refusal',
        facts: { keyState: 'Enabled' },
        reason: { because: 'access-denied', operation: `kms:${name}`, deniedBy: 'identity-policy' },
      });
    },
  );

  it('is a refusal when KMS does not support the call after all', async () => {
    const { key } = await newKey();
    fail('GetKeyRotationStatus', 'UnsupportedOperationException', 1);
    await expect(reader.observeKey(key)).resolves.toMatchObject({
      seen: 'refusal',
      reason: { because: 'kms-refused', operation: 'kms:GetKeyRotationStatus', code: 'UnsupportedOperationException' },
    });
  });

  it.each([
    ['DescribeKey', 'ThrottlingException'],
    ['DescribeKey', 'KMSInternalException'],
    ['DescribeKey', 'DependencyTimeoutException'],
    ['DescribeKey', 'ServiceUnavailable'],
    ['GetKeyRotationStatus', 'KMSInvalidStateException'],
    ['GetKeyRotationStatus', 'NotFoundException'],
  ])('throws when %s may answer later: %s', async (operation, error) => {
    const { key } = await newKey();
    fail(operation, error);
    await expect(reader.observeKey(key)).rejects.toThrow(TransientKmsError);
  });

  it('gets over a single throttled call', async () => {
    const { key } = await newKey();
    fail('DescribeKey', 'ThrottlingException', 1);
    await expect(reader.observeKey(key)).resolves.toMatchObject({ seen: 'key' });
  });

  it('throws while a key becomes the primary', async () => {
    const { id, key } = await newKey({ MultiRegion: true });
    await admin.send(new ReplicateKeyCommand({ KeyId: id, ReplicaRegion: 'us-east-1' }));
    aws.clock.advance(60_000);
    await admin.send(new UpdatePrimaryRegionCommand({ KeyId: id, PrimaryRegion: 'us-east-1' }));
    const primary = identity({ arn: key.arn.replace('eu-central-1', 'us-east-1') });
    await expect(reader.observeKey(primary)).rejects.toThrow(TransientKmsError);
    await expect(reader.readBack(primary)).rejects.toThrow(TransientKmsError);
  });
});

describe('the role of the account', () => {
  const access = { sessionName: 'detect-finding', stsRegion: 'eu-central-1', roleName: READ_ROLE };

  it('is assumed under the name of the function', async () => {
    const { key } = await newKey();
    await changes.enableRotation(key, 365);
    expect(aws.records.at(-1)).toMatchObject({
      eventName: 'EnableKeyRotation',
      userIdentity: { arn: `arn:aws:sts::${DEV_ACCOUNT}:assumed-role/${REMEDIATE_ROLE}/detect-finding` },
    });
  });

  it('is a refusal of sts:AssumeRole when the external id is wrong', async () => {
    const { key } = await newKey();
    const stranger = createKeyReader({ ...access, externalId: 'another-id' });
    await expect(stranger.observeKey(key)).resolves.toEqual({
      seen: 'refusal',
      facts: null,
      reason: { because: 'access-denied', operation: 'sts:AssumeRole', deniedBy: 'unspecified', principal: READER },
    });
  });

  it('throws when STS may answer later', async () => {
    const { key } = await newKey();
    const fresh = createKeyReader({ ...access, externalId: EXTERNAL_ID });
    fail('AssumeRole', 'ServiceUnavailable', 3, 'sts');
    await expect(fresh.observeKey(key)).rejects.toThrow(TransientKmsError);
    await expect(fresh.observeKey(key)).resolves.toMatchObject({ seen: 'key' });
  });

  it('throws when nobody answers', async () => {
    const { key } = await newKey();
    const url = process.env['AWS_ENDPOINT_URL'];
    process.env['AWS_ENDPOINT_URL'] = 'http://127.0.0.1:1';
    const alone = createKeyReader({ ...access, externalId: EXTERNAL_ID });
    try {
      await expect(alone.observeKey(key)).rejects.toThrow(TransientKmsError);
    } finally {
      process.env['AWS_ENDPOINT_URL'] = url;
    }
  });
});

describe('changes', () => {
  it('are read back', async () => {
    const { key } = await newKey();
    await expect(changes.enableRotation(key, 180)).resolves.toEqual({ outcome: 'accepted', kmsRequestId: anyText });
    await expect(reader.readBack(key)).resolves.toEqual({
      rotationEnabled: true,
      rotationPeriodInDays: 180,
      nextRotationAt: anyText,
      currentKeyMaterialId: anyText,
    });
    await changes.disableRotation(key);
    await expect(reader.readBack(key)).resolves.toMatchObject({ rotationEnabled: false, nextRotationAt: null });
  });

  it('may be made twice', async () => {
    const { key } = await newKey();
    await changes.enableRotation(key, 180);
    await expect(changes.enableRotation(key, 180)).resolves.toMatchObject({ outcome: 'accepted' });
    await expect(reader.readBack(key)).resolves.toMatchObject({ rotationPeriodInDays: 180 });
  });

  it('put imported material in use, once', async () => {
    const made = await importedKey();
    const pending = await importMaterial(admin, made, { ImportType: 'NEW_KEY_MATERIAL' });
    await expect(reader.readBack(made.key)).resolves.toMatchObject({ currentKeyMaterialId: made.first });
    await expect(changes.rotateOnDemand(made.key)).resolves.toMatchObject({ outcome: 'accepted' });
    await expect(reader.readBack(made.key)).resolves.toMatchObject({ currentKeyMaterialId: pending });
    await expect(changes.rotateOnDemand(made.key)).resolves.toEqual({ outcome: 'key-not-ready' });
  });

  it('are not ready on a disabled key, nor on one that waits for its deletion', async () => {
    const { id, key } = await newKey();
    await admin.send(new DisableKeyCommand({ KeyId: id }));
    await expect(changes.enableRotation(key, 365)).resolves.toEqual({ outcome: 'key-not-ready' });
    await admin.send(new ScheduleKeyDeletionCommand({ KeyId: id }));
    await expect(changes.enableRotation(key, 365)).resolves.toEqual({ outcome: 'key-not-ready' });
    await admin.send(new CancelKeyDeletionCommand({ KeyId: id }));
  });

  it.each(['ThrottlingException', 'ConflictException', 'KMSInternalException'])('throw on %s', async (error) => {
    const { key } = await newKey();
    fail('RotateKeyOnDemand', error);
    await expect(changes.rotateOnDemand(key)).rejects.toThrow(TransientKmsError);
  });

  it('know the limit of on-demand rotations, and that nothing else has one', async () => {
    const { key } = await newKey();
    fail('RotateKeyOnDemand', 'LimitExceededException');
    await expect(changes.rotateOnDemand(key)).resolves.toMatchObject({
      failure: { because: 'rotation-limit-reached' },
    });
    fail('EnableKeyRotation', 'LimitExceededException');
    await expect(changes.enableRotation(key, 365)).resolves.toMatchObject({
      failure: { because: 'kms-refused', code: 'LimitExceededException' },
    });
  });

  it('are refused for a key that cannot rotate', async () => {
    const { key } = await newKey({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
    const failure = {
      because: 'kms-refused',
      operation: 'kms:EnableKeyRotation',
      code: 'UnsupportedOperationException',
    };
    await expect(changes.enableRotation(key, 365)).resolves.toMatchObject({ outcome: 'refused', failure });
  });
});
