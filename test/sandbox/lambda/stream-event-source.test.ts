import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { installClock } from '../../../sandbox/clock.ts';
import { fileCheckpoint } from '../../../sandbox/lambda/stream-checkpoint.ts';
import { readStream, type StreamEventSource, type StreamFailure } from '../../../sandbox/lambda/stream-event-source.ts';
import { createTable, type OpenDynamoDb, openDynamoDb } from '../aws/dynamodb-fixture.ts';

let open: OpenDynamoDb;
let TableName: string;
let streamArn: string;
let source: StreamEventSource | undefined;
let tables = 0;
beforeAll(async () => {
  open = await openDynamoDb();
});
beforeEach(async () => {
  tables += 1;
  TableName = `table-${tables}`;
  streamArn = await createTable(open.client, TableName);
});
afterEach(async () => {
  await source?.stop();
});
afterAll(() => open.close());

const eventSchema = z.object({
  Records: z.array(
    z.looseObject({
      eventName: z.string(),
      eventSourceARN: z.string(),
      dynamodb: z.looseObject({
        Keys: z.object({ pk: z.object({ S: z.string() }), sk: z.object({ S: z.string() }) }),
        SequenceNumber: z.string(),
      }),
    }),
  ),
});
type Batch = z.infer<typeof eventSchema>['Records'];
const nameOf = ({ dynamodb: { Keys } }: Batch[number]) => `${Keys.pk.S}/${Keys.sk.S}`;

const put = (pk: string, sk: string, more: object = {}) =>
  open.client.send(new PutCommand({ TableName, Item: { pk, sk, ...more } }));

type Settings = Partial<Omit<Parameters<typeof readStream>[0], 'invoke'>>;
/** Starts a source whose function is `handle`; answers the batches it was given and the failures. */
function givenSource(
  handle: (batch: Batch) => unknown = () => null,
  more: Settings = {},
): { batches: string[][]; failures: StreamFailure[] } {
  const batches: string[][] = [];
  const failures: StreamFailure[] = [];
  source = readStream({
    stream: open.dynamoDb.streams,
    tableStreamArn: streamArn,
    retryDelayMs: 1,
    onFailure: (failure) => {
      failures.push(failure);
      return Promise.resolve();
    },
    onError: () => undefined,
    ...more,
    invoke: async (event) => {
      const { Records: records } = eventSchema.parse(event);
      batches.push(records.map(nameOf));
      return await Promise.resolve(handle(records));
    },
  });
  return { batches, failures };
}
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}
const untilDone = () => until(() => source?.pending() === 0);
function refuse(...names: string[]): (batch: Batch) => null {
  return (batch) => {
    if (batch.some((record) => names.includes(nameOf(record)))) throw new Error('refused');
    return null;
  };
}

it('hands a record over by the time its writer has an answer', async () => {
  const { batches } = givenSource();
  await put('key', '1');
  expect(batches).toEqual([['key/1']]);
});

it('hands over records as Lambda does, from the trim horizon', async () => {
  await put('key', '1', { n: 1 });
  const records: unknown[] = [];
  givenSource((batch) => records.push(...batch));
  await untilDone();
  expect(records).toMatchObject([
    {
      eventName: 'INSERT',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: 'eu-central-1',
      eventSourceARN: streamArn,
      dynamodb: { Keys: { pk: { S: 'key' }, sk: { S: '1' } }, NewImage: { n: { N: '1' } } },
    },
  ]);
});

it('makes one batch of the records of a transaction', async () => {
  const { batches } = givenSource();
  await open.client.send(
    new TransactWriteCommand({
      TransactItems: ['1', '2', '3'].map((sk) => ({ Put: { TableName, Item: { pk: 'key', sk } } })),
    }),
  );
  await untilDone();
  expect(batches).toEqual([['key/1', 'key/2', 'key/3']]);
});

