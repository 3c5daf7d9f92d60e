import { channel } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { SNSClient } from '@aws-sdk/client-sns';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { deploy, makeFindingsTable } from '../../sandbox/deploy.ts';
import { type Sandbox, startSandbox } from '../../sandbox/sandbox.ts';
import { graceOf } from '../../sandbox/sandbox-policy.ts';
import { playScenario } from '../../sandbox/scenarios/play.ts';
import { SCENARIOS } from '../../sandbox/scenarios/scenarios.ts';
import { readWholeStream } from '../sandbox/aws/dynamodb-fixture.ts';
import { DAY, DEV_ACCOUNT, importMaterial, type MadeKey, makeKey } from '../sandbox/aws/kms-fixture.ts';
import { callKms } from '../sandbox/aws/kms-wire.ts';
import { type PythonProcess, startPython } from './python.ts';

type Call = {
  service: string;
  operation: string;
  request: string;
  response: { status: number; headers: Record<string, string>; body: string };
};

const SERVICES: Record<string, string> = {
  TrentService: 'kms',
  DynamoDB_20120810: 'dynamodb',
  DynamoDBStreams_20120810: 'dynamodbstreams',
  AmazonSQS: 'sqs',
  '2011-06-15': 'sts',
  '2010-03-31': 'sns',
};
const exchange = z.object({
  request: z.custom<IncomingMessage>((value) => typeof value === 'object'),
  response: z.custom<ServerResponse>((value) => typeof value === 'object'),
});

/** Takes down every call of AWS that a server of this process on that port is asked for, and its answer. */
function record(port: number): { calls: Call[]; stop: () => void } {
  const calls: Call[] = [];
  const listen = (message: unknown) => {
    const { request, response } = exchange.parse(message);
    if (request.socket.localPort !== port) return;
    const asked = collect(request, 'push');
    const [written, ended] = [collect(response, 'write'), collect(response, 'end')];
    response.once('finish', () => {
      const call = callOf(request, asked.text());
      const headers = z.record(z.string(), z.coerce.string()).parse({ ...response.getHeaders() });
      const body = written.text() + ended.text();
      if (call !== undefined) calls.push({ ...call, response: { status: response.statusCode, headers, body } });
    });
  };
  const requests = channel('http.server.request.start');
  requests.subscribe(listen);
  return {
    calls,
    stop() {
      requests.unsubscribe(listen);
    },
  };
}

/** Remembers the bytes that are given to a method of a stream, without reading the stream. */
function collect(stream: object, method: string): { text: () => string } {
  const chunks: Buffer[] = [];
  const original: unknown = Reflect.get(stream, method);
  if (typeof original !== 'function') throw new Error(`there is no ${method} to listen to`);
  Reflect.set(stream, method, (...args: unknown[]): unknown => {
    const [chunk] = args;
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
    const result: unknown = Reflect.apply(original, stream, args);
    return result;
  });
  return { text: () => Buffer.concat(chunks).toString() };
}

function callOf({ headers, url }: IncomingMessage, body: string): Omit<Call, 'response'> | undefined {
  const target = headers['x-amz-target'];
  const form = new URLSearchParams(body === '' ? (url ?? '').replace(/^[^?]*/, '') : body);
  const [name, operation] = typeof target === 'string' ? target.split('.') : [form.get('Version'), form.get('Action')];
  const service = SERVICES[name ?? ''];
  return service === undefined || operation == null ? undefined : { service, operation, request: body };
}

/** Scenarios that between them make every call of AWS that the bot makes. */
const PLAYED = SCENARIOS.filter(({ name }) =>
  ['back-out', 'imported-key', 'kms-throttles', 'unanswered'].includes(name),
);

let python: PythonProcess;
let sandbox: Sandbox;
let calls: Call[];
beforeAll(async () => {
  python = startPython('shapes.py');
  sandbox = await startSandbox({ awsPort: 0, slackPort: 0, graceSeconds: 1, rateLimits: 'off' });
  const recording = record(Number(new URL(sandbox.awsUrl).port));
  for (const scenario of PLAYED) await playScenario(scenario, sandbox);
  await callEverything(sandbox.awsUrl);
  recording.stop();
  calls = recording.calls;
}, 120_000);
afterAll(() => Promise.all([sandbox.close(), python.stop()]));

