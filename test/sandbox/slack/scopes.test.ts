import { WebClient } from '@slack/web-api';
import { startSlack } from '../../../sandbox/slack/slack.ts';

const TOKEN = 'xoxb-of-a-test';

async function clientWith(scopes: string[]) {
  const nothing = () => Promise.resolve({ status: 404, body: {} });
  const slack = await startSlack({
    ...{ port: 0, signingSecret: 's', botToken: TOKEN, interactionUrl: 'http://127.0.0.1:9', control: nothing, scopes },
  });
  return { client: new WebClient(TOKEN, { slackApiUrl: `${slack.url}/api/`, retryConfig: { retries: 0 } }), slack };
}

describe('an app with few scopes', () => {
  it('is told which one a method needs', async () => {
    const { client, slack } = await clientWith(['users:read']);
    await expect(client.chat.postMessage({ channel: 'C0SECURITY', text: 'hello' })).rejects.toMatchObject({
      data: { ok: false, error: 'missing_scope', needed: 'chat:write', provided: 'users:read' },
    });
    await slack.close();
  });

  it('sees people without their e-mail addresses', async () => {
    const { client, slack } = await clientWith(['users:read']);
    const { user } = await client.users.info({ user: 'U0APPROVER' });
    expect([user?.profile?.display_name, user?.profile?.email]).toEqual(['Approver', undefined]);
    await slack.close();
  });

  it('learns from every answer which it has', async () => {
    const { client, slack } = await clientWith(['users:read', 'chat:write']);
    const { response_metadata } = await client.auth.test();
    expect(response_metadata?.scopes).toEqual(['users:read', 'chat:write']);
    await slack.close();
  });
});
