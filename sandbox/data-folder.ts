import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

const savedSchema = z.object({ clockOffset: z.number().min(0), kms: z.unknown(), slack: z.unknown() });
export type SavedState = z.infer<typeof savedSchema>;

/** Where a sandbox keeps what has to survive a restart. */
export type DataFolder = {
  /** A folder inside it. */
  at: (name: string) => string;
  /** @throws ZodError when the file is not the sandbox's */
  load: () => SavedState | undefined;
  save: (state: SavedState) => void;
};

/** Opens a data folder, and makes it when there is none. */
export function openDataFolder(path: string): DataFolder {
  mkdirSync(path, { recursive: true });
  const file = join(path, 'world.json');
  return {
    at: (name) => join(path, name),
    load: () => (existsSync(file) ? savedSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined),
    save(state) {
      writeFileSync(`${file}.new`, JSON.stringify(state));
      renameSync(`${file}.new`, file);
    },
  };
}
