/**
 * What the simulated KMS does over several calls: each row is a rule of AWS with the place where AWS states it, or where
 * an answer of the real service was recorded, driven through the real SDK client. Single answers are in
 * kms-contract.test.ts.
 */
import {
  CreateAliasCommand,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DeleteAliasCommand,
  DeleteImportedKeyMaterialCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyRotationCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  GetParametersForImportCommand,
  ImportKeyMaterialCommand,
  type KMSClient,
  ListAliasesCommand,
  ListKeyRotationsCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  PutKeyPolicyCommand,
  paginateListAliases,
  paginateListKeyRotations,
  paginateListKeys,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdatePrimaryRegionCommand,
} from '@aws-sdk/client-kms';
import {
  type Answer,
  type AwsFixture,
  answerOf,
  anyDate,
  anyText,
  DAY,
  DEV_ACCOUNT,
  having,
  importMaterial,
  like,
  type MadeKey,
  makeKey,
  PROD_ACCOUNT,
  SECOND,
  startAws,
} from './kms-fixture.ts';
import { CUSTOM_STORE, createKeys, type Keys } from './kms-keys.ts';

const GUIDE = 'KMS Developer Guide';
const API = 'KMS API Reference';
const ROTATE = `${GUIDE}, "Rotate AWS KMS keys"`;
const RECORDED = 'recorded from AWS KMS';

let aws: AwsFixture;
let dev: KMSClient;
let make: Keys['make'];
let primaryAndReplica: Keys['primaryAndReplica'];
let importedPrimaryAndReplica: Keys['importedPrimaryAndReplica'];
let clientOf: Keys['clientOf'];
beforeAll(async () => {
  aws = await startAws();
  dev = aws.client();
  ({ make, primaryAndReplica, importedPrimaryAndReplica, clientOf } = createKeys(aws));
});
afterAll(() => aws.stop());

const perKey = {
  GetKeyRotationStatus: (key: MadeKey) => clientOf(key).send(new GetKeyRotationStatusCommand({ KeyId: key.id })),
  EnableKeyRotation: (key: MadeKey) => clientOf(key).send(new EnableKeyRotationCommand({ KeyId: key.id })),
  DisableKeyRotation: (key: MadeKey) => clientOf(key).send(new DisableKeyRotationCommand({ KeyId: key.id })),
  RotateKeyOnDemand: (key: MadeKey) => clientOf(key).send(new RotateKeyOnDemandCommand({ KeyId: key.id })),
  ListKeyRotations: (key: MadeKey) => clientOf(key).send(new ListKeyRotationsCommand({ KeyId: key.id })),
};

type Rule = {
  source: string;
  rule: string;
  answer: () => Promise<unknown>;
  expected: unknown;
};

async function create(input: CreateKeyCommandInput): Promise<Answer> {
  return answerOf(dev.send(new CreateKeyCommand(input)));
}
async function describeKey(key: MadeKey): Promise<Record<string, unknown>> {
  const { KeyMetadata } = await clientOf(key).send(new DescribeKeyCommand({ KeyId: key.id }));
  return { ...KeyMetadata };
}
async function status(key: MadeKey): Promise<Answer> {
  return answerOf(perKey.GetKeyRotationStatus(key));
}
const error = (name: string, text: unknown = anyText) => ({ error: name, message: text });

