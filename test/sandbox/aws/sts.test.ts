import {
  DescribeKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyRotationCommand,
  GetKeyRotationStatusCommand,
  KMSClient,
} from '@aws-sdk/client-kms';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { HUB_ACCOUNT, READ_ROLE, REMEDIATE_ROLE } from '../../../sandbox/world.ts';
import { type AwsFixture, answerOf, like, makeKey, PROD_ACCOUNT, startAws } from './kms-fixture.ts';

const HOUR = 60 * 60 * 1000;

let aws: AwsFixture;
beforeAll(async () => {
  aws = await startAws({ sts: { externalIds: { [REMEDIATE_ROLE]: 'kms-rotation-bot' } } });
});
afterAll(() => aws.stop());

type Assumption = { role?: string; from?: string; externalId?: string; account?: string; seconds?: number };

function credentialsOf({ role = READ_ROLE, from = HUB_ACCOUNT.id, externalId, account, seconds }: Assumption) {
  return fromTemporaryCredentials({
    masterCredentials: { accessKeyId: from, secretAccessKey: 'any' },
    clientConfig: { endpoint: aws.url, region: 'eu-central-1', maxAttempts: 1 },
    params: {
      RoleArn: `arn:aws:iam::${account ?? PROD_ACCOUNT}:role/${role}`,
      RoleSessionName: 'finding-1',
      ...(externalId === undefined ? {} : { ExternalId: externalId }),
      ...(seconds === undefined ? {} : { DurationSeconds: seconds }),
    },
  });
}

function clientAs(assumption: Assumption): KMSClient {
  return new KMSClient({
    endpoint: aws.url,
    region: 'eu-central-1',
    maxAttempts: 1,
    credentials: credentialsOf(assumption),
  });
}

it('lets the hub work on a member’s key through both roles', async () => {
  const key = await makeKey(aws.client(PROD_ACCOUNT));
  const input = { KeyId: key.arn };
  await clientAs({ role: REMEDIATE_ROLE, externalId: 'kms-rotation-bot' }).send(new EnableKeyRotationCommand(input));
  const status = await answerOf(clientAs({}).send(new GetKeyRotationStatusCommand(input)));
  expect(status).toMatchObject({ KeyRotationEnabled: true, RotationPeriodInDays: 365 });
  expect(aws.records.find((record) => record.eventName === 'EnableKeyRotation')).toMatchObject({
    recipientAccountId: PROD_ACCOUNT,
    userIdentity: {
      type: 'AssumedRole',
      arn: `arn:aws:sts::${PROD_ACCOUNT}:assumed-role/${REMEDIATE_ROLE}/finding-1`,
      sessionContext: { sessionIssuer: { userName: REMEDIATE_ROLE } },
    },
  });
});

const refused = (role: string, account = PROD_ACCOUNT) => ({
  error: 'AccessDenied',
  message: like(
    new RegExp(
      `^User: arn:aws:iam::\\d{12}:user/cli-user is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::${account}:role/${role}$`,
    ),
  ),
});

it.each([
  ['a caller outside the hub account', { from: PROD_ACCOUNT }, refused(READ_ROLE)],
  ['another role', { role: 'OrganizationAccountAccessRole' }, refused('OrganizationAccountAccessRole')],
  ['an account that does not exist', { account: '999999999999' }, refused(READ_ROLE, '999999999999')],
  ['a role without its external id', { role: REMEDIATE_ROLE }, refused(REMEDIATE_ROLE)],
  ['a role with a wrong external id', { role: REMEDIATE_ROLE, externalId: 'other' }, refused(REMEDIATE_ROLE)],
  [
    'a session longer than the role allows',
    { seconds: 7200 },
    { error: 'ValidationError', message: like(/MaxSessionDuration/) },
  ],
  [
    'a session of less than 15 minutes',
    { seconds: 60 },
    { error: 'ValidationError', message: like(/'durationSeconds'/) },
  ],
])('refuses %s', async (_what, assumption, expected) => {
  expect(await answerOf(credentialsOf(assumption)())).toMatchObject(expected);
});

it('ends a session in simulated time', async () => {
  const key = await makeKey(aws.client(PROD_ACCOUNT));
  const credentials = await credentialsOf({ seconds: 900 })();
  const client = new KMSClient({
    endpoint: aws.url,
    region: 'eu-central-1',
    maxAttempts: 1,
    credentials: () => Promise.resolve({ ...credentials, expiration: new Date(Date.now() + 365 * 24 * HOUR) }),
  });
  const read = () => answerOf(client.send(new DescribeKeyCommand({ KeyId: key.id })));
  const before = await read();
  aws.clock.advance(HOUR);
  expect(['error' in before, await read()]).toEqual([
    false,
    { error: 'ExpiredTokenException', message: 'The security token included in the request is expired' },
  ]);
});

it('does not take an issued access key without its session token', async () => {
  const { accessKeyId } = await credentialsOf({})();
  const client = new KMSClient({
    endpoint: aws.url,
    region: 'eu-central-1',
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey: 'any' },
  });
  expect(await answerOf(client.send(new DisableKeyRotationCommand({ KeyId: 'any' })))).toMatchObject({
    error: 'UnrecognizedClientException',
  });
});

describe('GetCallerIdentity', () => {
  const identity = async (accessKeyId: string) => {
    const answer = await fetch(aws.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20261123/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=00`,
      },
      body: 'Action=GetCallerIdentity&Version=2011-06-15',
    });
    return { status: answer.status, type: answer.headers.get('content-type'), body: await answer.text() };
  };

  it.each([
    ['444455556666', '444455556666'],
    ['AKIAIOSFODNN7EXAMPLE', '123456789012'],
  ])('takes %s for account %s', async (accessKeyId, account) => {
    expect(await identity(accessKeyId)).toEqual({
      status: 200,
      type: 'text/xml',
      body: like(
        new RegExp(
          `<GetCallerIdentityResult><Arn>arn:aws:iam::${account}:user/cli-user</Arn><UserId>AIDA[0-9A-F]{16}</UserId><Account>${account}</Account></GetCallerIdentityResult>`,
        ),
      ),
    });
  });
});
