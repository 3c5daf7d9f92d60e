import { join } from 'node:path';
import type { SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { type EventQueueName, QUEUE_EVENT_PATTERNS } from '../functions/contracts/kms-event.ts';
import { STREAM_CONSUMER_NAMES, streamFilters } from '../functions/contracts/stream-consumers.ts';
import type { StreamSource } from './aws/dynamodb/stream-store.ts';
import { createEventBus, type Rule } from './aws/event-bridge.ts';
import type { Deployed, DeployedQueue } from './deploy.ts';
import type { Functions } from './functions.ts';
import { type SweepResult, sweepAllKeys } from './key-sweep.ts';
import { pollQueue } from './lambda/queue-event-source.ts';
import { createSchedule } from './lambda/schedule.ts';
import { fileCheckpoint } from './lambda/stream-checkpoint.ts';
import { readStream } from './lambda/stream-event-source.ts';
import type { Pending } from './settle.ts';

/** A delivery that was given up, where an operator would find it on AWS. */
export type GivenUp = { functionName: string; condition: string; at: string };

/** Everything that carries events between the simulated services and the functions. */
export type Wiring = {
  /** Accepts an event on the event bus. */
  putEvent: (event: unknown) => void;
  pending: () => Promise<Pending>;
  /** What was last published to the topic, oldest first. */
  notices: () => unknown[];
  givenUp: () => GivenUp[];
  /** Looks at every key of every account and Region, as once a day. */
  sweep: () => Promise<SweepResult>;
  /** Does what fell due when the clock has moved. */
  clockMoved: () => Promise<void>;
  stop: () => Promise<void>;
};

const SWEEP_EVERY_MS = 60_000;
const MAX_RETRIES = 100;
/** Of what was published to the topic, so much is kept to be looked at. */
const MAX_NOTICES = 1000;

const noticeEvent = z.object({ Records: z.array(z.object({ body: z.string() })) });

/** Connects what `deploy` made with the functions, the way the hub stack does it. */
export function wire({
  deployed,
  functions,
  sqs,
  sendMessage,
  streams,
  dataDir,
  log,
}: {
  deployed: Deployed;
  functions: Functions;
  sqs: SQSClient;
  /** How EventBridge puts an event into a queue. */
  sendMessage: (queueName: string, body: string) => void;
  streams: StreamSource;
  dataDir: string | undefined;
  log: (line: string) => void;
}): Wiring {
  const notices: unknown[] = [];
  const givenUp: GivenUp[] = [];

  function keepNotices(event: unknown): Promise<null> {
    notices.push(...noticeEvent.parse(event).Records.map(({ body }): unknown => JSON.parse(body)));
    notices.splice(0, notices.length - MAX_NOTICES);
    return Promise.resolve(null);
  }

  const toQueue = (name: EventQueueName): Rule => ({
    name: `kms-key-${name}`,
    pattern: QUEUE_EVENT_PATTERNS[name],
    target: (event) => {
      sendMessage(deployed[name].name, JSON.stringify(event));
    },
  });
  const bus = createEventBus({ rules: [toQueue('creations'), toQueue('changes')] });

  const poll = (queue: DeployedQueue, invoke: (event: unknown) => Promise<unknown>, batchSize = 1) =>
    pollQueue({
      client: sqs,
      queueUrl: queue.url,
      queueArn: queue.arn,
      invoke,
      batchSize,
      reportBatchItemFailures: true,
      onError: (error) => {
        log(`queue ${queue.name}: ${String(error)}`);
      },
    });
  const queues = [
    { name: deployed.creations.name, source: poll(deployed.creations, functions['detect-finding'].invoke) },
    { name: deployed.changes.name, source: poll(deployed.changes, functions['detect-finding'].invoke) },
    {
      name: deployed.notices.name,
      source: poll(deployed.notices, keepNotices, 10),
    },
  ];

  const readers = STREAM_CONSUMER_NAMES.map((name) => ({
    name,
    source: readStream({
      stream: streams,
      tableStreamArn: deployed.streamArn,
      invoke: functions[name].invoke,
      functionArn: functions[name].functionArn,
      filters: streamFilters(name),
      ...(dataDir === undefined ? {} : { checkpoint: fileCheckpoint(join(dataDir, `${name}.json`)) }),
      batchSize: 1,
      maximumRetryAttempts: MAX_RETRIES,
      onFailure({ requestContext, timestamp }) {
        givenUp.push({ functionName: name, condition: requestContext.condition, at: timestamp });
        log(`${name} was given up on: ${requestContext.condition}`);
        return Promise.resolve();
      },
    }),
  }));

  const schedule = createSchedule({
    everyMs: SWEEP_EVERY_MS,
    async run() {
      await functions['sweep-keys'].invoke({ task: 'deadlines' });
    },
    onError: () => undefined,
  });

  return {
    putEvent: (event) => bus.put(event),
    async pending() {
      const inQueues = await Promise.all(
        queues.map(async ({ name, source }): Promise<[string, number]> => [name, await source.pending()]),
      );
      const counts: [string, number][] = [
        ['event bus', bus.pending()],
        ...inQueues,
        ...readers.map(({ name, source }): [string, number] => [`stream to ${name}`, source.pending()]),
        ['schedule', schedule.running()],
        ...Object.entries(functions).map(([name, { running }]): [string, number] => [`${name} running`, running()]),
      ];
      return Object.fromEntries(counts.filter(([, count]) => count > 0));
    },
    notices: () => [...notices],
    givenUp: () => [...givenUp],
    sweep: () => sweepAllKeys(functions['sweep-keys'].invoke),
    async clockMoved() {
      for (const { source } of readers) source.wake();
      await schedule.runNow();
    },
    async stop() {
      await schedule.stop();
      await bus.stop();
      await Promise.all([...queues, ...readers].map(({ source }) => source.stop()));
    },
  };
}
