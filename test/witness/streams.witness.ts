import { isDeepStrictEqual } from 'node:util';
import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { digest } from '../../functions/adapters/digest.ts';
import { parseEventImage } from '../../functions/adapters/findings-table.ts';
import { auditEventFilter, STREAM_CONSUMERS } from '../../functions/contracts/stream-consumers.ts';
import { type ChainHead, EMPTY_CHAIN, seal } from '../../functions/domain/audit.ts';
import type { FindingEvent } from '../../functions/domain/finding-events.ts';
import { startDynamoDb } from '../../sandbox/aws/dynamodb.ts';
import { matches } from '../../sandbox/aws/event-bridge.ts';
import { aPersonRef, HISTORY, KEY, later } from '../builders.ts';
import { openStore, type RunningDynamoDb, type Store } from '../functions/adapters/store.ts';
import { readWholeStream } from '../sandbox/aws/dynamodb-fixture.ts';
import { startMoto } from './moto.ts';

const image = z.record(z.string(), z.record(z.string(), z.unknown()));
/** API_streams_Record and API_streams_StreamRecord of the DynamoDB API Reference. */
const streamRecord = z.strictObject({
  eventID: z.string(),
  eventName: z.enum(['INSERT', 'MODIFY', 'REMOVE']),
  eventVersion: z.string(),
  eventSource: z.literal('aws:dynamodb'),
  awsRegion: z.string(),
  dynamodb: z.strictObject({
    ApproximateCreationDateTime: z.number(),
    Keys: image,
    NewImage: image.optional(),
    OldImage: image.optional(),
    SequenceNumber: z.string().regex(/^\d{21,40}$/),
    SizeBytes: z.number(),
    StreamViewType: z.string(),
  }),
});
type StreamRecord = z.infer<typeof streamRecord>;

const recheck: FindingEvent = { type: 'recheck-requested', at: later({ hours: 2 }), by: aPersonRef() };

/**
 * Everything that the bot writes: the events of every status in turn, a repeated click, the claims of a message. Besides
 * that a write that changes nothing, and a deletion, which only time to live does.
 */
async function writeEverything({ table, claims, client, tableName }: Store): Promise<void> {
  let count = 0;
  const newId = () => {
    count += 1;
    return `event-${count}`;
  };
  const append = async (before: ChainHead, events: readonly FindingEvent[], onceId: string | null) => {
    const context = { cause: { kind: 'slack', id: 'story' }, policyVersion: 'policy-1', newId } as const;
    const { records, head: after } = seal(before, events, context, digest);
    await table.append({ before, after, records, dueAt: later({ hours: count }), onceId });
    return after;
  };
  for (const [status, history] of Object.entries(HISTORY)) {
    const keyId = `${status}-key`;
    const key = { ...KEY, keyId, arn: `arn:aws:kms:eu-central-1:111122223333:key/${keyId}` };
    const [opening, ...others] = history;
    if (opening.type !== 'finding-opened') throw new Error('a history begins with its opening');
    let head = await append(EMPTY_CHAIN, [{ ...opening, key }], `once-${status}`);
    for (const event of others) head = await append(head, [event], null);
    await append(head, [recheck], `again-${status}`);
    await append(head, [recheck], null).catch(() => undefined);
    const slot = { keyArn: key.arn, episode: 1, part: 'root' } as const;
    const lease = { claimedAt: later({ hours: 1 }), leaseUntil: later({ hours: 2 }) };
    await claims.claim(slot, { postId: 'post-1', ...lease, channel: 'C0SECURITY' });
    await claims.moveLease(slot, { from: lease.leaseUntil, to: later({ hours: 3 }) });
    await claims.posted(slot, { channel: 'C0SECURITY', ts: '1772445600.000100', renderedVersion: 1 });
    await claims.rendered(slot, 2);
    await claims.rendered(slot, 2);
    await claims.release(slot, { ts: '1772445600.000100' });
  }
  const same = new PutCommand({ TableName: tableName, Item: { pk: 'SAME', sk: 'SAME', n: 1 } });
  await client.send(same);
  await client.send(same);
  const gone = { pk: 'GONE', sk: 'GONE' };
  await client.send(new PutCommand({ TableName: tableName, Item: gone }));
  await client.send(new DeleteCommand({ TableName: tableName, Key: gone }));
}

async function recordsOf(start: () => Promise<RunningDynamoDb>) {
  const running = await start();
  const store = await openStore(running);
  await writeEverything(store);
  const records = (await readWholeStream(running.url, store.streamArn)).map((record) => streamRecord.parse(record));
  return { store, records };
}

let sandbox: Awaited<ReturnType<typeof recordsOf>>;
let moto: Awaited<ReturnType<typeof recordsOf>>;
beforeAll(async () => {
  sandbox = await recordsOf(async () => {
    const dynamoDb = await startDynamoDb({ region: 'eu-central-1' });
    return { url: dynamoDb.url, stop: () => dynamoDb.close() };
  });
  moto = await recordsOf(startMoto);
});
afterAll(() => Promise.all([sandbox.store.close(), moto.store.close()]));

const keysOf = ({ dynamodb }: StreamRecord) => JSON.stringify(dynamodb.Keys);