const CREATION: Rule[] = [
  {
    source: `${RECORDED}: CreateKey`,
    rule: 'a symmetric key without further words is enabled, customer managed, single-Region',
    answer: async () => (await dev.send(new CreateKeyCommand({ Description: 'test key 123' }))).KeyMetadata,
    expected: {
      AWSAccountId: DEV_ACCOUNT,
      Arn: like(/^arn:aws:kms:eu-central-1:123456789012:key\/[0-9a-f-]{36}$/),
      CreationDate: anyDate,
      CurrentKeyMaterialId: like(/^[0-9a-f]{64}$/),
      CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
      Description: 'test key 123',
      Enabled: true,
      EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
      KeyId: anyText,
      KeyManager: 'CUSTOMER',
      KeySpec: 'SYMMETRIC_DEFAULT',
      KeyState: 'Enabled',
      KeyUsage: 'ENCRYPT_DECRYPT',
      MultiRegion: false,
      Origin: 'AWS_KMS',
    },
  },
  {
    source: `${RECORDED}: CreateKey of an HMAC key`,
    rule: 'an HMAC key names its MAC algorithm and has no key material id',
    answer: async () => {
      const metadata = await describeKey(await makeKey(dev, { KeySpec: 'HMAC_384', KeyUsage: 'GENERATE_VERIFY_MAC' }));
      return [metadata['MacAlgorithms'], 'EncryptionAlgorithms' in metadata, 'CurrentKeyMaterialId' in metadata];
    },
    expected: [['HMAC_SHA_384'], false, false],
  },
  {
    source: `${RECORDED}: CreateKey of a multi-Region key`,
    rule: 'a multi-Region key has an id with mrk- and lists its replicas',
    answer: async () => describeKey(await make['multi-Region primary']()),
    expected: having({
      KeyId: like(/^mrk-[0-9a-f]{32}$/),
      MultiRegion: true,
      MultiRegionConfiguration: having({ MultiRegionKeyType: 'PRIMARY', ReplicaKeys: [] }),
    }),
  },
  {
    source: `${RECORDED}: CreateKey without usage`,
    rule: 'an asymmetric or HMAC key needs a usage',
    answer: () => create({ KeySpec: 'HMAC_256' }),
    expected: error(
      'ValidationException',
      'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
    ),
  },
  {
    source: `${API}, "CreateKey", KeyUsage`,
    rule: 'spec and usage have to go together',
    answer: () => create({ KeySpec: 'ECC_SECG_P256K1', KeyUsage: 'ENCRYPT_DECRYPT' }),
    expected: error('ValidationException', 'KeyUsage ENCRYPT_DECRYPT is not compatible with KeySpec ECC_SECG_P256K1'),
  },
  {
    source: `${RECORDED}: CreateKey with a wrong spec`,
    rule: 'an unknown spec is refused with the list of specs',
    answer: () => create({ KeySpec: 'HMAC_random' as 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }),
    expected: error(
      'ValidationException',
      like(
        /^1 validation error detected: Value 'HMAC_random' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: \[.*SYMMETRIC_DEFAULT/,
      ),
    ),
  },
  {
    source: `${API}, "CreateKey", CustomKeyStoreId`,
    rule: 'a key in a custom key store needs the id of the store',
    answer: () => create({ Origin: 'AWS_CLOUDHSM' }),
    expected: error('ValidationException'),
  },
  {
    source: `${API}, "CreateKey", errors`,
    rule: 'an unknown key store is named as such',
    answer: () => create({ Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: 'my-store' }),
    expected: error('CustomKeyStoreNotFoundException'),
  },
  {
    source: `${API}, "CreateKey", MultiRegion`,
    rule: 'a key in a custom key store is not multi-Region',
    answer: () => create({ ...CUSTOM_STORE, MultiRegion: true }),
    expected: error('UnsupportedOperationException'),
  },
  {
    source: `${API}, "CreateKey", BypassPolicyLockoutSafetyCheck`,
    rule: 'a policy that locks its maker out is refused',
    answer: () => create({ Policy: policyFor({ AWS: `arn:aws:iam::${PROD_ACCOUNT}:root` }) }),
    expected: error('MalformedPolicyDocumentException'),
  },
  {
    source: `${API}, "CreateKey", Tags`,
    rule: 'a tag key is not given twice',
    answer: () =>
      create({
        Tags: [
          { TagKey: 'a', TagValue: '1' },
          { TagKey: 'a', TagValue: '2' },
        ],
      }),
    expected: error('TagException'),
  },
];

function policyFor(principal: unknown, action: string | string[] = 'kms:*'): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: principal, Action: action, Resource: '*' }],
  });
}

const UNKNOWN_ID = '134f2428-cec1-4b25-a1ae-9048164dba47';

