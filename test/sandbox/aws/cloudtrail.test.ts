import {
  CreateAliasCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyRotationCommand,
  GetKeyRotationStatusCommand,
  PutKeyPolicyCommand,
  ReplicateKeyCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UpdatePrimaryRegionCommand,
} from '@aws-sdk/client-kms';
import {
  cloudFormation,
  consolePerson,
  identityCenterPerson,
  type RequestOrigin,
  rootUser,
  terraform,
} from '../../../sandbox/aws/caller.ts';
import { asEventBridgeEvent, type CloudTrailRecord, trailDate } from '../../../sandbox/aws/cloudtrail.ts';
import {
  type AwsFixture,
  answerOf,
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

let aws: AwsFixture;
beforeEach(async () => {
  aws = await startAws();
});
afterEach(() => aws.stop());

function last(eventName?: string): CloudTrailRecord {
  const record = aws.records.findLast((each) => eventName === undefined || each.eventName === eventName);
  if (record === undefined) throw new Error('nothing was recorded');
  return record;
}
const keyResource = (key: MadeKey) => ({ accountId: DEV_ACCOUNT, type: 'AWS::KMS::Key', ARN: key.arn });

describe('the record of a call', () => {
  it('of CreateKey shows the defaults and the metadata in CloudTrail’s spelling', async () => {
    const key = await makeKey(aws.client(), { Tags: [{ TagKey: 'owner', TagValue: 'team' }] });
    expect(last()).toEqual({
      eventVersion: '1.11',
      userIdentity: {
        type: 'IAMUser',
        principalId: like(/^AIDA[0-9A-F]{16}$/),
        arn: `arn:aws:iam::${DEV_ACCOUNT}:user/cli-user`,
        accountId: DEV_ACCOUNT,
        accessKeyId: DEV_ACCOUNT,
        userName: 'cli-user',
      },
      eventTime: like(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      eventSource: 'kms.amazonaws.com',
      eventName: 'CreateKey',
      awsRegion: 'eu-central-1',
      sourceIPAddress: '127.0.0.1',
      userAgent: like(/aws-sdk-js/),
      requestParameters: {
        tags: [{ tagKey: 'owner', tagValue: 'team' }],
        keyUsage: 'ENCRYPT_DECRYPT',
        keySpec: 'SYMMETRIC_DEFAULT',
        customerMasterKeySpec: 'SYMMETRIC_DEFAULT',
        origin: 'AWS_KMS',
        description: '',
        bypassPolicyLockoutSafetyCheck: false,
      },
      responseElements: {
        keyMetadata: {
          aWSAccountId: DEV_ACCOUNT,
          keyId: key.id,
          arn: key.arn,
          creationDate: like(/^[A-Z][a-z]{2} \d{1,2}, \d{4}, \d{1,2}:\d\d:\d\d [AP]M$/),
          enabled: true,
          description: '',
          keyUsage: 'ENCRYPT_DECRYPT',
          keyState: 'Enabled',
          origin: 'AWS_KMS',
          keyManager: 'CUSTOMER',
          customerMasterKeySpec: 'SYMMETRIC_DEFAULT',
          keySpec: 'SYMMETRIC_DEFAULT',
          encryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
          multiRegion: false,
          currentKeyMaterialId: anyText,
        },
      },
      requestID: like(/^[0-9a-f-]{36}$/),
      eventID: like(/^[0-9a-f-]{36}$/),
      readOnly: false,
      resources: [keyResource(key)],
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: DEV_ACCOUNT,
      eventCategory: 'Management',
    });
  });

  it('shows the key as the caller named it, and its ARN in the answer where KMS writes it', async () => {
    const key = await makeKey(aws.client());
    const client = aws.client();
    await client.send(new EnableKeyRotationCommand({ KeyId: key.arn, RotationPeriodInDays: 90 }));
    await client.send(new DisableKeyRotationCommand({ KeyId: key.arn }));
    await client.send(new DisableKeyCommand({ KeyId: key.id }));
    await client.send(new TagResourceCommand({ KeyId: key.id, Tags: [{ TagKey: 'a', TagValue: 'b' }] }));
    await client.send(new GetKeyRotationStatusCommand({ KeyId: key.id }));
    await client.send(new ScheduleKeyDeletionCommand({ KeyId: key.id, PendingWindowInDays: 7 }));
    const shown = aws.records
      .slice(1)
      .map((each) => [each.eventName, each.requestParameters, each.responseElements, each.readOnly]);
    expect(shown).toEqual([
      ['EnableKeyRotation', { keyId: key.arn, rotationPeriodInDays: 90 }, { keyId: key.arn }, false],
      ['DisableKeyRotation', { keyId: key.arn }, null, false],
      ['DisableKey', { keyId: key.id }, { keyId: key.arn }, false],
      ['TagResource', { keyId: key.id, tags: [{ tagKey: 'a', tagValue: 'b' }] }, { keyId: key.arn }, false],
      ['GetKeyRotationStatus', { keyId: key.id }, null, true],
      [
        'ScheduleKeyDeletion',
        { keyId: key.id, pendingWindowInDays: 7 },
        { keyId: key.arn, keyState: 'PendingDeletion', deletionDate: like(/[AP]M$/), pendingWindowInDays: 7 },
        false,
      ],
    ]);
  });

  it('of an alias names two resources', async () => {
    const key = await makeKey(aws.client());
    await aws.client().send(new CreateAliasCommand({ AliasName: 'alias/app', TargetKeyId: key.id }));
    expect(last()).toMatchObject({
      requestParameters: { aliasName: 'alias/app', targetKeyId: key.id },
      responseElements: { keyId: key.arn },
      resources: [keyResource(key), { ARN: `arn:aws:kms:eu-central-1:${DEV_ACCOUNT}:alias/app` }],
    });
  });

  it('of an import has dates and descriptions, but neither token nor material', async () => {
    const key = await makeKey(aws.client(), { Origin: 'EXTERNAL' });
    const ValidTo = new Date(Date.now() + DAY);
    const materialId = await importMaterial(aws.client(), key, {
      ExpirationModel: 'KEY_MATERIAL_EXPIRES',
      ValidTo,
      KeyMaterialDescription: 'from the vault',
    });
    expect(last()).toMatchObject({
      eventName: 'ImportKeyMaterial',
      responseElements: { keyId: key.arn, keyMaterialId: materialId },
    });
    expect(last().requestParameters).toEqual({
      keyId: key.id,
      validTo: like(/^[A-Z][a-z]{2} \d{1,2}, \d{4}, \d{1,2}:\d\d:\d\d [AP]M$/),
      expirationModel: 'KEY_MATERIAL_EXPIRES',
      keyMaterialDescription: 'from the vault',
    });
  });

  it('of a failure has a code and no response elements', async () => {
    const key = await makeKey(aws.client(), { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' });
    await answerOf(aws.client().send(new DisableKeyRotationCommand({ KeyId: key.id })));
    expect(last()).toMatchObject({
      eventName: 'DisableKeyRotation',
      errorCode: 'UnsupportedOperationException',
      errorMessage: '',
      responseElements: null,
      resources: [keyResource(key)],
    });
  });

  it('of a key that does not exist names no resource', async () => {
    await answerOf(aws.client().send(new DisableKeyRotationCommand({ KeyId: 'nonsense' })));
    expect(last()).toMatchObject({ errorCode: 'NotFoundException', requestParameters: { keyId: 'nonsense' } });
    expect(last()).not.toHaveProperty('resources');
  });

  it('of ReplicateKey is joined by a CreateKey in the replica’s Region', async () => {
    const primary = await makeKey(aws.client(), { MultiRegion: true });
    await aws.client().send(new ReplicateKeyCommand({ KeyId: primary.id, ReplicaRegion: 'us-east-1' }));
    const replicaArn = primary.arn.replace('eu-central-1', 'us-east-1');
    expect(last('ReplicateKey')).toMatchObject({
      awsRegion: 'eu-central-1',
      requestParameters: { keyId: primary.id, replicaRegion: 'us-east-1', bypassPolicyLockoutSafetyCheck: false },
      responseElements: {
        replicaKeyMetadata: {
          arn: replicaArn,
          keyState: 'Creating',
          multiRegionConfiguration: {
            multiRegionKeyType: 'REPLICA',
            primaryKey: { arn: primary.arn, region: 'eu-central-1' },
            replicaKeys: [{ arn: replicaArn, region: 'us-east-1' }],
          },
        },
        replicaPolicy: anyText,
      },
      resources: [keyResource(primary)],
    });
    expect(last('CreateKey')).toMatchObject({
      awsRegion: 'us-east-1',
      userIdentity: { invokedBy: 'kms.amazonaws.com' },
      requestParameters: { multiRegion: true },
      responseElements: { keyMetadata: { arn: replicaArn } },
      resources: [{ ARN: replicaArn }],
    });
  });

  it('of UpdatePrimaryRegion exists in both Regions, the second one without resources', async () => {
    const key = await makeKey(aws.client(), { MultiRegion: true });
    await aws.client().send(new ReplicateKeyCommand({ KeyId: key.id, ReplicaRegion: 'us-east-1' }));
    aws.clock.advance(2 * SECOND);
    await aws.client().send(new UpdatePrimaryRegionCommand({ KeyId: key.id, PrimaryRegion: 'us-east-1' }));
    const [old, next, ...more] = aws.records.filter((each) => each.eventName === 'UpdatePrimaryRegion');
    expect(more).toEqual([]);
    expect(old).toMatchObject({ awsRegion: 'eu-central-1', resources: [keyResource(key)] });
    expect(next).toMatchObject({
      awsRegion: 'us-east-1',
      requestID: old?.requestID,
      requestParameters: { keyId: key.arn.replace('eu-central-1', 'us-east-1'), primaryRegion: 'us-east-1' },
      responseElements: { keyId: key.arn },
    });
    expect(next).not.toHaveProperty('resources');
    expect(next?.eventID).not.toBe(old?.eventID);
  });

  it('of a call from another account goes to both accounts, a denied one to the caller’s only', async () => {
    const key = await makeKey(aws.client());
    const foreign = aws.client(PROD_ACCOUNT);
    await answerOf(foreign.send(new GetKeyRotationStatusCommand({ KeyId: key.arn })));
    const Policy = JSON.stringify({
      Statement: [{ Effect: 'Allow', Principal: { AWS: [DEV_ACCOUNT, PROD_ACCOUNT] }, Action: 'kms:*', Resource: '*' }],
    });
    await aws.client().send(new PutKeyPolicyCommand({ KeyId: key.id, Policy }));
    await foreign.send(new GetKeyRotationStatusCommand({ KeyId: key.arn }));
    const reads = aws.records.filter((each) => each.readOnly);
    expect(reads.map((each) => [each.recipientAccountId, each.errorCode])).toEqual([
      [PROD_ACCOUNT, 'AccessDenied'],
      [PROD_ACCOUNT, undefined],
      [DEV_ACCOUNT, undefined],
    ]);
    expect(reads[1]?.sharedEventID).toBe(reads[2]?.sharedEventID);
    expect(reads[0]).not.toHaveProperty('sharedEventID');
  });

  it('of a key that an AWS service makes for itself says so', () => {
    aws.kms.createAwsManagedKey(DEV_ACCOUNT, 'eu-central-1', 'alias/aws/ebs');
    expect(last()).toMatchObject({
      eventName: 'CreateKey',
      userIdentity: { type: 'AWSService', invokedBy: 'ebs.amazonaws.com' },
      sourceIPAddress: 'ebs.amazonaws.com',
      responseElements: { keyMetadata: { keyManager: 'AWS' } },
    });
  });
});

describe('userIdentity', () => {
  const recordOf = ({ caller, sourceIp, userAgent }: RequestOrigin): CloudTrailRecord => {
    aws.kms.call({ operation: 'CreateKey', input: {}, caller, region: 'us-east-1', sourceIp, userAgent });
    return last();
  };
  const roleIdentity = (roleName: string, path: string, session: string) => ({
    type: 'AssumedRole',
    principalId: like(new RegExp(`^AROA[0-9A-F]{16}:${session}$`)),
    arn: `arn:aws:sts::${DEV_ACCOUNT}:assumed-role/${roleName}/${session}`,
    accountId: DEV_ACCOUNT,
    accessKeyId: like(/^ASIA[0-9A-F]{16}$/),
    sessionContext: {
      sessionIssuer: {
        type: 'Role',
        principalId: like(/^AROA[0-9A-F]{16}$/),
        arn: `arn:aws:iam::${DEV_ACCOUNT}:role${path}${roleName}`,
        accountId: DEV_ACCOUNT,
        userName: roleName,
      },
      attributes: { creationDate: like(/Z$/), mfaAuthenticated: 'false' },
    },
  });

  it('of a person of IAM Identity Center has the e-mail in the session', () => {
    const { userIdentity } = recordOf(identityCenterPerson(DEV_ACCOUNT, 'engineer@sandbox.example'));
    const role = /assumed-role\/(AWSReservedSSO_PlatformEngineer_[0-9a-f]{16})\//.exec(
      String(userIdentity['arn']),
    )?.[1];
    expect(userIdentity).toEqual(
      roleIdentity(role ?? '', '/aws-reserved/sso.amazonaws.com/', 'engineer@sandbox.example'),
    );
  });

  it('of the console is marked', () => {
    expect(recordOf(consolePerson(DEV_ACCOUNT, 'engineer@sandbox.example'))).toMatchObject({
      sessionCredentialFromConsole: 'true',
    });
  });

  it('of Terraform is a role, with Terraform’s user agent', () => {
    const record = recordOf(terraform(DEV_ACCOUNT));
    expect(record.userIdentity).toMatchObject({ sessionContext: { sessionIssuer: { userName: 'terraform-deploy' } } });
    expect(record.userAgent).toContain('HashiCorp/1.0 Terraform/');
    expect(record).not.toHaveProperty('sessionCredentialFromConsole');
  });

  it('of CloudFormation is invoked by the service, which is also address and agent', () => {
    expect(recordOf(cloudFormation(DEV_ACCOUNT))).toMatchObject({
      userIdentity: { type: 'AssumedRole', invokedBy: 'cloudformation.amazonaws.com' },
      sourceIPAddress: 'cloudformation.amazonaws.com',
      userAgent: 'cloudformation.amazonaws.com',
    });
  });

  it('of the root user has no user name', () => {
    const { userIdentity } = recordOf(rootUser(DEV_ACCOUNT));
    expect(userIdentity).toEqual({
      type: 'Root',
      principalId: DEV_ACCOUNT,
      arn: `arn:aws:iam::${DEV_ACCOUNT}:root`,
      accountId: DEV_ACCOUNT,
      accessKeyId: anyText,
    });
  });
});

describe('the EventBridge event', () => {
  it('carries account, Region and record of an API call', async () => {
    await makeKey(aws.client(PROD_ACCOUNT, 'us-east-1'));
    const record = last();
    expect(asEventBridgeEvent(record)).toEqual({
      version: '0',
      id: like(/^[0-9a-f-]{36}$/),
      'detail-type': 'AWS API Call via CloudTrail',
      source: 'aws.kms',
      account: PROD_ACCOUNT,
      time: record.eventTime,
      region: 'us-east-1',
      resources: [],
      detail: record,
    });
  });

  it('of a service event has another detail-type', async () => {
    const key = await makeKey(aws.client());
    await aws.client().send(new EnableKeyRotationCommand({ KeyId: key.id, RotationPeriodInDays: 90 }));
    aws.clock.advance(91 * DAY);
    aws.kms.tick();
    expect(asEventBridgeEvent(last('RotateKey'))).toEqual(
      having({ 'detail-type': 'AWS Service Event via CloudTrail', detail: having({ eventType: 'AwsServiceEvent' }) }),
    );
  });
});

it('prints dates like CloudTrail', () => {
  expect(trailDate(Date.UTC(2022, 7, 10, 22, 38, 27))).toBe('Aug 10, 2022, 10:38:27 PM');
});
