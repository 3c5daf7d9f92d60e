import { GetKeyRotationStatusCommand, KMSClient } from '@aws-sdk/client-kms';
import { expect } from '@jest/globals';
import * as z from 'zod';
import { BOT_SCOPES } from '../../functions/contracts/slack-scopes.ts';
import { type Sandbox, startSandbox } from '../../sandbox/sandbox.ts';
import { simulatedSecret } from '../../sandbox/simulated-secret.ts';
import { type EmbeddedSlack, startSlack } from '../../sandbox/slack/slack.ts';

// A second embedded Slack stands in for the real workspace: the sandbox knows nothing of it but its address and tokens.
const APP_TOKEN = `xapp-${simulatedSecret()}`;
const BOT_TOKEN = `xoxb-${simulatedSecret()}`;
const CHANNEL = 'C0SECURITY';
let workspace: EmbeddedSlack;
let sandbox: Sandbox;

beforeAll(async () => {
  workspace = await startSlack({
    ...{ port: 0, signingSecret: simulatedSecret(), botToken: BOT_TOKEN, appToken: APP_TOKEN, scopes: BOT_SCOPES },
    // Nothing outside reaches the sandbox: all that comes has to come through the socket.
    interactionUrl: 'http://127.0.0.1:9/',
    control: () => Promise.resolve({ status: 404, body: {} }),
  });
  sandbox = await startSandbox({
    ...{ awsPort: 0, slackPort: 0, graceSeconds: 0 },
    workspace: {
      tokens: { appToken: APP_TOKEN, botToken: BOT_TOKEN, apiUrl: `${workspace.url}/api/` },
      ...{ channel: CHANNEL, approvers: ['U0APPROVER'] },
    },
  });
});
afterAll(async () => {
  await sandbox.close();
  await workspace.close();
});

async function control(path: string, body: object): Promise<unknown> {
  const response = await fetch(`${sandbox.awsUrl}/sandbox/${path}`, { method: 'POST', body: JSON.stringify(body) });
  return response.json();
}

const messages = () => workspace.state().channels.find(({ id }) => id === CHANNEL)?.messages ?? [];

it('asks in the workspace, takes the decision through the socket, and does it', async () => {
  const made = z.object({ arn: z.string() }).parse(await control('keys', { kind: 'symmetric' }));
  await control('settle', {});
  const [question] = messages();
  const answer = await workspace.click({
    ...{ user: 'U0APPROVER', channel: CHANNEL, ts: question?.ts ?? '', actionId: 'approve' },
  });
  expect(answer).toMatchObject({ ok: true });
  await control('settle', {});
  expect(messages().map(({ text }) => text.split(':')[0])).toEqual(['Remediated']);

  const kms = new KMSClient({
    ...{ region: 'eu-central-1', endpoint: sandbox.awsUrl },
    credentials: { accessKeyId: made.arn.split(':')[4] ?? '', secretAccessKey: 'simulated' },
  });
  await expect(kms.send(new GetKeyRotationStatusCommand({ KeyId: made.arn }))).resolves.toMatchObject({
    KeyRotationEnabled: true,
  });
  kms.destroy();
});

it('answers a command and the Home tab through the socket', async () => {
  const command = { user: 'U0VIEWER', channel: CHANNEL, command: '/kms-rotation', text: 'status' };
  await expect(workspace.runCommand(command)).resolves.toMatchObject({
    ok: true,
    ephemerals: [{ text: expect.stringContaining('waiting for a decision') }],
  });
  await expect(workspace.openHome({ user: 'U0VIEWER' })).resolves.toMatchObject({ ok: true, views: [{}] });
});

it('says which token Slack refuses, and starts nothing', async () => {
  const tokens = { appToken: APP_TOKEN, botToken: 'xoxb-other', apiUrl: `${workspace.url}/api/` };
  await sandbox.close();
  await expect(
    startSandbox({ awsPort: 0, slackPort: 0, workspace: { tokens, channel: CHANNEL, approvers: ['U0APPROVER'] } }),
  ).rejects.toThrow('Slack refuses SLACK_BOT_TOKEN: invalid_auth.');
});
