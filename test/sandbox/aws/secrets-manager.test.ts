import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  type PutSecretValueCommandInput,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { HUB_ACCOUNT } from '../../../sandbox/world.ts';
import { secretsManagerAt } from '../../support/slack-secret.ts';
import { type AwsFixture, startAws } from './kms-fixture.ts';

const NAME = 'bot/slack';

let aws: AwsFixture;
let client: SecretsManagerClient;
beforeEach(async () => {
  aws = await startAws();
  client = secretsManagerAt(aws.url);
  aws.secrets.create({ accountId: HUB_ACCOUNT.id, region: 'eu-central-1', name: NAME, content: 'first' });
});
afterEach(async () => {
  client.destroy();
  await aws.stop();
});

const get = (more: { SecretId?: string; VersionId?: string; VersionStage?: string } = {}) =>
  client.send(new GetSecretValueCommand({ SecretId: NAME, ...more }));
const put = (SecretString: string, more: Partial<PutSecretValueCommandInput> = {}) =>
  client.send(new PutSecretValueCommand({ SecretId: NAME, SecretString, ...more }));
const look = () => client.send(new DescribeSecretCommand({ SecretId: NAME }));

describe('the simulated Secrets Manager', () => {
  it('answers with the current version, by name, by ARN, and by ARN without its random end', async () => {
    const { $metadata, ...secret } = await get();
    expect($metadata.httpStatusCode).toBe(200);
    expect(secret).toEqual({
      ARN: expect.stringMatching(
        /^arn:aws:secretsmanager:eu-central-1:111122223333:secret:bot\/slack-\w{6}$/,
      ) as unknown,
      Name: NAME,
      VersionId: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
      SecretString: 'first',
      VersionStages: ['AWSCURRENT'],
      CreatedDate: expect.any(Date) as unknown,
    });
    const arn = secret.ARN ?? '';
    for (const SecretId of [arn, arn.slice(0, -7)]) expect((await get({ SecretId })).SecretString).toBe('first');
  });

  it('moves AWSCURRENT to what is put, and AWSPREVIOUS to what it replaces', async () => {
    const { VersionId: second, VersionStages: stages } = await put('second');
    expect(stages).toEqual(['AWSCURRENT']);
    expect((await get()).SecretString).toBe('second');
    expect((await get({ VersionStage: 'AWSPREVIOUS' })).SecretString).toBe('first');
    const { VersionId: third } = await put('third');
    expect((await get({ VersionStage: 'AWSPREVIOUS' })).VersionId).toBe(second);
    expect((await look()).VersionIdsToStages).toEqual({
      [second ?? '']: ['AWSPREVIOUS'],
      [third ?? '']: ['AWSCURRENT'],
    });
  });

  it('keeps what is current when a version is put under another label', async () => {
    const { VersionId } = await put('next', { VersionStages: ['AWSPENDING'] });
    expect((await get()).SecretString).toBe('first');
    expect((await get({ VersionId: VersionId ?? '' })).SecretString).toBe('next');
  });

  it('does the same request once, and refuses another one with its token', async () => {
    const ClientRequestToken = '0123456789abcdef0123456789abcdef';
    await put('second', { ClientRequestToken });
    await put('second', { ClientRequestToken });
    expect((await get({ VersionStage: 'AWSPREVIOUS' })).SecretString).toBe('first');
    await expect(put('third', { ClientRequestToken })).rejects.toMatchObject({ name: 'ResourceExistsException' });
  });

  it.each([
    [{ SecretId: 'other' }, "Secrets Manager can't find the specified secret."],
    [{ VersionStage: 'NONE' }, "Secrets Manager can't find the specified secret value for staging label: NONE"],
    [
      { VersionId: '0123456789abcdef0123456789abcdef' },
      "Secrets Manager can't find the specified secret value for VersionId: 0123456789abcdef0123456789abcdef",
    ],
  ])('says of %j that it is not there', async (input, message) => {
    await expect(get(input)).rejects.toMatchObject({ name: 'ResourceNotFoundException', message });
  });

  it('does not show a secret to another account', async () => {
    const { ARN: arn = '' } = await get();
    const raw = async (SecretId: string) => {
      const response = await fetch(aws.url, {
        method: 'POST',
        headers: {
          authorization: 'AWS4-HMAC-SHA256 Credential=444455556666/20260301/eu-central-1/secretsmanager/aws4_request',
          'x-amz-target': 'secretsmanager.GetSecretValue',
        },
        body: JSON.stringify({ SecretId }),
      });
      return { status: response.status, body: await response.json() };
    };
    expect(await raw(NAME)).toEqual({
      status: 400,
      body: { __type: 'ResourceNotFoundException', Message: "Secrets Manager can't find the specified secret." },
    });
    expect(await raw(arn)).toMatchObject({ status: 400, body: { __type: 'AccessDeniedException' } });
  });

  it('does not repeat what it does not accept', async () => {
    await expect(put('x', { ClientRequestToken: 'short' })).rejects.toMatchObject({
      name: 'ValidationException',
      message: "1 validation error detected: Value at 'clientRequestToken' failed to satisfy constraint",
    });
  });
});
