import { KMS_EVENT_PATTERN } from '../../functions/contracts/kms-event.ts';
import {
  STREAM_CONSUMER_NAMES,
  type StreamConsumer,
  streamFilters,
} from '../../functions/contracts/stream-consumers.ts';
import { matches } from '../../sandbox/aws/event-bridge.ts';
import type { Containers } from './containers.ts';
import type { Coverage } from './coverage.ts';
import type { Item } from './expressions.ts';
import type { ItemChange } from './memory-table.ts';
import type { Move, Scheduler, Source } from './scheduler.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

export type QueueName = 'creations' | 'changes';
export const QUEUE_URLS: Record<QueueName, string> = {
  creations: 'https://sqs.simulated/111122223333/kms-key-creations',
  changes: 'https://sqs.simulated/111122223333/kms-key-changes',
};

type Message = { id: string; queue: QueueName; body: string; visibleAt: number; receives: number; inFlight: boolean };

/** What is over and done with, or given up. */
export type Losses = { deadLetters: string[]; givenUp: string[] };

/** Waiting for the end of a grace period counts as a receive too. */
const MAX_RECEIVES = 20;
const VISIBILITY_MS = 90 * SECOND;
/** CloudTrail delivers within seconds, mostly; its promise is minutes. */
const TRAIL_DELAYS_MS = [1 * SECOND, 20 * SECOND, 5 * MINUTE, 15 * MINUTE];
const TRAIL_WEIGHTS = [20, 4, 1, 1];
const AGAIN_AFTER_MS = [0, 30 * SECOND, 10 * MINUTE];

/**
 * CloudTrail, EventBridge and the two queues before detect-finding: everything may come late, twice and in any order, and
 * what a function does not finish comes again.
 */
export class EventQueues implements Source {
  readonly #scheduler: Scheduler;
  readonly #containers: Containers;
  readonly #losses: Losses;
  readonly #delaySeconds: Record<QueueName, number>;
  #messages: Message[] = [];
  #count = 0;

  public constructor(parts: {
    scheduler: Scheduler;
    containers: Containers;
    losses: Losses;
    delaySeconds: Record<QueueName, number>;
  }) {
    this.#scheduler = parts.scheduler;
    this.#containers = parts.containers;
    this.#losses = parts.losses;
    this.#delaySeconds = parts.delaySeconds;
  }

  /** An event of CloudTrail or KMS. */
  public put(event: { detail: Record<string, unknown> }): void {
    // As it would come over the wire.
    const body = JSON.stringify(event);
    if (!matches(KMS_EVENT_PATTERN, JSON.parse(body))) return;
    const name = event.detail['eventName'];
    const queue = name === 'CreateKey' ? 'creations' : 'changes';
    const delay = TRAIL_DELAYS_MS[this.#scheduler.pick(TRAIL_WEIGHTS)] ?? 0;
    const visibleAt = this.#scheduler.now() + delay + this.#delaySeconds[queue] * SECOND;
    this.#add(queue, body, visibleAt);
    if (this.#scheduler.misfortune()) {
      this.#scheduler.tell(() => 'EventBridge will deliver that event twice');
      this.#add(queue, body, visibleAt + this.#later());
    }
  }

  public changeVisibility(receiptHandle: string, seconds: number): void {
    const message = this.#messages.find(({ id }) => id === receiptHandle);
    if (message !== undefined) message.visibleAt = this.#scheduler.now() + seconds * SECOND;
  }

  public pending(): number {
    return this.#messages.length;
  }

  public moves(): Move[] {
    if (!this.#containers.isFree('detect-finding')) return [];
    const now = this.#scheduler.now();
    return this.#messages
      .filter(({ inFlight, visibleAt }) => !inFlight && visibleAt <= now)
      .map((message) => ({
        weight: 10,
        act: () => {
          this.#deliver(message);
        },
      }));
  }

  public nextAt(): number | null {
    return earliest(this.#messages.filter(({ inFlight }) => !inFlight).map(({ visibleAt }) => visibleAt));
  }

  #add(queue: QueueName, body: string, visibleAt: number): void {
    this.#count += 1;
    this.#messages.push({ id: `message-${this.#count}`, queue, body, visibleAt, receives: 0, inFlight: false });
  }

  #later(): number {
    return AGAIN_AFTER_MS[this.#scheduler.pick(AGAIN_AFTER_MS.map(() => 1))] ?? 0;
  }

  #deliver(message: Message): void {
    message.receives += 1;
    if (message.receives > MAX_RECEIVES) {
      this.#losses.deadLetters.push(message.body);
      this.#remove(message);
      return;
    }
    message.inFlight = true;
    message.visibleAt = this.#scheduler.now() + VISIBILITY_MS;
    const record = {
      messageId: message.id,
      receiptHandle: message.id,
      body: message.body,
      attributes: { ApproximateReceiveCount: String(message.receives) },
      messageAttributes: {},
      md5OfBody: '',
      eventSource: 'aws:sqs',
      eventSourceARN: `arn:aws:sqs:eu-central-1:111122223333:${QUEUE_URLS[message.queue].split('/').at(-1) ?? ''}`,
      awsRegion: 'eu-central-1',
    };
    const what = `queue ${message.queue} delivers ${describeEvent(message.body)} (receive ${message.receives})`;
    this.#containers.invoke('detect-finding', { what, event: { Records: [record] } }, (result) => {
      message.inFlight = false;
      const isKept = 'error' in result || JSON.stringify(result.answer).includes(message.id);
      if (isKept) return;
      if (this.#scheduler.misfortune()) {
        this.#scheduler.tell(() => `SQS will deliver ${message.id} once more although it was deleted`);
        message.visibleAt = this.#scheduler.now() + this.#later();
        return;
      }
      this.#remove(message);
    });
  }

  #remove(message: Message): void {
    this.#messages = this.#messages.filter((other) => other !== message);
  }
}

