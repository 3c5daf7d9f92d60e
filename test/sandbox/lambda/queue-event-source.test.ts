import { createHash } from 'node:crypto';
import { CreateQueueCommand, GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import * as z from 'zod';
import { type Queues, startQueues } from '../../../sandbox/aws/queues.ts';
import { installClock, type SandboxClock } from '../../../sandbox/clock.ts';
import { pollQueue, type QueueEventSource } from '../../../sandbox/lambda/queue-event-source.ts';

let queues: Queues;
let client: SQSClient;
let clock: SandboxClock;
let source: QueueEventSource | undefined;
let made = 0;
beforeAll(async () => {
  clock = installClock();
  queues = await startQueues();
  client = new SQSClient({
    endpoint: queues.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
});
// Stopping takes up to a second each, so they stop together: every test has its own queue.
const sources: QueueEventSource[] = [];
afterEach(() => {
  if (source !== undefined) sources.push(source);
  source = undefined;
});
afterAll(async () => {
  await Promise.all(sources.map((one) => one.stop()));
  client.destroy();
  await queues.close();
  clock.uninstall();
});

const eventSchema = z.object({ Records: z.array(z.looseObject({ messageId: z.string(), body: z.string() })) });
type Batch = z.infer<typeof eventSchema>['Records'];

type Queue = { url: string; arn: string };
async function givenQueue(attributes: Record<string, string> = {}): Promise<Queue> {
  made += 1;
  const { QueueUrl: url = '' } = await client.send(
    new CreateQueueCommand({ QueueName: `queue-${made}`, Attributes: attributes }),
  );
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }),
  );
  return { url, arn: Attributes?.QueueArn ?? '' };
}
const send = (queue: Queue, ...bodies: string[]) =>
  Promise.all(bodies.map((MessageBody) => client.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody }))));

/** Starts a source whose function is `handle`; answers the bodies it was given, batch by batch. */
function givenSource(
  queue: Queue,
  handle: (batch: Batch) => unknown,
  more: { batchSize?: number; reportBatchItemFailures?: boolean } = {},
): string[][] {
  const batches: string[][] = [];
  source = pollQueue({
    client,
    queueUrl: queue.url,
    queueArn: queue.arn,
    batchSize: 10,
    reportBatchItemFailures: false,
    ...more,
    invoke: async (event) => {
      const { Records: records } = eventSchema.parse(event);
      batches.push(records.map(({ body }) => body));
      return await Promise.resolve(handle(records));
    },
  });
  return batches;
}
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 2));
}
const untilEmpty = () => until(async () => (await source?.pending()) === 0);
/** Until the function has ended and its messages wait for their visibility timeout. */
const untilHidden = (count: number) =>
  until(async () => source?.running() === 0 && (await source.counts()).inFlight === count);

it('hands over records as Lambda does, and deletes them', async () => {
  const queue = await givenQueue();
  await client.send(
    new SendMessageCommand({
      QueueUrl: queue.url,
      MessageBody: '{"n":1}',
      MessageAttributes: {
        text: { DataType: 'String', StringValue: 'x' },
        bytes: { DataType: 'Binary', BinaryValue: Buffer.from([1, 2]) },
      },
    }),
  );
  const events: SQSEvent[] = [];
  source = pollQueue({
    client,
    queueUrl: queue.url,
    queueArn: queue.arn,
    batchSize: 1,
    reportBatchItemFailures: false,
    invoke: (event) => {
      events.push(z.custom<SQSEvent>().parse(event));
      return Promise.resolve(null);
    },
  });
  await untilEmpty();
  const [record] = events[0]?.Records ?? [];
  expect(record).toMatchObject({
    body: '{"n":1}',
    md5OfBody: createHash('md5').update('{"n":1}').digest('hex'),
    attributes: { ApproximateReceiveCount: '1' },
    messageAttributes: {
      text: { stringValue: 'x', stringListValues: [], binaryListValues: [], dataType: 'String' },
      bytes: { binaryValue: 'AQI=', stringListValues: [], binaryListValues: [], dataType: 'Binary' },
    },
    eventSource: 'aws:sqs',
    eventSourceARN: queue.arn,
    awsRegion: 'eu-central-1',
  });
  expect(record?.attributes.SentTimestamp).toMatch(/^\d{13}$/);
  expect(record?.receiptHandle).not.toBe('');
});

it('brings a whole batch back after its visibility timeout when the function throws', async () => {
  const queue = await givenQueue({ VisibilityTimeout: '60' });
  await send(queue, 'a', 'b');
  let failing = true;
  const batches = givenSource(queue, () => {
    if (failing) throw new Error('not yet');
    return null;
  });
  await untilHidden(2);
  expect(batches.flat().sort()).toEqual(['a', 'b']);
  failing = false;
  clock.advance(60_000);
  await untilEmpty();
  expect(batches.flat().sort()).toEqual(['a', 'a', 'b', 'b']);
});

