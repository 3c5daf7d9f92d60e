import { DeleteTableCommand, DescribeTableCommand, UpdateTableCommand } from '@aws-sdk/client-dynamodb';
import {
  BatchWriteCommand,
  DeleteCommand,
  PutCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { StreamRecord } from '../../../sandbox/aws/dynamodb/stream-store.ts';
import { SHARD_ID } from '../../../sandbox/aws/dynamodb/streams-api.ts';
import { installClock } from '../../../sandbox/clock.ts';
import { callStreams, createTable, errorOf, type OpenDynamoDb, openDynamoDb } from './dynamodb-fixture.ts';

let open: OpenDynamoDb;
let TableName: string;
let streamArn: string;
let tables = 0;
beforeAll(async () => {
  open = await openDynamoDb();
});
afterAll(() => open.close());
beforeEach(async () => {
  tables += 1;
  TableName = `table-${tables}`;
  streamArn = await createTable(open.client, TableName);
});

const records = (): readonly StreamRecord[] => open.dynamoDb.streams.read(streamArn, undefined, 1000);
const summary = () =>
  records().map(({ eventName, dynamodb: { Keys, OldImage, NewImage } }) => [
    eventName,
    Keys['sk']?.['S'],
    OldImage?.['n']?.['N'],
    NewImage?.['n']?.['N'],
  ]);
const item = (sk: string, n: number) => ({ pk: 'p', sk, n });
const put = (sk: string, n: number) => open.client.send(new PutCommand({ TableName, Item: item(sk, n) }));

describe('stream records', () => {
  it('have the shape of DynamoDB Streams', async () => {
    const clock = installClock();
    clock.advance(86_400_000);
    await put('a', 1);
    const creationTime = Math.floor(clock.now().getTime() / 1000);
    clock.uninstall();
    const [record] = records();
    expect(record?.eventID).toMatch(/^[0-9a-f]{32}$/);
    expect(creationTime - (record?.dynamodb.ApproximateCreationDateTime ?? 0)).toBeLessThan(60);
    expect(records()).toEqual([
      {
        eventID: record?.eventID,
        eventName: 'INSERT',
        eventVersion: '1.1',
        eventSource: 'aws:dynamodb',
        awsRegion: 'eu-central-1',
        dynamodb: {
          ApproximateCreationDateTime: record?.dynamodb.ApproximateCreationDateTime,
          Keys: { pk: { S: 'p' }, sk: { S: 'a' } },
          NewImage: { pk: { S: 'p' }, sk: { S: 'a' }, n: { N: '1' } },
          SequenceNumber: '100000000000000000000',
          SizeBytes: 15,
          StreamViewType: 'NEW_AND_OLD_IMAGES',
        },
      },
    ]);
  });

  it('tell insert, modify and remove apart, with both images', async () => {
    await put('a', 1);
    await put('a', 2);
    await open.client.send(
      new UpdateCommand({
        TableName,
        Key: { pk: 'p', sk: 'a' },
        UpdateExpression: 'ADD n :one',
        ExpressionAttributeValues: { ':one': 1 },
      }),
    );
    await open.client.send(new DeleteCommand({ TableName, Key: { pk: 'p', sk: 'a' } }));
    expect(summary()).toEqual([
      ['INSERT', 'a', undefined, '1'],
      ['MODIFY', 'a', '1', '2'],
      ['MODIFY', 'a', '2', '3'],
      ['REMOVE', 'a', '3', undefined],
    ]);
  });

  it('are left out when nothing changed or the write was refused', async () => {
    await open.client.send(new PutCommand({ TableName, Item: { pk: 'p', sk: 'a', tags: new Set(['x', 'y']) } }));
    await open.client.send(new PutCommand({ TableName, Item: { pk: 'p', sk: 'a', tags: new Set(['y', 'x']) } }));
    await open.client.send(new DeleteCommand({ TableName, Key: { pk: 'p', sk: 'absent' } }));
    await errorOf(
      open.client.send(
        new PutCommand({ TableName, Item: item('a', 1), ConditionExpression: 'attribute_not_exists(pk)' }),
      ),
    );
    expect(records()).toHaveLength(1);
  });

  it('come from batch writes and from transactions, in the order of their actions', async () => {
    await put('a', 1);
    await open.client.send(
      new BatchWriteCommand({
        RequestItems: {
          [TableName]: [{ DeleteRequest: { Key: { pk: 'p', sk: 'a' } } }, { PutRequest: { Item: item('b', 2) } }],
        },
      }),
    );
    await open.client.send(
      new TransactWriteCommand({
        TransactItems: [
          { Put: { TableName, Item: item('d', 4) } },
          { Put: { TableName, Item: item('c', 3) } },
          { ConditionCheck: { TableName, Key: { pk: 'p', sk: 'b' }, ConditionExpression: 'attribute_exists(pk)' } },
        ],
      }),
    );
    expect(summary()).toEqual([
      ['INSERT', 'a', undefined, '1'],
      ['REMOVE', 'a', '1', undefined],
      ['INSERT', 'b', undefined, '2'],
      ['INSERT', 'd', undefined, '4'],
      ['INSERT', 'c', undefined, '3'],
    ]);
  });

  it.each([
    ['KEYS_ONLY', false, false],
    ['NEW_IMAGE', true, false],
    ['OLD_IMAGE', false, true],
  ] as const)('carry the images of view type %s', async (viewType, hasNew, hasOld) => {
    TableName = `view-${viewType}`;
    streamArn = await createTable(open.client, TableName, { StreamEnabled: true, StreamViewType: viewType });
    await put('a', 1);
    await put('a', 2);
    const [, modified] = records();
    expect(modified?.dynamodb.NewImage !== undefined).toBe(hasNew);
    expect(modified?.dynamodb.OldImage !== undefined).toBe(hasOld);
  });

  it('reach a subscriber before the writer has its answer', async () => {
    let seen = 0;
    const unsubscribe = open.dynamoDb.streams.subscribe(streamArn, () => {
      seen = records().length;
    });
    await put('a', 1);
    expect(seen).toBe(1);
    unsubscribe();
    await put('a', 2);
    expect(seen).toBe(1);
  });
});

describe('the DynamoDB Streams API', () => {
  const call = async (operation: string, input: Record<string, unknown>) =>
    (await callStreams(open.dynamoDb.url, operation, input)).body;
  const iterator = async (type: string, sequenceNumber?: string) =>
    (
      await call('GetShardIterator', {
        StreamArn: streamArn,
        ShardId: SHARD_ID,
        ShardIteratorType: type,
        SequenceNumber: sequenceNumber,
      })
    )['ShardIterator'];
  const page = z.object({
    Records: z.array(z.object({ dynamodb: z.object({ SequenceNumber: z.string() }) })),
    NextShardIterator: z.string(),
  });
  const getRecords = async (shardIterator: unknown, limit?: number) => {
    const answer = page.parse(await call('GetRecords', { ShardIterator: shardIterator, Limit: limit }));
    return { numbers: answer.Records.map(({ dynamodb }) => dynamodb.SequenceNumber), next: answer.NextShardIterator };
  };

  it('lists and describes streams', async () => {
    expect(await call('ListStreams', { TableName })).toEqual({
      Streams: [{ StreamArn: streamArn, TableName, StreamLabel: streamArn.split('/stream/')[1] }],
    });
    await put('a', 1);
    expect((await call('DescribeStream', { StreamArn: streamArn }))['StreamDescription']).toMatchObject({
      StreamStatus: 'ENABLED',
      StreamViewType: 'NEW_AND_OLD_IMAGES',
      TableName,
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      Shards: [{ ShardId: SHARD_ID, SequenceNumberRange: { StartingSequenceNumber: '100000000000000000000' } }],
    });
  });

  it('reads page by page from the trim horizon, and later records with the last iterator', async () => {
    for (const n of [1, 2, 3]) await put('a', n);
    const first = await getRecords(await iterator('TRIM_HORIZON'), 2);
    expect(first.numbers).toEqual(['100000000000000000000', '100000000000000000001']);
    const second = await getRecords(first.next, 2);
    expect(second.numbers).toEqual(['100000000000000000002']);
    expect((await getRecords(second.next)).numbers).toEqual([]);
    await put('a', 4);
    expect((await getRecords(second.next)).numbers).toEqual(['100000000000000000003']);
  });

  it('starts at the other iterator types', async () => {
    for (const n of [1, 2, 3]) await put('a', n);
    const second = '100000000000000000001';
    expect((await getRecords(await iterator('AT_SEQUENCE_NUMBER', second))).numbers).toHaveLength(2);
    expect((await getRecords(await iterator('AFTER_SEQUENCE_NUMBER', second))).numbers).toHaveLength(1);
    const latest = await iterator('LATEST');
    expect((await getRecords(latest)).numbers).toEqual([]);
    await put('a', 4);
    expect((await getRecords(latest)).numbers).toEqual(['100000000000000000003']);
  });

  it.each([
    ['DescribeStream', { StreamArn: 'arn:aws:dynamodb:x' }, 'ResourceNotFoundException'],
    ['GetRecords', { ShardIterator: 'nonsense' }, 'ValidationException'],
    ['GetRecords', {}, 'ValidationException'],
    ['NoSuchOperation', {}, 'ValidationException'],
  ])('refuses %s %j with %s', async (operation, input, type) => {
    const { status, body } = await callStreams(open.dynamoDb.url, operation, input);
    expect(status).toBe(400);
    expect(body['__type']).toContain(type);
  });
});

describe('switching a stream', () => {
  it('gives no stream to a table without one', async () => {
    await createTable(open.client, 'quiet', { StreamEnabled: false });
    await open.client.send(new PutCommand({ TableName: 'quiet', Item: item('a', 1) }));
    const { Table: table } = await open.client.send(new DescribeTableCommand({ TableName: 'quiet' }));
    expect(table).not.toHaveProperty('LatestStreamArn');
    const { TableDescription: updated } = await open.client.send(
      new UpdateTableCommand({
        TableName: 'quiet',
        StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
      }),
    );
    await open.client.send(new PutCommand({ TableName: 'quiet', Item: item('b', 1) }));
    expect(open.dynamoDb.streams.read(updated?.LatestStreamArn ?? '', undefined, 10)).toHaveLength(1);
  });

  it('ends with its table', async () => {
    await open.client.send(new DeleteTableCommand({ TableName }));
    expect(open.dynamoDb.streams.describe(streamArn)).toBeUndefined();
  });
});