const IDENTIFIERS: Rule[] = [
  {
    source: `${RECORDED}: DescribeKey of an id that does not exist`,
    rule: 'an unknown key is named by its ARN',
    answer: () => answerOf(dev.send(new DescribeKeyCommand({ KeyId: UNKNOWN_ID }))),
    expected: error(
      'NotFoundException',
      `Key 'arn:aws:kms:eu-central-1:123456789012:key/${UNKNOWN_ID}' does not exist`,
    ),
  },
  {
    source: `${RECORDED}: DescribeKey with a malformed id`,
    rule: 'what is no key id is called invalid',
    answer: () => answerOf(dev.send(new DescribeKeyCommand({ KeyId: 'fake-key-id' }))),
    expected: error('NotFoundException', "Invalid keyId 'fake-key-id'"),
  },
  {
    source: `${RECORDED}: DescribeKey with an ARN of another Region`,
    rule: 'an ARN of another Region is refused with the name of that Region',
    answer: async () => {
      const key = await makeKey(dev);
      return answerOf(aws.client(DEV_ACCOUNT, 'us-east-1').send(new DescribeKeyCommand({ KeyId: key.arn })));
    },
    expected: error('NotFoundException', 'Invalid arn eu-central-1'),
  },
  {
    source: `${API}, "DescribeKey", KeyId`,
    rule: 'DescribeKey takes key id, key ARN, alias name and alias ARN',
    answer: async () => {
      const key = await makeKey(dev);
      await dev.send(new CreateAliasCommand({ AliasName: 'alias/four-names', TargetKeyId: key.id }));
      const names = [key.id, key.arn, 'alias/four-names', `arn:aws:kms:eu-central-1:${DEV_ACCOUNT}:alias/four-names`];
      const found = await Promise.all(names.map((KeyId) => dev.send(new DescribeKeyCommand({ KeyId }))));
      return found.map((each) => each.KeyMetadata?.KeyId === key.id);
    },
    expected: [true, true, true, true],
  },
  {
    source: `${API}, "GetKeyRotationStatus", KeyId: key id or key ARN`,
    rule: 'the rotation operations take no alias',
    answer: () => answerOf(dev.send(new GetKeyRotationStatusCommand({ KeyId: 'alias/four-names' }))),
    expected: error('NotFoundException', "Invalid keyId 'alias/four-names'"),
  },
  {
    source: `${RECORDED}: DescribeKey of an alias that does not exist`,
    rule: 'an unknown alias is named by its ARN',
    answer: () => answerOf(dev.send(new DescribeKeyCommand({ KeyId: 'alias/none' }))),
    expected: error('NotFoundException', 'Alias arn:aws:kms:eu-central-1:123456789012:alias/none is not found.'),
  },
  {
    source: `${API}, InvalidArnException`,
    rule: 'an ARN that is none of KMS is invalid',
    answer: () => answerOf(dev.send(new DescribeKeyCommand({ KeyId: 'arn:aws:s3:::bucket' }))),
    expected: error('InvalidArnException'),
  },
];

const ROTATION: Rule[] = [
  {
    source: `${API}, "EnableKeyRotation": the default is 365 days from the enable date`,
    rule: 'without a period the next rotation is 365 days after enabling',
    answer: async () => {
      const key = await makeKey(dev);
      const before = Date.now();
      await perKey.EnableKeyRotation(key);
      const { RotationPeriodInDays, NextRotationDate } = await perKey.GetKeyRotationStatus(key);
      const days = ((NextRotationDate?.getTime() ?? 0) - before) / DAY;
      return { RotationPeriodInDays, days: Math.floor(days) };
    },
    expected: { RotationPeriodInDays: 365, days: 365 },
  },
  {
    source: `${ROTATE}, "Rotation date": it can change when the period is changed`,
    rule: 'another period on a rotating key counts from when rotation was enabled',
    answer: async () => {
      const key = await makeKey(dev);
      await dev.send(new EnableKeyRotationCommand({ KeyId: key.id, RotationPeriodInDays: 365 }));
      const { NextRotationDate: long } = await perKey.GetKeyRotationStatus(key);
      aws.clock.advance(10 * DAY);
      await dev.send(new EnableKeyRotationCommand({ KeyId: key.id, RotationPeriodInDays: 90 }));
      const { NextRotationDate: short } = await perKey.GetKeyRotationStatus(key);
      return ((long?.getTime() ?? 0) - (short?.getTime() ?? 0)) / DAY;
    },
    expected: 275,
  },
  {
    source: `${ROTATE}, "Disable key rotation": enabling again counts anew`,
    rule: 'off and on again starts a new count',
    answer: async () => {
      const key = await makeKey(dev);
      await perKey.EnableKeyRotation(key);
      aws.clock.advance(100 * DAY);
      await perKey.DisableKeyRotation(key);
      await perKey.EnableKeyRotation(key);
      const { NextRotationDate } = await perKey.GetKeyRotationStatus(key);
      return Math.round(((NextRotationDate?.getTime() ?? 0) - Date.now()) / DAY);
    },
    expected: 365,
  },
  {
    source: `${API}, "GetKeyRotationStatus": disabled keys keep their status`,
    rule: 'a disabled key that rotates still says so',
    answer: async () => {
      const key = await make['symmetric, rotating']();
      await dev.send(new DisableKeyCommand({ KeyId: key.id }));
      return status(key);
    },
    expected: having({ KeyRotationEnabled: true, RotationPeriodInDays: 180 }),
  },
  {
    source: `${API}, "GetKeyRotationStatus": AWS managed keys are always true`,
    rule: 'an AWS managed key rotates every year',
    answer: async () => {
      const arn = aws.kms.createAwsManagedKey(DEV_ACCOUNT, 'eu-central-1', 'alias/aws/ebs');
      return answerOf(dev.send(new GetKeyRotationStatusCommand({ KeyId: arn })));
    },
    expected: having({ KeyRotationEnabled: true, RotationPeriodInDays: 365 }),
  },
  {
    source: `${API}, "EnableKeyRotation": AWS managed keys cannot be enabled or disabled`,
    rule: 'an AWS managed key cannot be switched off',
    answer: async () => {
      const arn = aws.kms.createAwsManagedKey(DEV_ACCOUNT, 'eu-central-1', 'alias/aws/ebs');
      return answerOf(dev.send(new DisableKeyRotationCommand({ KeyId: arn })));
    },
    expected: error('AccessDeniedException', expect.stringContaining('because no resource-based policy allows')),
  },
  {
    source: `${RECORDED}: ListKeyRotations on aws/acm`,
    rule: 'some AWS managed keys do not let the account look',
    answer: async () => {
      const arn = aws.kms.createAwsManagedKey(DEV_ACCOUNT, 'eu-central-1', 'alias/aws/acm');
      return answerOf(dev.send(new ListKeyRotationsCommand({ KeyId: arn })));
    },
    expected: error(
      'AccessDeniedException',
      like(/because no resource-based policy allows the kms:ListKeyRotations action$/),
    ),
  },
];

