import { inspect } from 'node:util';
import { PutSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createSlackSecret, type LoadSlackSecret } from '../../../functions/adapters/slack-secret.ts';
import { SLACK_SECRET_PLACEHOLDER } from '../../../functions/contracts/slack-secret.ts';
import { SLACK_SECRET_ID, slackSecretOf, storeSlackSecret } from '../../../sandbox/function-environment.ts';
import { simulatedSecret } from '../../../sandbox/simulated-secret.ts';
import { HUB_ACCOUNT } from '../../../sandbox/world.ts';
import { type AwsFixture, startAws } from '../../sandbox/aws/kms-fixture.ts';
import { secretsIn } from '../../security/support/planted-secrets.ts';
import { secretsManagerAt } from '../../support/slack-secret.ts';

const MINUTE = 60_000;
const realFetch = globalThis.fetch;

let aws: AwsFixture;
let client: SecretsManagerClient;
let requests: number;
let now: Date;
let load: LoadSlackSecret;
beforeEach(async () => {
  aws = await startAws();
  client = secretsManagerAt(aws.url);
  storeSlackSecret(aws.secrets, slackSecretOf({ signingSecret: simulatedSecret(), botToken: 'xoxb-the-first-token' }));
  requests = 0;
  globalThis.fetch = (...request) => {
    requests += 1;
    return realFetch(...request);
  };
  now = new Date('2026-03-01T12:00:00Z');
  load = reader();
});
afterEach(async () => {
  globalThis.fetch = realFetch;
  client.destroy();
  await aws.stop();
});

function reader({ secretId = SLACK_SECRET_ID, account = HUB_ACCOUNT.id } = {}): LoadSlackSecret {
  const environment = {
    ...{ AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: account, AWS_SECRET_ACCESS_KEY: 'any' },
    ...{ AWS_ENDPOINT_URL: 'http://127.0.0.1:9', AWS_ENDPOINT_URL_SECRETS_MANAGER: aws.url },
  };
  return createSlackSecret({ secretId, environment, now: () => now });
}

const pass = (milliseconds: number) => {
  now = new Date(now.getTime() + milliseconds);
};
const put = (content: string) =>
  client.send(new PutSecretValueCommand({ SecretId: SLACK_SECRET_ID, SecretString: content }));
const rotate = async (botToken: string) => put(JSON.stringify({ ...(await load()), botToken }));
const silence = (times: number) => {
  aws.faults.set({ service: 'secretsmanager', operation: 'GetSecretValue', error: 'InternalServiceError', times });
};
const token = async () => (await load()).botToken;
const unreadable = (message: RegExp) => ({
  name: 'SlackSecretUnreadable',
  message: expect.stringMatching(message) as unknown,
});

describe('the Slack secret', () => {
  it('is read once for all who ask within five minutes, at once or one after another', async () => {
    const [first, second] = await Promise.all([load(), load()]);
    expect(first).toMatchObject({ botToken: 'xoxb-the-first-token', botId: 'B0BOT', botUserId: 'U0BOT' });
    expect(second).toEqual(first);
    pass(5 * MINUTE - 1);
    await load();
    expect(requests).toBe(1);
  });

  it('is read anew after five minutes, so that a rotated one needs no deployment', async () => {
    await rotate('xoxb-the-second-token');
    expect(await token()).toBe('xoxb-the-first-token');
    pass(5 * MINUTE);
    expect(await token()).toBe('xoxb-the-second-token');
  });

  it('is not kept for ever by a clock that goes back', async () => {
    await rotate('xoxb-the-second-token');
    pass(-24 * 60 * MINUTE);
    expect(await token()).toBe('xoxb-the-second-token');
  });

  it('stays as it was for an hour while Secrets Manager is silent, and no longer', async () => {
    await load();
    silence(1000);
    for (const minutes of [5, 30, 24]) {
      pass(minutes * MINUTE);
      expect(await token()).toBe('xoxb-the-first-token');
    }
    pass(MINUTE);
    await expect(load()).rejects.toMatchObject(unreadable(/Secrets Manager answers GetSecretValue with HTTP 500/));
  }, 20_000);

  it('counts as taken away at once when Secrets Manager says so', async () => {
    await load();
    pass(5 * MINUTE);
    aws.faults.set({ service: 'secretsmanager', operation: '*', error: 'AccessDeniedException', times: 1 });
    await expect(load()).rejects.toMatchObject(unreadable(/AccessDeniedException/));
    pass(10_000);
    silence(3);
    await expect(load()).rejects.toMatchObject(unreadable(/HTTP 500/));
  });

  it('is asked for at most every ten seconds while it cannot be used, and found within that time once it can', async () => {
    await put(SLACK_SECRET_PLACEHOLDER);
    const fresh = reader();
    for (let attempt = 0; attempt < 50; attempt += 1) {
      await expect(fresh()).rejects.toMatchObject(unreadable(/npm run slack:connect/));
    }
    expect(requests).toBe(1);
    await put(
      JSON.stringify({
        signingSecret: simulatedSecret(),
        botToken: 'xoxb-the-second-token',
        botId: 'B0BOT',
        botUserId: 'U0BOT',
      }),
    );
    pass(10_000);
    expect(await fresh()).toMatchObject({ botToken: 'xoxb-the-second-token' });
  });

  it.each<[string, Parameters<typeof reader>[0]]>([
    ['that does not exist', { secretId: 'no/such-secret' }],
    ['of another account', { account: '444455556666' }],
  ])('says why it cannot read a secret %s', async (_, options) => {
    await expect(reader(options)()).rejects.toMatchObject(unreadable(/ResourceNotFoundException/));
  });

  it('tells in no error what it holds', async () => {
    const signingSecret = simulatedSecret();
    const contents = [JSON.stringify({ signingSecret }), signingSecret, `{"signingSecret":"${signingSecret}`];
    for (const content of contents) {
      await put(content);
      const error: unknown = await reader()().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject(unreadable(/the secret does not hold what it should/));
      expect(secretsIn(inspect(error, { depth: Infinity, showHidden: true }))).toEqual([]);
    }
  });

  it('is in no error about an answer that was cut short', async () => {
    const signingSecret = simulatedSecret();
    globalThis.fetch = () => Promise.resolve(new Response(`{"SecretString":${signingSecret}`));
    const error: unknown = await load().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject(unreadable(/HTTP 200 and no JSON/));
    expect(secretsIn(inspect(error, { depth: Infinity, showHidden: true }))).toEqual([]);
  });
});