/** moto writes a record also when a write changed nothing. */
function changesNothing(record: StreamRecord, index: number, all: readonly StreamRecord[]): boolean {
  const former = all.slice(0, index).findLast((other) => keysOf(other) === keysOf(record));
  return former !== undefined && isDeepStrictEqual(former.dynamodb.NewImage, record.dynamodb.NewImage);
}

/** moto writes two records of an UpdateItem that makes an item: of the bare keys, and of the item. */
function isBareBeginning(record: StreamRecord, index: number, all: readonly StreamRecord[]): boolean {
  const next = all[index + 1];
  const isInsertedAgain = next?.eventName === 'INSERT' && keysOf(next) === keysOf(record);
  return isInsertedAgain && isDeepStrictEqual(record.dynamodb.NewImage, record.dynamodb.Keys);
}

/** What is left of moto's records without the two documented differences. */
const withoutNoise = (records: readonly StreamRecord[]) =>
  records.filter((...each) => !changesNothing(...each) && !isBareBeginning(...each));

/** What has to be the same: everything but what names the place, the time and the sender. */
const content = ({ eventName, eventSource, dynamodb: { Keys, NewImage, OldImage, StreamViewType } }: StreamRecord) => ({
  ...{ eventName, eventSource, Keys, NewImage, OldImage, StreamViewType },
});

it('the same writes give the same records', () => {
  expect(sandbox.records.map(content)).toEqual(withoutNoise(moto.records).map(content));
  expect(sandbox.records.length).toBeGreaterThan(50);
});

it('records carry the same fields of the same JSON types', () => {
  const fieldsOf = ({ dynamodb, ...envelope }: StreamRecord) =>
    [...Object.entries(envelope), ...Object.entries(dynamodb)]
      .map(([name, value]) => `${name}: ${typeof value}`)
      .sort();
  expect(sandbox.records.map(fieldsOf)).toEqual(withoutNoise(moto.records).map(fieldsOf));
});

it.each([
  ['the sandbox', () => sandbox.records],
  ['moto', () => moto.records],
])('the sequence numbers of %s rise with the stream', (_name, records) => {
  const numbers = records().map(({ dynamodb }) => BigInt(dynamodb.SequenceNumber));
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => (a < b ? -1 : 1)));
});

describe('what the functions read from moto’s stream', () => {
  const eventsFor = (eventTypes: Parameters<typeof auditEventFilter>[0], records: readonly StreamRecord[]) =>
    records.filter((record) => matches(auditEventFilter(eventTypes), record));

  it.each(Object.entries(STREAM_CONSUMERS))('%s is started by the same events', (_name, eventTypes) => {
    const ofMoto = eventsFor(eventTypes, moto.records).map(content);
    expect(ofMoto.length).toBeGreaterThan(0);
    expect(ofMoto).toEqual(eventsFor(eventTypes, sandbox.records).map(content));
  });

  it('is the audit trail, whole and in order', async () => {
    // As Lambda hands it over: JSON, from which the functions read NewImage and nothing else.
    const event: unknown = JSON.parse(JSON.stringify({ Records: eventsFor('all', moto.records) }));
    const { Records: records } = z.object({ Records: z.array(streamRecord) }).parse(event);
    const told = records.map(({ dynamodb }) => parseEventImage(dynamodb.NewImage));
    const arns = [...new Set(told.map(({ key }) => key.arn))];
    const stored = await Promise.all(arns.map((arn) => moto.store.table.auditOf(arn)));
    expect(told).toEqual(stored.flat());
    expect(stored.flat().length).toBeGreaterThan(15);
  });

  it('is never a snapshot or a claim', () => {
    const others = moto.records.filter((record) => !matches(auditEventFilter('all'), record));
    for (const { dynamodb } of others) expect(() => parseEventImage(dynamodb.NewImage)).toThrow('record');
  });
});

describe('differs, as documented:', () => {
  it('moto tells of a write that changed nothing', () => {
    const ofSame = ({ records }: typeof moto) =>
      records.filter(({ dynamodb }) => dynamodb.Keys['pk']?.['S'] === 'SAME').map(({ eventName }) => eventName);
    expect(ofSame(sandbox)).toEqual(['INSERT']);
    expect(ofSame(moto)).toEqual(['INSERT', 'MODIFY']);
  });

  it('moto tells of the bare keys of a new item first', () => {
    const ofClaim = ({ records }: typeof moto) =>
      records
        .filter(({ dynamodb }) => dynamodb.Keys['sk']?.['S'] === 'MESSAGE#1#root')
        .slice(0, 2)
        .map(({ eventName, dynamodb }) => [eventName, dynamodb.NewImage?.['state']?.['S']]);
    expect(ofClaim(sandbox)).toEqual([
      ['INSERT', 'claimed'],
      ['MODIFY', 'claimed'],
    ]);
    expect(ofClaim(moto)).toEqual([
      ['INSERT', undefined],
      ['INSERT', 'claimed'],
    ]);
  });

  it('moto says version 1.0 and us-east-1 of every record', () => {
    const origin = ({ records }: typeof moto) => [
      ...new Set(records.map(({ eventVersion, awsRegion }) => `${eventVersion} ${awsRegion}`)),
    ];
    expect(origin(sandbox)).toEqual(['1.1 eu-central-1']);
    expect(origin(moto)).toEqual(['1.0 us-east-1']);
  });
});
