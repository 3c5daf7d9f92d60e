import { isDeepStrictEqual } from 'node:util';

/** A scenario saw something else than it expected. */
export class Surprise extends Error {
  public override readonly name = 'Surprise';
  public readonly expected: unknown;
  public readonly seen: unknown;
  public constructor(what: string, expected: unknown, seen: unknown) {
    super(`${what}\n  expected: ${shown(expected)}\n  seen:     ${shown(seen)}`);
    this.expected = expected;
    this.seen = seen;
  }
}

/** @throws Surprise unless both are deeply equal */
export function expectSame(what: string, seen: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(seen, expected)) throw new Surprise(what, expected, seen);
}

/** @throws Surprise unless the text contains a match */
export function expectText(what: string, seen: string, expected: RegExp): void {
  if (!expected.test(seen)) throw new Surprise(what, expected, seen);
}

/** The value, which has to be there. @throws Surprise */
export function expectThere<T>(what: string, seen: T | undefined): T {
  if (seen === undefined) throw new Surprise(what, 'something', undefined);
  return seen;
}

function shown(value: unknown): string {
  return value === undefined || value instanceof RegExp ? String(value) : JSON.stringify(value);
}
