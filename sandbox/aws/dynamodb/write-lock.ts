/**
 * One writer at a time. dynalite locks single items only; a transaction and the two images of a stream record need
 * more than that.
 */
export type WriteLock = {
  /** Runs `work` when every earlier work has ended; passes its result or error on. */
  exclusively: <T>(work: () => Promise<T>) => Promise<T>;
};

export function createWriteLock(): WriteLock {
  let last: Promise<unknown> = Promise.resolve();
  return {
    exclusively(work) {
      const turn = last.then(work);
      // The next in line waits for the end, not for success.
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}
