/**
 * Single answers of KMS, on the wire: each row names the page of AWS that states it, or the recording of the real service
 * that shows it. Where only a code is known, only the code is asserted, and what neither states nor shows is left out.
 */
import { randomBytes } from 'node:crypto';
import {
  DisableKeyCommand,
  ReplicateKeyCommand,
  ScheduleKeyDeletionCommand,
  UpdatePrimaryRegionCommand,
} from '@aws-sdk/client-kms';
import * as z from 'zod';
import { algorithmsOf, KEY_SPECS, KEY_USAGES } from '../../../sandbox/aws/kms/key-specs.ts';
import { type AwsFixture, DAY, importMaterial, like, type MadeKey, makeKey, SECOND, startAws } from './kms-fixture.ts';
import { CUSTOM_STORE, createKeys, type Keys, type Kind } from './kms-keys.ts';
import { callKms, type WireAnswer } from './kms-wire.ts';

const GUIDE = 'AWS KMS Developer Guide';
const API = 'AWS KMS API Reference';
const STATES = `${GUIDE}, "Key states of AWS KMS keys"`;
const ROTATE = `${GUIDE}, "Rotate AWS KMS keys"`;
const LOCALSTACK = 'recorded answer in LocalStack’s snapshot of KMS, November 2025';
const CUSTODIAN = 'recorded answer in Cloud Custodian’s tests';

let aws: AwsFixture;
let keys: Keys;
beforeAll(async () => {
  aws = await startAws();
  keys = createKeys(aws);
});
afterAll(() => aws.stop());

const regionOf = (arn: string) => (arn.includes(':us-east-1:') ? 'us-east-1' : 'eu-central-1');
const call = (operation: string, key: MadeKey, more: Record<string, unknown> = {}) =>
  callKms(aws.url, operation, { KeyId: key.arn, ...more }, { region: regionOf(key.arn) });

/** An answer as one line, with `<arn>` for the key's ARN: `OK`, or status, code and message. */
function lineOf({ status, body }: WireAnswer, key: MadeKey): string {
  const error = z.object({ __type: z.string(), message: z.string().optional() }).safeParse(body);
  if (status === 200) return 'OK';
  if (!error.success) return `${status} ${JSON.stringify(body)}`;
  const { __type: code, message } = error.data;
  return `${status} ${code}${message === undefined ? '' : `: ${message}`}`.replaceAll(key.arn, '<arn>');
}

