/** A clock that stands still until it is moved; milliseconds since 1970. */
export type VirtualTime = { now: () => number };

const RealDate = Date;

/** Makes `Date` of this process show the time that `source` says. */
export function installVirtualTime(source: VirtualTime): void {
  class VirtualDate extends RealDate {
    public constructor(...args: [] | ConstructorParameters<typeof RealDate>) {
      if (args.length === 0) super(source.now());
      else super(...args);
    }
    public static override now(): number {
      return source.now();
    }
  }
  Reflect.set(globalThis, 'Date', VirtualDate);
}
