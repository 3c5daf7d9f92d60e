import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import { streamSpecificationSchema } from './stream-store.ts';

const settingsSchema = z.object({
  stream: z
    .object({ specification: streamSpecificationSchema, label: z.string(), arn: z.string(), createdAt: z.number() })
    .optional(),
  timeToLiveAttribute: z.string().optional(),
  pointInTimeRecovery: z.boolean().default(false),
});

/** What dynalite does not remember about a table. */
export type TableSettings = z.infer<typeof settingsSchema>;

export type TableSettingsStore = {
  /** The settings of a table; all off for a table that is not known. */
  get: (tableName: string) => TableSettings;
  set: (tableName: string, settings: TableSettings) => void;
  remove: (tableName: string) => void;
  tableNames: () => readonly string[];
};

/** Keeps table settings in memory and, with a file, on disk. */
export function createTableSettings(file?: string): TableSettingsStore {
  const tables = new Map<string, TableSettings>();
  if (file !== undefined && existsSync(file)) {
    const saved = z.record(z.string(), settingsSchema).parse(JSON.parse(readFileSync(file, 'utf8')));
    for (const [tableName, settings] of Object.entries(saved)) tables.set(tableName, settings);
  }

  function save(): void {
    if (file === undefined) return;
    writeFileSync(`${file}.new`, JSON.stringify(Object.fromEntries(tables)));
    renameSync(`${file}.new`, file);
  }

  return {
    get: (tableName) => tables.get(tableName) ?? { pointInTimeRecovery: false },
    set(tableName, settings) {
      tables.set(tableName, settings);
      save();
    },
    remove(tableName) {
      tables.delete(tableName);
      save();
    },
    tableNames: () => [...tables.keys()],
  };
}
