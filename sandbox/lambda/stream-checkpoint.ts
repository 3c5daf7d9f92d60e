import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as z from 'zod';

/** Remembers how far a stream has been read, so that a restart goes on from there. */
export type StreamCheckpoint = {
  /** The last sequence number up to which every record is done; `undefined` before the first. */
  load: (streamArn: string) => string | undefined;
  save: (streamArn: string, sequenceNumber: string) => void;
};

const savedSchema = z.object({ streamArn: z.string(), sequenceNumber: z.string() });

/** Keeps a checkpoint in a file. A table that was made anew has another stream ARN and starts at its beginning. */
export function fileCheckpoint(file: string): StreamCheckpoint {
  return {
    load(streamArn) {
      if (!existsSync(file)) return undefined;
      const saved = savedSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
      return saved.streamArn === streamArn ? saved.sequenceNumber : undefined;
    },
    save(streamArn, sequenceNumber) {
      writeFileSync(`${file}.new`, JSON.stringify({ streamArn, sequenceNumber }));
      renameSync(`${file}.new`, file);
    },
  };
}