/** What the scenarios leave out: the calls of the people around the bot, and answers that are errors. */
async function callEverything(url: string): Promise<void> {
  const access = {
    region: 'eu-central-1',
    credentials: { accessKeyId: DEV_ACCOUNT, secretAccessKey: 'any' },
    maxAttempts: 1,
  };
  const clients = {
    dynamodb: new DynamoDBClient({ ...access, endpoint: url }),
    sqs: new SQSClient({ ...access, endpoint: url }),
    sns: new SNSClient({ ...access, endpoint: url }),
  };
  const streamArn = await makeFindingsTable(clients.dynamodb, 'another-table');
  await deploy(clients, graceOf(1));
  await useQueue(clients.sqs);
  await callIdentity(url);
  await readWholeStream(url, streamArn);
  for (const client of Object.values(clients)) client.destroy();

  const kms = new KMSClient({ ...access, endpoint: url });
  const [key, other] = [await makeKey(kms, { Tags: [{ TagKey: 'team', TagValue: 'a' }] }), await makeKey(kms)];
  const asymmetric = await makeKey(kms, { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
  const imported = await makeKey(kms, { Origin: 'EXTERNAL' });
  const primary = await makeKey(kms, { MultiRegion: true });
  await importMaterial(kms, imported, { ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: new Date(Date.now() + DAY) });
  const call = (operation: string, { id }: MadeKey, more: Record<string, unknown> = {}) =>
    callKms(url, operation, { KeyId: id, ...more });
  const alias = (operation: string, { id }: MadeKey) =>
    callKms(url, operation, {
      AliasName: 'alias/everything',
      ...(operation === 'DeleteAlias' ? {} : { TargetKeyId: id }),
    });
  await call('ReplicateKey', primary, { ReplicaRegion: 'us-east-1' });
  await alias('CreateAlias', key);
  await alias('UpdateAlias', other);
  await callKms(url, 'ListAliases', {});
  await alias('DeleteAlias', other);
  await call('TagResource', key, { Tags: [{ TagKey: 'stage', TagValue: 'b' }] });
  await call('UntagResource', key, { TagKeys: ['stage'] });
  await call('ListResourceTags', key);
  await call('UpdateKeyDescription', key, { Description: 'everything' });
  const { body: policy } = await call('GetKeyPolicy', key);
  await call('PutKeyPolicy', key, z.object({ Policy: z.string() }).parse(policy));
  for (const operation of ['EnableKeyRotation', 'GetKeyRotationStatus', 'RotateKeyOnDemand', 'GetKeyRotationStatus']) {
    await call(operation, key);
  }
  // The rotation on demand takes three seconds, a new replica one.
  await new Promise((resolve) => setTimeout(resolve, 3500));
  await call('ListKeyRotations', key, { IncludeKeyMaterial: 'ALL_KEY_MATERIAL' });
  await call('ListKeyRotations', imported, { IncludeKeyMaterial: 'ALL_KEY_MATERIAL' });
  await call('UpdatePrimaryRegion', primary, { PrimaryRegion: 'us-east-1' });
  for (const each of [key, asymmetric, imported, primary]) await call('DescribeKey', each);
  for (const operation of ['DisableKeyRotation', 'DisableKey', 'EnableKeyRotation', 'EnableKey'])
    await call(operation, key);
  for (const operation of [
    'ScheduleKeyDeletion',
    'EnableKeyRotation',
    'DescribeKey',
    'CancelKeyDeletion',
    'CancelKeyDeletion',
  ]) {
    await call(operation, key);
  }
  await call('DeleteImportedKeyMaterial', imported);
  await call('EnableKeyRotation', imported);
  await call('EnableKeyRotation', asymmetric);
  await call('RotateKeyOnDemand', imported);
  await callKms(url, 'ListKeys', { Limit: 1 });
  await callKms(url, 'DescribeKey', { KeyId: 'alias/none' });
  kms.destroy();
}

async function useQueue(sqs: SQSClient): Promise<void> {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'everything' }));
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'everything', DelaySeconds: 0 }));
  const { Messages: [message] = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl, MessageSystemAttributeNames: ['All'], WaitTimeSeconds: 1 }),
  );
  const { ReceiptHandle } = message ?? {};
  await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 60 }));
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
}

