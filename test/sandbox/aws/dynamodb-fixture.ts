import { CreateTableCommand, DynamoDBClient, type StreamSpecification } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { type DynamoDb, startDynamoDb } from '../../../sandbox/aws/dynamodb.ts';

export type OpenDynamoDb = { dynamoDb: DynamoDb; client: DynamoDBDocumentClient; close: () => Promise<void> };

/** A DynamoDB of its own with a document client, as the bot has it. */
export async function openDynamoDb(dataDir?: string): Promise<OpenDynamoDb> {
  const dynamoDb = await startDynamoDb({
    ...(dataDir === undefined ? {} : { dataDir }),
    region: 'eu-central-1',
    accountId: '111122223333',
  });
  const inner = new DynamoDBClient({
    endpoint: dynamoDb.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
  return {
    dynamoDb,
    client: DynamoDBDocumentClient.from(inner, { marshallOptions: { removeUndefinedValues: true } }),
    async close() {
      inner.destroy();
      await dynamoDb.close();
    },
  };
}

/** Makes a table with a string partition key `pk` and sort key `sk`; answers the ARN of its stream. */
export async function createTable(
  client: DynamoDBDocumentClient,
  tableName: string,
  stream: StreamSpecification = { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
): Promise<string> {
  const { TableDescription: table } = await client.send(
    new CreateTableCommand({
      TableName: tableName,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      StreamSpecification: stream,
    }),
  );
  return table?.LatestStreamArn ?? '';
}

/** The name and message of the error that `promise` ends with. */
export async function errorOf(promise: Promise<unknown>): Promise<{ name: string; message: string }> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  // Not instanceof: errors of Node itself come from another realm than the test's.
  if (typeof error !== 'object' || error === null) throw new Error('no error was thrown');
  return z.object({ name: z.string(), message: z.string() }).parse(ownText(error));
}

function ownText(error: object): { name: unknown; message: unknown } {
  const name: unknown = Reflect.get(error, 'name');
  const message: unknown = Reflect.get(error, 'message');
  return { name, message };
}

/** Calls an operation of the DynamoDB Streams API as its SDK client would. */
export async function callStreams(
  url: string,
  operation: string,
  input: Record<string, unknown>,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `DynamoDBStreams_20120810.${operation}`,
      authorization: 'AWS4-HMAC-SHA256 Credential=test/20261123/eu-central-1/dynamodb/aws4_request',
    },
    body: JSON.stringify(input),
  });
  return { status: response.status, body: z.record(z.string(), z.unknown()).parse(await response.json()) };
}

/** Everything in a stream of one shard from its beginning, read as a consumer outside the process reads it. */
export async function readWholeStream(url: string, streamArn: string): Promise<Record<string, unknown>[]> {
  const { body: described } = await callStreams(url, 'DescribeStream', { StreamArn: streamArn });
  const [shard] = describedStream.parse(described).StreamDescription.Shards;
  const start = { StreamArn: streamArn, ShardId: shard?.ShardId, ShardIteratorType: 'TRIM_HORIZON' };
  const { body: iterator } = await callStreams(url, 'GetShardIterator', start);
  const records: Record<string, unknown>[] = [];
  let next = z.string().parse(iterator['ShardIterator']);
  for (;;) {
    const { body: answer } = await callStreams(url, 'GetRecords', { ShardIterator: next });
    const page = recordPage.parse(answer);
    if (page.Records.length === 0) return records;
    records.push(...page.Records);
    next = page.NextShardIterator;
  }
}

const describedStream = z.object({
  StreamDescription: z.object({ Shards: z.array(z.object({ ShardId: z.string() })) }),
});
const recordPage = z.object({ Records: z.array(z.record(z.string(), z.unknown())), NextShardIterator: z.string() });
