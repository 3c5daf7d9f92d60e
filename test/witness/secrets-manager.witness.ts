import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { createSlackSecret } from '../../functions/adapters/slack-secret.ts';
import { HUB_ACCOUNT, REGIONS } from '../../sandbox/world.ts';
import { type Deviations, rulesFor } from '../rule.ts';
import { startAws } from '../sandbox/aws/kms-fixture.ts';
import { secretsManagerAt } from '../support/slack-secret.ts';
import { startMoto } from './moto.ts';

const [REGION] = REGIONS;

const BACK_ENDS = {
  sandbox: async () => {
    const aws = await startAws();
    const create = (name: string, content: string) => {
      aws.secrets.create({ accountId: HUB_ACCOUNT.id, region: REGION, name, content });
      return Promise.resolve();
    };
    return { url: aws.url, stop: aws.stop, create };
  },
  moto: async () => {
    const moto = await startMoto();
    const client = secretsManagerAt(moto.url);
    const create = async (Name: string, SecretString: string) => {
      await client.send(new CreateSecretCommand({ Name, SecretString }));
    };
    return { ...moto, create };
  },
};

/** moto has one sentence for everything that is not there. */
const DEVIATIONS: Record<string, Deviations> = {
  sandbox: {},
  moto: { 'say of a label that is on no version that it is not there': /can't find the specified secret\./ },
};

describe.each(Object.entries(BACK_ENDS))('secrets on %s', (name, start) => {
  const rule = rulesFor(DEVIATIONS[name] ?? {});
  let backEnd: Awaited<ReturnType<typeof start>>;
  let client: SecretsManagerClient;
  beforeAll(async () => {
    backEnd = await start();
    client = secretsManagerAt(backEnd.url);
  });
  afterAll(async () => {
    client.destroy();
    await backEnd.stop();
  });
  const get = (SecretId: string, more: { VersionStage?: string; VersionId?: string } = {}) =>
    client.send(new GetSecretValueCommand({ SecretId, ...more }));
  const put = (SecretId: string, SecretString: string) =>
    client.send(new PutSecretValueCommand({ SecretId, SecretString }));

  rule('are read by the bot’s own adapter', async () => {
    const secret = {
      ...{ signingSecret: 'a-signing-secret-of-a-test', botToken: 'xoxb-a-token-of-a-test' },
      ...{ botId: 'B0BOT', botUserId: 'U0BOT' },
    };
    await backEnd.create('read', JSON.stringify(secret));
    const environment = {
      ...{ AWS_REGION: REGION, AWS_ENDPOINT_URL: backEnd.url },
      ...{ AWS_ACCESS_KEY_ID: HUB_ACCOUNT.id, AWS_SECRET_ACCESS_KEY: 'any' },
    };
    const load = (secretId: string) => createSlackSecret({ secretId, environment, now: () => new Date() })();
    expect(await load('read')).toEqual(secret);
    await expect(load('absent')).rejects.toThrow(
      "Secrets Manager refuses GetSecretValue: ResourceNotFoundException: Secrets Manager can't find the specified secret.",
    );
  });

  rule('move AWSCURRENT and AWSPREVIOUS with what is put', async () => {
    await backEnd.create('moved', 'first');
    const { VersionId: second } = await put('moved', 'second');
    const { VersionId: third, VersionStages: stages } = await put('moved', 'third');
    expect(stages).toEqual(['AWSCURRENT']);
    expect((await get('moved')).SecretString).toBe('third');
    expect((await get('moved', { VersionStage: 'AWSPREVIOUS' })).SecretString).toBe('second');
    const { VersionIdsToStages: described } = await client.send(new DescribeSecretCommand({ SecretId: 'moved' }));
    expect(described).toMatchObject({ [second ?? '']: ['AWSPREVIOUS'], [third ?? '']: ['AWSCURRENT'] });
  });

  rule('are found by their ARN, with or without its random end', async () => {
    await backEnd.create('named', 'content');
    const { ARN: arn = '' } = await get('named');
    expect(arn).toMatch(/^arn:aws:secretsmanager:eu-central-1:\d{12}:secret:named-\w{6}$/);
    for (const id of [arn, arn.slice(0, -7)]) expect((await get(id)).SecretString).toBe('content');
  });

  rule('say of a label that is on no version that it is not there', async () => {
    await backEnd.create('unlabelled', 'content');
    await expect(get('unlabelled', { VersionStage: 'NONE' })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: "Secrets Manager can't find the specified secret value for staging label: NONE",
    });
  });
});
