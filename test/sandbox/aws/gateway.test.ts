import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { createFaults, type Faults } from '../../../sandbox/aws/faults.ts';
import { type Gateway, startGateway } from '../../../sandbox/aws/gateway.ts';
import { createKms } from '../../../sandbox/aws/kms/kms.ts';
import { createSts } from '../../../sandbox/aws/sts.ts';
import { answerOf, like } from './kms-fixture.ts';

/** What an upstream was asked; it answers with what a test wants. */
type Upstream = { server: Server; url: string; seen: { url: string | undefined; target: unknown; body: string }[] };

async function startUpstream(contentType: string, answer: string): Promise<Upstream> {
  const seen: Upstream['seen'] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      seen.push({ url: request.url, target: request.headers['x-amz-target'], body });
      response.writeHead(200, { 'content-type': contentType }).end(answer);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, url: `http://127.0.0.1:${address.port}`, seen };
}

let faults: Faults;
let dynamodb: Upstream;
let queues: Upstream;
let gateway: Gateway;
const start = (port = 0, queuesUrl = queues.url) =>
  startGateway({
    port,
    kms: createKms({ emit: () => undefined }),
    sts: createSts(),
    faults,
    upstreams: { dynamodb: dynamodb.url, queues: queuesUrl },
    control: ({ method, path, query, body }) =>
      Promise.resolve({ status: path === 'bad' ? 400 : 200, body: { method, path, key: query.get('key'), body } }),
    routes: {
      '/slack/': (request) =>
        Promise.resolve({
          status: 202,
          headers: { 'content-type': 'text/plain', 'x-route': 'slack' },
          body: `${request.method} ${request.path}?${request.rawQuery} ${request.rawBody.toString('latin1')}`,
        }),
    },
  });

beforeAll(async () => {
  faults = createFaults();
  dynamodb = await startUpstream('application/x-amz-json-1.0', '{"TableNames":["findings"]}');
  queues = await startUpstream(
    'text/xml',
    '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>',
  );
  gateway = await start();
});
afterAll(async () => {
  await gateway.close();
  dynamodb.server.close();
  queues.server.close();
});

const config = () => ({
  endpoint: gateway.url,
  region: 'eu-central-1',
  credentials: { accessKeyId: '111122223333', secretAccessKey: 'any' },
  maxAttempts: 1,
});
const listTables = () => answerOf(new DynamoDBClient(config()).send(new ListTablesCommand({ Limit: 5 })));
const publish = () =>
  answerOf(
    new SNSClient(config()).send(
      new PublishCommand({ TopicArn: 'arn:aws:sns:eu-central-1:111122223333:digest', Message: 'hello' }),
    ),
  );

describe('what goes to other servers', () => {
  it('is passed on as it came: DynamoDB', async () => {
    expect(await listTables()).toEqual({ TableNames: ['findings'] });
    expect(dynamodb.seen.at(-1)).toEqual({ url: '/', target: 'DynamoDB_20120810.ListTables', body: '{"Limit":5}' });
  });

  it('is passed on as it came: SNS', async () => {
    expect(await publish()).toEqual({ MessageId: 'm-1' });
    expect(queues.seen.at(-1)?.body).toContain('Action=Publish');
  });

  it('keeps the path of a queue', async () => {
    await fetch(`${gateway.url}/111122223333/creations?a=b`, {
      method: 'POST',
      headers: { 'x-amz-target': 'AmazonSQS.SendMessage', 'content-type': 'application/x-amz-json-1.0' },
      body: '{}',
    });
    expect(queues.seen.at(-1)).toEqual({
      url: '/111122223333/creations?a=b',
      target: 'AmazonSQS.SendMessage',
      body: '{}',
    });
  });

  it('is sent again when that server closes a kept connection instead of reading on', async () => {
    const used = new WeakSet<Socket>();
    const forgetful = createServer(({ socket }, response) => {
      if (used.has(socket)) socket.destroy();
      else response.end('<ListQueuesResponse/>');
      used.add(socket);
    });
    forgetful.listen(0, '127.0.0.1');
    await once(forgetful, 'listening');
    const address = forgetful.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const own = await start(0, `http://127.0.0.1:${port}`);
    const ask = () => fetch(`${own.url}/?Action=ListQueues&Version=2012-11-05`, { method: 'POST' });
    const answers = [await ask(), await ask(), await ask()];
    expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual([
      '<ListQueuesResponse/>',
      '<ListQueuesResponse/>',
      '<ListQueuesResponse/>',
    ]);
    await own.close();
    forgetful.closeAllConnections();
    forgetful.close();
  });

  it('goes straight to a server in this process', async () => {
    const asked: string[] = [];
    const own = await startGateway({
      ...{ port: 0, kms: createKms({ emit: () => undefined }), sts: createSts(), faults },
      upstreams: {
        dynamodb({ body }) {
          asked.push(body.toString());
          return Promise.resolve({ status: 200, headers: {}, body: Buffer.from('{"TableNames":["near"]}') });
        },
        queues: queues.url,
      },
      control: () => Promise.resolve({ status: 200, body: {} }),
    });
    const client = new DynamoDBClient({ ...config(), endpoint: own.url });
    expect(await answerOf(client.send(new ListTablesCommand({ Limit: 5 })))).toEqual({ TableNames: ['near'] });
    expect(asked).toEqual(['{"Limit":5}']);
    client.destroy();
    await own.close();
  });

  it('is answered as unavailable when that server is not there', async () => {
    const lonely = await startGateway({
      port: 0,
      kms: createKms({ emit: () => undefined }),
      sts: createSts(),
      faults,
      upstreams: { dynamodb: 'http://127.0.0.1:1', queues: 'http://127.0.0.1:1' },
      control: () => Promise.resolve({ status: 200, body: {} }),
    });
    const client = new DynamoDBClient({ ...config(), endpoint: lonely.url });
    const answer = await answerOf(client.send(new ListTablesCommand({})));
    await lonely.close();
    expect(answer).toEqual({ error: 'ServiceUnavailable', message: 'dynamodb is not running.' });
  });
});

