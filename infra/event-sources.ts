import { Duration } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { EventSourceMapping, type IFunction, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { type IQueue, type Queue, RedrivePermission } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { type StreamConsumer, streamFilters } from '../functions/contracts/stream-consumers.ts';
import { acknowledge } from './acknowledge.ts';
import { DEAD_LETTER_RETENTION, EncryptedQueue } from './encrypted-queue.ts';

type StreamingTable = { tableStreamArn?: string | undefined };

/** Looks at keys at the same time, per queue: an account's KMS and STS quotas are shared with its applications. */
const QUEUE_CONCURRENCY = 10;

/**
 * How long a record of the stream is tried again, as often as it takes. Slack may be down for hours: half a day of that loses
 * nothing. A record that can never be read holds up what is behind it in its lane for as long, and the stream keeps
 * records for a day: so when one is given up, somebody has another half to look at it. Its audit event stays in the table
 * whatever happens.
 */
const RETRY_FOR = Duration.hours(12);
const AS_OFTEN_AS_IT_TAKES = -1;
/** Per shard. Records of one key are always in the same lane, so they stay in order. */
const MOST_LANES = 10;

/** Lets detect-finding take from a queue. Messages that wait for their grace period are reported as failed, and stay. */
export function takeFromQueue(
  scope: Construct,
  id: string,
  { queue, target }: { queue: IQueue; target: IFunction },
): void {
  new EventSourceMapping(scope, id, {
    target,
    eventSourceArn: queue.queueArn,
    batchSize: 1,
    maxConcurrency: QUEUE_CONCURRENCY,
    reportBatchItemFailures: true,
  });
}

/** Starts the functions that the table's stream is for, each with the audit events that it is for. */
export class StreamReactions extends Construct {
  /** What was given up: where in the stream the record is, and why. */
  public readonly failures: Queue;
  readonly #table: StreamingTable;

  public constructor(
    scope: Construct,
    id: string,
    { table, key, queueName }: { table: StreamingTable; key: IKey; queueName: string },
  ) {
    super(scope, id);
    this.#table = table;
    this.failures = new EncryptedQueue(this, 'Failures', {
      ...{ key, queueName, retentionPeriod: DEAD_LETTER_RETENTION },
      redriveAllowPolicy: { redrivePermission: RedrivePermission.DENY_ALL },
    });
    acknowledge(this.failures, { 'AwsSolutions-SQS3': 'It is the dead-letter queue of the stream.' });
  }

  /** More lanes than `concurrency` would only be turned away. */
  public start(consumer: StreamConsumer, target: IFunction, concurrency: number | null = null): void {
    const { tableStreamArn: eventSourceArn } = this.#table;
    if (eventSourceArn === undefined) throw new RangeError('the table has no stream');
    new EventSourceMapping(this, consumer, {
      target,
      eventSourceArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      filters: streamFilters(consumer).map((filter) => ({ pattern: JSON.stringify(filter) })),
      batchSize: 1,
      bisectBatchOnError: true,
      parallelizationFactor: Math.min(concurrency ?? MOST_LANES, MOST_LANES),
      retryAttempts: AS_OFTEN_AS_IT_TAKES,
      maxRecordAge: RETRY_FOR,
      // The function's role has the permission already; SqsDlq would add it a second time.
      onFailure: { bind: () => ({ destination: this.failures.queueArn }) },
    });
  }
}