async function rotateAndWait(key: MadeKey): Promise<void> {
  await dev.send(new RotateKeyOnDemandCommand({ KeyId: key.id }));
  aws.clock.advance(5 * SECOND);
}

const ON_DEMAND: Rule[] = [
  {
    source: `${API}, "GetKeyRotationStatus", OnDemandRotationStartDate: only while in progress`,
    rule: 'a running rotation shows when it began, a finished one does not',
    answer: async () => {
      const key = await makeKey(dev);
      await dev.send(new RotateKeyOnDemandCommand({ KeyId: key.id }));
      const during = await status(key);
      aws.clock.advance(5 * SECOND);
      const after = await status(key);
      return [during, after].map((each) => 'OnDemandRotationStartDate' in each);
    },
    expected: [true, false],
  },
  {
    source: `${API}, "ListKeyRotations", IncludeKeyMaterial`,
    rule: 'the first material is listed only on request',
    answer: async () => {
      const key = await makeKey(dev);
      await rotateAndWait(key);
      const rotations = await perKey.ListKeyRotations(key);
      const all = await dev.send(
        new ListKeyRotationsCommand({ KeyId: key.arn, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }),
      );
      const short = (list: typeof all) =>
        list.Rotations?.map((each) => [each.KeyMaterialState, each.RotationType, each.KeyId === key.arn]);
      return [short(rotations), short(all)];
    },
    expected: [
      [['CURRENT', 'ON_DEMAND', false]],
      [
        ['NON_CURRENT', undefined, true],
        ['CURRENT', 'ON_DEMAND', true],
      ],
    ],
  },
  {
    source: `${ROTATE}: on-demand rotations do not change existing automatic rotation schedules`,
    rule: 'the next automatic rotation stays',
    answer: async () => {
      const key = await make['symmetric, rotating']();
      const before = await status(key);
      await rotateAndWait(key);
      const after = await status(key);
      return JSON.stringify(before) === JSON.stringify(after);
    },
    expected: true,
  },
  {
    source: `${API}, "RotateKeyOnDemand", ConflictException`,
    rule: 'a second one has to wait for the first',
    answer: async () => {
      const key = await makeKey(dev);
      await dev.send(new RotateKeyOnDemandCommand({ KeyId: key.id }));
      return answerOf(dev.send(new RotateKeyOnDemandCommand({ KeyId: key.id })));
    },
    expected: error('ConflictException'),
  },
  {
    source: `${API}, "RotateKeyOnDemand", ConflictException: automatic rotation within the next 20 minutes`,
    rule: 'none is started just before an automatic rotation',
    answer: async () => {
      const key = await makeKey(dev);
      await dev.send(new EnableKeyRotationCommand({ KeyId: key.id, RotationPeriodInDays: 90 }));
      aws.clock.advance(90 * DAY - 10 * 60 * SECOND);
      return answerOf(dev.send(new RotateKeyOnDemandCommand({ KeyId: key.id })));
    },
    expected: error('ConflictException'),
  },
  {
    source: `${GUIDE}, "Resource quotas": 25 on-demand rotations, and ${RECORDED}: the text`,
    rule: 'the 26th is refused',
    answer: async () => {
      const key = await makeKey(dev);
      for (let count = 0; count < 25; count += 1) await rotateAndWait(key);
      const answer = await answerOf(dev.send(new RotateKeyOnDemandCommand({ KeyId: key.id })));
      return { ...answer, message: String(answer['message']).replace(key.arn, '<arn>') };
    },
    expected: error(
      'LimitExceededException',
      'The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: <arn>',
    ),
  },
];

