import { once } from 'node:events';
import { createServer } from 'node:http';
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { BOT_SCOPES } from '../../functions/contracts/slack-scopes.ts';
import { parseSlackSecret, SLACK_SECRET_PLACEHOLDER } from '../../functions/contracts/slack-secret.ts';
import { SLACK_SECRET_ID } from '../../sandbox/function-environment.ts';
import { simulatedSecret } from '../../sandbox/simulated-secret.ts';
import { type EmbeddedSlack, startSlack } from '../../sandbox/slack/slack.ts';
import { HUB_ACCOUNT, WORKSPACE } from '../../sandbox/world.ts';
import { type AwsFixture, startAws } from '../sandbox/aws/kms-fixture.ts';
import { secretsIn } from '../security/support/planted-secrets.ts';
import { secretsManagerAt } from '../support/slack-secret.ts';
import { type Ended, runCommand } from './run-command.ts';

const SIGNING_SECRET = simulatedSecret();
const BOT_TOKEN = `xoxb-${simulatedSecret()}`;

let aws: AwsFixture;
let client: SecretsManagerClient;
let slack: EmbeddedSlack | undefined;
beforeEach(async () => {
  aws = await startAws();
  client = secretsManagerAt(aws.url);
  hold(HUB_ACCOUNT.id, SLACK_SECRET_ID);
});
afterEach(async () => {
  client.destroy();
  await Promise.all([aws.stop(), slack?.close()]);
  slack = undefined;
});

/** A secret as a deployment leaves it. */
function hold(accountId: string, name: string): void {
  aws.secrets.create({ accountId, region: 'eu-central-1', name, content: SLACK_SECRET_PLACEHOLDER });
}

async function startSlackWith(scopes: readonly string[]): Promise<string> {
  slack = await startSlack({
    ...{ port: 0, signingSecret: SIGNING_SECRET, botToken: BOT_TOKEN, scopes },
    interactionUrl: 'http://127.0.0.1:9',
    control: () => Promise.resolve({ status: 404, body: {} }),
  });
  return `${slack.url}/api/`;
}

type Circumstances = {
  scopes?: readonly string[];
  slackUrl?: string;
  variables?: Record<string, string>;
  input?: string;
  args?: string[];
};

async function connect({ scopes = BOT_SCOPES, slackUrl, variables = {}, input = '', args = [] }: Circumstances) {
  const ended = await runCommand('cli/slack-connect.ts', args, {
    environment: {
      ...{ AWS_ENDPOINT_URL: aws.url, AWS_ACCESS_KEY_ID: HUB_ACCOUNT.id, AWS_SECRET_ACCESS_KEY: 'any' },
      SLACK_API_URL: slackUrl ?? (await startSlackWith(scopes)),
      ...variables,
    },
    input,
  });
  // Whatever happens, no credential is printed.
  expect(secretsIn(ended.stdout + ended.stderr)).toEqual([]);
  return ended;
}

async function stored(SecretId = SLACK_SECRET_ID): Promise<string> {
  const { SecretString: content = '' } = await client.send(new GetSecretValueCommand({ SecretId }));
  return content;
}

async function expectRefused({ code, stdout, stderr }: Ended, why: RegExp): Promise<void> {
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^Nothing was stored: /);
  expect(stderr).toMatch(why);
  expect(await stored()).toBe(SLACK_SECRET_PLACEHOLDER);
}

const BOTH = { SLACK_BOT_TOKEN: BOT_TOKEN, SLACK_SIGNING_SECRET: SIGNING_SECRET };

