import type { StreamRecord } from '../aws/dynamodb/stream-store.ts';
import type { Invoke } from './invoke.ts';

/** A record as Lambda hands it to a function: GetRecords' record, and the stream it is from. */
export type StreamEventRecord = StreamRecord & { eventSourceARN: string };

/** Why records were given up (Lambda Developer Guide, "Retain records that could not be processed"). */
export type GiveUpCondition = 'RetryAttemptsExhausted' | 'RecordAgeExceeded';

/** Records that no retry brought through, with how often the function was tried. */
export type GivenUp = { records: readonly StreamEventRecord[]; condition: GiveUpCondition; invocations: number };

export type LaneSettings = {
  invoke: Invoke;
  batchSize: number;
  /** -1 is without limit, as on Lambda. */
  maximumRetryAttempts: number;
  /** Simulated time; -1 is without limit. */
  maximumRecordAgeSeconds: number;
  bisectBatchOnFunctionError: boolean;
  /** Real time before the first retry; doubles up to thirty times itself. */
  retryDelayMs: number;
  giveUp: (given: GivenUp) => Promise<void>;
  /** Told of each record that is over and done with. */
  done: (record: StreamEventRecord) => void;
  onError: (error: unknown) => void;
};

/** Records of the same partition keys, handed to the function strictly in order. */
export type Lane = {
  add: (record: StreamEventRecord) => void;
  /** Retries at once instead of waiting the delay out. */
  wake: () => void;
  running: () => boolean;
  /** Starts nothing any more; resolves when the running invocation has ended. */
  stop: () => Promise<void>;
};

const LONGEST_DELAY_FACTOR = 30;

/**
 * One of the concurrent batches of a shard. A batch that fails blocks its lane: it is retried until it succeeds, is
 * too old, or has used up its retries, and then it goes to `giveUp`. With bisection a failed batch is first split in
 * halves, which does not count as a retry (Developer Guide, "Using AWS Lambda with Amazon DynamoDB").
 */
export function createLane(settings: LaneSettings): Lane {
  const queue: StreamEventRecord[] = [];
  let working: Promise<void> | undefined;
  let stopped = false;
  let endDelay: (() => void) | undefined;

  async function work(): Promise<void> {
    // The writer of a record must not run its handler; and records of one transaction make one batch.
    await Promise.resolve();
    while (!stopped && queue.length > 0) {
      const batch = queue.slice(0, settings.batchSize);
      if (!(await finish(batch))) return;
      queue.splice(0, batch.length);
    }
  }

  /** Brings a batch to an end, one way or another; false when the lane was stopped before that. */
  async function finish(batch: readonly StreamEventRecord[]): Promise<boolean> {
    let open = batch;
    for (let invocations = 0; !stopped; invocations += 1) {
      open = await withoutExpired(open, invocations);
      if (open.length === 0) return true;
      if (await succeeds(open)) {
        open.forEach(settings.done);
        return true;
      }
      if (settings.bisectBatchOnFunctionError && open.length > 1) {
        const middle = Math.ceil(open.length / 2);
        return (await finish(open.slice(0, middle))) && (await finish(open.slice(middle)));
      }
      if (settings.maximumRetryAttempts >= 0 && invocations >= settings.maximumRetryAttempts) {
        return await giveUp({ records: open, condition: 'RetryAttemptsExhausted', invocations: invocations + 1 });
      }
      await delay(invocations);
    }
    return false;
  }

  async function succeeds(records: readonly StreamEventRecord[]): Promise<boolean> {
    try {
      await settings.invoke({ Records: records });
      return true;
    } catch {
      // The function's log has the error.
      return false;
    }
  }

  async function withoutExpired(
    records: readonly StreamEventRecord[],
    invocations: number,
  ): Promise<readonly StreamEventRecord[]> {
    if (settings.maximumRecordAgeSeconds < 0) return records;
    const oldest = Date.now() / 1000 - settings.maximumRecordAgeSeconds;
    const expired = records.filter(({ dynamodb }) => dynamodb.ApproximateCreationDateTime < oldest);
    if (expired.length === 0) return records;
    const gone = await giveUp({ records: expired, condition: 'RecordAgeExceeded', invocations });
    return gone ? records.filter((record) => !expired.includes(record)) : records;
  }

  /** Nothing is lost when the destination fails: the lane stays blocked and tries again. */
  async function giveUp(given: GivenUp): Promise<boolean> {
    for (let attempt = 0; !stopped; attempt += 1) {
      try {
        await settings.giveUp(given);
        given.records.forEach(settings.done);
        return true;
      } catch (error) {
        settings.onError(error);
        await delay(attempt);
      }
    }
    return false;
  }

  async function delay(attempt: number): Promise<void> {
    if (stopped) return;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const timer = setTimeout(resolve, settings.retryDelayMs * Math.min(2 ** attempt, LONGEST_DELAY_FACTOR));
    endDelay = () => {
      clearTimeout(timer);
      resolve(undefined);
    };
    await promise;
    endDelay = undefined;
  }

  function start(): void {
    working ??= work().finally(() => {
      working = undefined;
      // A record may have come in after the loop saw an empty queue.
      if (!stopped && queue.length > 0) start();
    });
  }

  return {
    add(record) {
      queue.push(record);
      start();
    },
    wake: () => endDelay?.(),
    running: () => working !== undefined,
    async stop() {
      stopped = true;
      endDelay?.();
      await working;
    },
  };
}
