import * as z from 'zod';
import { type Deviations, rulesFor } from '../rule.ts';
import { startAws } from '../sandbox/aws/kms-fixture.ts';
import { callKms, type WireAnswer } from '../sandbox/aws/kms-wire.ts';
import { startMoto } from './moto.ts';

const BACK_ENDS = { sandbox: startAws, moto: startMoto };

/**
 * moto keeps one flag per key and looks neither at state nor at spec nor at origin when it is set. AWS's pages and recordings,
 * which the contract test of the sandbox names row by row, are right in each of these; see the README of this folder.
 */
const DEVIATIONS: Record<string, Deviations> = {
  sandbox: {},
  moto: {
    'has the metadata of a symmetric key': /\+ +"KeyUsage": null,\n\+ +"MultiRegion": null,/,
    'names its current material': /Received has value: undefined/,
    'waits for its material when it is imported': /\+ +"KeyState": "Enabled"/,
    'has an id with mrk- and its Regions when it is multi-Region': /Received string: +"mrk-[0-9a-f]{8}-/,
    'names key, period and next date when rotation is on':
      /- +"KeyId",\n +"KeyRotationEnabled",\n- +"NextRotationDate"/,
    'is false while the key is pending deletion': /\+ +"KeyRotationEnabled": true/,
    'is not for a key that waits for its material': /Received: "OK"/,
    'cannot be switched on for an asymmetric key': /Received: "OK"/,
    'cannot be switched on while the key is disabled': /Received: "OK"/,
    'does not take a period of 89 days': /Received: "OK"/,
    'answers the switch with nothing at all': /Received: "null"/,
    'is not for an asymmetric key': /Received: "OK"/,
    'names key, state, window and date':
      /- +"KeyState": "PendingDeletion",\n- +"PendingWindowInDays": 7,\n\+ +"KeyId": "[^:]+"/,
    'called off, leaves the key disabled': /\+ +"KeyId": "[^:]+"/,
    'cannot be called off where there is none': /Received: "OK"/,
    'what is no identifier is called invalid, in quotes': /\+ +"Invalid keyId fake"/,
    'a list ends at its limit and goes on at its marker': /NextMarker/,
    'the aliases of a key come with key, ARN and dates': /- +"CreationDate"/,
  },
};

const metadata = z.looseObject({ KeyId: z.string(), Arn: z.string(), KeyState: z.string(), Enabled: z.boolean() });
const UNKNOWN = '12345678-1234-1234-1234-123456789012';