describe('planted faults', () => {
  it('have the shape of each protocol', async () => {
    faults.set({
      service: 'dynamodb',
      operation: 'ListTables',
      error: 'ProvisionedThroughputExceededException',
      times: 1,
    });
    faults.set({ service: 'sqs', operation: '*', error: 'OverLimit', times: 1 });
    faults.set({ service: 'sns', operation: 'Publish', error: 'AuthorizationError', times: 1 });
    const asked = dynamodb.seen.length + queues.seen.length;
    const answers = [
      await listTables(),
      await answerOf(new SQSClient(config()).send(new ListQueuesCommand({}))),
      await publish(),
    ];
    expect(answers).toEqual([
      { error: 'ProvisionedThroughputExceededException', message: like(/throughput/) },
      { error: 'OverLimit', message: like(/in flight/) },
      { error: like(/^AuthorizationError/), message: like(/not authorized/) },
    ]);
    expect(dynamodb.seen.length + queues.seen.length).toBe(asked);
  });

  it('hang up for a timeout', async () => {
    faults.set({ service: 'dynamodb', operation: 'ListTables', error: 'timeout', times: 1 });
    expect(await listTables()).toMatchObject({ message: like(/hang up|ECONNRESET/) });
    expect(await listTables()).toEqual({ TableNames: ['findings'] });
  });
});

describe('its own interface', () => {
  const json = async (path: string, init?: RequestInit) => {
    const answer = await fetch(gateway.url + path, init);
    return { status: answer.status, body: await answer.json() };
  };

  it('hands /sandbox/ to control, parsed', async () => {
    expect(await json('/sandbox/audit?key=k', { method: 'POST', body: '{"a":1}' })).toEqual({
      status: 200,
      body: { method: 'POST', path: 'audit', key: 'k', body: { a: 1 } },
    });
    expect(await json('/sandbox/bad')).toMatchObject({ status: 400 });
  });

  it('says when the body is not JSON', async () => {
    const answer = await json('/sandbox/clock', { method: 'POST', body: '{' });
    expect(answer).toEqual({ status: 400, body: { error: 'the body is not JSON' } });
  });

  it('does not let other web pages in', async () => {
    const refused = await json('/sandbox/clock', { method: 'POST', headers: { origin: 'https://evil.example' } });
    const own = await json('/sandbox/clock', { method: 'POST', headers: { origin: 'http://127.0.0.1:3000' } });
    expect([refused.status, own.status]).toEqual([403, 200]);
  });

  it('hands a route the bytes as they came', async () => {
    const answer = await fetch(`${gateway.url}/slack/events?x=%20`, {
      method: 'POST',
      body: Buffer.from([0xff, 0x41]),
    });
    expect([answer.status, answer.headers.get('x-route'), await answer.text()]).toEqual([
      202,
      'slack',
      'POST /slack/events?x=%20 \u00ffA',
    ]);
  });

  it('explains itself', async () => {
    expect(await json('/')).toMatchObject({ status: 200, body: { control: '/sandbox/state' } });
    expect(await json('/favicon.ico')).toMatchObject({ status: 404 });
  });
});

describe('every answer', () => {
  const kms = (headers: Record<string, string>, body = '{}') =>
    fetch(gateway.url, { method: 'POST', headers: { 'x-amz-target': 'TrentService.ListKeys', ...headers }, body });
  const signed = (region: string) => ({
    authorization: `AWS4-HMAC-SHA256 Credential=test/20261123/${region}/kms/aws4_request, SignedHeaders=host, Signature=00`,
  });

  it('has a request id', async () => {
    const answers = await Promise.all([kms(signed('us-east-1')), kms({}), fetch(gateway.url)]);
    expect(answers.map((each) => each.headers.get('x-amzn-requestid'))).toEqual(Array(3).fill(like(/^[0-9a-f-]{36}$/)));
  });

  it.each([
    ['without a signature', {}, '{}', 'MissingAuthenticationTokenException'],
    ['with a signature of nothing', { authorization: 'Basic abc' }, '{}', 'IncompleteSignatureException'],
    ['for a Region that is not simulated', signed('ap-south-1'), '{}', 'UnrecognizedClientException'],
    ['with a broken body', signed('us-east-1'), '{', 'SerializationException'],
    ['with a value of the wrong type', signed('us-east-1'), '{"Limit":"x"}', 'SerializationException'],
  ])('to KMS %s is an error of AWS', async (_what, headers, body, code) => {
    const answer = await kms(headers, body);
    expect([answer.status, await answer.json()]).toEqual([400, { __type: code, message: like(/./) }]);
  });

  it.each([
    ['Encrypt', 'UnsupportedOperationException', /does not simulate kms:Encrypt/],
    ['MakeCoffee', 'UnknownOperationException', /MakeCoffee/],
  ])('to kms:%s says that it is not there', async (operation, code, text) => {
    const answer = await kms({ ...signed('us-east-1'), 'x-amz-target': `TrentService.${operation}` });
    expect([answer.status, await answer.json()]).toEqual([400, { __type: code, message: like(text) }]);
  });
});

it('names the port that is taken', async () => {
  await expect(start(gateway.port)).rejects.toThrow(`port ${gateway.port} is in use`);
});