it('keeps the records of a partition key in order, whatever fails on the way', async () => {
  let calls = 0;
  const succeeded: string[] = [];
  givenSource(
    (batch) => {
      calls += 1;
      if (calls % 3 !== 0) throw new Error('every now and then');
      succeeded.push(...batch.map(nameOf));
      return null;
    },
    { batchSize: 2 },
  );
  const keys = ['a', 'b', 'c', 'd'];
  for (let round = 0; round < 5; round += 1) await Promise.all(keys.map((pk) => put(pk, String(round))));
  await untilDone();
  for (const pk of keys) {
    const own = succeeded.filter((name) => name.startsWith(pk));
    expect(own).toEqual([0, 1, 2, 3, 4].map((round) => `${pk}/${round}`));
  }
});

it('blocks the lane of a failing record and no other', async () => {
  let failing = true;
  const succeeded: string[] = [];
  givenSource(
    (batch) => {
      if (failing && batch.some((record) => nameOf(record) === 'a/1')) throw new Error('refused');
      succeeded.push(...batch.map(nameOf));
      return null;
    },
    { batchSize: 1, parallelizationFactor: 2 },
  );
  await put('a', '1');
  await put('a', '2');
  // Among ten keys some share a lane with the failing one, and some do not.
  const others = Array.from({ length: 10 }, (_, index) => `other-${index}`);
  for (const pk of others) await put(pk, '1');
  await until(() => succeeded.some((name) => name.startsWith('other')));
  expect(succeeded).not.toContain('a/2');
  failing = false;
  await untilDone();
  expect(succeeded.indexOf('a/1')).toBeLessThan(succeeded.indexOf('a/2'));
  expect(succeeded).toHaveLength(12);
});

it('gives a record up after its retries, tells where it is, and goes on', async () => {
  const { batches, failures } = givenSource(refuse('a/1'), {
    batchSize: 1,
    maximumRetryAttempts: 2,
    functionArn: 'arn:aws:lambda:eu-central-1:111122223333:function:remediate-key',
  });
  await put('a', '1');
  await put('a', '2');
  await untilDone();
  expect(batches).toEqual([['a/1'], ['a/1'], ['a/1'], ['a/2']]);
  expect(failures).toMatchObject([
    {
      requestContext: {
        functionArn: 'arn:aws:lambda:eu-central-1:111122223333:function:remediate-key',
        condition: 'RetryAttemptsExhausted',
        approximateInvokeCount: 3,
      },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      version: '1.0',
      DDBStreamBatchInfo: {
        startSequenceNumber: '100000000000000000000',
        endSequenceNumber: '100000000000000000000',
        batchSize: 1,
        streamArn,
      },
    },
  ]);
});

it('splits a failing batch until the failing record is alone', async () => {
  const pks = ['1', '2', '3', '4', '5'];
  const { batches, failures } = givenSource(refuse('key/4'), {
    maximumRetryAttempts: 1,
    bisectBatchOnFunctionError: true,
  });
  await open.client.send(
    new TransactWriteCommand({
      TransactItems: pks.map((sk) => ({ Put: { TableName, Item: { pk: 'key', sk } } })),
    }),
  );
  await untilDone();
  expect(batches).toEqual([
    ['key/1', 'key/2', 'key/3', 'key/4', 'key/5'],
    ['key/1', 'key/2', 'key/3'],
    ['key/4', 'key/5'],
    ['key/4'],
    ['key/4'],
    ['key/5'],
  ]);
  expect(failures.map(({ DDBStreamBatchInfo: info }) => info.batchSize)).toEqual([1]);
});

it('gives up a record that is too old, also one that has not been tried', async () => {
  const clock = installClock();
  try {
    await put('a', '1');
    clock.advance(3600_000);
    await put('a', '2');
    const { batches, failures } = givenSource(() => null, { maximumRecordAgeSeconds: 600 });
    await untilDone();
    expect(batches).toEqual([['a/2']]);
    expect(failures.map(({ requestContext: context }) => context.condition)).toEqual(['RecordAgeExceeded']);
  } finally {
    clock.uninstall();
  }
});