const IMPORT: Rule[] = [
  {
    source: `${RECORDED}: GetParametersForImport of a key with AWS_KMS origin`,
    rule: 'material is imported only into keys made for it',
    answer: async () => {
      const key = await makeKey(dev);
      const answer = await answerOf(
        dev.send(
          new GetParametersForImportCommand({
            KeyId: key.id,
            WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
            WrappingKeySpec: 'RSA_2048',
          }),
        ),
      );
      return { ...answer, message: String(answer['message']).replace(key.arn, '<arn>') };
    },
    expected: error('UnsupportedOperationException', '<arn> origin is AWS_KMS which is not valid for this operation.'),
  },
  {
    source: `${RECORDED}: ImportKeyMaterial without ValidTo`,
    rule: 'material that expires needs a date',
    answer: async () => {
      const key = await make['imported, waiting for material']();
      return answerOf(importMaterial(dev, key, { ExpirationModel: 'KEY_MATERIAL_EXPIRES' }).then(() => ({})));
    },
    expected: error('ValidationException', 'A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES'),
  },
  {
    source: `${API}, "ImportKeyMaterial", ValidTo: at most 365 days`,
    rule: 'the date is within a year',
    answer: async () => {
      const key = await make['imported, waiting for material']();
      const ValidTo = new Date(Date.now() + 366 * DAY);
      return answerOf(importMaterial(dev, key, { ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo }).then(() => ({})));
    },
    expected: error('ValidationException'),
  },
  {
    source: `${API}, InvalidImportTokenException`,
    rule: 'a token of another key is refused',
    answer: async () => {
      const [one, other] = [
        await make['imported, waiting for material'](),
        await make['imported, waiting for material'](),
      ];
      const parameters = await dev.send(
        new GetParametersForImportCommand({
          KeyId: one.id,
          WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
          WrappingKeySpec: 'RSA_2048',
        }),
      );
      const ImportToken = parameters.ImportToken;
      return answerOf(
        dev.send(
          new ImportKeyMaterialCommand({ KeyId: other.id, ImportToken, EncryptedKeyMaterial: Buffer.alloc(256) }),
        ),
      );
    },
    expected: error('InvalidImportTokenException'),
  },
  {
    source: `${RECORDED}: DescribeKey after import`,
    rule: 'the import makes the key usable and says how long',
    answer: async () => describeKey(await make.imported()),
    expected: having({
      Enabled: true,
      KeyState: 'Enabled',
      Origin: 'EXTERNAL',
      ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      CurrentKeyMaterialId: like(/^[0-9a-f]{64}$/),
    }),
  },
  {
    source: `${API}, "ImportKeyMaterial", ImportType, and RotateKeyOnDemand of imported keys`,
    rule: 'new material waits for a rotation, which makes it current',
    answer: async () => {
      const key = await make.imported();
      const pending = await importMaterial(dev, key, {
        ImportType: 'NEW_KEY_MATERIAL',
        KeyMaterialDescription: 'second',
      });
      const list = async () => {
        const all = await dev.send(
          new ListKeyRotationsCommand({ KeyId: key.id, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }),
        );
        return all.Rotations?.map((each) => [
          each.KeyMaterialState,
          each.KeyMaterialId === pending,
          each.KeyMaterialDescription,
        ]);
      };
      const before = await list();
      await rotateAndWait(key);
      return [before, await list()];
    },
    expected: [
      [
        ['CURRENT', false, undefined],
        ['PENDING_ROTATION', true, 'second'],
      ],
      [
        ['NON_CURRENT', false, undefined],
        ['CURRENT', true, 'second'],
      ],
    ],
  },
  {
    source: `${RECORDED}: ImportKeyMaterial with one pending`,
    rule: 'only one material is pending at a time',
    answer: async () => {
      const key = await make.imported();
      await importMaterial(dev, key, { ImportType: 'NEW_KEY_MATERIAL' });
      return answerOf(importMaterial(dev, key, { ImportType: 'NEW_KEY_MATERIAL' }).then(() => ({})));
    },
    expected: error(
      'KMSInvalidStateException',
      like(
        /^New key material \(id: [0-9a-f]{64}\) cannot be imported into KMS key arn:.*, because another key material \(id: [0-9a-f]{64}\) is pending rotation\.$/,
      ),
    ),
  },
  {
    source: `${GUIDE}, "Rotate AWS KMS keys": unusable as soon as any of its materials is deleted`,
    rule: 'deleting material that was once current makes the key wait for it',
    answer: async () => {
      const key = await make.imported();
      await dev.send(new DeleteImportedKeyMaterialCommand({ KeyId: key.id }));
      return describeKey(key);
    },
    expected: having({ Enabled: false, KeyState: 'PendingImport' }),
  },
  {
    source: `${API}, IncorrectKeyMaterialException`,
    rule: 'other bytes are not the material that is missing',
    answer: async () => {
      const key = await make.imported();
      await dev.send(new DeleteImportedKeyMaterialCommand({ KeyId: key.id }));
      return answerOf(importMaterial(dev, key).then(() => ({})));
    },
    expected: error('IncorrectKeyMaterialException'),
  },
];

