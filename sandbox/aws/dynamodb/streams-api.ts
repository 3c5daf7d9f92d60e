import * as z from 'zod';
import { notFound, validationError } from './api-error.ts';
import { indexOf, type StreamDescription, type StreamStore } from './stream-store.ts';

/** Every stream has this one shard. The length is within what API_streams_Shard allows. */
export const SHARD_ID = 'shardId-00000000000000000001-00000001';

const listSchema = z.object({
  TableName: z.string().optional(),
  Limit: z.number().int().min(1).max(100).default(100),
  ExclusiveStartStreamArn: z.string().optional(),
});
const describeSchema = z.object({ StreamArn: z.string(), ExclusiveStartShardId: z.string().optional() });
const iteratorSchema = z.object({
  StreamArn: z.string(),
  ShardId: z.string(),
  ShardIteratorType: z.enum(['TRIM_HORIZON', 'LATEST', 'AT_SEQUENCE_NUMBER', 'AFTER_SEQUENCE_NUMBER']),
  SequenceNumber: z
    .string()
    .regex(/^\d{21,40}$/)
    .optional(),
});
const recordsSchema = z.object({ ShardIterator: z.string(), Limit: z.number().int().min(1).max(1000).default(1000) });
const positionSchema = z.object({ streamArn: z.string(), after: z.string().nullable() });

/**
 * The four operations of the DynamoDB Streams API (DynamoDBStreams_20120810). Throws ApiError. An iterator does not
 * expire, and the shard is never closed, so there is always a next iterator.
 */
export function callStreamsApi(streams: StreamStore, operation: string, input: unknown): Record<string, unknown> {
  switch (operation) {
    case 'ListStreams':
      return listStreams(streams, parse(listSchema, input));
    case 'DescribeStream':
      return describeStream(streams, parse(describeSchema, input));
    case 'GetShardIterator':
      return getShardIterator(streams, parse(iteratorSchema, input));
    case 'GetRecords':
      return getRecords(streams, parse(recordsSchema, input));
    default:
      throw validationError(`Unknown operation ${operation}`);
  }
}

function listStreams(streams: StreamStore, input: z.infer<typeof listSchema>): Record<string, unknown> {
  const all = streams.list().filter(({ tableName }) => input.TableName === undefined || tableName === input.TableName);
  const start = all.findIndex(({ streamArn }) => streamArn === input.ExclusiveStartStreamArn) + 1;
  const page = all.slice(start, start + input.Limit);
  const last = page.at(-1);
  return {
    Streams: page.map((stream) => ({
      StreamArn: stream.streamArn,
      TableName: stream.tableName,
      StreamLabel: stream.streamLabel,
    })),
    ...(last !== undefined && start + page.length < all.length ? { LastEvaluatedStreamArn: last.streamArn } : {}),
  };
}

function describeStream(streams: StreamStore, input: z.infer<typeof describeSchema>): Record<string, unknown> {
  const stream = streamOf(streams, input.StreamArn);
  const [first] = streams.read(input.StreamArn, undefined, 1);
  const shard = {
    ShardId: SHARD_ID,
    SequenceNumberRange: first === undefined ? {} : { StartingSequenceNumber: first.dynamodb.SequenceNumber },
  };
  return {
    StreamDescription: {
      StreamArn: stream.streamArn,
      StreamLabel: stream.streamLabel,
      StreamStatus: 'ENABLED',
      StreamViewType: stream.viewType,
      CreationRequestDateTime: stream.createdAt,
      TableName: stream.tableName,
      KeySchema: stream.keySchema,
      Shards: input.ExclusiveStartShardId === SHARD_ID ? [] : [shard],
    },
  };
}

function getShardIterator(streams: StreamStore, input: z.infer<typeof iteratorSchema>): Record<string, unknown> {
  streamOf(streams, input.StreamArn);
  if (input.ShardId !== SHARD_ID) {
    throw notFound(`Requested resource not found: Shard ${input.ShardId} in Stream: ${input.StreamArn} not found`);
  }
  return { ShardIterator: encode(input.StreamArn, startOf(streams, input)) };
}

/** The sequence number that the first record follows; `undefined` is the trim horizon. */
function startOf(streams: StreamStore, input: z.infer<typeof iteratorSchema>): string | undefined {
  const { ShardIteratorType: type, SequenceNumber: sequence, StreamArn: streamArn } = input;
  switch (type) {
    case 'TRIM_HORIZON':
      return undefined;
    case 'LATEST':
      return sequenceBefore(streams, streamArn, streams.length(streamArn));
    case 'AT_SEQUENCE_NUMBER':
      return sequenceBefore(streams, streamArn, indexOf(required(sequence)));
    case 'AFTER_SEQUENCE_NUMBER':
      return required(sequence);
  }
}

function required(sequence: string | undefined): string {
  if (sequence === undefined) throw validationError('SequenceNumber is required for this ShardIteratorType');
  return sequence;
}

function sequenceBefore(streams: StreamStore, streamArn: string, index: number): string | undefined {
  if (index === 0) return undefined;
  const record = streams.read(streamArn, undefined, index).at(index - 1);
  if (record === undefined) throw validationError('Invalid SequenceNumber: it is not in this shard');
  return record.dynamodb.SequenceNumber;
}

function getRecords(streams: StreamStore, input: z.infer<typeof recordsSchema>): Record<string, unknown> {
  const { streamArn, after } = decode(input.ShardIterator);
  streamOf(streams, streamArn);
  const records = streams.read(streamArn, after, input.Limit);
  return {
    Records: records,
    NextShardIterator: encode(streamArn, records.at(-1)?.dynamodb.SequenceNumber ?? after),
  };
}

function encode(streamArn: string, after: string | undefined): string {
  return Buffer.from(JSON.stringify({ streamArn, after: after ?? null })).toString('base64url');
}

function decode(iterator: string): { streamArn: string; after: string | undefined } {
  try {
    const { streamArn, after } = positionSchema.parse(JSON.parse(Buffer.from(iterator, 'base64url').toString()));
    return { streamArn, after: after ?? undefined };
  } catch {
    throw validationError('Invalid ShardIterator');
  }
}

function streamOf(streams: StreamStore, streamArn: string): StreamDescription {
  const stream = streams.describe(streamArn);
  if (stream === undefined) throw notFound(`Requested resource not found: Stream: ${streamArn} not found`);
  return stream;
}

function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw validationError(`1 validation error detected: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}
