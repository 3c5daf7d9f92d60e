import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import { itemSchema } from './item.ts';

const changeSchema = z.object({
  tableName: z.string(),
  key: itemSchema,
  /** `null` is "no item". */
  before: itemSchema.nullable(),
  /** What recovery has to write; absent when dynalite does the write in one piece and recovery only looks. */
  redo: z.object({ after: itemSchema.nullable() }).optional(),
});

const entrySchema = z.object({
  changes: z.array(changeSchema),
  /** Length of each stream before the write, so that recovery appends every record once. */
  streamLengths: z.record(z.string(), z.number()),
});

/** The write that is under way, as it must be finished after a crash. */
export type JournalEntry = z.infer<typeof entrySchema>;

export type Journal = {
  begin: (entry: JournalEntry) => void;
  end: () => void;
  /** The write that a crash interrupted. */
  interrupted: () => JournalEntry | undefined;
};

/**
 * A journal of one entry, because there is one writer. It survives the death of the process, not a power failure:
 * nothing is forced to the disk, as in dynalite's own store. Without a file there is nothing to recover either.
 */
export function createJournal(file?: string): Journal {
  return {
    begin(entry) {
      if (file === undefined) return;
      writeFileSync(`${file}.new`, JSON.stringify(entry));
      renameSync(`${file}.new`, file);
    },
    end() {
      if (file !== undefined) rmSync(file, { force: true });
    },
    interrupted() {
      if (file === undefined || !existsSync(file)) return undefined;
      return entrySchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    },
  };
}
