import { constants, createCipheriv, createPublicKey, type KeyObject, publicEncrypt, randomBytes } from 'node:crypto';
import {
  CancelKeyDeletionCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  GetKeyRotationStatusCommand,
  GetParametersForImportCommand,
  ImportKeyMaterialCommand,
  ListKeyRotationsCommand,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { createKms } from '../../../sandbox/aws/kms/kms.ts';
import {
  type AwsFixture,
  answerOf,
  DAY,
  DEV_ACCOUNT,
  having,
  importMaterial,
  type MadeKey,
  makeKey,
  SECOND,
  startAws,
} from './kms-fixture.ts';

let aws: AwsFixture;
beforeEach(async () => {
  aws = await startAws();
});
afterEach(() => aws.stop());

const rotationsOf = async (key: MadeKey) => {
  const { Rotations = [] } = await aws.client().send(new ListKeyRotationsCommand({ KeyId: key.id }));
  return Rotations;
};
const serviceRecords = () => aws.records.filter((record) => record.eventType === 'AwsServiceEvent');

describe('automatic rotation', () => {
  it('happens on each due date, however far the clock jumped', async () => {
    const key = await makeKey(aws.client());
    await aws.client().send(new EnableKeyRotationCommand({ KeyId: key.id, RotationPeriodInDays: 90 }));
    const enabledAt = Date.now();
    aws.clock.advance(300 * DAY);
    const rotations = await rotationsOf(key);
    const days = rotations.map((each) => Math.round(((each.RotationDate?.getTime() ?? 0) - enabledAt) / DAY));
    expect(days).toEqual([90, 180, 270]);
    expect(rotations.map((each) => each.KeyMaterialState)).toEqual(['NON_CURRENT', 'NON_CURRENT', 'CURRENT']);
  });

  it('is told to EventBridge by KMS itself and by CloudTrail', async () => {
    const key = await makeKey(aws.client());
    await aws.client().send(new EnableKeyRotationCommand({ KeyId: key.id, RotationPeriodInDays: 90 }));
    aws.clock.advance(91 * DAY);
    aws.kms.tick();
    expect(aws.events).toEqual([
      having({
        'detail-type': 'KMS CMK Rotation',
        source: 'aws.kms',
        account: DEV_ACCOUNT,
        region: 'eu-central-1',
        resources: [key.arn],
        detail: having({ 'key-id': key.id, 'key-origin': 'AWS_KMS', 'rotation-type': 'AUTOMATIC' }),
      }),
    ]);
    expect(serviceRecords()).toEqual([
      having({
        eventName: 'RotateKey',
        userIdentity: { accountId: DEV_ACCOUNT, invokedBy: 'AWS Internal' },
        requestParameters: null,
        serviceEventDetails: having({ rotationType: 'AUTOMATIC', keyId: key.id }),
      }),
    ]);
  });

  it('waits for a disabled key and is made up for when the key is enabled', async () => {
    const key = await makeKey(aws.client());
    const input = { KeyId: key.id };
    await aws.client().send(new EnableKeyRotationCommand({ ...input, RotationPeriodInDays: 90 }));
    await aws.client().send(new DisableKeyCommand(input));
    aws.clock.advance(200 * DAY);
    const missed = await rotationsOf(key);
    await aws.client().send(new EnableKeyCommand(input));
    const enabledAt = Date.now();
    const [madeUp, ...more] = await rotationsOf(key);
    const { NextRotationDate } = await aws.client().send(new GetKeyRotationStatusCommand(input));
    expect([missed, more]).toEqual([[], []]);
    expect(((madeUp?.RotationDate?.getTime() ?? 0) - enabledAt) / DAY).toBeCloseTo(0, 2);
    expect(Math.round(((NextRotationDate?.getTime() ?? 0) - enabledAt) / DAY)).toBe(90);
  });
});

describe('imported material', () => {
  it('expires, and the key then waits for the same material', async () => {
    const key = await makeKey(aws.client(), { Origin: 'EXTERNAL' });
    const ValidTo = new Date(Date.now() + 10 * DAY);
    const bytes = randomBytes(256);
    const expiring = { ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo, EncryptedKeyMaterial: bytes } as const;
    const materialId = await importMaterial(aws.client(), key, expiring);
    aws.clock.advance(11 * DAY);
    const { KeyMetadata: expired } = await aws.client().send(new DescribeKeyCommand({ KeyId: key.id }));
    await importMaterial(aws.client(), key, { EncryptedKeyMaterial: bytes });
    const { KeyMetadata: again } = await aws.client().send(new DescribeKeyCommand({ KeyId: key.id }));
    expect([expired?.KeyState, again?.KeyState]).toEqual(['PendingImport', 'Enabled']);
    expect(aws.events).toEqual([
      having({
        'detail-type': 'KMS Imported Key Material Expiration',
        detail: { 'key-id': key.id, 'key-material-id': materialId },
      }),
    ]);
    expect(serviceRecords().map((record) => record.eventName)).toEqual(['DeleteExpiredKeyMaterial']);
  });

  const oaep = (key: KeyObject, hash: string, bytes: Buffer) =>
    publicEncrypt({ key, oaepHash: hash, padding: constants.RSA_PKCS1_OAEP_PADDING }, bytes);
  const keyWrap = (key: KeyObject, hash: string, bytes: Buffer) => {
    const aesKey = randomBytes(32);
    const cipher = createCipheriv('id-aes256-wrap-pad', aesKey, Buffer.from('A65959A6', 'hex'));
    return Buffer.concat([oaep(key, hash, aesKey), cipher.update(bytes), cipher.final()]);
  };

  it.each([
    ['RSAES_OAEP_SHA_1', oaep, 'sha1'],
    ['RSAES_OAEP_SHA_256', oaep, 'sha256'],
    ['RSA_AES_KEY_WRAP_SHA_1', keyWrap, 'sha1'],
    ['RSA_AES_KEY_WRAP_SHA_256', keyWrap, 'sha256'],
  ] as const)('wrapped with %s has the same id again, and is checked for its length', async (algorithm, wrap, hash) => {
    const client = aws.client();
    const key = await makeKey(client, { Origin: 'EXTERNAL' });
    const wrapAndImport = async (material: Buffer) => {
      const parameters = await client.send(
        new GetParametersForImportCommand({
          KeyId: key.id,
          WrappingAlgorithm: algorithm,
          WrappingKeySpec: 'RSA_2048',
        }),
      );
      const publicKey = createPublicKey({ key: Buffer.from(parameters.PublicKey ?? []), format: 'der', type: 'spki' });
      const command = new ImportKeyMaterialCommand({
        KeyId: key.id,
        ImportToken: parameters.ImportToken,
        EncryptedKeyMaterial: wrap(publicKey, hash, material),
        ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      });
      return answerOf(client.send(command));
    };
    const material = randomBytes(32);
    const first = await wrapAndImport(material);
    const second = await wrapAndImport(material);
    const short = await wrapAndImport(randomBytes(16));
    expect(second).toEqual(first);
    expect(short).toMatchObject({ error: 'IncorrectKeyMaterialException' });
  });
});

describe('deletion', () => {
  it('happens after the window and can be called off until then', async () => {
    const [gone, saved] = [await makeKey(aws.client()), await makeKey(aws.client())];
    for (const key of [gone, saved]) {
      await aws.client().send(new ScheduleKeyDeletionCommand({ KeyId: key.id, PendingWindowInDays: 7 }));
    }
    aws.clock.advance(6 * DAY);
    await aws.client().send(new CancelKeyDeletionCommand({ KeyId: saved.id }));
    aws.clock.advance(2 * DAY);
    expect(await answerOf(aws.client().send(new DescribeKeyCommand({ KeyId: gone.id })))).toEqual({
      error: 'NotFoundException',
      message: `Key '${gone.arn}' does not exist`,
    });
    expect(aws.kms.state().map((key) => [key.arn, key.keyState])).toEqual([[saved.arn, 'Disabled']]);
    expect(aws.events.map((event) => [event['detail-type'], event.detail])).toEqual([
      ['KMS CMK Deletion', { 'key-id': gone.id }],
    ]);
  });

  it('of a primary counts from when its last replica is gone', async () => {
    const primary = await makeKey(aws.client(), { MultiRegion: true });
    await aws.client().send(new ReplicateKeyCommand({ KeyId: primary.id, ReplicaRegion: 'us-east-1' }));
    aws.clock.advance(2 * SECOND);
    await aws.client().send(new ScheduleKeyDeletionCommand({ KeyId: primary.id, PendingWindowInDays: 10 }));
    const other = aws.client(DEV_ACCOUNT, 'us-east-1');
    await other.send(new ScheduleKeyDeletionCommand({ KeyId: primary.id, PendingWindowInDays: 7 }));
    const states = [8, 8, 2].map((days) => {
      aws.clock.advance(days * DAY);
      return aws.kms.state().map((key) => key.keyState);
    });
    expect(states).toEqual([['PendingDeletion'], ['PendingDeletion'], []]);
  });
});

describe('eventual consistency', () => {
  it('lets reads answer what was true before, for as long as asked', async () => {
    await aws.stop();
    aws = await startAws({ kms: { staleReads: { ms: 10 * SECOND } } });
    const key = await makeKey(aws.client());
    const status = () => answerOf(aws.client().send(new GetKeyRotationStatusCommand({ KeyId: key.id })));
    const unseen = await status();
    aws.clock.advance(11 * SECOND);
    const created = await status();
    await aws.client().send(new EnableKeyRotationCommand({ KeyId: key.id }));
    const stale = await status();
    aws.clock.advance(11 * SECOND);
    const fresh = await status();
    expect(unseen).toMatchObject({ error: 'NotFoundException' });
    expect([created, stale, fresh].map((each) => 'KeyRotationEnabled' in each && each['KeyRotationEnabled'])).toEqual([
      false,
      false,
      true,
    ]);
  });
});

describe('a snapshot', () => {
  it('gives everything back, through JSON, to another process', async () => {
    const key = await makeKey(aws.client(), { Tags: [{ TagKey: 'owner', TagValue: 'team' }] });
    await aws.client().send(new EnableKeyRotationCommand({ KeyId: key.id }));
    await aws.client().send(new RotateKeyOnDemandCommand({ KeyId: key.id }));
    const imported = await makeKey(aws.client(), { Origin: 'EXTERNAL' });
    await importMaterial(aws.client(), imported);
    aws.kms.createAwsManagedKey(DEV_ACCOUNT, 'us-east-1', 'alias/aws/ebs');
    const copy = createKms({ emit: () => undefined });
    copy.restore(JSON.parse(JSON.stringify(aws.kms.snapshot())));
    expect(copy.state()).toEqual(aws.kms.state());
  });

  it('is refused when it is something else', () => {
    expect(() => {
      aws.kms.restore({ version: 2 });
    }).toThrow('version');
  });
});
