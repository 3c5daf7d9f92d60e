import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { type Queues, startQueues } from '../../../sandbox/aws/queues.ts';
import { installClock, type SandboxClock } from '../../../sandbox/clock.ts';

let queues: Queues;
let client: SQSClient;
let clock: SandboxClock;
let made = 0;
const clientOf = (endpoint: string) =>
  new SQSClient({ endpoint, region: 'eu-central-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });
beforeAll(async () => {
  clock = installClock();
  queues = await startQueues();
  client = clientOf(queues.url);
});
afterAll(async () => {
  client.destroy();
  await queues.close();
  clock.uninstall();
});

async function givenQueue(attributes: Record<string, string> = {}): Promise<string> {
  made += 1;
  const { QueueUrl: url } = await client.send(
    new CreateQueueCommand({ QueueName: `queue-${made}`, Attributes: attributes }),
  );
  return url ?? '';
}
const send = (QueueUrl: string, MessageBody: string, DelaySeconds?: number) =>
  client.send(new SendMessageCommand({ QueueUrl, MessageBody, DelaySeconds }));
async function receive(QueueUrl: string, WaitTimeSeconds = 0): Promise<(string | undefined)[]> {
  const { Messages: messages = [] } = await client.send(
    new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds }),
  );
  return messages.map(({ Body }) => Body);
}

it('listens on the loopback interface only', async () => {
  expect(new URL(queues.url).hostname).toBe('127.0.0.1');
  const others = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4');
  for (const { address } of others) {
    const outcome = await new Promise((resolve) => {
      const socket = createConnection({ host: address, port: Number(new URL(queues.url).port) });
      socket.once('connect', () => {
        socket.destroy();
        resolve('connected');
      });
      socket.once('error', () => {
        resolve('refused');
      });
    });
    expect(outcome).toBe('refused');
  }
});

describe('when the clock jumps forward', () => {
  it('makes a delayed message due', async () => {
    const url = await givenQueue();
    await send(url, 'later', 600);
    expect(await receive(url)).toEqual([]);
    clock.advance(599_000);
    expect(await receive(url)).toEqual([]);
    clock.advance(1000);
    expect(await receive(url)).toEqual(['later']);
  });

  it('ends the delay of a queue', async () => {
    const url = await givenQueue({ DelaySeconds: '180' });
    await send(url, 'grace');
    expect(await receive(url)).toEqual([]);
    clock.advance(180_000);
    expect(await receive(url)).toEqual(['grace']);
  });

  it('wakes a poll that is already waiting', async () => {
    const url = await givenQueue();
    await send(url, 'later', 600);
    const waiting = receive(url, 5);
    await new Promise((resolve) => setTimeout(resolve, 50));
    clock.advance(600_000);
    expect(await waiting).toEqual(['later']);
  });

  it('lets an invisible message reappear, and a new one come and go as ever', async () => {
    const url = await givenQueue({ VisibilityTimeout: '30' });
    await send(url, 'again');
    expect(await receive(url)).toEqual(['again']);
    expect(await receive(url)).toEqual([]);
    clock.advance(30_000);
    const { Messages: messages } = await client.send(new ReceiveMessageCommand({ QueueUrl: url }));
    await client.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: messages?.[0]?.ReceiptHandle }));
    clock.advance(31 * 24 * 3600 * 1000);
    expect(await receive(url)).toEqual([]);
    await send(url, 'after');
    expect(await receive(url)).toEqual(['after']);
  });

  it('moves a message to the dead-letter queue after its last receive', async () => {
    const deadLetters = await givenQueue();
    const { Attributes: attributes } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl: deadLetters, AttributeNames: ['QueueArn'] }),
    );
    const url = await givenQueue({
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: attributes?.QueueArn, maxReceiveCount: 2 }),
    });
    await send(url, 'poison');
    for (let attempt = 0; attempt < 2; attempt += 1) {
      expect(await receive(url)).toEqual(['poison']);
      clock.advance(30_000);
    }
    expect(await receive(url)).toEqual([]);
    expect(await receive(deadLetters)).toEqual(['poison']);
  });
});

it('keeps queues and messages in a folder', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'queues-'));
  const first = await startQueues({ dataDir });
  const writer = clientOf(first.url);
  const { QueueUrl: url } = await writer.send(new CreateQueueCommand({ QueueName: 'kept' }));
  await writer.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'kept' }));
  writer.destroy();
  await first.close();

  const second = await startQueues({ dataDir });
  const reader = clientOf(second.url);
  const { QueueUrl: found } = await reader.send(new GetQueueUrlCommand({ QueueName: 'kept' }));
  const { Messages: messages } = await reader.send(new ReceiveMessageCommand({ QueueUrl: found }));
  expect(messages?.map(({ Body }) => Body)).toEqual(['kept']);
  reader.destroy();
  await second.close();
  rmSync(dataDir, { recursive: true, force: true });
});