const FILTERS = STREAM_CONSUMER_NAMES.map((consumer) => ({ consumer, filters: streamFilters(consumer) }));
/** How the sort keys of items begin that any filter lets through; most of the table's rows are others. */
const INTERESTING = ['EVENT#', 'RECORD#', 'REFRESH#', 'BATCH#', 'TURN#'];

type StreamRecord = { what: string; isOfDigest: boolean; event: unknown };
type Lane = {
  consumer: StreamConsumer;
  records: StreamRecord[];
  isRunning: boolean;
  retryAt: number;
  attempts: number;
};

const MAX_RETRIES = 100;
const LONGEST_BACKOFF_MS = MINUTE;

/**
 * The table's stream and the functions behind it: per key or digest and consumer in order, at least once, and blocked by what
 * does not succeed.
 */
export class StreamConsumers implements Source {
  readonly #scheduler: Scheduler;
  readonly #containers: Containers;
  readonly #losses: Losses;
  readonly #coverage: Coverage;
  readonly #lanes = new Map<string, Lane>();
  #records = 0;

  public constructor(parts: { scheduler: Scheduler; containers: Containers; losses: Losses; coverage: Coverage }) {
    this.#scheduler = parts.scheduler;
    this.#containers = parts.containers;
    this.#losses = parts.losses;
    this.#coverage = parts.coverage;
  }

