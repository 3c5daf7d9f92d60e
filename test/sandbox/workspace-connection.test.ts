import { expect } from '@jest/globals';
import { simulatedSecret } from '../../sandbox/simulated-secret.ts';
import { listenToWorkspace, readWorkspace } from '../../sandbox/workspace-connection.ts';
import {
  aButton,
  aModal,
  BOT_TOKEN,
  CHANNEL,
  SIGNING_SECRET,
  type SlackFixture,
  startFixture,
} from './slack/support/slack-fixture.ts';

// The embedded Slack stands in for the workspace; its socket is that of Socket Mode.
const APP_TOKEN = `xapp-${simulatedSecret()}`;
const failures: string[] = [];
let fixture: SlackFixture;
let tokens: { appToken: string; botToken: string; apiUrl: string };
let connection: { close: () => Promise<void> };

beforeEach(async () => {
  failures.length = 0;
  fixture = await startFixture({ appToken: APP_TOKEN });
  tokens = { appToken: APP_TOKEN, botToken: BOT_TOKEN, apiUrl: `${fixture.slack.url}/api/` };
  connection = await listenToWorkspace(tokens, {
    interactionUrl: fixture.app.url,
    signingSecret: SIGNING_SECRET,
    log: (line) => failures.push(line),
  });
});
afterEach(async () => {
  await connection.close();
  await fixture.close();
});

async function clickTheButton() {
  const { ts = '' } = await fixture.client.chat.postMessage({
    channel: CHANNEL,
    text: 'Key without rotation',
    blocks: [{ type: 'actions', elements: [aButton('approve', { value: 'finding-1' })] }],
  });
  return fixture.slack.click({ user: 'U0APPROVER', channel: CHANNEL, ts, actionId: 'approve' });
}

describe('a workspace by Socket Mode', () => {
  it('says whose token it is', async () => {
    await expect(readWorkspace(tokens)).resolves.toEqual({
      ...{ teamId: 'T0SANDBOX', teamName: 'Sandbox Inc', enterpriseId: null },
      ...{ botId: 'B0BOT', botUserId: 'U0BOT' },
    });
  });

  it('hands a click to the app as a signed request, and the answer to Slack', async () => {
    await expect(clickTheButton()).resolves.toMatchObject({ ok: true, status: 200, body: '' });
    expect(fixture.app.payloads).toMatchObject([
      { type: 'block_actions', user: { id: 'U0APPROVER' }, actions: [{ action_id: 'approve', value: 'finding-1' }] },
    ]);
    expect(failures).toEqual([]);
  });

  it("hands the app's answer to a submission back", async () => {
    fixture.app.onInteraction(async ({ type, trigger_id: trigger = '' }) => {
      if (type === 'block_actions') await fixture.client.views.open({ trigger_id: trigger, view: aModal() });
      return type === 'block_actions'
        ? {}
        : { body: JSON.stringify({ response_action: 'errors', errors: { reason: 'Too short.' } }) };
    });
    const { views } = await clickTheButton();
    const answer = await fixture.slack.submit({
      user: 'U0APPROVER',
      viewId: views[0]?.id ?? '',
      values: { reason: 'because', until: '2030-01-01', owner: 'U0ENGINEER' },
    });
    expect(answer).toMatchObject({ errors: { reason: 'Too short.' } });
  });

  it('acknowledges nothing that the app did not take', async () => {
    fixture.app.onInteraction(() => ({ status: 500 }));
    const answer = await clickTheButton();
    expect(answer).toMatchObject({ ok: false, status: 0 });
    expect(failures).toEqual(['interactive could not be answered: Error: the app answered with HTTP 500']);
  });

  it.each([
    ['SLACK_BOT_TOKEN', () => readWorkspace({ ...tokens, botToken: 'xoxb-other' })],
    [
      'SLACK_APP_TOKEN',
      () =>
        listenToWorkspace(
          { ...tokens, appToken: 'xapp-other' },
          { interactionUrl: fixture.app.url, signingSecret: SIGNING_SECRET, log: () => undefined },
        ),
    ],
  ])('names %s when Slack refuses it', async (name, connect) => {
    await expect(connect()).rejects.toThrow(`Slack refuses ${name}: invalid_auth.`);
  });
});
