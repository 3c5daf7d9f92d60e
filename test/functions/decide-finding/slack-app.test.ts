import { once } from 'node:events';
import { createServer } from 'node:http';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { SlackReceiver } from '../../../functions/adapters/slack-receiver.ts';
import { createSlackApp, type SlackAppDeps } from '../../../functions/decide-finding/slack-app.ts';
import { toHttpApiEvent } from '../../../sandbox/lambda/http-api.ts';
import { signature } from '../../../sandbox/slack/signed-post.ts';
import { KEY } from '../../builders.ts';

const SECRET = 'signing-secret';
const NOW = new Date('2026-03-02T10:00:00.000Z');
/** Port 9 discards; nobody answers there. */
const UNREACHABLE = 'http://127.0.0.1:9/response';

function createWorld(changes: Partial<SlackAppDeps>) {
  const failures: unknown[] = [];
  const receiver = new SlackReceiver({ signingSecret: SECRET, now: () => NOW });
  const options = {
    receiver,
    token: 'xoxb-test',
    botId: 'B0BOT',
    botUserId: 'U0BOT',
    apiUrl: 'http://127.0.0.1:9/api/',
  };
  const unexpected = () => Promise.reject(new Error('nobody asked for that'));
  createSlackApp(options, {
    decide: unexpected,
    mayStateTerms: unexpected,
    decideTerms: unexpected,
    openView: unexpected,
    now: () => NOW,
    logFailure: (error) => {
      failures.push(error);
    },
    ...changes,
  });
  return { handle: (event: APIGatewayProxyEventV2) => receiver.handle(event), failures };
}

function click(responseUrl = UNREACHABLE): APIGatewayProxyEventV2 {
  const payload = {
    type: 'block_actions',
    user: { id: 'U0APPROVER', team_id: 'T0SANDBOX' },
    team: { id: 'T0SANDBOX' },
    trigger_id: 'trigger',
    response_url: responseUrl,
    actions: [{ type: 'button', action_id: 'approve', value: JSON.stringify({ key: KEY.arn, episode: 1 }) }],
  };
  const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  const timestamp = NOW.getTime() / 1000;
  return toHttpApiEvent({
    ...{ method: 'POST', path: '/slack/events', rawQuery: '', sourceIp: '203.0.113.7', rawBody: Buffer.from(body) },
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-slack-request-timestamp': String(timestamp),
      'x-slack-signature': signature(SECRET, timestamp, body),
    },
  });
}

describe('a click', () => {
  it('is answered although the sentence for the person does not reach Slack', async () => {
    const refusal = { reason: 'guest' as const };
    const { handle, failures } = createWorld({ decide: () => Promise.resolve({ kind: 'refused', refusal }) });
    await expect(handle(click())).resolves.toEqual({ statusCode: 200, body: '' });
    expect(failures).toHaveLength(1);
  });

  it('is answered although Slack takes the sentence and says nothing', async () => {
    const silent = createServer(() => undefined);
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const refusal = { reason: 'guest' as const };
    const { handle, failures } = createWorld({ decide: () => Promise.resolve({ kind: 'refused', refusal }) });
    await expect(handle(click(`http://127.0.0.1:${port}/response`))).resolves.toEqual({ statusCode: 200, body: '' });
    expect(failures).toEqual([new Error('Slack took no sentence within 1000 ms')]);
    silent.closeAllConnections();
    silent.close();
  });

  it('is answered when it could not be decided, and the failure is logged', async () => {
    const trouble = new Error('the table is not there');
    const { handle, failures } = createWorld({ decide: () => Promise.reject(trouble) });
    await expect(handle(click())).resolves.toMatchObject({ statusCode: 200 });
    expect(failures[0]).toBe(trouble);
  });
});
