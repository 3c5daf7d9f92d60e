import { createDigestUpkeep, parseDigestOrder } from '../../../functions/adapters/digest-upkeep.ts';
import { createDigests } from '../../../functions/adapters/digests-table.ts';
import type { DynamoDbTable } from '../../../functions/adapters/dynamodb.ts';
import { type Batch, type DigestMember, memberOf, summarise } from '../../../functions/domain/digest.ts';
import { aFinding, aPerson, aPolicy, KEY, later } from '../../builders.ts';
import { openTables, type Tables, WAYS } from './support/dynamodb-tables.ts';

let tables: Tables;
beforeAll(async () => {
  tables = await openTables();
});
afterAll(() => tables.close());

let channels = 0;
function aChannel(): string {
  channels += 1;
  return `C0CHANNEL${channels}`;
}
function keyNumber(number: number) {
  const keyId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  return { ...KEY, keyId, arn: KEY.arn.replace(KEY.keyId, keyId) };
}
function aMember(number: number, changes: Partial<DigestMember> = {}): DigestMember {
  return { ...memberOf(aFinding('open'), aPolicy().digest), key: keyNumber(number), ...changes };
}

describe.each(WAYS)('digests over %s', (way) => {
  let table: DynamoDbTable;
  let digests: ReturnType<typeof createDigests> & ReturnType<typeof createDigestUpkeep>;
  beforeAll(() => {
    table = tables.ways[way];
    digests = { ...createDigests(table), ...createDigestUpkeep(table) };
  });
  const NOW = later({});

  function aBatch(digest: string, changes: Partial<Batch> = {}): Batch {
    return {
      ...{
        digest,
        requestId: 'a1b2',
        at: NOW,
        person: aPerson(),
        groups: { known: true, groupIds: ['S0GROUP'], gone: [] },
      },
      ...{ policyVersion: 'version-1', upTo: NOW, count: 2 },
      ...changes,
    };
  }

  it('counts an arrival once, and no further than asked', async () => {
    const channel = aChannel();
    const minute = '2026-03-02T09:00';
    for (const number of [1, 2, 2, 3]) {
      await digests.arrive({ channel, minute, keyArn: keyNumber(number).arn, episode: 1 }, NOW);
    }
    expect(await digests.arrivals(channel, minute, 21)).toBe(3);
    expect(await digests.arrivals(channel, minute, 2)).toBe(2);
    expect(await digests.arrivals(channel, '2026-03-02T09:01', 21)).toBe(0);
  });

  it('has one digest per storm, however many ask at once', async () => {
    const channel = aChannel();
    const instants = Array.from({ length: 5 }, (_, index) => later({ milliseconds: index }));
    const ids = await Promise.all(instants.map((now) => digests.current(channel, now)));
    expect(new Set(ids).size).toBe(1);
    const [id = ''] = ids;
    expect(await digests.load(id, NOW)).toMatchObject({ id, channel, version: 0 });
    expect(await digests.current(channel, later({ minutes: 9 }))).toBe(id);
    expect(await digests.current(channel, later({ minutes: 18 }))).toBe(id);
    expect(await digests.current(channel, later({ minutes: 29 }))).not.toBe(id);
  });

  it('keeps of a member what its latest event says, and when it came', async () => {
    const id = await digests.current(aChannel(), NOW);
    await digests.putMember(id, aMember(1), 1, NOW);
    await digests.putMember(id, aMember(1, { status: 'remediated', isApprovable: false }), 4, later({ minutes: 5 }));
    await digests.putMember(id, aMember(1, { status: 'approved' }), 2, later({ minutes: 6 }));
    expect(await digests.members(id)).toEqual([
      { ...aMember(1, { status: 'remediated', isApprovable: false }), joinedAt: NOW },
    ]);
  });

  it('lets a member leave whose latest state an earlier event has brought already', async () => {
    const id = await digests.current(aChannel(), NOW);
    await digests.putMember(id, aMember(1, { status: 'exempt' }), 4, NOW);
    await digests.putMember(id, aMember(1, { status: 'moved' }), 4, NOW);
    await digests.putMember(id, aMember(1, { status: 'exempt' }), 4, NOW);
    expect(await digests.members(id)).toMatchObject([{ status: 'moved' }]);
  });

  it('pages through members in their order', async () => {
    const id = await digests.current(aChannel(), NOW);
    await digests.putMember(id, aMember(1), 1, NOW);
    await digests.putMember(id, aMember(2, { status: 'remediated' }), 1, NOW);
    await digests.putMember(id, aMember(3, { comesFirst: true }), 1, NOW);
    const first = await digests.page(id, { after: '', size: 2 });
    expect(first.map(({ member }) => member.key)).toEqual([keyNumber(3), keyNumber(1)]);
    const rest = await digests.page(id, { after: first.at(-1)?.place ?? '', size: 2 });
    expect(rest.map(({ member }) => member.key)).toEqual([keyNumber(2)]);
  });

  it('is stale from a change until that very change is shown', async () => {
    const id = await digests.current(aChannel(), NOW);
    const summary = summarise([aMember(1)]);
    expect(await digests.changed(id, NOW)).toBe(true);
    expect(await digests.stale(100)).toContain(id);
    const seen = (await digests.load(id, NOW))?.version ?? 0;
    await digests.changed(id, NOW);
    expect(await digests.shown(id, { version: seen, summary, isSettled: true })).toBe(false);
    expect(await digests.stale(100)).toContain(id);
    expect(await digests.shown(id, { version: seen + 1, summary, isSettled: false })).toBe(true);
    expect(await digests.stale(100)).toContain(id);
    expect(await digests.shown(id, { version: seen + 1, summary, isSettled: true })).toBe(false);
    expect(await digests.shown(id, { version: seen + 2, summary, isSettled: true })).toBe(true);
    expect(await digests.stale(100)).not.toContain(id);
    expect(await digests.load(id, NOW)).toMatchObject({ summary });
  });

  it('is rendered by one run at a time', async () => {
    const id = await digests.current(aChannel(), NOW);
    const until = later({ minutes: 1 });
    const turns = await Promise.all([1, 2, 3].map(() => digests.takeTurn(id, { now: NOW, until })));
    expect(turns.filter((taken) => taken)).toHaveLength(1);
    await digests.endTurn(id, later({ minutes: 2 }));
    expect(await digests.takeTurn(id, { now: NOW, until })).toBe(false);
    await digests.endTurn(id, until);
    expect(await digests.takeTurn(id, { now: NOW, until })).toBe(true);
    expect(await digests.takeTurn(id, { now: later({ minutes: 2 }), until: later({ minutes: 3 }) })).toBe(true);
  });

  it('is forgotten 400 days after it began, whatever happens in it', async () => {
    const channel = aChannel();
    const id = await digests.current(channel, NOW);
    await digests.putMember(id, aMember(1), 1, later({ days: 300 }));
    expect(await digests.changed(id, later({ days: 399 }))).toBe(true);
    expect(await digests.load(id, later({ days: 399 }))).not.toBeNull();
    expect(await digests.load(id, later({ days: 400, minutes: 1 }))).toBeNull();
    expect(await digests.changed(id, later({ days: 400, minutes: 1 }))).toBe(false);
    expect(await digests.changed(`${channel}#${later({ days: 1 })}`, NOW)).toBe(false);
  });

  it('stores a batch once, and gives it to one run at a time', async () => {
    const id = await digests.current(aChannel(), NOW);
    const batch = aBatch(id);
    expect(await digests.putBatch(batch)).toBe(true);
    expect(await digests.putBatch({ ...batch, count: 99 })).toBe(false);
    expect(await digests.batches(id)).toEqual([{ batch, workUntil: NOW, refused: 0 }]);
    expect(await digests.openBatches(100)).toContainEqual(batch);
    const to = later({ minutes: 2 });
    const taken = await Promise.all([1, 2].map(() => digests.takeBatch(batch, { from: NOW, to })));
    expect(taken.filter((won) => won)).toHaveLength(1);
    await digests.leaveBatch(batch, { from: to, now: later({ minutes: 1 }) });
    expect(await digests.loadBatch(batch)).toMatchObject({ workUntil: later({ minutes: 1 }) });
    await digests.endBatch(batch, { now: to, refused: 1 });
    expect(await digests.loadBatch(batch)).toMatchObject({ doneAt: to, refused: 1 });
    expect(await digests.openBatches(100)).not.toContainEqual(batch);
    expect(await digests.takeBatch(batch, { from: later({ minutes: 1 }), to })).toBe(false);
    await digests.endBatch(batch, { now: later({ days: 1 }), refused: 9 });
    expect(await digests.loadBatch(batch)).toMatchObject({ doneAt: to, refused: 1 });
  });
});

it('reads from a stream record which digest and which request are meant', () => {
  const keys = (sk: string) => ({ pk: { S: `DIGEST#C0SECURITY#${later({})}` }, sk: { S: sk } });
  const digest = `C0SECURITY#${later({})}`;
  expect(parseDigestOrder(keys('BATCH#a1b2'))).toEqual({ digest, requestId: 'a1b2' });
  expect(parseDigestOrder(keys(`TURN#a1b2#${later({})}`))).toEqual({ digest, requestId: 'a1b2' });
  expect(() => parseDigestOrder({})).toThrow(/pk/);
});
