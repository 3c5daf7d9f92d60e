import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { type Item, type ItemChange, itemSchema, sameImage, sizeOfItem } from './item.ts';

const viewTypeSchema = z.enum(['KEYS_ONLY', 'NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES']);

/** Which images of an item a stream carries (API_StreamSpecification). */
export type StreamViewType = z.infer<typeof viewTypeSchema>;

export const streamSpecificationSchema = z.discriminatedUnion('StreamEnabled', [
  z.object({ StreamEnabled: z.literal(true), StreamViewType: viewTypeSchema }),
  z.object({ StreamEnabled: z.literal(false) }),
]);

const streamRecordSchema = z.object({
  eventID: z.string(),
  eventName: z.enum(['INSERT', 'MODIFY', 'REMOVE']),
  eventVersion: z.string(),
  eventSource: z.string(),
  awsRegion: z.string(),
  dynamodb: z.object({
    ApproximateCreationDateTime: z.number(),
    Keys: itemSchema,
    NewImage: itemSchema.optional(),
    OldImage: itemSchema.optional(),
    SequenceNumber: z.string(),
    SizeBytes: z.number(),
    StreamViewType: viewTypeSchema,
  }),
});

/** A record as GetRecords answers it (API_streams_Record). */
export type StreamRecord = z.infer<typeof streamRecordSchema>;

/** What a stream is: everything that DescribeStream answers besides the shard. */
export type StreamDescription = {
  streamArn: string;
  streamLabel: string;
  tableName: string;
  viewType: StreamViewType;
  keySchema: readonly { AttributeName: string; KeyType: string }[];
  /** Epoch seconds. */
  createdAt: number;
};

/**
 * Reads streams inside this process: what Lambda's event source mapping uses instead of polling GetRecords, so that
 * a record reaches its handler at once.
 */
export type StreamSource = {
  /** `undefined` when there is no such stream. */
  describe: (streamArn: string) => StreamDescription | undefined;
  /** At most `limit` records after the sequence number, oldest first; from the oldest one when it is `undefined`. */
  read: (streamArn: string, after: string | undefined, limit: number) => readonly StreamRecord[];
  /** Calls `listener` after each append to that stream, before the writer gets its answer. Returns the way out. */
  subscribe: (streamArn: string, listener: () => void) => () => void;
};

export type StreamStore = StreamSource & {
  open: (description: StreamDescription) => void;
  remove: (streamArn: string) => void;
  list: () => readonly StreamDescription[];
  /** How many records the stream has. */
  length: (streamArn: string) => number;
  /** Appends one record per change of data, in order, skipping the first `alreadyWritten` of them. */
  append: (streamArn: string, changes: readonly ItemChange[], alreadyWritten?: number) => void;
};

type Stream = { description: StreamDescription; records: StreamRecord[]; listeners: Set<() => void>; file?: string };

/** Sequence numbers have at least 21 digits (API_streams_StreamRecord); this is the first of that length. */
const FIRST_SEQUENCE_NUMBER = 10n ** 20n;

/**
 * The records of all streams, in memory and, with a folder, as JSON lines on disk. Unlike DynamoDB, which drops them
 * after 24 hours, it keeps them for as long as the table lives: the sandbox jumps weeks ahead and must not lose what
 * has not been delivered. A stream has one shard, so its records have one order.
 */
export function createStreamStore({ folder, region }: { folder?: string; region: string }): StreamStore {
  const streams = new Map<string, Stream>();
  if (folder !== undefined) mkdirSync(folder, { recursive: true });

  return {
    open(description) {
      const file = folder === undefined ? undefined : join(folder, fileNameOf(description));
      streams.set(description.streamArn, {
        description,
        records: file === undefined ? [] : readRecords(file),
        listeners: new Set(),
        ...(file === undefined ? {} : { file }),
      });
    },
    remove(streamArn) {
      const stream = streams.get(streamArn);
      if (stream?.file !== undefined) rmSync(stream.file, { force: true });
      streams.delete(streamArn);
    },
    list: () => [...streams.values()].map(({ description }) => description),
    describe: (streamArn) => streams.get(streamArn)?.description,
    length: (streamArn) => streams.get(streamArn)?.records.length ?? 0,
    read(streamArn, after, limit) {
      const start = after === undefined ? 0 : indexOf(after) + 1;
      return streams.get(streamArn)?.records.slice(start, start + limit) ?? [];
    },
    subscribe(streamArn, listener) {
      const listeners = streams.get(streamArn)?.listeners;
      listeners?.add(listener);
      return () => listeners?.delete(listener);
    },
    append(streamArn, changes, alreadyWritten = 0) {
      const stream = streams.get(streamArn);
      if (stream === undefined) return;
      const added = changes
        .filter(({ before, after }) => !sameImage(before, after))
        .slice(alreadyWritten)
        .map((change, offset) =>
          toRecord(change, stream.description.viewType, region, sequenceNumber(stream.records.length + offset)),
        );
      if (added.length === 0) return;
      if (stream.file !== undefined) {
        appendFileSync(stream.file, added.map((record) => `${JSON.stringify(record)}\n`).join(''));
      }
      stream.records.push(...added);
      for (const listener of stream.listeners) listener();
    },
  };
}

/** The sequence number of the record at `index`. */
function sequenceNumber(index: number): string {
  return String(FIRST_SEQUENCE_NUMBER + BigInt(index));
}

/** The place of a sequence number in its stream; the inverse of the above. Throws on what is not a number. */
export function indexOf(sequence: string): number {
  return Number(BigInt(sequence) - FIRST_SEQUENCE_NUMBER);
}

function toRecord(
  { key, before, after }: ItemChange,
  viewType: StreamViewType,
  region: string,
  sequence: string,
): StreamRecord {
  const newImage = viewType === 'NEW_IMAGE' || viewType === 'NEW_AND_OLD_IMAGES' ? after : undefined;
  const oldImage = viewType === 'OLD_IMAGE' || viewType === 'NEW_AND_OLD_IMAGES' ? before : undefined;
  return {
    eventID: randomBytes(16).toString('hex'),
    eventName: nameOf(before, after),
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: region,
    dynamodb: {
      ApproximateCreationDateTime: Math.floor(Date.now() / 1000),
      Keys: key,
      ...(newImage === undefined ? {} : { NewImage: newImage }),
      ...(oldImage === undefined ? {} : { OldImage: oldImage }),
      SequenceNumber: sequence,
      SizeBytes: sizeOfItem(key) + sizeOfItem(newImage) + sizeOfItem(oldImage),
      StreamViewType: viewType,
    },
  };
}

function nameOf(before: Item | undefined, after: Item | undefined): StreamRecord['eventName'] {
  if (before === undefined) return 'INSERT';
  return after === undefined ? 'REMOVE' : 'MODIFY';
}

function fileNameOf({ tableName, streamLabel }: StreamDescription): string {
  return `${tableName}~${streamLabel.replaceAll(':', '-')}.jsonl`;
}

/** A crash can leave half a last line. It is cut off: the journal knows the write and appends its record again. */
function readRecords(file: string): StreamRecord[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  const torn = lines.pop();
  if (torn !== '') writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
  return lines.map((line) => streamRecordSchema.parse(JSON.parse(line)));
}