const DELETION: Rule[] = [
  {
    source: `${API}, "ScheduleKeyDeletion", PendingWindowInDays: 7 to 30`,
    rule: 'six days is too short',
    answer: async () => {
      const key = await makeKey(dev);
      return answerOf(dev.send(new ScheduleKeyDeletionCommand({ KeyId: key.id, PendingWindowInDays: 6 })));
    },
    expected: error('ValidationException'),
  },
  {
    source: `${API}, "ScheduleKeyDeletion"`,
    rule: 'the answer names ARN, state, window and date; the default is 30 days',
    answer: async () => {
      const key = await makeKey(dev);
      const answer = await dev.send(new ScheduleKeyDeletionCommand({ KeyId: key.id }));
      const days = Math.round(((answer.DeletionDate?.getTime() ?? 0) - Date.now()) / DAY);
      return [answer.KeyId === key.arn, answer.KeyState, answer.PendingWindowInDays, days];
    },
    expected: [true, 'PendingDeletion', 30, 30],
  },
  {
    source: `${GUIDE}, "Deleting multi-Region keys"`,
    rule: 'a primary with replicas has no deletion date until they are gone',
    answer: async () => {
      const { primary } = await primaryAndReplica();
      const answer = await dev.send(new ScheduleKeyDeletionCommand({ KeyId: primary.id }));
      return [answer.KeyState, answer.DeletionDate];
    },
    expected: ['PendingReplicaDeletion', undefined],
  },
];

const MULTI_REGION: Rule[] = [
  {
    source: `${RECORDED}: ReplicateKey`,
    rule: 'a new replica is being created, not enabled, and points to its primary',
    answer: async () => {
      const primary = await makeKey(dev, { MultiRegion: true });
      const answer = await dev.send(new ReplicateKeyCommand({ KeyId: primary.id, ReplicaRegion: 'us-east-1' }));
      return [
        answer.ReplicaKeyMetadata,
        answer.ReplicaKeyMetadata?.MultiRegionConfiguration?.PrimaryKey?.Arn === primary.arn,
      ];
    },
    expected: [having({ KeyState: 'Creating', Enabled: false }), true],
  },
  {
    source: `${RECORDED}: ReplicateKey on a replica`,
    rule: 'only a primary is replicated',
    answer: async () => {
      const { replica } = await primaryAndReplica();
      const answer = await answerOf(
        clientOf(replica).send(new ReplicateKeyCommand({ KeyId: replica.id, ReplicaRegion: 'eu-central-1' })),
      );
      return { ...answer, message: String(answer['message']).replace(replica.arn, '<arn>') };
    },
    expected: error('UnsupportedOperationException', '<arn> is not a multi-region primary key.'),
  },
  {
    source: `${API}, "ReplicateKey", AlreadyExistsException`,
    rule: 'one replica in a Region',
    answer: async () => {
      const { primary } = await primaryAndReplica();
      return answerOf(dev.send(new ReplicateKeyCommand({ KeyId: primary.id, ReplicaRegion: 'us-east-1' })));
    },
    expected: error('AlreadyExistsException'),
  },
  {
    source: `${ROTATE}: the rotation setting is copied from the primary to all replicas`,
    rule: 'a replica shows its primary’s rotation',
    answer: async () => {
      const { primary, replica } = await primaryAndReplica();
      await dev.send(new EnableKeyRotationCommand({ KeyId: primary.id, RotationPeriodInDays: 200 }));
      return status(replica);
    },
    expected: having({ KeyRotationEnabled: true, RotationPeriodInDays: 200 }),
  },
  {
    source: `${API}, "UpdatePrimaryRegion"`,
    rule: 'the new primary is the one to switch from then on, with the setting that it had',
    answer: async () => {
      const { primary, replica } = await primaryAndReplica();
      await dev.send(new EnableKeyRotationCommand({ KeyId: primary.id, RotationPeriodInDays: 200 }));
      await dev.send(new UpdatePrimaryRegionCommand({ KeyId: primary.id, PrimaryRegion: 'us-east-1' }));
      aws.clock.advance(2 * SECOND);
      const kept = await status(replica);
      const former = await answerOf(perKey.DisableKeyRotation(primary));
      const next = await answerOf(perKey.DisableKeyRotation(replica));
      return [kept, former, next, await status(primary)];
    },
    expected: [
      having({ RotationPeriodInDays: 200 }),
      error('UnsupportedOperationException', expect.stringContaining('is not a multi-region primary key.')),
      {},
      having({ KeyRotationEnabled: false }),
    ],
  },
  {
    source: `${API}, "ImportKeyMaterial": a multi-Region key is rotated when every Region has the material`,
    rule: 'new imported material waits for the replicas',
    answer: async () => {
      const first = Buffer.alloc(256, 1);
      const { primary, replica } = await importedPrimaryAndReplica(first);
      await importMaterial(clientOf(replica), replica, { EncryptedKeyMaterial: first });
      const second = Buffer.alloc(256, 2);
      await importMaterial(dev, primary, { EncryptedKeyMaterial: second, ImportType: 'NEW_KEY_MATERIAL' });
      const early = await answerOf(perKey.RotateKeyOnDemand(primary));
      await importMaterial(clientOf(replica), replica, { EncryptedKeyMaterial: second });
      const later = await answerOf(perKey.RotateKeyOnDemand(primary));
      return [early, later];
    },
    expected: [error('KMSInvalidStateException'), { KeyId: anyText }],
  },
];