describe('with partial batch responses', () => {
  async function keptAfter(answer: (batch: Batch) => unknown): Promise<number> {
    const queue = await givenQueue({ VisibilityTimeout: '60' });
    await send(queue, 'a', 'b', 'c');
    const batches = givenSource(queue, answer, { reportBatchItemFailures: true });
    await until(() => batches.flat().length === 3 && source?.running() === 0);
    return (await source?.pending()) ?? -1;
  }
  const idOf = (batch: Batch, body: string) => batch.filter((record) => record.body === body);

  it('keeps the messages that the function names', async () => {
    const kept = keptAfter((batch) => ({
      batchItemFailures: idOf(batch, 'b').map(({ messageId }) => ({ itemIdentifier: messageId })),
    }));
    expect(await kept).toBe(1);
  });

  it.each([[null], [{}], [{ batchItemFailures: [] }], [{ batchItemFailures: null }], ['']])(
    'takes %j as success',
    async (answer) => {
      expect(await keptAfter(() => answer)).toBe(0);
    },
  );

  it.each([
    ['not an object'],
    [{ batchItemFailures: [{ itemIdentifier: '' }] }],
    [{ batchItemFailures: [{ itemIdentifier: null }] }],
    [{ batchItemFailures: [{ messageId: 'wrong key' }] }],
    [{ batchItemFailures: [{ itemIdentifier: 'no-such-message' }] }],
  ])('takes %j as a failure of all', async (answer) => {
    expect(await keptAfter(() => answer)).toBe(3);
  });

  it('ignores the answer when they are off', async () => {
    const queue = await givenQueue();
    await send(queue, 'a');
    givenSource(queue, (batch) => ({
      batchItemFailures: batch.map(({ messageId }) => ({ itemIdentifier: messageId })),
    }));
    await untilEmpty();
  });
});

it('leaves a message to the dead-letter queue after its last attempt', async () => {
  const deadLetters = await givenQueue();
  const queue = await givenQueue({
    VisibilityTimeout: '30',
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetters.arn, maxReceiveCount: 2 }),
  });
  await send(queue, 'poison');
  const batches = givenSource(queue, () => {
    throw new Error('always');
  });
  for (const attempt of [1, 2]) {
    await until(() => batches.length === attempt && source?.running() === 0);
    clock.advance(30_000);
  }
  await untilEmpty();
  expect(batches).toEqual([['poison'], ['poison']]);
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: deadLetters.url, AttributeNames: ['ApproximateNumberOfMessages'] }),
  );
  expect(Attributes?.ApproximateNumberOfMessages).toBe('1');
});

it('counts a delayed message as pending and hands it over when its time has come', async () => {
  const queue = await givenQueue({ DelaySeconds: '180' });
  await send(queue, 'grace');
  const batches = givenSource(queue, () => null);
  expect(await source?.counts()).toEqual({ visible: 0, inFlight: 0, delayed: 1 });
  expect(await source?.pending()).toBe(1);
  clock.advance(180_000);
  await untilEmpty();
  expect(batches).toEqual([['grace']]);
});

it('keeps to the batch size', async () => {
  const queue = await givenQueue();
  await send(queue, ...Array.from({ length: 7 }, (_, index) => String(index)));
  const batches = givenSource(queue, () => null, { batchSize: 3 });
  await untilEmpty();
  expect(batches.flat().sort()).toEqual(['0', '1', '2', '3', '4', '5', '6']);
  expect(Math.max(...batches.map(({ length }) => length))).toBeLessThanOrEqual(3);
});

it('runs five batches at a time, and takes no message before there is room for it', async () => {
  const queue = await givenQueue();
  await send(queue, ...Array.from({ length: 12 }, (_, index) => String(index)));
  const gate = Promise.withResolvers<null>();
  const batches = givenSource(queue, () => gate.promise, { batchSize: 1 });
  await until(() => batches.length === 5);
  expect(source?.running()).toBe(5);
  expect(await source?.counts()).toEqual({ visible: 7, inFlight: 5, delayed: 0 });
  gate.resolve(null);
  await untilEmpty();
  expect(
    batches
      .flat()
      .map(Number)
      .sort((a, b) => a - b),
  ).toEqual(Array.from({ length: 12 }, (_, index) => index));
});

it('goes on with other messages while one is slow, and ends it before it stops', async () => {
  const queue = await givenQueue();
  const gate = Promise.withResolvers<null>();
  await send(queue, 'slow');
  const batches = givenSource(queue, (batch) => (idsOf(batch).includes('slow') ? gate.promise : null), {
    batchSize: 1,
  });
  await until(() => batches.length === 1);
  await send(queue, 'quick');
  await until(() => batches.length === 2);
  let stopped = false;
  const stopping = source?.stop().then(() => {
    stopped = true;
  });
  expect(source?.running()).toBeGreaterThan(0);
  expect(stopped).toBe(false);
  gate.resolve(null);
  await stopping;
  expect(source?.running()).toBe(0);
});
function idsOf(batch: Batch): string[] {
  return batch.map(({ body }) => body);
}

it('tries again when SQS does not answer', async () => {
  const queue = await givenQueue();
  await send(queue, 'a');
  const errors: unknown[] = [];
  let failures = 1;
  const shaky = new SQSClient({
    endpoint: queues.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  shaky.middlewareStack.add(
    (next) => async (args) => {
      failures -= 1;
      if (failures >= 0) throw new Error('unreachable');
      return await next(args);
    },
    { step: 'initialize' },
  );
  const received = Promise.withResolvers<unknown>();
  source = pollQueue({
    client: shaky,
    queueUrl: queue.url,
    queueArn: queue.arn,
    batchSize: 1,
    reportBatchItemFailures: false,
    onError: (error) => errors.push(error),
    invoke: (event) => {
      received.resolve(event);
      return Promise.resolve(null);
    },
  });
  await received.promise;
  expect(errors).toHaveLength(1);
  await untilEmpty();
});
