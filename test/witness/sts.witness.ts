import { CreateKeyCommand, DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { createKmsClients } from '../../functions/adapters/kms-clients.ts';
import { HUB_ACCOUNT, READ_ROLE, REMEDIATE_ROLE } from '../../sandbox/world.ts';
import { type Deviations, rulesFor } from '../rule.ts';
import { PROD_ACCOUNT, startAws } from '../sandbox/aws/kms-fixture.ts';
import { startMoto } from './moto.ts';

const EXTERNAL_ID = 'kms-rotation-bot';
const REGION = 'eu-central-1';
const ENVIRONMENT = { ...process.env };

const BACK_ENDS = {
  sandbox: () => startAws({ sts: { externalIds: { [READ_ROLE]: EXTERNAL_ID, [REMEDIATE_ROLE]: EXTERNAL_ID } } }),
  moto: startMoto,
};

/** moto lets anybody assume any role; what it does not check is in the README of this folder. */
const DEVIATIONS: Record<string, Deviations> = {
  sandbox: {},
  moto: {
    'refuses a role without its external id': /Received: "NotFoundException"/,
    'refuses a session of less than 15 minutes': /the rule is broken/,
    'refuses a session longer than the role allows': /the rule is broken/,
  },
};

describe.each(Object.entries(BACK_ENDS))('roles of other accounts on %s', (name, start) => {
  const rule = rulesFor(DEVIATIONS[name] ?? {});
  let url: string;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    ({ url, stop } = await start());
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: HUB_ACCOUNT.id,
      AWS_SECRET_ACCESS_KEY: 'any',
      AWS_ENDPOINT_URL_STS: url,
      AWS_ENDPOINT_URL_KMS: url,
    });
  });
  afterAll(async () => {
    process.env = { ...ENVIRONMENT };
    await stop();
  });

  const key = (keyId: string) => ({
    ...{ keyId, partition: 'aws', region: REGION, accountId: PROD_ACCOUNT },
    arn: `arn:aws:kms:${REGION}:${PROD_ACCOUNT}:key/${keyId}`,
  });
  /** The bot's own clients, as the functions make them. */
  const reach = (keyId: string, externalId = EXTERNAL_ID) =>
    createKmsClients({ roleName: READ_ROLE, externalId, sessionName: 'finding-1', stsRegion: REGION })
      .clientFor(key(keyId))
      .send(new DescribeKeyCommand({ KeyId: key(keyId).arn }));
  const assume = (more: { ExternalId?: string; DurationSeconds?: number; RoleSessionName?: string } = {}) =>
    fromTemporaryCredentials({
      params: {
        RoleArn: `arn:aws:iam::${PROD_ACCOUNT}:role/${READ_ROLE}`,
        ...{ RoleSessionName: 'finding-1', ExternalId: EXTERNAL_ID, ...more },
      },
      clientConfig: { region: REGION, maxAttempts: 1 },
    })();
  async function makeKey(): Promise<string> {
    const client = new KMSClient({ region: REGION, credentials: await assume() });
    const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
    client.destroy();
    return KeyMetadata?.KeyId ?? '';
  }
  const refusal = (call: Promise<unknown>) =>
    call.then(
      () => 'the rule is broken: nothing was refused',
      (error: unknown) => (error instanceof Error ? error.name : String(error)),
    );

  rule('lets the bot read a key of another account', async () => {
    const keyId = await makeKey();
    const { KeyMetadata } = await reach(keyId);
    expect(KeyMetadata).toMatchObject({ AWSAccountId: PROD_ACCOUNT, KeyId: keyId, Arn: key(keyId).arn });
  });
  rule('shows the hub nothing without the role', async () => {
    const keyId = await makeKey();
    const hub = new KMSClient({ region: REGION, maxAttempts: 1 });
    expect(await refusal(hub.send(new DescribeKeyCommand({ KeyId: keyId })))).toBe('NotFoundException');
    hub.destroy();
  });
  rule('issues temporary credentials until the end of the session', async () => {
    const { accessKeyId, sessionToken, secretAccessKey, expiration } = await assume({ DurationSeconds: 900 });
    const left = ((expiration?.getTime() ?? 0) - Date.now()) / 1000;
    expect(accessKeyId).toMatch(/^ASIA[A-Z0-9]{16}$/);
    expect([sessionToken?.length, secretAccessKey.length].every((length) => length !== undefined && length >= 40)).toBe(
      true,
    );
    expect([left > 880, left <= 901]).toEqual([true, true]);
  });
  rule('says who a session is', async () => {
    const { accessKeyId, sessionToken } = await assume();
    const answer = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20261123/${REGION}/sts/aws4_request, SignedHeaders=host, Signature=00`,
        'x-amz-security-token': sessionToken ?? '',
      },
      body: 'Action=GetCallerIdentity&Version=2011-06-15',
    });
    const xml = await answer.text();
    const element = (tag: string) => new RegExp(`<${tag}>\\s*([^<]*?)\\s*</${tag}>`).exec(xml)?.[1];
    expect({ account: element('Account'), arn: element('Arn'), userId: element('UserId') }).toEqual({
      account: PROD_ACCOUNT,
      arn: `arn:aws:sts::${PROD_ACCOUNT}:assumed-role/${READ_ROLE}/finding-1`,
      userId: expect.stringMatching(/^AROA[A-Z0-9]{16,17}:finding-1$/) as unknown,
    });
  });
  rule('refuses a role without its external id', async () => {
    expect(await refusal(reach('any', 'another-id'))).toBe('AssumeRoleFailed');
    expect(await refusal(assume({ ExternalId: 'another-id' }))).toBe('AccessDenied');
  });
  rule('refuses a session of less than 15 minutes', async () => {
    expect(await refusal(assume({ DurationSeconds: 899 }))).toBe('ValidationError');
  });
  rule('refuses a session longer than the role allows', async () => {
    expect(await refusal(assume({ DurationSeconds: 43_200 }))).toBe('ValidationError');
  });
  rule('refuses a session name of more than 64 characters', async () => {
    expect(await refusal(assume({ RoleSessionName: 'x'.repeat(65) }))).toBe('ValidationError');
  });
});