const ALIASES_AND_TAGS: Rule[] = [
  {
    source: `${API}, "CreateAlias", AliasName`,
    rule: 'an alias begins with alias/',
    answer: async () => {
      const key = await makeKey(dev);
      return answerOf(dev.send(new CreateAliasCommand({ AliasName: 'app', TargetKeyId: key.id })));
    },
    expected: error('ValidationException'),
  },
  {
    source: `${API}, "CreateAlias", AlreadyExistsException`,
    rule: 'a name is given once in an account and Region',
    answer: async () => {
      const key = await makeKey(dev);
      await dev.send(new CreateAliasCommand({ AliasName: 'alias/once', TargetKeyId: key.id }));
      return answerOf(dev.send(new CreateAliasCommand({ AliasName: 'alias/once', TargetKeyId: key.id })));
    },
    expected: error(
      'AlreadyExistsException',
      'An alias with the name arn:aws:kms:eu-central-1:123456789012:alias/once already exists',
    ),
  },
  {
    source: `${API}, "UpdateAlias" and "DeleteAlias"`,
    rule: 'an alias moves to another key and goes away without it',
    answer: async () => {
      const [one, other] = [await makeKey(dev), await makeKey(dev)];
      await dev.send(new CreateAliasCommand({ AliasName: 'alias/moves', TargetKeyId: one.id }));
      await dev.send(new UpdateAliasCommand({ AliasName: 'alias/moves', TargetKeyId: other.id }));
      const moved = await dev.send(new DescribeKeyCommand({ KeyId: 'alias/moves' }));
      await dev.send(new DeleteAliasCommand({ AliasName: 'alias/moves' }));
      const left = await dev.send(new ListAliasesCommand({ KeyId: other.id }));
      return [moved.KeyMetadata?.KeyId === other.id, left.Aliases];
    },
    expected: [true, []],
  },
  {
    source: `${API}, "TagResource" and "UntagResource"`,
    rule: 'a tag of the same name is overwritten',
    answer: async () => {
      const key = await makeKey(dev, { Tags: [{ TagKey: 'owner', TagValue: 'a' }] });
      const Tags = [
        { TagKey: 'owner', TagValue: 'b' },
        { TagKey: 'env', TagValue: 'dev' },
      ];
      await dev.send(new TagResourceCommand({ KeyId: key.id, Tags }));
      await dev.send(new UntagResourceCommand({ KeyId: key.id, TagKeys: ['env', 'none'] }));
      return answerOf(dev.send(new ListResourceTagsCommand({ KeyId: key.id })));
    },
    expected: { Tags: [{ TagKey: 'owner', TagValue: 'b' }], Truncated: false },
  },
  {
    source: `${API}, TagException`,
    rule: 'tags of AWS are reserved',
    answer: async () => {
      const key = await makeKey(dev);
      const Tags = [{ TagKey: 'aws:x', TagValue: '' }];
      return answerOf(dev.send(new TagResourceCommand({ KeyId: key.id, Tags })));
    },
    expected: error('TagException'),
  },
];