  public put(changes: readonly ItemChange[]): void {
    for (const { keys, before, after } of changes) {
      const sk = String(keys['sk']?.['S']);
      if (!INTERESTING.some((prefix) => sk.startsWith(prefix))) continue;
      this.#records += 1;
      const record = {
        eventID: `stream-${this.#records}`,
        eventName: before === undefined ? 'INSERT' : 'MODIFY',
        eventVersion: '1.1',
        eventSource: 'aws:dynamodb',
        awsRegion: 'eu-central-1',
        dynamodb: {
          ApproximateCreationDateTime: Math.floor(this.#scheduler.now() / SECOND),
          Keys: keys,
          NewImage: after,
          SequenceNumber: String(this.#records),
          SizeBytes: 1,
          StreamViewType: 'NEW_IMAGE',
        },
      };
      for (const { consumer, filters } of FILTERS) {
        if (!filters.some((filter) => matches(filter, record))) continue;
        const isOfDigest = !sk.startsWith('EVENT#') && !sk.startsWith('RECORD#');
        const eventType = after['eventType']?.['S'];
        const what = `the stream delivers ${typeof eventType === 'string' ? eventType : sk}`;
        this.#laneOf(consumer, keys).records.push({ what, isOfDigest, event: { Records: [record] } });
      }
    }
  }

  public pending(): number {
    return [...this.#lanes.values()].reduce((sum, { records }) => sum + records.length, 0);
  }

  public moves(): Move[] {
    const now = this.#scheduler.now();
    return [...this.#lanes.values()]
      .filter(({ records, isRunning, retryAt }) => records.length > 0 && !isRunning && retryAt <= now)
      .filter(({ consumer }) => this.#containers.isFree(consumer))
      .map((lane) => ({
        weight: 10,
        act: () => {
          this.#deliver(lane);
        },
      }));
  }

  public nextAt(): number | null {
    const waiting = [...this.#lanes.values()].filter(({ records, isRunning }) => records.length > 0 && !isRunning);
    return earliest(waiting.map(({ retryAt }) => retryAt));
  }

  #laneOf(consumer: StreamConsumer, keys: Item): Lane {
    const id = `${consumer} ${String(keys['pk']?.['S'])}`;
    const lane = this.#lanes.get(id) ?? { consumer, records: [], isRunning: false, retryAt: 0, attempts: 0 };
    this.#lanes.set(id, lane);
    return lane;
  }

  #deliver(lane: Lane): void {
    const [record] = lane.records;
    if (record === undefined) return;
    lane.isRunning = true;
    lane.attempts += 1;
    const attempt = lane.attempts > 1 ? `, attempt ${lane.attempts}` : '';
    this.#containers.invoke(lane.consumer, { ...record, what: `${record.what}${attempt}` }, (result) => {
      lane.isRunning = false;
      if ('error' in result) {
        lane.retryAt = this.#scheduler.now() + Math.min(LONGEST_BACKOFF_MS, 200 * 2 ** lane.attempts);
        if (lane.attempts <= MAX_RETRIES) return;
        this.#losses.givenUp.push(record.what);
      } else if (this.#scheduler.misfortune()) {
        this.#scheduler.tell(() => `${record.what} to ${lane.consumer}: will come once more although it was done`);
        if (record.isOfDigest) this.#coverage.note('a stream record of a digest is delivered once more');
        return;
      }
      lane.records.shift();
      lane.attempts = 0;
      lane.retryAt = 0;
    });
    if (this.#containers.isFree(lane.consumer) && this.#scheduler.misfortune()) {
      this.#scheduler.tell(() => `${record.what} to ${lane.consumer}: a second copy runs at the same time`);
      if (record.isOfDigest) this.#coverage.note('a stream record of a digest is handled twice at once');
      const copy = { ...record, what: `${record.what}, a second copy` };
      this.#containers.invoke(lane.consumer, copy, () => undefined);
    }
  }
}

/** The schedule of sweep-keys: every minute, but only when something is due, because else it does nothing. */
export class Schedule implements Source {
  readonly #scheduler: Scheduler;
  readonly #containers: Containers;
  readonly #dueAt: () => number | null;
  #isRunning = false;
  #nextRunAt = 0;

  public constructor(parts: {
    scheduler: Scheduler;
    containers: Containers;
    /** When something is due for the first time. */
    dueAt: () => number | null;
  }) {
    this.#scheduler = parts.scheduler;
    this.#containers = parts.containers;
    this.#dueAt = parts.dueAt;
  }

  public moves(): Move[] {
    const at = this.nextAt();
    if (at === null || at > this.#scheduler.now() || !this.#containers.isFree('sweep-keys')) return [];
    return [
      {
        weight: 10,
        act: () => {
          this.#run();
        },
      },
    ];
  }

  public nextAt(): number | null {
    const due = this.#dueAt();
    return due === null || this.#isRunning ? null : Math.max(this.#nextRunAt, due + 1);
  }

  #run(): void {
    this.#isRunning = true;
    this.#nextRunAt = this.#scheduler.now() + MINUTE;
    this.#containers.invoke('sweep-keys', { what: 'the schedule', event: { task: 'deadlines' } }, () => {
      this.#isRunning = false;
    });
  }
}

function earliest(instants: readonly number[]): number | null {
  return instants.length === 0 ? null : Math.min(...instants);
}

function describeEvent(body: string): string {
  const [, name = 'an event'] = /"eventName":"(\w+)"/.exec(body) ?? [];
  const [, key = ''] = /key\/([\w-]+)/.exec(body) ?? [];
  return key === '' ? name : `${name} of ${key.slice(-8)}`;
}