describe('npm run slack:connect', () => {
  it('stores credentials of the environment in the secret of the deployment, and says whose they are', async () => {
    const { code, stdout, stderr } = await connect({ variables: BOTH });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`${WORKSPACE.appName} (${WORKSPACE.appId}) in workspace ${WORKSPACE.name}`);
    expect(stdout).toMatch(/arn:aws:secretsmanager:eu-central-1:111122223333:secret:kms-rotation-bot\/slack-/);
    expect(parseSlackSecret(await stored())).toEqual({
      ...{ signingSecret: SIGNING_SECRET, botToken: BOT_TOKEN },
      ...{ botId: WORKSPACE.botId, botUserId: WORKSPACE.botUserId },
    });
  });

  it('stores them in another secret when told so', async () => {
    hold(HUB_ACCOUNT.id, 'other');
    expect((await connect({ variables: BOTH, args: ['--secret-id', 'other'] })).code).toBe(0);
    expect(parseSlackSecret(await stored('other'))).toMatchObject({ botToken: BOT_TOKEN });
    expect(await stored()).toBe(SLACK_SECRET_PLACEHOLDER);
  });

  it.each([
    ['two lines', `${BOT_TOKEN}\n${SIGNING_SECRET}\n`, {}],
    ['lines of Windows', `${BOT_TOKEN}\r\n${SIGNING_SECRET}\r\n`, {}],
    ['only what the environment does not have', SIGNING_SECRET, { SLACK_BOT_TOKEN: BOT_TOKEN }],
  ])('takes them from a pipe: %s', async (_, input, variables) => {
    expect(await connect({ input, variables })).toMatchObject({ code: 0, stderr: '' });
    expect(parseSlackSecret(await stored())).toMatchObject({ signingSecret: SIGNING_SECRET, botToken: BOT_TOKEN });
  });

  it.each([
    ['nothing', {}, /a bot token begins with xoxb-/],
    ['a user token', { ...BOTH, SLACK_BOT_TOKEN: `xoxp-${simulatedSecret()}` }, /a bot token begins with xoxb-/],
    ['no signing secret', { SLACK_BOT_TOKEN: BOT_TOKEN }, /a signing secret has 32 letters and digits/],
    ['the verification token', { ...BOTH, SLACK_SIGNING_SECRET: 'a1'.repeat(12) }, /a signing secret has 32/],
    ['a token that Slack does not know', { ...BOTH, SLACK_BOT_TOKEN: `xoxb-${simulatedSecret()}` }, /invalid_auth/],
  ])('stores nothing when given %s', async (_, variables, why) => {
    await expectRefused(await connect({ variables }), why);
  });

  it('stores nothing when a scope is missing, and names it', async () => {
    const scopes = BOT_SCOPES.filter((scope) => scope !== 'users:read.email' && scope !== 'chat:write');
    await expectRefused(await connect({ variables: BOTH, scopes }), /not been granted chat:write, users:read\.email/);
  });

  it('mentions scopes that the bot has no use for', async () => {
    const { code, stdout } = await connect({ variables: BOTH, scopes: [...BOT_SCOPES, 'im:write'] });
    expect(code).toBe(0);
    expect(stdout).toContain('It also has im:write, which the bot does not need.');
  });

  it('stores nothing when Slack cannot be reached', async () => {
    const server = createServer((_, response) => response.writeHead(404).end('gone')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = z.object({ port: z.int() }).parse(server.address());
    const slackUrl = `http://127.0.0.1:${port}/api/`;
    await expectRefused(await connect({ variables: BOTH, slackUrl }), /404/);
    server.close();
  }, 20_000);

  it('says that the hub has to be deployed first', async () => {
    const ended = await connect({ variables: BOTH, args: ['--secret-id', 'no/such-secret'] });
    await expectRefused(ended, /there is no secret no\/such-secret in eu-central-1 .*; deploy the hub stack first/);
  });

  it('writes into the hub’s account only', async () => {
    hold('444455556666', 'mine');
    const variables = { ...BOTH, AWS_ACCESS_KEY_ID: '444455556666' };
    const ended = await connect({ variables, args: ['--secret-id', 'mine'] });
    await expectRefused(ended, /these AWS credentials are of account 444455556666, the hub is 111122223333/);
  });

  it('needs a deployment file', async () => {
    const ended = await connect({ variables: BOTH, args: ['--deployment', 'no-such.yaml'] });
    await expectRefused(ended, /no-such\.yaml cannot be read/);
  });
});
