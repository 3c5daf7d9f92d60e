import { PutSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SLACK_SECRET_PLACEHOLDER } from '../../functions/contracts/slack-secret.ts';
import { SLACK_SECRET_ID } from '../../sandbox/function-environment.ts';
import { simulatedSecret } from '../../sandbox/simulated-secret.ts';
import { readSlackSecret, secretsManagerAt } from '../support/slack-secret.ts';
import { type Bot, startBot } from './support/bot.ts';

let bot: Bot;
let client: SecretsManagerClient;
let genuine: string;
let arn: string;
beforeAll(async () => {
  bot = await startBot();
  client = secretsManagerAt(bot.sandbox.awsUrl);
  genuine = JSON.stringify(await readSlackSecret(bot.sandbox.awsUrl));
}, 30_000);
afterAll(async () => {
  client.destroy();
  await bot.stop();
}, 30_000);
beforeEach(async () => {
  await hold(genuine);
  arn = await bot.openFinding();
}, 30_000);

/** From now on the secret holds this, and no function remembers anything else. */
async function hold(content: string): Promise<void> {
  await client.send(new PutSecretValueCommand({ SecretId: SLACK_SECRET_ID, SecretString: content }));
  await bot.visitor.advance('6m');
}

const approvalSignedWith = async (secret: string) =>
  await bot.signed({
    body: bot.clickBody({ user: 'U0APPROVER', actionId: 'approve', ref: { key: arn, episode: 1 } }),
    timestamp: bot.now(),
    secret,
  });

async function expectUndecided(): Promise<void> {
  expect(await bot.visitor.trail(arn)).toEqual(['finding-opened']);
  expect((await bot.visitor.rotationOf(arn)).enabled).toBe(false);
}

it('Slack credentials that cannot be read', async () => {
  await bot.visitor.advance('6m');
  await bot.visitor.fault('secretsmanager', 'GetSecretValue', 'AccessDeniedException', 1000);
  expect(await approvalSignedWith(bot.signingSecret)).toEqual({ status: 503, body: '' });
  expect(await bot.send('payload={}', {})).toEqual({ status: 401, body: '' });
  await expectUndecided();

  const unannounced = await bot.visitor.makeKey();
  await bot.visitor.fault('secretsmanager', 'GetSecretValue', 'AccessDeniedException', 0);
  await bot.visitor.advance('10s');
  await bot.visitor.settle();
  expect(await bot.visitor.messagesAbout(unannounced)).toHaveLength(1);
  expect((await approvalSignedWith(bot.signingSecret)).status).toBe(200);
}, 60_000);

it('secret that holds only what the deployment put there', async () => {
  await hold(SLACK_SECRET_PLACEHOLDER);
  for (const guess of ['', SLACK_SECRET_PLACEHOLDER, 'not connected', 'undefined', bot.signingSecret]) {
    expect({ guess, ...(await approvalSignedWith(guess)) }).toEqual({ guess, status: 503, body: '' });
  }
  await expectUndecided();
}, 60_000);

it('secret whose fields are empty', async () => {
  await hold(JSON.stringify({ ...JSON.parse(genuine), signingSecret: '' }));
  expect((await approvalSignedWith('')).status).toBe(503);
  await expectUndecided();
}, 60_000);

it('signing secret that was rotated after a leak', async () => {
  const signingSecret = simulatedSecret();
  await hold(JSON.stringify({ ...JSON.parse(genuine), signingSecret }));
  expect((await approvalSignedWith(bot.signingSecret)).status).toBe(401);
  await expectUndecided();
  expect((await approvalSignedWith(signingSecret)).status).toBe(200);
}, 60_000);

it('forged requests that make the bot call AWS', async () => {
  const realFetch = globalThis.fetch;
  let calls = 0;
  globalThis.fetch = (target, init) => {
    if (!(typeof target === 'string' && target.endsWith('/slack/events'))) calls += 1;
    return realFetch(target, init);
  };
  const flood = async () => {
    for (let index = 0; index < 50; index += 1) await approvalSignedWith(`guess ${index}`);
  };
  try {
    await flood();
    expect(calls).toBeLessThanOrEqual(1);
    await hold(SLACK_SECRET_PLACEHOLDER);
    calls = 0;
    await flood();
    expect(calls).toBeLessThanOrEqual(2);
  } finally {
    globalThis.fetch = realFetch;
  }
}, 60_000);