describe(`key state table [${STATES}]`, () => {
  const STATE_NAMES = [
    ...(['Enabled', 'Disabled', 'PendingDeletion', 'PendingReplicaDeletion'] as const),
    ...(['PendingImport', 'Unavailable', 'Creating', 'Updating'] as const),
  ];
  type StateName = (typeof STATE_NAMES)[number];

  const inState: Record<StateName, () => Promise<MadeKey>> = {
    Enabled: () => keys.make.symmetric(),
    Disabled: async () => {
      const key = await keys.make.symmetric();
      await aws.client().send(new DisableKeyCommand({ KeyId: key.id }));
      return key;
    },
    PendingDeletion: async () => {
      const key = await keys.make.symmetric();
      await aws.client().send(new ScheduleKeyDeletionCommand({ KeyId: key.id }));
      return key;
    },
    PendingReplicaDeletion: async () => {
      const { primary } = await keys.primaryAndReplica();
      await aws.client().send(new ScheduleKeyDeletionCommand({ KeyId: primary.id }));
      return primary;
    },
    PendingImport: () => keys.make['imported, waiting for material'](),
    Unavailable: async () => {
      const key = await keys.make['in a CloudHSM key store']();
      disconnect(key);
      return key;
    },
    // Only a replica is ever being created.
    Creating: async () => {
      const primary = await makeKey(aws.client(), { MultiRegion: true });
      await aws.client().send(new ReplicateKeyCommand({ KeyId: primary.id, ReplicaRegion: 'us-east-1' }));
      return { id: primary.id, arn: primary.arn.replace('eu-central-1', 'us-east-1') };
    },
    Updating: async () => {
      const { primary, replica } = await keys.primaryAndReplica();
      await aws.client().send(new UpdatePrimaryRegionCommand({ KeyId: primary.id, PrimaryRegion: 'us-east-1' }));
      return replica;
    },
  };

  /** Key stores are not simulated, so nothing disconnects them; a saved state can say that somebody did. */
  function disconnect({ id }: MadeKey): void {
    const saved = z.looseObject({ keys: z.array(z.looseObject({ keyId: z.string() })) }).parse(aws.kms.snapshot());
    aws.kms.restore({
      ...saved,
      keys: saved.keys.map((key) => (key.keyId === id ? { ...key, keyState: 'Unavailable' } : key)),
    });
  }

  /** The notes under the table. `?7` and `?9` are decided by the kind of key, and none of these keys is of that kind. */
  const NOTES: Record<string, RegExp> = {
    OK: /^OK$/,
    1: /^400 DisabledException: <arn> is disabled\.$/,
    '2 or 3': /^400 (Disabled|KMSInvalidState)Exception: <arn> is pending (replica )?deletion\.$/,
    3: /^400 KMSInvalidStateException: <arn> is pending (replica )?deletion\.$/,
    4: /^400 KMSInvalidStateException: <arn> is not pending deletion \(or pending replica deletion\)\.$/,
    5: /^400 KMSInvalidStateException: <arn> is pending import because no key material has ever been imported or one of the imported key materials is deleted or expired\.$/,
    6: /^400 UnsupportedOperationException: <arn> origin is EXTERNAL which is not valid for this operation\.$/,
    7: /^400 UnsupportedOperationException/,
    '8 or 9': /^400 (KMSInvalidState|UnsupportedOperation)Exception/,
    9: /^400 UnsupportedOperationException/,
    14: /^400 KMSInvalidStateException: <arn> is creating\.$/,
    15: /^400 KMSInvalidStateException: <arn> is updating\.$/,
  };

  function noteOf(name: string): RegExp {
    const note = NOTES[name];
    if (note === undefined) throw new RangeError(`the table has no note ${name}`);
    return note;
  }

  const CALLS: Record<string, Record<string, unknown>> = {
    EnableKeyRotation: { RotationPeriodInDays: 365 },
    TagResource: { Tags: [{ TagKey: 'a', TagValue: 'b' }] },
    UntagResource: { TagKeys: ['a'] },
    UpdateKeyDescription: { Description: 'other' },
    GetParametersForImport: { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' },
    ReplicateKey: { ReplicaRegion: 'us-east-1' },
    UpdatePrimaryRegion: { PrimaryRegion: 'us-east-1' },
  };

  // One word per column: Enabled, Disabled, PendingDeletion and PendingReplicaDeletion (one column there),
  // PendingImport, Unavailable, Creating, Updating. A dash: not applicable, or about other kinds of keys than these.
  const TABLE: Record<string, string> = {
    CancelKeyDeletion: '4 | 4 | OK | 4 | 4 | 4 | 4',
    CreateAlias: 'OK | OK | 3 | OK | OK | OK | OK',
    DeleteImportedKeyMaterial: '- | - | - | OK | - | - | -',
    DescribeKey: 'OK | OK | OK | OK | OK | OK | OK',
    DisableKey: 'OK | OK | 3 | 5 | OK | 14 | 15',
    DisableKeyRotation: 'OK | 1 | 3 | 6 | 7 | 14 | OK',
    EnableKey: 'OK | OK | 3 | 5 | OK | 14 | 15',
    EnableKeyRotation: 'OK | 1 | 3 | 6 | 7 | 14 | OK',
    GetKeyPolicy: 'OK | OK | OK | OK | OK | OK | OK',
    GetKeyRotationStatus: 'OK | OK | OK | 6 | 7 | OK | OK',
    GetParametersForImport: '9 | 9 | 8 or 9 | OK | 9 | - | -',
    ListAliases: 'OK | OK | OK | OK | OK | OK | OK',
    ListKeyRotations: 'OK | OK | OK | OK | 7 | OK | OK',
    ListResourceTags: 'OK | OK | OK | OK | OK | OK | OK',
    PutKeyPolicy: 'OK | OK | OK | OK | OK | OK | OK',
    ReplicateKey: '- | 1 | 2 or 3 | 5 | - | 14 | 15',
    RotateKeyOnDemand: 'OK | 1 | 3 | 5 | 7 | 14 | OK',
    ScheduleKeyDeletion: 'OK | OK | 3 | OK | OK | OK | 15',
    TagResource: 'OK | OK | 3 | OK | OK | OK | OK',
    UntagResource: 'OK | OK | 3 | OK | OK | OK | OK',
    UpdateKeyDescription: 'OK | OK | 3 | OK | OK | OK | OK',
    UpdatePrimaryRegion: '- | 1 | 2 or 3 | 5 | - | 14 | -',
  };

  const cells = Object.entries(TABLE).flatMap(([operation, row]) => {
    const [enabled, disabled, deleting, ...others] = row.split(' | ');
    return [enabled, disabled, deleting, deleting, ...others].flatMap((note, column) => {
      const state = STATE_NAMES[column];
      return note === undefined || note === '-' || state === undefined ? [] : [{ operation, state, note }];
    });
  });

  it.each(cells)('$operation while $state: $note', async ({ operation, state, note }) => {
    const key = await inState[state]();
    expect(lineOf(await send(operation, key), key)).toMatch(noteOf(note));
  });

  async function send(operation: string, key: MadeKey): Promise<WireAnswer> {
    if (operation === 'CreateAlias') {
      const input = { AliasName: `alias/state-${keys.next()}`, TargetKeyId: key.arn };
      return callKms(aws.url, operation, input, { region: regionOf(key.arn) });
    }
    const policy =
      operation === 'PutKeyPolicy'
        ? z.object({ Policy: z.string() }).parse((await call('GetKeyPolicy', key)).body)
        : {};
    return call(operation, key, { ...CALLS[operation], ...policy });
  }

  it('is the state that DescribeKey shows', async () => {
    for (const state of STATE_NAMES) {
      const key = await inState[state]();
      const { body } = await call('DescribeKey', key);
      expect(body).toMatchObject({ KeyMetadata: { KeyState: state, Enabled: state === 'Enabled' } });
    }
  });

  it('notes 14 and 15 on imported keys: nothing about their material while they are created or updated', async () => {
    const [material, client] = [randomBytes(256), aws.client()];
    const ofMaterial = async (key: MadeKey) => [
      lineOf(await send('DeleteImportedKeyMaterial', key), key),
      lineOf(await send('GetParametersForImport', key), key),
    ];
    const primary = await makeKey(client, { MultiRegion: true, Origin: 'EXTERNAL' });
    await importMaterial(client, primary, { EncryptedKeyMaterial: material });
    const replica = { id: primary.id, arn: primary.arn.replace('eu-central-1', 'us-east-1') };
    await client.send(new ReplicateKeyCommand({ KeyId: primary.id, ReplicaRegion: 'us-east-1' }));
    expect(await ofMaterial(replica)).toEqual([like(noteOf('14')), like(noteOf('14'))]);
    aws.clock.advance(2 * SECOND);
    await importMaterial(keys.clientOf(replica), replica, { EncryptedKeyMaterial: material });
    await client.send(new UpdatePrimaryRegionCommand({ KeyId: primary.id, PrimaryRegion: 'us-east-1' }));
    expect(await ofMaterial(replica)).toEqual([like(noteOf('15')), like(noteOf('15'))]);
  });

  it('note 10: an alias leaves a key that is pending deletion, and does not come to one', async () => {
    const [from, to] = [await keys.make.symmetric(), await keys.make.symmetric()];
    const update = (key: MadeKey) =>
      callKms(aws.url, 'UpdateAlias', { AliasName: 'alias/note-10', TargetKeyId: key.arn });
    await callKms(aws.url, 'CreateAlias', { AliasName: 'alias/note-10', TargetKeyId: from.arn });
    await call('ScheduleKeyDeletion', from);
    expect(lineOf(await update(to), to)).toBe('OK');
    expect(lineOf(await update(from), from)).toBe('400 KMSInvalidStateException: <arn> is pending deletion.');
  });
});

describe('rotation by kind of key', () => {
  const OPERATIONS = ['GetKeyRotationStatus', 'EnableKeyRotation', 'DisableKeyRotation', 'RotateKeyOnDemand'] as const;
  type Row = { source: string } & Record<(typeof OPERATIONS)[number], RegExp>;
  const ok = /^OK$/;
  const unsupported = /^400 UnsupportedOperationException(: |$)/;
  const rotates = { GetKeyRotationStatus: ok, EnableKeyRotation: ok, DisableKeyRotation: ok, RotateKeyOnDemand: ok };
  const never = {
    EnableKeyRotation: unsupported,
    DisableKeyRotation: unsupported,
    RotateKeyOnDemand: /^400 UnsupportedOperationException$/,
  };
  const inCustomStore = { ...never, GetKeyRotationStatus: unsupported, RotateKeyOnDemand: unsupported };
  const asymmetric = {
    source: `${ROTATE}: neither automatic nor on demand; ${LOCALSTACK}: RotateKeyOnDemand with an empty message`,
    GetKeyRotationStatus: ok,
    ...never,
  };

  /** A new kind does not compile without its row. */
  const KINDS: Record<Kind, Row> = {
    symmetric: { source: `${ROTATE}; ${LOCALSTACK}`, ...rotates },
    'symmetric, rotating': { source: `${ROTATE}; ${LOCALSTACK}`, ...rotates },
    RSA: asymmetric,
    ECC: asymmetric,
    'ML-DSA': asymmetric,
    SM2: asymmetric,
    HMAC: { ...asymmetric, RotateKeyOnDemand: unsupported },
    'imported, waiting for material': {
      source: `${STATES}, notes 5 and 6; ${CUSTODIAN} of a key in PendingImport`,
      GetKeyRotationStatus:
        /^400 UnsupportedOperationException: <arn> origin is EXTERNAL which is not valid for this operation\.$/,
      EnableKeyRotation:
        /^400 UnsupportedOperationException: <arn> origin is EXTERNAL which is not valid for this operation\.$/,
      DisableKeyRotation:
        /^400 UnsupportedOperationException: <arn> origin is EXTERNAL which is not valid for this operation\.$/,
      RotateKeyOnDemand: /^400 KMSInvalidStateException: <arn> is pending import because /,
    },
    imported: {
      source: `${GUIDE}, "Perform on-demand key rotation" (automatic: no); ${LOCALSTACK}: nothing pending rotation`,
      GetKeyRotationStatus: ok,
      EnableKeyRotation: unsupported,
      DisableKeyRotation: unsupported,
      RotateKeyOnDemand:
        /^400 KMSInvalidStateException: No available key material pending rotation for the key: <arn>\.$/,
    },
    'in a CloudHSM key store': { source: `${STATES}, note 7`, ...inCustomStore },
    'in an external key store': { source: `${STATES}, note 7`, ...inCustomStore },
    'multi-Region primary': { source: `${ROTATE}, "Rotating multi-Region keys"`, ...rotates },
    'multi-Region replica': {
      source: `${ROTATE}, "Rotating multi-Region keys": enabled, disabled and started on the primary only`,
      ...{ GetKeyRotationStatus: ok, EnableKeyRotation: unsupported, DisableKeyRotation: unsupported },
      RotateKeyOnDemand: unsupported,
    },
  };
  const cells = (Object.keys(KINDS) as Kind[]).flatMap((kind) =>
    OPERATIONS.map((operation) => ({ kind, operation, source: KINDS[kind].source })),
  );
  it.each(cells)('$kind: $operation [$source]', async ({ kind, operation }) => {
    const key = await keys.make[kind]();
    const period = operation === 'EnableKeyRotation' ? { RotationPeriodInDays: 180 } : {};
    expect(lineOf(await call(operation, key, period), key)).toMatch(KINDS[kind][operation]);
  });

  it.each(KEY_SPECS.filter((spec) => spec !== 'SYMMETRIC_DEFAULT'))(
    `%s never rotates, and says false [${ROTATE}; ${GUIDE} of 2023: the status of these keys is always false]`,
    async (KeySpec) => {
      const KeyUsage = KEY_USAGES.find((usage) => algorithmsOf(KeySpec, usage) !== undefined);
      const key = await makeKey(aws.client(), { KeySpec, KeyUsage });
      const lines = await Promise.all(OPERATIONS.map(async (each) => lineOf(await call(each, key), key)));
      expect(lines).toEqual(['OK', like(unsupported), like(unsupported), like(unsupported)]);
      expect((await call('GetKeyRotationStatus', key)).body).toEqual({ KeyId: key.id, KeyRotationEnabled: false });
    },
  );
});

type Row = { source: string; what: string; answer: () => Promise<unknown>; expected: unknown };
const rows = (list: Row[]) => {
  it.each(list)('$what [$source]', async ({ answer, expected }) => {
    expect(await answer()).toEqual(expected);
  });
};
const membersOf = ({ body }: WireAnswer) => Object.keys(z.record(z.string(), z.unknown()).parse(body)).sort();

describe('members of an answer', () => {
  const status = (key: MadeKey) => call('GetKeyRotationStatus', key);
  const anyNumber: unknown = expect.any(Number);
  rows([
    {
      source: `${LOCALSTACK}: a key with rotation switched off`,
      what: 'a status that is off has two members and no more',
      answer: async () => membersOf(await status(await keys.make.symmetric())),
      expected: ['KeyId', 'KeyRotationEnabled'],
    },
    {
      source: `${LOCALSTACK}: a key with rotation on; ${API}, "GetKeyRotationStatus"`,
      what: 'a status that is on has period and next date, as seconds since 1970',
      answer: async () => {
        const key = await keys.make['symmetric, rotating']();
        const { body } = await status(key);
        return { body, id: key.id };
      },
      expected: {
        id: expect.any(String) as unknown,
        body: {
          KeyId: like(/^[0-9a-f-]{36}$/),
          KeyRotationEnabled: true,
          RotationPeriodInDays: 180,
          NextRotationDate: anyNumber,
        },
      },
    },
    {
      source: `${API}, "EnableKeyRotation": HTTP 200 with an empty body; the same for DisableKeyRotation, EnableKey, DisableKey, TagResource`,
      what: 'an operation without a result answers nothing at all',
      answer: async () => {
        const key = await keys.make.symmetric();
        const answers = [
          await call('EnableKeyRotation', key),
          await call('DisableKeyRotation', key),
          await call('DisableKey', key),
          await call('EnableKey', key),
          await call('TagResource', key, { Tags: [{ TagKey: 'a', TagValue: 'b' }] }),
        ];
        return [...new Set(answers.map(({ status: code, text }) => `${code} "${text}"`))];
      },
      expected: ['200 ""'],
    },
    {
      source: `${API}, "GetKeyRotationStatus": false while pending deletion; "CancelKeyDeletion": the key is Disabled afterwards`,
      what: 'pending deletion says false, and the call that ends it leaves the key disabled with its rotation',
      answer: async () => {
        const key = await keys.make['symmetric, rotating']();
        await call('ScheduleKeyDeletion', key, { PendingWindowInDays: 7 });
        const during = await status(key);
        const { body: cancelled } = await call('CancelKeyDeletion', key);
        const { body } = await call('DescribeKey', key);
        const { KeyMetadata: metadata } = z
          .object({ KeyMetadata: z.looseObject({ KeyState: z.string() }) })
          .parse(body);
        const after = await status(key);
        return {
          during: membersOf(during),
          cancelled: JSON.stringify(cancelled).replace(key.arn, '<arn>'),
          state: metadata.KeyState,
          hasDeletionDate: 'DeletionDate' in metadata,
          after: membersOf(after),
        };
      },
      expected: {
        during: ['KeyId', 'KeyRotationEnabled'],
        cancelled: '{"KeyId":"<arn>"}',
        state: 'Disabled',
        hasDeletionDate: false,
        after: ['KeyId', 'KeyRotationEnabled', 'NextRotationDate', 'RotationPeriodInDays'],
      },
    },
    {
      source: `${LOCALSTACK}: RotateKeyOnDemand answers with the ARN for an id`,
      what: 'RotateKeyOnDemand names the key by its ARN',
      answer: async () => {
        const key = await keys.make.symmetric();
        const { body } = await callKms(aws.url, 'RotateKeyOnDemand', { KeyId: key.id });
        return JSON.stringify(body).replace(key.arn, '<arn>');
      },
      expected: '{"KeyId":"<arn>"}',
    },
    {
      source: `${API}, "GetKeyRotationStatus", OnDemandRotationStartDate: while a rotation is in progress`,
      what: 'the start of an on-demand rotation is there while it runs, on a key that does not rotate by itself too',
      answer: async () => {
        const key = await keys.make.symmetric();
        await call('RotateKeyOnDemand', key);
        const during = membersOf(await status(key));
        aws.clock.advance(5 * SECOND);
        return [during, membersOf(await status(key))];
      },
      expected: [
        ['KeyId', 'KeyRotationEnabled', 'OnDemandRotationStartDate'],
        ['KeyId', 'KeyRotationEnabled'],
      ],
    },
    {
      source: `${API}, "KeyMetadata", CurrentKeyMaterialId: symmetric keys with AWS_KMS or EXTERNAL origin`,
      what: 'only symmetric keys whose material KMS holds name their current material',
      answer: async () => {
        const kinds = [
          'symmetric',
          'imported',
          'imported, waiting for material',
          'RSA',
          'HMAC',
          'in a CloudHSM key store',
        ] as const;
        const has = async (kind: Kind) => {
          const { body } = await call('DescribeKey', await keys.make[kind]());
          const { KeyMetadata: metadata } = z.object({ KeyMetadata: z.record(z.string(), z.unknown()) }).parse(body);
          return 'CurrentKeyMaterialId' in metadata;
        };
        return Promise.all(kinds.map(has));
      },
      expected: [true, true, false, false, false, false],
    },
    {
      source: `${API}, "RotationsListEntry"; ${LOCALSTACK}: KeyId is the ARN when the ARN was asked for`,
      what: 'a rotation of material that KMS made names key, material, state, date and type',
      answer: async () => {
        const key = await keys.make.symmetric();
        await call('RotateKeyOnDemand', key);
        aws.clock.advance(5 * SECOND);
        const { body } = await call('ListKeyRotations', key);
        const [entry] = z.object({ Rotations: z.array(z.looseObject({ KeyId: z.string() })) }).parse(body).Rotations;
        return { ...entry, KeyId: entry?.KeyId === key.arn };
      },
      expected: {
        KeyId: true,
        KeyMaterialId: like(/^[0-9a-f]{64}$/),
        KeyMaterialState: 'CURRENT',
        RotationDate: anyNumber,
        RotationType: 'ON_DEMAND',
      },
    },
    {
      source: `${API}, "ListKeyRotations", IncludeKeyMaterial, and "RotationsListEntry"`,
      what: 'all material of an imported key shows its import state, expiry and description; the first has no rotation',
      answer: async () => {
        const key = await keys.make['imported, waiting for material']();
        await importMaterial(aws.client(), key, {
          ExpirationModel: 'KEY_MATERIAL_EXPIRES',
          ValidTo: new Date(Date.now() + 30 * DAY),
          KeyMaterialDescription: 'first',
        });
        await importMaterial(aws.client(), key, { ImportType: 'NEW_KEY_MATERIAL' });
        const { body } = await call('ListKeyRotations', key, { IncludeKeyMaterial: 'ALL_KEY_MATERIAL' });
        const entry = z.looseObject({ KeyId: z.string(), KeyMaterialId: z.string() });
        const { Rotations: list } = z.object({ Rotations: z.array(entry) }).parse(body);
        return list.map(({ KeyId, KeyMaterialId, ...others }) => ({
          ...others,
          isNamed: [KeyId, KeyMaterialId].every(Boolean),
        }));
      },
      expected: [
        {
          ...{ isNamed: true, KeyMaterialState: 'CURRENT', ImportState: 'IMPORTED', KeyMaterialDescription: 'first' },
          ExpirationModel: 'KEY_MATERIAL_EXPIRES',
          ValidTo: anyNumber,
        },
        {
          ...{ isNamed: true, KeyMaterialState: 'PENDING_ROTATION', ImportState: 'IMPORTED' },
          ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
        },
      ],
    },
  ]);
});

describe('which identifier an operation takes', () => {
  it.each(['EnableKeyRotation', 'DisableKeyRotation', 'GetKeyRotationStatus', 'RotateKeyOnDemand', 'ListKeyRotations'])(
    `%s: key id and ARN, no alias [${API}, KeyId]`,
    async (operation) => {
      const key = await keys.make.symmetric();
      const AliasName = `alias/identifier-${keys.next()}`;
      await callKms(aws.url, 'CreateAlias', { AliasName, TargetKeyId: key.id });
      const named = (KeyId: string) => callKms(aws.url, operation, { KeyId });
      const statuses = [
        await named(key.id),
        await named(AliasName),
        await named(key.arn.replace(/key\/.*/, AliasName)),
      ];
      expect(statuses.map(({ status }) => status)).toEqual([200, 400, 400]);
    },
  );
  rows([
    {
      source: `${LOCALSTACK} and ${CUSTODIAN}: an ARN of another Region`,
      what: 'a key of another Region is not found, and the Region is named',
      answer: async () => {
        const key = await keys.make.symmetric();
        return (await callKms(aws.url, 'DescribeKey', { KeyId: key.arn }, { region: 'us-east-1' })).body;
      },
      expected: { __type: 'NotFoundException', message: 'Invalid arn eu-central-1' },
    },
    {
      source: LOCALSTACK,
      what: 'a key that does not exist is named by its ARN',
      answer: async () =>
        (await callKms(aws.url, 'GetKeyRotationStatus', { KeyId: '12345678-1234-1234-1234-123456789012' })).body,
      expected: {
        __type: 'NotFoundException',
        message: "Key 'arn:aws:kms:eu-central-1:123456789012:key/12345678-1234-1234-1234-123456789012' does not exist",
      },
    },
    {
      source: LOCALSTACK,
      what: 'what is no identifier is called invalid',
      answer: async () => (await callKms(aws.url, 'DescribeKey', { KeyId: 'fake' })).body,
      expected: { __type: 'NotFoundException', message: "Invalid keyId 'fake'" },
    },
  ]);
});

describe('bounds', () => {
  const enable = async (days: unknown) => {
    const key = await keys.make.symmetric();
    return lineOf(await call('EnableKeyRotation', key, { RotationPeriodInDays: days }), key);
  };
  const list = async (operation: string, Limit: number) => {
    const key = await keys.make.symmetric();
    return (await call(operation, operation === 'ListKeys' ? { id: '', arn: key.arn } : key, { Limit })).status;
  };
  const PAGE_LIMITS = { ListKeys: 1000, ListAliases: 100, ListResourceTags: 50, ListKeyRotations: 1000 };
  rows([
    {
      source: `${API}, "EnableKeyRotation", RotationPeriodInDays: 90 to 2560`,
      what: 'a period of 90 and of 2560 days is taken, one less and one more is not',
      answer: async () => [await enable(90), await enable(2560), await enable(89), await enable(2561)],
      expected: [
        'OK',
        'OK',
        like(/^400 ValidationException: 1 validation error detected: /),
        like(/^400 ValidationException: /),
      ],
    },
    {
      source: `${API}, Limit of ListKeys, ListAliases, ListResourceTags and ListKeyRotations`,
      what: 'a page has from one item to the operation’s own limit',
      answer: () =>
        Promise.all(
          Object.entries(PAGE_LIMITS).map(async ([operation, limit]) => [
            await list(operation, 0),
            await list(operation, 1),
            await list(operation, limit),
            await list(operation, limit + 1),
          ]),
        ),
      expected: Object.keys(PAGE_LIMITS).map(() => [400, 200, 200, 400]),
    },
    {
      source: `${API}, "ScheduleKeyDeletion", PendingWindowInDays: 7 to 30`,
      what: 'a deletion waits from 7 to 30 days',
      answer: async () =>
        Promise.all(
          [6, 7, 30, 31].map(async (PendingWindowInDays) => {
            const key = await keys.make.symmetric();
            return (await call('ScheduleKeyDeletion', key, { PendingWindowInDays })).status;
          }),
        ),
      expected: [400, 200, 200, 400],
    },
  ]);
});

describe('errors of the service itself', () => {
  // CommonErrors says 403 for AccessDeniedException; what KMS sends is not recorded, so its status is not asserted.
  it.each([
    [
      'ThrottlingException',
      400,
      /^You have exceeded the rate at which you may call KMS\. Reduce the frequency of your calls\.$/,
    ],
    ['DependencyTimeoutException', 500, /./],
    ['KMSInternalException', 500, /./],
    ['ServiceUnavailable', 503, /./],
    ['InternalFailure', 500, /./],
    ['LimitExceededException', 400, /./],
    ['InvalidArnException', 400, /./],
  ])(`%s has status %i [${API}, errors of each operation and "Common Errors"]`, async (error, status, message) => {
    const key = await keys.make.symmetric();
    aws.faults.set({ service: 'kms', operation: 'EnableKeyRotation', error, times: 1 });
    const answer = await call('EnableKeyRotation', key);
    expect({ status: answer.status, body: answer.body }).toEqual({
      status,
      body: { __type: error, message: like(message) },
    });
  });

  it(`an empty message is no member [${LOCALSTACK}: RotateKeyOnDemand of an asymmetric key]`, async () => {
    expect(await call('RotateKeyOnDemand', await keys.make.RSA())).toEqual({
      status: 400,
      text: '{"__type":"UnsupportedOperationException"}',
      body: { __type: 'UnsupportedOperationException' },
    });
  });

  it(`a key in a key store needs the store [${API}, "CreateKey", CustomKeyStoreId]`, async () => {
    const { status } = await callKms(aws.url, 'CreateKey', { Origin: CUSTOM_STORE.Origin });
    expect(status).toBe(400);
  });
});
