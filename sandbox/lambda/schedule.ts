export type Schedule = {
  /** Runs now, whether it is due or not, and resolves when the run has ended. The rhythm stays as it is. */
  runNow: () => Promise<void>;
  /** Runs if it is due by the simulated clock, and resolves when the run has ended: for after a jump of the clock. */
  runIfDue: () => Promise<void>;
  /** How many runs are under way. */
  running: () => number;
  /** Fires no more; resolves when the last run has ended. */
  stop: () => Promise<void>;
};

/**
 * A rate schedule by simulated time, first due `everyMs` after it was made. It looks at the clock every `pollMs` of
 * real time. However far the clock has jumped, one run makes up for all that was missed; a run that is due while
 * another is under way waits for it. An error of `run` goes to `onError`, and the next run comes when it is due.
 */
export function createSchedule({
  everyMs,
  run,
  pollMs = 250,
  onError = (error) => {
    console.error('schedule:', error);
  },
}: {
  everyMs: number;
  run: () => Promise<void>;
  pollMs?: number;
  onError?: (error: unknown) => void;
}): Schedule {
  if (!(everyMs > 0)) throw new RangeError(`a schedule needs a positive interval, got ${everyMs} ms`);
  const runs = new Set<Promise<void>>();
  let dueAt = Date.now() + everyMs;

  function runNow(): Promise<void> {
    const started = run()
      .catch(onError)
      .finally(() => runs.delete(started));
    runs.add(started);
    return started;
  }

  async function runIfDue(): Promise<void> {
    const now = Date.now();
    if (runs.size > 0 || now < dueAt) return;
    dueAt += Math.ceil((now - dueAt + 1) / everyMs) * everyMs;
    await runNow();
  }

  const timer = setInterval(() => void runIfDue(), pollMs);
  return {
    runNow,
    runIfDue,
    running: () => runs.size,
    async stop() {
      clearInterval(timer);
      await Promise.all(runs);
    },
  };
}
