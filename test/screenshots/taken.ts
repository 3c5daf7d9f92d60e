import { readFileSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import { digest } from '../../functions/adapters/digest.ts';
import { FOLDER } from './gallery.ts';
import type { Picture } from './picture.ts';

/** For each picture the hash of what it shows, so that a test can tell without a browser which one is out of date. */
export type Taken = Record<string, string>;

const FILE = `${FOLDER}/taken.json`;

/** The hashes of these pictures as the code renders them now. */
export function takenNow(pictures: readonly Picture[]): Taken {
  return Object.fromEntries(pictures.map(({ name, shows }) => [name, digest(shows)]));
}

/** The hashes when the pictures were taken. */
export function readTaken(): Taken {
  return z.record(z.string(), z.string()).parse(JSON.parse(readFileSync(FILE, 'utf8')));
}

export function writeTaken(taken: Taken): void {
  const sorted = Object.entries(taken).sort(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(FILE, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`);
}