it('does not lose a record when the destination fails as well', async () => {
  const told: StreamFailure[] = [];
  let attempts = 0;
  givenSource(refuse('a/1'), {
    maximumRetryAttempts: 0,
    onFailure: (failure) => {
      attempts += 1;
      if (attempts < 3) return Promise.reject(new Error('unreachable'));
      told.push(failure);
      return Promise.resolve();
    },
  });
  await put('a', '1');
  await untilDone();
  expect(attempts).toBe(3);
  expect(told).toHaveLength(1);
});

it('retries at once when woken', async () => {
  let failing = true;
  const { batches } = givenSource(
    () => {
      if (failing) throw new Error('not yet');
      return null;
    },
    { retryDelayMs: 60_000 },
  );
  await put('a', '1');
  await until(() => batches.length === 1);
  failing = false;
  expect([source?.pending(), source?.running()]).toEqual([1, 1]);
  // The lane notices the failure a moment after the call, so one wake could come too early.
  await until(() => {
    source?.wake();
    return source?.pending() === 0;
  });
  expect(batches).toHaveLength(2);
});

describe('filters', () => {
  it('let a record pass that matches any of them', async () => {
    const { batches } = givenSource(() => null, {
      filters: [
        { eventName: ['INSERT'], dynamodb: { NewImage: { kind: { S: ['event'] } } } },
        { dynamodb: { NewImage: { status: { S: [{ prefix: 'appr' }] } } } },
      ],
    });
    await put('a', '1', { kind: 'event' });
    await put('a', '2', { kind: 'snapshot' });
    await put('a', '3', { kind: 'snapshot', status: 'approved' });
    await put('a', '1', { kind: 'event', changed: true });
    expect(source?.pending()).toBe(0);
    await untilDone();
    expect(batches.flat()).toEqual(['a/1', 'a/3']);
  });

  it('are refused when EventBridge would refuse them', () => {
    expect(() => givenSource(() => null, { filters: [{ eventName: 'INSERT' }] })).toThrow(
      'eventName: must be an object or an array',
    );
  });
});

it('refuses a stream that is not there', () => {
  expect(() => givenSource(() => null, { tableStreamArn: 'arn:aws:dynamodb:none' })).toThrow('there is no stream');
});

describe('after a restart', () => {
  it('goes on behind the last record before which everything is done', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'stream-'));
    const checkpoint = fileCheckpoint(join(folder, 'checkpoint.json'));
    const settings = { batchSize: 1, parallelizationFactor: 2, checkpoint, retryDelayMs: 60_000 };

    const first = givenSource(refuse('a/2'), settings);
    await put('a', '1');
    await put('a', '2');
    const others = Array.from({ length: 6 }, (_, index) => `other-${index}`);
    for (const pk of others) await put(pk, '1');
    await until(() => first.batches.flat().includes('a/2'));
    await until(() => source?.running() === 1);
    await source?.stop();

    const second = givenSource(() => null, settings);
    await untilDone();
    const again = second.batches.flat();
    expect(again).not.toContain('a/1');
    expect(again).toContain('a/2');
    for (const pk of others) expect([...first.batches.flat(), ...again]).toContain(`${pk}/1`);
    await source?.stop();

    const third = givenSource(() => null, settings);
    expect(source?.pending()).toBe(0);
    expect(third.batches).toEqual([]);
    rmSync(folder, { recursive: true, force: true });
  });

  it('reads what was written while nobody read, from the disk', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'stream-'));
    const before = await openDynamoDb(dataDir);
    const arn = await createTable(before.client, 'kept');
    await before.client.send(new PutCommand({ TableName: 'kept', Item: { pk: 'a', sk: '1' } }));
    await before.close();

    const after = await openDynamoDb(dataDir);
    const { batches } = givenSource(() => null, { stream: after.dynamoDb.streams, tableStreamArn: arn });
    await untilDone();
    expect(batches).toEqual([['a/1']]);
    await source?.stop();
    await after.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
});
