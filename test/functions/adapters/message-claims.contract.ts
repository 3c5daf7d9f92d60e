import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { MessageSlot } from '../../../functions/adapters/message-claims.ts';
import type { Store } from './store.ts';

const keyArn = 'arn:aws:kms:eu-central-1:444455556666:key/11111111-2222-3333-4444-555555555555';
const leaseUntil = '2026-03-02T10:01:30.000Z';
const aClaim = { postId: 'post-1', claimedAt: '2026-03-02T10:00:00.000Z', leaseUntil, channel: 'C0SECURITY' };
const standing = { channel: 'C0SECURITY', ts: '1772445600.000100', renderedVersion: 3 };

type EpisodeSlot = Extract<MessageSlot, { keyArn: string }>;

/** The contract of the claims on Slack messages. */
export function describeMessageClaims(open: () => Promise<Store>): void {
  let store: Store;
  let made = 0;
  beforeAll(async () => {
    store = await open();
  });
  afterAll(() => store.close());

  function aSlot(part: 'root' | number = 'root'): EpisodeSlot {
    made += 1;
    return { keyArn, episode: made, part };
  }
  async function givenPosted(): Promise<EpisodeSlot> {
    const slot = aSlot();
    await store.claims.claim(slot, aClaim);
    await store.claims.posted(slot, standing);
    return slot;
  }

  it('knows nothing of a message that nobody claimed', async () => {
    expect(await store.claims.read(aSlot())).toBeNull();
  });

  it('lets one of many claim a message', async () => {
    const slot = aSlot();
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => store.claims.claim(slot, aClaim)));
    expect(outcomes.filter((won) => won)).toHaveLength(1);
    expect(await store.claims.read(slot)).toEqual({ state: 'claimed', ...aClaim, refusedWith: null });
  });

  it('keeps the message and each reply apart', async () => {
    const root = aSlot();
    await store.claims.claim(root, aClaim);
    expect(await store.claims.read({ ...root, part: 7 })).toBeNull();
    expect(await store.claims.read({ ...root, episode: 999 })).toBeNull();
  });

  it('remembers where a claimed message stands', async () => {
    const slot = await givenPosted();
    expect(await store.claims.read(slot)).toEqual({
      state: 'posted',
      postId: 'post-1',
      ...standing,
      refusedWith: null,
    });
    expect(await store.claims.claim(slot, aClaim)).toBe(false);
  });

  it('does not record a place for a message that is not claimed', async () => {
    expect(await store.claims.posted(aSlot(), standing)).toBe(false);
    expect(await store.claims.posted(await givenPosted(), standing)).toBe(false);
  });

  it('moves the shown version forward only', async () => {
    const slot = await givenPosted();
    expect(await store.claims.rendered(slot, 5)).toBe(true);
    expect(await store.claims.rendered(slot, 4)).toBe(false);
    expect(await store.claims.rendered(slot, 5)).toBe(false);
    expect(await store.claims.read(slot)).toMatchObject({ renderedVersion: 5 });
    expect(await store.claims.rendered(aSlot(), 1)).toBe(false);
  });

  it('lets a released message be claimed again', async () => {
    const slot = await givenPosted();
    expect(await store.claims.release(slot, { ts: standing.ts })).toBe(true);
    expect(await store.claims.read(slot)).toEqual({ state: 'released', refusedWith: null });
    expect(await store.claims.claim(slot, { ...aClaim, channel: 'C0PAYMENTS' })).toBe(true);
    expect(await store.claims.read(slot)).toMatchObject({ state: 'claimed', channel: 'C0PAYMENTS' });
  });

  it('releases only what was seen: another run may have been faster', async () => {
    const slot = await givenPosted();
    expect(await store.claims.release(slot, { ts: '1772445600.000099' })).toBe(false);
    expect(await store.claims.release(slot, { leaseUntil })).toBe(false);
    expect(await store.claims.read(slot)).toMatchObject({ state: 'posted' });
    const claimed = aSlot();
    await store.claims.claim(claimed, aClaim);
    expect(await store.claims.release(claimed, { leaseUntil: aClaim.claimedAt })).toBe(false);
    expect(await store.claims.release(claimed, { leaseUntil })).toBe(true);
    expect(await store.claims.release(aSlot(), { leaseUntil })).toBe(false);
  });

  it('remembers a reported refusal through release and claim', async () => {
    const slot = aSlot();
    expect(await store.claims.reported(slot, 'is_archived')).toBe(false);
    await store.claims.claim(slot, aClaim);
    expect(await store.claims.reported(slot, 'is_archived')).toBe(true);
    await store.claims.release(slot, { leaseUntil });
    await store.claims.claim(slot, aClaim);
    await store.claims.posted(slot, standing);
    expect(await store.claims.read(slot)).toMatchObject({ state: 'posted', refusedWith: 'is_archived' });
  });

  it('lets one of many take a claim over', async () => {
    const slot = aSlot();
    await store.claims.claim(slot, aClaim);
    const later = { from: leaseUntil, to: '2026-03-02T10:03:00.000Z' };
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => store.claims.moveLease(slot, later)));
    expect(outcomes.filter((won) => won)).toHaveLength(1);
    expect(await store.claims.read(slot)).toMatchObject({ state: 'claimed', leaseUntil: later.to });
  });

  it('moves the lease of a claim only', async () => {
    const lease = { from: leaseUntil, to: leaseUntil };
    expect(await store.claims.moveLease(aSlot(), lease)).toBe(false);
    expect(await store.claims.moveLease(await givenPosted(), lease)).toBe(false);
  });

  it('leaves a message to a digest, unless it was claimed, and gives it back', async () => {
    const slot = aSlot();
    expect(await store.claims.intoDigest(slot, 'C0SECURITY#1')).toBe(true);
    expect(await store.claims.intoDigest(slot, 'C0SECURITY#2')).toBe(false);
    expect(await store.claims.claim(slot, aClaim)).toBe(false);
    expect(await store.claims.read(slot)).toEqual({ state: 'in-digest', digest: 'C0SECURITY#1', refusedWith: null });
    expect(await store.claims.outOfDigest(slot, 'C0SECURITY#2')).toBe(false);
    expect(await store.claims.outOfDigest(slot, 'C0SECURITY#1')).toBe(true);
    expect(await store.claims.claim(slot, aClaim)).toBe(true);
    expect(await store.claims.intoDigest(slot, 'C0SECURITY#1')).toBe(false);
  });

  it('keeps the message of a digest and its replies apart', async () => {
    const root: MessageSlot = { digest: 'C0SECURITY#3', part: 'root' };
    await store.claims.claim(root, aClaim);
    await store.claims.posted(root, standing);
    expect(await store.claims.read(root)).toMatchObject({ state: 'posted', ts: standing.ts });
    expect(await store.claims.read({ ...root, part: 'escalated' })).toBeNull();
  });

  it('lets a claim that was stored without a lease be taken over', async () => {
    const slot = aSlot();
    const { postId, claimedAt, channel } = aClaim;
    const old = { state: 'claimed', postId, claimedAt, channel };
    const Item = { pk: `KEY#${keyArn}`, sk: `MESSAGE#${slot.episode}#root`, ...old };
    await store.client.send(new PutCommand({ TableName: store.tableName, Item }));
    expect(await store.claims.read(slot)).toMatchObject({ state: 'claimed', leaseUntil: null });
    expect(await store.claims.moveLease(slot, { from: null, to: leaseUntil })).toBe(true);
    expect(await store.claims.moveLease(slot, { from: null, to: leaseUntil })).toBe(false);
  });

  it('does not accept a row that it did not write', async () => {
    const slot = aSlot();
    await store.client.send(
      new PutCommand({
        TableName: store.tableName,
        Item: { pk: `KEY#${keyArn}`, sk: `MESSAGE#${slot.episode}#root`, state: 'posted', ts: 5 },
      }),
    );
    await expect(store.claims.read(slot)).rejects.toMatchObject({ name: '$ZodError' });
  });
}