const POLICIES_AND_ACCOUNTS: Rule[] = [
  {
    source: `${GUIDE}, "Default key policy"`,
    rule: 'a key made without a policy leaves everything to the account’s IAM',
    answer: async () => {
      const key = await makeKey(dev);
      const { Policy } = await dev.send(new GetKeyPolicyCommand({ KeyId: key.id, PolicyName: 'default' }));
      return JSON.parse(Policy ?? '') as unknown;
    },
    expected: having({
      Statement: [having({ Principal: { AWS: `arn:aws:iam::${DEV_ACCOUNT}:root` }, Action: 'kms:*' })],
    }),
  },
  {
    source: `${API}, "PutKeyPolicy", MalformedPolicyDocumentException`,
    rule: 'a policy is JSON',
    answer: async () => {
      const key = await makeKey(dev);
      return answerOf(dev.send(new PutKeyPolicyCommand({ KeyId: key.id, Policy: 'no' })));
    },
    expected: error('MalformedPolicyDocumentException'),
  },
  {
    source: `${API}, "DescribeKey" and "GetKeyRotationStatus", Cross-account use: Yes`,
    rule: 'another account reads by ARN what the key policy lets it read',
    answer: async () => {
      const key = await makeKey(dev);
      const Policy = JSON.stringify({
        Statement: [
          { Effect: 'Allow', Principal: { AWS: DEV_ACCOUNT }, Action: 'kms:*', Resource: '*' },
          { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${PROD_ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' },
        ],
      });
      await dev.send(new PutKeyPolicyCommand({ KeyId: key.id, Policy }));
      const prod = aws.client(PROD_ACCOUNT);
      const byArn = { KeyId: key.arn };
      return [
        'error' in (await answerOf(prod.send(new DescribeKeyCommand(byArn)))),
        'error' in (await answerOf(prod.send(new GetKeyRotationStatusCommand(byArn)))),
        await answerOf(prod.send(new EnableKeyRotationCommand(byArn))),
      ];
    },
    expected: [false, false, error('AccessDeniedException')],
  },
  {
    source: `${API}, "DescribeKey", Cross-account use`,
    rule: 'without a word in the key policy another account sees nothing',
    answer: async () => {
      const key = await makeKey(dev);
      return answerOf(aws.client(PROD_ACCOUNT).send(new DescribeKeyCommand({ KeyId: key.arn })));
    },
    expected: error(
      'AccessDeniedException',
      like(
        /^User: arn:aws:iam::444455556666:user\/cli-user is not authorized to perform: kms:DescribeKey on resource: arn:.* because no resource-based policy allows the kms:DescribeKey action$/,
      ),
    ),
  },
];

const GROUPS: Record<string, Rule[]> = {
  'making keys': CREATION,
  'naming keys': IDENTIFIERS,
  'automatic rotation': ROTATION,
  'on-demand rotation': ON_DEMAND,
  'imported material': IMPORT,
  deletion: DELETION,
  'multi-Region keys': MULTI_REGION,
  'aliases and tags': ALIASES_AND_TAGS,
  'policies and accounts': POLICIES_AND_ACCOUNTS,
};

describe.each(Object.entries(GROUPS))('%s', (_name, rules) => {
  it.each(rules)('$rule [$source]', async ({ answer, expected }) => {
    expect(await answer()).toEqual(expected);
  });
});

describe(`pages [${API}: Limit, Marker, NextMarker, Truncated]`, () => {
  const account = '111122223333';

  it('lists every key once through the paginator', async () => {
    const client = aws.client(account);
    for (let count = 0; count < 7; count += 1) await makeKey(client);
    const sizes: number[] = [];
    const ids = new Set<string | undefined>();
    for await (const page of paginateListKeys({ client, pageSize: 3 }, {})) {
      sizes.push(page.Keys?.length ?? 0);
      for (const key of page.Keys ?? []) ids.add(key.KeyId);
    }
    expect({ sizes, keys: ids.size }).toEqual({ sizes: [3, 3, 1], keys: 7 });
  });

  it('lists aliases and rotations in pages', async () => {
    const client = aws.client(account);
    const key = await makeKey(client);
    for (const name of ['a', 'b', 'c']) {
      await client.send(new CreateAliasCommand({ AliasName: `alias/${name}`, TargetKeyId: key.id }));
      await client.send(new RotateKeyOnDemandCommand({ KeyId: key.id }));
      aws.clock.advance(5 * SECOND);
    }
    const names: (string | undefined)[] = [];
    for await (const page of paginateListAliases({ client, pageSize: 2 }, { KeyId: key.id })) {
      names.push(...(page.Aliases ?? []).map((alias) => alias.AliasName));
    }
    let rotations = 0;
    for await (const page of paginateListKeyRotations({ client, pageSize: 2 }, { KeyId: key.id })) {
      rotations += page.Rotations?.length ?? 0;
    }
    expect({ names, rotations }).toEqual({ names: ['alias/a', 'alias/b', 'alias/c'], rotations: 3 });
  });

  it('gives no marker with the last page', async () => {
    const answer = await answerOf(aws.client(account).send(new ListKeysCommand({ Limit: 1000 })));
    expect(answer).toEqual({ Keys: expect.any(Array) as unknown, Truncated: false });
  });

  it.each([
    ['a limit of 0', { Limit: 0 }, 'ValidationException'],
    ['a limit of 1001', { Limit: 1001 }, 'ValidationException'],
    ['a made-up marker', { Marker: 'made-up' }, 'InvalidMarkerException'],
  ])('refuses %s', async (_what, input, name) => {
    expect(await answerOf(dev.send(new ListKeysCommand(input)))).toMatchObject({ error: name });
  });
});
