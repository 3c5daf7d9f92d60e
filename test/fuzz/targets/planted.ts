import { planted } from '../planted-parser.ts';

/*
 * Proves that the fuzzer can find something: a parser with a bug that no seed triggers. `npm run fuzz` runs it first
 * and counts it as a failure of its own when the bug is not found.
 */
export function fuzz(data: Buffer): void {
  planted(data.toString());
}

export function seeds(): Buffer[] {
  return [Buffer.from('{"type":"block_options","actions":[{"type":"checkbox","value":"1"}]}')];
}
