/**
 * The sandbox's only clock. `install` replaces the global `Date` of this process by one that runs at the real
 * speed but can be moved forward, so that the real handlers, which know nothing of the sandbox, see an exemption
 * expire "31 days later" a second after it was granted. Timers (setTimeout) keep running in real time.
 */
export type SandboxClock = {
  now: () => Date;
  /** Moves the clock forward; returns the new time. Never backward: AWS's clock does not do that either. */
  advance: (milliseconds: number) => Date;
  /** How far the clock is ahead of real time, in milliseconds. */
  offset: () => number;
  /** Gives the real `Date` back. */
  uninstall: () => void;
};

const RealDate = Date;

export function installClock(startOffset = 0): SandboxClock {
  let ahead = startOffset;
  const now = () => RealDate.now() + ahead;

  class MovableDate extends RealDate {
    public constructor(...args: [] | ConstructorParameters<typeof RealDate>) {
      if (args.length === 0) super(now());
      else super(...(args as [number]));
    }
    public static override now(): number {
      return now();
    }
  }
  globalThis.Date = MovableDate as DateConstructor;

  return {
    now: () => new Date(),
    advance(milliseconds) {
      if (!Number.isFinite(milliseconds) || milliseconds < 0) {
        throw new RangeError(`the clock only moves forward, got ${milliseconds} ms`);
      }
      ahead += milliseconds;
      return new Date();
    },
    offset: () => ahead,
    uninstall: () => {
      globalThis.Date = RealDate;
    },
  };
}
