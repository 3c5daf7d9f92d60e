import { createHmac } from 'node:crypto';
import { jest } from '@jest/globals';
import { App } from '@slack/bolt';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { SlackReceiver } from '../../../functions/adapters/slack-receiver.ts';

const SECRET = 'a-signing-secret-of-a-test';
const NOW = new Date('2026-03-01T12:00:00.000Z');
const seconds = (date: Date) => Math.floor(date.getTime() / 1000);

type Signed = { body: string; contentType?: string; timestamp?: string; version?: string; base64?: boolean };

function request({ body, contentType, timestamp, version = 'v0', base64 = false }: Signed): APIGatewayProxyEventV2 {
  const at = timestamp ?? String(seconds(NOW));
  const signature = `${version}=${createHmac('sha256', SECRET).update(`${version}:${at}:${body}`).digest('hex')}`;
  return unsigned({
    body: base64 ? Buffer.from(body).toString('base64') : body,
    isBase64Encoded: base64,
    headers: {
      'content-type': contentType ?? 'application/x-www-form-urlencoded',
      'x-slack-request-timestamp': at,
      'x-slack-signature': signature,
    },
  });
}

function unsigned(fields: Partial<APIGatewayProxyEventV2>, method = 'POST'): APIGatewayProxyEventV2 {
  return {
    version: '2.0',
    routeKey: 'POST /slack/events',
    rawPath: '/slack/events',
    rawQueryString: '',
    headers: {},
    isBase64Encoded: false,
    requestContext: {
      accountId: '111122223333',
      apiId: 'api',
      domainName: 'api.example',
      domainPrefix: 'api',
      http: { method, path: '/slack/events', protocol: 'HTTP/1.1', sourceIp: '203.0.113.1', userAgent: 'Slackbot' },
      requestId: 'request',
      routeKey: 'POST /slack/events',
      stage: '$default',
      time: '',
      timeEpoch: 0,
    },
    ...fields,
  };
}

const form = (payload: unknown) => `payload=${encodeURIComponent(JSON.stringify(payload))}`;

const interaction = (value: string, changes: object = {}) => ({
  type: 'block_actions',
  user: { id: 'U0PERSON', team_id: 'T0TEAM' },
  team: { id: 'T0TEAM', domain: 'team' },
  actions: [{ type: 'button', action_id: 'approve', block_id: 'b', value, action_ts: '1.0' }],
  ...changes,
});

const click = (value: string) => form(interaction(value));

function aReceiver(signingSecret = () => Promise.resolve(SECRET)) {
  const clicks: { value: string | undefined; requestId: unknown }[] = [];
  const failures: unknown[] = [];
  const logFailure = (error: unknown) => failures.push(error);
  const receiver = new SlackReceiver({ signingSecret, now: () => NOW, logFailure });
  const app = new App({ receiver, token: 'xoxb-test', botId: 'B0BOT', botUserId: 'U0BOT', convoStore: false });
  app.action('approve', async ({ ack, action, context }) => {
    clicks.push({ value: 'value' in action ? action.value : undefined, requestId: context['requestId'] });
    await ack();
  });
  app.action('break', () => Promise.reject(new Error('a listener failed')));
  return {
    clicks,
    failures,
    answer: async (event: APIGatewayProxyEventV2) => (await receiver.handle(event)).statusCode,
  };
}

