import { edited } from './edits.ts';

/** Bytes below this begin an edit script; nothing that is text begins so, except for white space. */
const FIRST_TEXT_BYTE = 0x09;

/**
 * A JSON value out of the fuzzer's bytes: either the JSON text itself, or the number of a seed (one byte) and edits to
 * it. Undefined when the text is not JSON.
 */
export function jsonInput(data: Buffer, seeds: readonly unknown[]): { value: unknown } | undefined {
  const [first = 0] = data;
  if (first < FIRST_TEXT_BYTE) {
    return { value: edited(seeds[(data[1] ?? 0) % seeds.length], data.subarray(2)) };
  }
  try {
    return { value: JSON.parse(data.toString()) };
  } catch {
    return undefined;
  }
}

/** The seeds as inputs: each as text, and each as a script that edits nothing yet. */
export function jsonSeeds(seeds: readonly unknown[]): Buffer[] {
  return seeds.flatMap((seed, index) => [Buffer.from(JSON.stringify(seed)), Buffer.from([0, index, 0, 2, 1])]);
}