async function callIdentity(url: string): Promise<void> {
  const scope = `Credential=${DEV_ACCOUNT}/20261123/eu-central-1/sts/aws4_request`;
  await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=host, Signature=00`,
    },
    body: 'Action=GetCallerIdentity&Version=2011-06-15',
  });
}

/** DynamoDB answers with this member, and its documentation has none of that name; see the README of this folder. */
const KNOWN: readonly string[] = [
  'dynamodb CreateTable answer: .TableDescription.TableThroughputModeSummary is unknown',
  'dynamodb DescribeTable answer: .Table.TableThroughputModeSummary is unknown',
];

/** What botocore finds wrong, with how often. */
async function problemsOf(judged: readonly Call[]): Promise<Record<string, number>> {
  const problems: Record<string, number> = {};
  for (const call of judged) {
    python.write(`${JSON.stringify(call)}\n`);
    for (const problem of z.array(z.string()).parse(JSON.parse(await python.line()))) {
      const named = `${call.service} ${call.operation} ${problem}`;
      problems[named] = (problems[named] ?? 0) + 1;
    }
  }
  return problems;
}
const operationsOf = (service: string) =>
  [...new Set(calls.filter((call) => call.service === service).map(({ operation }) => operation))].sort();

it('every request and every answer is one that botocore’s models allow', async () => {
  const problems = Object.keys(await problemsOf(calls));
  expect(problems.filter((problem) => !KNOWN.includes(problem))).toEqual([]);
  expect(problems).toEqual(expect.arrayContaining([...KNOWN]));
});

it('there were calls of everything that the bot and the people around it use', () => {
  expect(operationsOf('kms')).toHaveLength(27);
  expect(operationsOf('dynamodb')).toEqual(
    expect.arrayContaining(['GetItem', 'Query', 'TransactWriteItems', 'UpdateItem']),
  );
  expect(operationsOf('dynamodbstreams')).toEqual(['DescribeStream', 'GetRecords', 'GetShardIterator']);
  expect(operationsOf('sqs')).toEqual(expect.arrayContaining(['ChangeMessageVisibility', 'ReceiveMessage']));
  expect(operationsOf('sns')).toEqual(['CreateTopic', 'Publish', 'Subscribe']);
  expect(operationsOf('sts')).toEqual(['AssumeRole', 'GetCallerIdentity']);
  expect(calls.some(({ response }) => response.status >= 400)).toBe(true);
});

describe('what is wrong is found:', () => {
  const aCall = (service: string, operation: string, body: object, status = 200): Call => ({
    ...{ service, operation, request: '{"KeyId":"x"}' },
    response: { status, headers: {}, body: JSON.stringify(body) },
  });
  const wrong: [string, Call, string][] = [
    [
      'a request with an unknown member',
      { ...aCall('kms', 'DescribeKey', {}), request: '{"KeyId":"x","Key":1}' },
      'request: Unknown parameter in input: "Key", must be one of: KeyId, GrantTokens',
    ],
    [
      'a request without a required member',
      { ...aCall('kms', 'DescribeKey', {}), request: '{}' },
      'request: Missing required parameter in input: "KeyId"',
    ],
    [
      'an answer with an unknown member',
      aCall('kms', 'GetKeyRotationStatus', { Enabled: true }),
      'answer: .Enabled is unknown',
    ],
    ['an answer with null', aCall('kms', 'GetKeyRotationStatus', { KeyId: null }), 'answer: .KeyId is null'],
    [
      'an answer of another type',
      aCall('kms', 'GetKeyRotationStatus', { RotationPeriodInDays: 'x' }),
      "answer: Invalid type for parameter RotationPeriodInDays, value: x, type: <class 'str'>, valid types: <class 'int'>",
    ],
    [
      'an error that the operation does not have',
      aCall('kms', 'ListKeys', { __type: 'DisabledException' }, 400),
      'answer: ListKeys has no error DisabledException',
    ],
  ];
  it.each(wrong)('%s', async (_what, call, problem) => {
    expect(Object.keys(await problemsOf([call]))).toContain(`${call.service} ${call.operation} ${problem}`);
  });
});