describe('the Slack receiver', () => {
  it('passes a signed click on and answers 200', async () => {
    const { clicks, answer } = aReceiver();
    expect(await answer(request({ body: click('one') }))).toBe(200);
    expect(clicks).toMatchObject([{ value: 'one' }]);
  });

  it.each<[string, APIGatewayProxyEventV2]>([
    ['base64, as an HTTP API delivers forms', request({ body: click('ümlaut'), base64: true })],
    [
      'a charset in the content type',
      request({ body: click('ümlaut'), contentType: 'application/x-www-form-urlencoded; charset=utf-8' }),
    ],
    ['four minutes old', request({ body: click('ümlaut'), timestamp: String(seconds(NOW) - 240) })],
    ['four minutes ahead', request({ body: click('ümlaut'), timestamp: String(seconds(NOW) + 240) })],
  ])('reads a click that is %s', async (_, event) => {
    const { clicks, answer } = aReceiver();
    expect(await answer(event)).toBe(200);
    expect(clicks).toMatchObject([{ value: 'ümlaut' }]);
  });

  it.each<[string, APIGatewayProxyEventV2]>([
    ['unsigned', unsigned({ body: click('x'), headers: { 'content-type': 'application/x-www-form-urlencoded' } })],
    ['unsigned and malformed', unsigned({ body: 'payload=%7B', headers: {} })],
    ['older than five minutes', request({ body: click('x'), timestamp: String(seconds(NOW) - 301) })],
    ['of the future', request({ body: click('x'), timestamp: String(seconds(NOW) + 301) })],
    ['signed with another version', request({ body: click('x'), version: 'v1' })],
    ['signed, then changed', { ...request({ body: click('x') }), body: click('y') }],
    ['signed at no time', request({ body: click('x'), timestamp: 'NaN' })],
  ])('answers 401 to a request that is %s', async (_, event) => {
    const { clicks, answer } = aReceiver();
    expect(await answer(event)).toBe(401);
    expect(clicks).toEqual([]);
  });

  it.each<[string, Signed, number]>([
    ['signed but malformed JSON', { body: 'payload=%7B' }, 400],
    ['of an unknown content type', { body: click('x'), contentType: 'text/plain' }, 400],
    ['larger than Slack sends', { body: `payload=${'x'.repeat(1_000_001)}` }, 413],
    ['a certificate check', { body: 'ssl_check=1&token=t' }, 200],
  ])('answers a request that is %s without calling the app', async (_, signed, status) => {
    const { clicks, answer } = aReceiver();
    expect(await answer(request(signed))).toBe(status);
    expect(clicks).toEqual([]);
  });

  it('answers 503 and tells whoever logs while there is no signing secret, whoever signed', async () => {
    const reason = new Error('the secret cannot be read');
    const { clicks, failures, answer } = aReceiver(() => Promise.reject(reason));
    expect(await answer(request({ body: click('x') }))).toBe(503);
    expect(clicks).toEqual([]);
    expect(failures).toEqual([reason]);
  });

  it('asks for the secret only for requests that could be genuine', async () => {
    let asked = 0;
    const { answer } = aReceiver(() => {
      asked += 1;
      return Promise.resolve(SECRET);
    });
    const body = click('x');
    await answer(unsigned({ body }));
    await answer(request({ body, timestamp: String(seconds(NOW) - 301) }));
    await answer(request({ body, version: 'v1' }));
    await answer(unsigned({ body: 'A'.repeat(1_000_001) }));
    expect(asked).toBe(0);
    await answer(request({ body }));
    expect(asked).toBe(1);
  });

  it('believes the secret of the moment', async () => {
    let secret = 'another secret';
    const { answer } = aReceiver(() => Promise.resolve(secret));
    const event = request({ body: click('x') });
    expect(await answer(event)).toBe(401);
    secret = SECRET;
    expect(await answer(event)).toBe(200);
  });

  it('refuses what is too large before decoding it, signed or not', async () => {
    const { answer } = aReceiver();
    expect(await answer(unsigned({ body: 'A'.repeat(6_000_000), isBase64Encoded: true }))).toBe(413);
    expect(await answer(unsigned({ body: 'A'.repeat(1_333_336), isBase64Encoded: true }))).toBe(413);
    expect(await answer(unsigned({ body: 'A'.repeat(1_333_332), isBase64Encoded: true }))).toBe(401);
  });

  it('answers the challenge of a URL verification', async () => {
    const receiver = new SlackReceiver({
      signingSecret: () => Promise.resolve(SECRET),
      now: () => NOW,
      logFailure: () => {},
    });
    const body = JSON.stringify({ type: 'url_verification', challenge: 'c-1' });
    expect(await receiver.handle(request({ body, contentType: 'application/json' }))).toMatchObject({ body: 'c-1' });
  });

  it('refuses other methods', async () => {
    expect(await aReceiver().answer(unsigned({}, 'GET'))).toBe(405);
  });

  it.each<[string, unknown]>([
    ['without headers', { ...unsigned({}), headers: undefined }],
    ['of another payload format', { version: '1.0', httpMethod: 'POST', headers: {}, body: '' }],
    ['with a flag that is a word', { ...unsigned({}), isBase64Encoded: 'false' }],
    ['that is nothing', null],
  ])('answers 400 to an event %s instead of throwing', async (_, event) => {
    const receiver = new SlackReceiver({
      signingSecret: () => Promise.resolve(SECRET),
      now: () => NOW,
      logFailure: () => {},
    });
    expect(await receiver.handle(event)).toEqual({ statusCode: 400, body: '' });
  });

  it.each<[string, unknown]>([
    ['a click without actions', interaction('x', { actions: [] })],
    ['an action that is null', interaction('x', { actions: [null] })],
    ['actions that are not a list', interaction('x', { actions: { length: 1 } })],
    ['a click of nobody', interaction('x', { user: null })],
    ['a workspace that is no id', interaction('x', { team: { id: '__proto__' } })],
    ['a modal without a state', { ...interaction('x'), type: 'view_submission', view: { callback_id: 'c' } }],
    ['a payload of another kind', { type: 'shortcut', user: { id: 'U0PERSON' }, callback_id: 'c' }],
    ['an event', { type: 'event_callback', event: null }],
  ])('answers 400 to what the bot has no use for, without calling the app: %s', async (_, payload) => {
    const { clicks, failures, answer } = aReceiver();
    expect(await answer(request({ body: form(payload) }))).toBe(400);
    expect(clicks).toEqual([]);
    expect(failures).toHaveLength(1);
  });

  it('keeps from the app what the schema does not name, so that no field makes a click into something else', async () => {
    const { clicks, answer } = aReceiver();
    const confusing = { event: { type: 'message' }, command: '/x', function_data: {}, is_enterprise_install: 'true' };
    expect(await answer(request({ body: form(interaction('one', confusing)) }))).toBe(200);
    expect(clicks).toMatchObject([{ value: 'one' }]);
  });

  it('answers 500 when a listener fails, and tells whoever logs', async () => {
    // Bolt's default error handler writes to the console.
    jest.spyOn(console, 'error').mockImplementation(() => undefined);
    const { failures, answer } = aReceiver();
    const actions = [{ type: 'button', action_id: 'break', block_id: 'b', action_ts: '1.0' }];
    expect(await answer(request({ body: form(interaction('x', { actions })) }))).toBe(500);
    expect(failures).toHaveLength(1);
  });

  it('gives the same request the same id and another one another', async () => {
    const { clicks, answer } = aReceiver();
    const first = request({ body: click('one') });
    await answer(first);
    await answer(first);
    await answer(request({ body: click('two') }));
    const [a, b, c] = clicks.map(({ requestId }) => requestId);
    expect(a).toBe(b);
    expect(a).not.toBe(c);
  });
});