describe.each(Object.entries(BACK_ENDS))('the KMS of %s', (name, start) => {
  const rule = rulesFor(DEVIATIONS[name] ?? {});
  let url: string;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    ({ url, stop } = await start());
  });
  afterAll(() => stop());

  const call = (operation: string, input: Record<string, unknown>) => callKms(url, operation, input);
  async function makeKey(input: Record<string, unknown> = {}): Promise<z.infer<typeof metadata>> {
    const { body } = await call('CreateKey', input);
    return z.object({ KeyMetadata: metadata }).parse(body).KeyMetadata;
  }
  const describeKey = async (KeyId: string) =>
    z.object({ KeyMetadata: metadata }).parse((await call('DescribeKey', { KeyId })).body).KeyMetadata;
  const membersOf = ({ body }: WireAnswer) => Object.keys(z.record(z.string(), z.unknown()).parse(body)).sort();
  const codeOf = ({ status, body }: WireAnswer) =>
    status === 200 ? 'OK' : `${status} ${z.object({ __type: z.string() }).parse(body).__type}`;
  const textOf = ({ body }: WireAnswer) => z.object({ message: z.string() }).parse(body).message;
  const asymmetric = { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' };

  describe('a new key', () => {
    rule('has the metadata of a symmetric key', async () => {
      const { KeyId, ...made } = await makeKey({ Description: 'orders' });
      expect([typeof made['CreationDate'], made.Arn.endsWith(`:key/${KeyId}`)]).toEqual(['number', true]);
      expect(made).toMatchObject({
        AWSAccountId: '123456789012',
        CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
        Description: 'orders',
        Enabled: true,
        EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
        KeyManager: 'CUSTOMER',
        KeySpec: 'SYMMETRIC_DEFAULT',
        KeyState: 'Enabled',
        KeyUsage: 'ENCRYPT_DECRYPT',
        MultiRegion: false,
        Origin: 'AWS_KMS',
      });
    });
    rule('names its current material', async () => {
      expect((await makeKey())['CurrentKeyMaterialId']).toMatch(/^[0-9a-f]{64}$/);
    });
    rule('waits for its material when it is imported', async () => {
      expect(await makeKey({ Origin: 'EXTERNAL' })).toMatchObject({ KeyState: 'PendingImport', Enabled: false });
    });
    rule('has an id with mrk- and its Regions when it is multi-Region', async () => {
      const { KeyId, MultiRegionConfiguration: configuration } = await makeKey({ MultiRegion: true });
      expect(KeyId).toMatch(/^mrk-[0-9a-f]{32}$/);
      expect(configuration).toMatchObject({ MultiRegionKeyType: 'PRIMARY', ReplicaKeys: [] });
    });
  });

  describe('the rotation status', () => {
    const status = (KeyId: string) => call('GetKeyRotationStatus', { KeyId });
    rule('is false for a new key, and true after EnableKeyRotation', async () => {
      const { KeyId } = await makeKey();
      const before = await status(KeyId);
      const enabled = await call('EnableKeyRotation', { KeyId });
      const after = await status(KeyId);
      await call('DisableKeyRotation', { KeyId });
      const answers = [before, after, await status(KeyId)];
      expect(
        answers.map(({ body }) => z.object({ KeyRotationEnabled: z.boolean() }).parse(body).KeyRotationEnabled),
      ).toEqual([false, true, false]);
      expect(enabled.status).toBe(200);
    });
    rule('names key, period and next date when rotation is on', async () => {
      const { KeyId } = await makeKey();
      await call('EnableKeyRotation', { KeyId, RotationPeriodInDays: 180 });
      expect(membersOf(await status(KeyId))).toEqual([
        'KeyId',
        'KeyRotationEnabled',
        'NextRotationDate',
        'RotationPeriodInDays',
      ]);
    });
    rule('is false while the key is pending deletion', async () => {
      const { KeyId } = await makeKey();
      await call('EnableKeyRotation', { KeyId });
      await call('ScheduleKeyDeletion', { KeyId });
      expect((await status(KeyId)).body).toMatchObject({ KeyRotationEnabled: false });
    });
    rule('is not for a key that waits for its material', async () => {
      const { KeyId } = await makeKey({ Origin: 'EXTERNAL' });
      expect(codeOf(await status(KeyId))).toBe('400 UnsupportedOperationException');
    });
    rule('cannot be switched on for an asymmetric key', async () => {
      const { KeyId } = await makeKey(asymmetric);
      expect(codeOf(await call('EnableKeyRotation', { KeyId }))).toBe('400 UnsupportedOperationException');
    });
    rule('cannot be switched on while the key is disabled', async () => {
      const { KeyId } = await makeKey();
      await call('DisableKey', { KeyId });
      expect(codeOf(await call('EnableKeyRotation', { KeyId }))).toBe('400 DisabledException');
    });
    rule('does not take a period of 89 days', async () => {
      const { KeyId } = await makeKey();
      expect(codeOf(await call('EnableKeyRotation', { KeyId, RotationPeriodInDays: 89 }))).toBe(
        '400 ValidationException',
      );
    });
    rule('answers the switch with nothing at all', async () => {
      const { KeyId } = await makeKey();
      expect((await call('EnableKeyRotation', { KeyId })).text).toBe('');
    });
    rule('is not reached through an alias', async () => {
      const { KeyId } = await makeKey();
      await call('CreateAlias', { AliasName: 'alias/status', TargetKeyId: KeyId });
      expect((await status('alias/status')).status).toBe(400);
    });
  });

  describe('a rotation on demand', () => {
    rule('is listed with its date and type', async () => {
      const { KeyId } = await makeKey();
      const started = await call('RotateKeyOnDemand', { KeyId });
      expect(membersOf(started)).toEqual(['KeyId']);
      await new Promise((resolve) => setTimeout(resolve, 3200));
      const { body } = await call('ListKeyRotations', { KeyId });
      expect(body).toMatchObject({
        Rotations: [{ RotationType: 'ON_DEMAND', RotationDate: expect.any(Number) as unknown }],
        Truncated: false,
      });
    });
    rule('is not for an asymmetric key', async () => {
      const { KeyId } = await makeKey(asymmetric);
      expect(codeOf(await call('RotateKeyOnDemand', { KeyId }))).toBe('400 UnsupportedOperationException');
    });
  });

  describe('deletion', () => {
    rule('names key, state, window and date', async () => {
      const { KeyId, Arn } = await makeKey();
      const answer = await call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
      expect(answer.body).toEqual({
        KeyId: Arn,
        KeyState: 'PendingDeletion',
        PendingWindowInDays: 7,
        DeletionDate: expect.any(Number) as unknown,
      });
    });
    rule('called off, leaves the key disabled', async () => {
      const { KeyId, Arn } = await makeKey();
      await call('ScheduleKeyDeletion', { KeyId });
      expect((await call('CancelKeyDeletion', { KeyId })).body).toEqual({ KeyId: Arn });
      expect(await describeKey(KeyId)).toMatchObject({ KeyState: 'Disabled', Enabled: false });
    });
    rule('cannot be called off where there is none', async () => {
      const { KeyId } = await makeKey();
      expect(codeOf(await call('CancelKeyDeletion', { KeyId }))).toBe('400 KMSInvalidStateException');
    });
  });

  describe('identifiers', () => {
    rule('DescribeKey takes id, ARN, alias and the alias’s ARN', async () => {
      const { KeyId, Arn } = await makeKey();
      await call('CreateAlias', { AliasName: 'alias/four', TargetKeyId: KeyId });
      const names = [KeyId, Arn, 'alias/four', Arn.replace(/key\/.*/, 'alias/four')];
      expect(await Promise.all(names.map(async (each) => (await describeKey(each)).Arn))).toEqual(names.map(() => Arn));
    });
    rule('a key that does not exist is named by its ARN', async () => {
      const answer = await call('DescribeKey', { KeyId: UNKNOWN });
      expect([codeOf(answer), textOf(answer)]).toEqual([
        '400 NotFoundException',
        `Key 'arn:aws:kms:eu-central-1:123456789012:key/${UNKNOWN}' does not exist`,
      ]);
    });
    rule('what is no identifier is called invalid, in quotes', async () => {
      const answer = await call('DescribeKey', { KeyId: 'fake' });
      expect([codeOf(answer), textOf(answer)]).toEqual(['400 NotFoundException', "Invalid keyId 'fake'"]);
    });
    rule('an alias that does not exist is named by its ARN', async () => {
      const answer = await call('DescribeKey', { KeyId: 'alias/none' });
      expect([codeOf(answer), textOf(answer)]).toEqual([
        '400 NotFoundException',
        'Alias arn:aws:kms:eu-central-1:123456789012:alias/none is not found.',
      ]);
    });
    rule('an alias is given once', async () => {
      const { KeyId } = await makeKey();
      const input = { AliasName: 'alias/once', TargetKeyId: KeyId };
      await call('CreateAlias', input);
      const again = await call('CreateAlias', input);
      expect([codeOf(again), textOf(again)]).toEqual([
        '400 AlreadyExistsException',
        'An alias with the name arn:aws:kms:eu-central-1:123456789012:alias/once already exists',
      ]);
    });
  });

  describe('lists', () => {
    rule('ListKeys names id and ARN', async () => {
      const { KeyId, Arn } = await makeKey();
      const { body } = await call('ListKeys', { Limit: 1000 });
      expect(z.object({ Keys: z.array(z.unknown()) }).parse(body).Keys).toContainEqual({ KeyId, KeyArn: Arn });
    });
    rule('a list ends at its limit and goes on at its marker', async () => {
      await makeKey();
      await makeKey();
      const first = z
        .object({ Keys: z.array(z.unknown()), NextMarker: z.string(), Truncated: z.literal(true) })
        .parse((await call('ListKeys', { Limit: 1 })).body);
      expect(first.Keys).toHaveLength(1);
      expect((await call('ListKeys', { Limit: 1, Marker: first.NextMarker })).body).not.toMatchObject({
        Keys: first.Keys,
      });
    });
    rule('the aliases of a key come with key, ARN and dates', async () => {
      const { KeyId, Arn } = await makeKey();
      await call('CreateAlias', { AliasName: 'alias/dated', TargetKeyId: KeyId });
      const { body } = await call('ListAliases', { KeyId });
      const date: unknown = expect.any(Number);
      expect(body).toMatchObject({
        Aliases: [
          {
            AliasName: 'alias/dated',
            AliasArn: Arn.replace(/key\/.*/, 'alias/dated'),
            TargetKeyId: KeyId,
            CreationDate: date,
            LastUpdatedDate: date,
          },
        ],
      });
    });
    rule('tags are added, overwritten and removed', async () => {
      const { KeyId } = await makeKey({ Tags: [{ TagKey: 'a', TagValue: '1' }] });
      await call('TagResource', {
        KeyId,
        Tags: [
          { TagKey: 'a', TagValue: '2' },
          { TagKey: 'b', TagValue: '3' },
        ],
      });
      await call('UntagResource', { KeyId, TagKeys: ['b'] });
      expect((await call('ListResourceTags', { KeyId })).body).toMatchObject({
        Tags: [{ TagKey: 'a', TagValue: '2' }],
        Truncated: false,
      });
    });
    rule('a key policy is that of the account unless another was given', async () => {
      const { KeyId } = await makeKey();
      const { body } = await call('GetKeyPolicy', { KeyId, PolicyName: 'default' });
      const { Policy: policy } = z.object({ Policy: z.string() }).parse(body);
      expect(JSON.parse(policy)).toMatchObject({
        Statement: [
          { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::123456789012:root' }, Action: 'kms:*', Resource: '*' },
        ],
      });
    });
  });
});
