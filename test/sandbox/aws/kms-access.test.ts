import {
  DescribeKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyRotationCommand,
  GetKeyRotationStatusCommand,
  ListKeysCommand,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms';
import { assumedRole, type Caller, iamUser } from '../../../sandbox/aws/caller.ts';
import { READ_ROLE, REMEDIATE_ROLE } from '../../../sandbox/world.ts';
import { type AwsFixture, answerOf, DEV_ACCOUNT, like, type MadeKey, makeKey, startAws } from './kms-fixture.ts';

const ROOT = `arn:aws:iam::${DEV_ACCOUNT}:root`;
const ADMIN_ROLE = `arn:aws:iam::${DEV_ACCOUNT}:role/kms-admin`;
const statement = (fields: Record<string, unknown>) => ({
  Effect: 'Allow',
  Principal: { AWS: ROOT },
  Action: 'kms:*',
  Resource: '*',
  ...fields,
});

const admin = assumedRole({ accountId: DEV_ACCOUNT, roleName: 'kms-admin', sessionName: 'on-call' });
const remediator = assumedRole({ accountId: DEV_ACCOUNT, roleName: REMEDIATE_ROLE, sessionName: 'finding-1' });
const reader = assumedRole({ accountId: DEV_ACCOUNT, roleName: READ_ROLE, sessionName: 'finding-1' });

let aws: AwsFixture;
beforeAll(async () => {
  aws = await startAws({
    kms: { identityPolicies: { [READ_ROLE]: ['kms:Describe*', 'kms:Get*', 'kms:List*'] } },
  });
});
afterAll(() => aws.stop());

function call(caller: Caller, operation: string, input: unknown): unknown {
  const { body } = aws.kms.call({
    operation,
    input,
    caller,
    region: 'eu-central-1',
    sourceIp: '203.0.113.1',
    userAgent: 'test',
  });
  return '__type' in body ? body : 'allowed';
}

async function keyWith(...statements: object[]): Promise<MadeKey> {
  const key = await makeKey(aws.client());
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  await aws.client().send(new PutKeyPolicyCommand({ KeyId: key.id, Policy, BypassPolicyLockoutSafetyCheck: true }));
  return key;
}

const denied = (key: MadeKey, ending: string) => ({
  __type: 'AccessDeniedException',
  message: `User: arn:aws:sts::${DEV_ACCOUNT}:assumed-role/${REMEDIATE_ROLE}/finding-1 is not authorized to perform: kms:EnableKeyRotation on resource: ${key.arn} ${ending}`,
});
const NOT_NAMED = 'because no resource-based policy allows the kms:EnableKeyRotation action';
const FORBIDDEN = 'with an explicit deny in a resource-based policy';

describe('key policies', () => {
  const allowRoot = statement({});
  const denyEnabling = (condition: object) =>
    statement({ Effect: 'Deny', Principal: '*', Action: 'kms:EnableKey*', Condition: condition });

  it.each([
    ['the account root alone: IAM decides', [allowRoot], 'allowed'],
    ['the role by name', [statement({ Principal: { AWS: remediatorArn() } })], 'allowed'],
    ['everybody', [statement({ Principal: '*' })], 'allowed'],
    ['the account by its id', [statement({ Principal: { AWS: [DEV_ACCOUNT] } })], 'allowed'],
    ['another role only', [statement({ Principal: { AWS: ADMIN_ROLE } })], NOT_NAMED],
    ['the root for reading only', [statement({ Action: ['kms:Describe*', 'kms:Get*'] })], NOT_NAMED],
    ['a deny for the role', [allowRoot, statement({ Effect: 'Deny', Principal: { AWS: remediatorArn() } })], FORBIDDEN],
    [
      'a deny for all but the admin role',
      [allowRoot, denyEnabling({ ArnNotLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:role/kms-admin' } })],
      FORBIDDEN,
    ],
    [
      'a deny for all but the bot’s roles',
      [allowRoot, denyEnabling({ ArnNotLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:role/kms-rotation-bot-*' } })],
      'allowed',
    ],
    [
      'a deny for long periods',
      [allowRoot, denyEnabling({ NumericGreaterThan: { 'kms:RotationPeriodInDays': '365' } })],
      'allowed',
    ],
    [
      'an allow with a condition nobody here knows',
      [statement({ Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } })],
      NOT_NAMED,
    ],
    [
      'a deny with a condition nobody here knows',
      [allowRoot, denyEnabling({ IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } })],
      FORBIDDEN,
    ],
    [
      'an allow for the other kind of key',
      [statement({ Condition: { StringEquals: { 'kms:KeySpec': 'RSA_2048' } } })],
      NOT_NAMED,
    ],
  ])('%s', async (_name, statements, ending) => {
    const key = await keyWith(...statements);
    const answer = call(remediator, 'EnableKeyRotation', { KeyId: key.id, RotationPeriodInDays: 365 });
    expect(answer).toEqual(ending === 'allowed' ? 'allowed' : denied(key, ending));
  });

  it('can limit the rotation period', async () => {
    const key = await keyWith(allowRoot, denyEnabling({ NumericGreaterThan: { 'kms:RotationPeriodInDays': '365' } }));
    const answer = call(remediator, 'EnableKeyRotation', { KeyId: key.id, RotationPeriodInDays: 366 });
    expect(answer).toEqual(denied(key, FORBIDDEN));
  });

  it('keep the account’s own users out when they name a role only', async () => {
    const key = await keyWith(statement({ Principal: { AWS: ADMIN_ROLE } }));
    const user = iamUser(DEV_ACCOUNT, 'cli-user');
    const input = { KeyId: key.id };
    expect([call(user, 'DescribeKey', input), call(admin, 'DescribeKey', input)]).toEqual([
      expect.objectContaining({ __type: 'AccessDeniedException' }),
      'allowed',
    ]);
  });
});

function remediatorArn(): string {
  return `arn:aws:iam::${DEV_ACCOUNT}:role/${REMEDIATE_ROLE}`;
}

describe('identity policies', () => {
  it('let a role do what they list and nothing else', async () => {
    const key = await makeKey(aws.client());
    const answers = ['DescribeKey', 'GetKeyRotationStatus', 'DisableKeyRotation'].map((operation) =>
      call(reader, operation, { KeyId: key.id }),
    );
    expect(answers).toEqual([
      'allowed',
      'allowed',
      {
        __type: 'AccessDeniedException',
        message: like(
          /assumed-role\/kms-rotation-bot-read\/.* because no identity-based policy allows the kms:DisableKeyRotation action$/,
        ),
      },
    ]);
  });

  it('decide alone where there is no key', () => {
    expect([call(reader, 'ListKeys', {}), call(reader, 'CreateKey', {})]).toEqual([
      'allowed',
      expect.objectContaining({ __type: 'AccessDeniedException' }),
    ]);
  });
});

describe('planted faults', () => {
  it.each([
    ['AccessDeniedException:scp', 'AccessDeniedException', /with an explicit deny in a service control policy$/],
    [
      'AccessDeniedException:role',
      'AccessDeniedException',
      /because no identity-based policy allows the kms:EnableKeyRotation action$/,
    ],
    [
      'AccessDeniedException:key-policy',
      'AccessDeniedException',
      /because no resource-based policy allows the kms:EnableKeyRotation action$/,
    ],
    [
      'AccessDeniedException',
      'AccessDeniedException',
      /is not authorized to perform: kms:EnableKeyRotation on resource: arn:[^ ]+$/,
    ],
    ['ThrottlingException', 'ThrottlingException', /^You have exceeded the rate at which you may call KMS/],
    ['KMSInternalException', 'KMSInternalException', /./],
    ['NotFoundException', 'NotFoundException', /^Key 'arn:.*' does not exist$/],
  ])('%s fails one call, changes nothing and is recorded', async (planted, name, text) => {
    const key = await makeKey(aws.client());
    const KeyId = key.id;
    aws.faults.set({ service: 'kms', operation: 'EnableKeyRotation', error: planted, times: 1 });
    const failed = await answerOf(aws.client().send(new EnableKeyRotationCommand({ KeyId })));
    const record = aws.records.at(-1);
    const status = await answerOf(aws.client().send(new GetKeyRotationStatusCommand({ KeyId })));
    const again = await answerOf(aws.client().send(new EnableKeyRotationCommand({ KeyId })));
    expect([failed, status, again]).toEqual([
      { error: name, message: like(text) },
      { KeyId, KeyRotationEnabled: false },
      {},
    ]);
    expect(record).toMatchObject({
      errorCode: name.replace('AccessDeniedException', 'AccessDenied'),
      responseElements: null,
      resources: [{ ARN: key.arn }],
    });
  });

  it('hang up the connection for a timeout', async () => {
    aws.faults.set({ service: 'kms', operation: '*', error: 'timeout', times: 1 });
    const failed = await answerOf(aws.client().send(new ListKeysCommand({})));
    expect(failed).toMatchObject({ message: like(/hang up|ECONNRESET/) });
  });

  it('last for as many calls as asked', async () => {
    const key = await makeKey(aws.client());
    aws.faults.set({ service: 'kms', operation: 'DisableKeyRotation', error: 'KMSInternalException', times: 2 });
    const call = () => answerOf(aws.client().send(new DisableKeyRotationCommand({ KeyId: key.id })));
    const answers = [await call(), await call(), await call()];
    expect(answers.map((each) => 'error' in each)).toEqual([true, true, false]);
    expect('error' in (await answerOf(aws.client().send(new DescribeKeyCommand({ KeyId: key.id }))))).toBe(false);
  });
});
