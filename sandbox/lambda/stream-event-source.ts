import { createHash, randomUUID } from 'node:crypto';
import type { StreamSource } from '../aws/dynamodb/stream-store.ts';
import { SHARD_ID } from '../aws/dynamodb/streams-api.ts';
import { assertPattern, matches } from '../aws/event-bridge.ts';
import type { Invoke } from './invoke.ts';
import type { StreamCheckpoint } from './stream-checkpoint.ts';
import { createLane, type GivenUp, type StreamEventRecord } from './stream-lane.ts';

/** What Lambda sends to an on-failure destination: where the records are, not the records. */
export type StreamFailure = {
  requestContext: {
    requestId: string;
    functionArn: string;
    condition: GivenUp['condition'];
    approximateInvokeCount: number;
  };
  responseContext: { statusCode: number; executedVersion: string; functionError: string };
  version: '1.0';
  timestamp: string;
  DDBStreamBatchInfo: {
    shardId: string;
    startSequenceNumber: string;
    endSequenceNumber: string;
    approximateArrivalOfFirstRecord: string;
    approximateArrivalOfLastRecord: string;
    batchSize: number;
    streamArn: string;
  };
};

export type StreamEventSource = {
  /** How many records that pass the filters are not done yet. */
  pending: () => number;
  /** How many lanes have records: with the function, or waiting for a retry. */
  running: () => number;
  /** Retries blocked lanes at once. */
  wake: () => void;
  /** Reads no more; resolves when the running invocations have ended. What is not done comes again after a restart. */
  stop: () => Promise<void>;
};

/** The most batches that Lambda handles concurrently per shard (ParallelizationFactor). */
const MAX_LANES = 10;
const PAGE_SIZE = 1000;

/**
 * Lambda's event source mapping for a DynamoDB stream, starting at the checkpoint or else at TRIM_HORIZON. Records
 * of one partition key reach the function in order; `parallelizationFactor` lanes go on independently. A record is
 * handed over as soon as it is in the stream, and at least once. `filters` are event patterns on the record, any of
 * which must match; without filters every record passes. Throws when there is no such stream, and
 * InvalidEventPattern for a filter.
 */
export function readStream({
  stream,
  tableStreamArn,
  invoke,
  functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:unnamed',
  filters = [],
  checkpoint,
  batchSize = 100,
  parallelizationFactor = MAX_LANES,
  maximumRetryAttempts = -1,
  maximumRecordAgeSeconds = -1,
  bisectBatchOnFunctionError = false,
  retryDelayMs = 200,
  onFailure,
  onError = (error) => {
    console.error(`stream ${tableStreamArn}:`, error);
  },
}: {
  stream: StreamSource;
  tableStreamArn: string;
  invoke: Invoke;
  functionArn?: string;
  filters?: readonly unknown[];
  checkpoint?: StreamCheckpoint;
  batchSize?: number;
  parallelizationFactor?: number;
  maximumRetryAttempts?: number;
  maximumRecordAgeSeconds?: number;
  bisectBatchOnFunctionError?: boolean;
  retryDelayMs?: number;
  onFailure: (failure: StreamFailure) => Promise<void>;
  onError?: (error: unknown) => void;
}): StreamEventSource {
  filters.forEach(assertPattern);
  const description = stream.describe(tableStreamArn);
  const partitionKey = description?.keySchema[0]?.AttributeName;
  if (partitionKey === undefined) throw new Error(`there is no stream ${tableStreamArn}`);

  // Sequence numbers in stream order; a record leaves when it is done and everything before it is.
  const open: { sequenceNumber: string; done: boolean }[] = [];
  const entries = new Map<string, (typeof open)[number]>();
  let pending = 0;
  let lastRead = checkpoint?.load(tableStreamArn);
  let stopped = false;

  const lanes = Array.from({ length: parallelizationFactor }, () =>
    createLane({
      invoke,
      batchSize,
      maximumRetryAttempts,
      maximumRecordAgeSeconds,
      bisectBatchOnFunctionError,
      retryDelayMs,
      onError,
      giveUp: (given) => onFailure(toFailure(given, tableStreamArn, functionArn)),
      done(record) {
        pending -= 1;
        settle(record.dynamodb.SequenceNumber);
      },
    }),
  );

  function settle(sequenceNumber: string): void {
    const entry = entries.get(sequenceNumber);
    if (entry !== undefined) entry.done = true;
    let last: string | undefined;
    while (open[0]?.done === true) {
      last = open.shift()?.sequenceNumber;
      if (last !== undefined) entries.delete(last);
    }
    if (last === undefined) return;
    try {
      checkpoint?.save(tableStreamArn, last);
    } catch (error) {
      // The next record saves it again; until then a restart repeats more than it must.
      onError(error);
    }
  }

  function take(record: StreamEventRecord, keyAttribute: string): void {
    const { SequenceNumber: sequenceNumber, Keys } = record.dynamodb;
    const entry = { sequenceNumber, done: false };
    open.push(entry);
    entries.set(sequenceNumber, entry);
    if (filters.length > 0 && !filters.some((filter) => matches(filter, record))) {
      settle(sequenceNumber);
      return;
    }
    pending += 1;
    const digest = createHash('md5').update(JSON.stringify(Keys[keyAttribute])).digest();
    lanes[digest.readUInt32BE() % lanes.length]?.add(record);
  }

  function read(keyAttribute: string): void {
    while (!stopped) {
      const records = stream.read(tableStreamArn, lastRead, PAGE_SIZE);
      for (const record of records) take({ ...record, eventSourceARN: tableStreamArn }, keyAttribute);
      lastRead = records.at(-1)?.dynamodb.SequenceNumber ?? lastRead;
      if (records.length < PAGE_SIZE) return;
    }
  }

  const unsubscribe = stream.subscribe(tableStreamArn, () => {
    read(partitionKey);
  });
  read(partitionKey);

  return {
    pending: () => pending,
    running: () => lanes.filter((lane) => lane.running()).length,
    wake() {
      for (const lane of lanes) lane.wake();
    },
    async stop() {
      stopped = true;
      unsubscribe();
      await Promise.all(lanes.map((lane) => lane.stop()));
    },
  };
}

function toFailure(
  { records, condition, invocations }: GivenUp,
  streamArn: string,
  functionArn: string,
): StreamFailure {
  const times = records.map(({ dynamodb }) => dynamodb.ApproximateCreationDateTime);
  const isoTime = (seconds: number | undefined) => new Date((seconds ?? 0) * 1000).toISOString().replace('.000Z', 'Z');
  return {
    requestContext: {
      requestId: randomUUID(),
      functionArn,
      condition,
      approximateInvokeCount: invocations,
    },
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    version: '1.0',
    timestamp: new Date().toISOString(),
    DDBStreamBatchInfo: {
      shardId: SHARD_ID,
      startSequenceNumber: records[0]?.dynamodb.SequenceNumber ?? '',
      endSequenceNumber: records.at(-1)?.dynamodb.SequenceNumber ?? '',
      approximateArrivalOfFirstRecord: isoTime(times[0]),
      approximateArrivalOfLastRecord: isoTime(times.at(-1)),
      batchSize: records.length,
      streamArn,
    },
  };
}
