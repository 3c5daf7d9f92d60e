import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { tableOverSdk } from '../../../functions/adapters/dynamodb-sdk.ts';
import {
  createMessageClaims,
  type MessageClaims,
  type MessageSlot,
} from '../../../functions/adapters/message-claims.ts';
import { createTable, type OpenDynamoDb, openDynamoDb } from '../../sandbox/aws/dynamodb-fixture.ts';

let open: OpenDynamoDb;
let claims: MessageClaims;
let made = 0;
beforeAll(async () => {
  open = await openDynamoDb();
  await createTable(open.client, 'findings');
  claims = createMessageClaims(tableOverSdk({ client: open.client, tableName: 'findings' }));
});
afterAll(() => open.close());

const keyArn = 'arn:aws:kms:eu-central-1:444455556666:key/11111111-2222-3333-4444-555555555555';
const leaseUntil = '2026-03-02T10:01:30.000Z';
const aClaim = { postId: 'post-1', claimedAt: '2026-03-02T10:00:00.000Z', leaseUntil, channel: 'C0SECURITY' };
const standing = { channel: 'C0SECURITY', ts: '1772445600.000100', renderedVersion: 3 };
function aSlot(part: MessageSlot['part'] = 'root'): MessageSlot {
  made += 1;
  return { keyArn, episode: made, part };
}
async function givenPosted(): Promise<MessageSlot> {
  const slot = aSlot();
  await claims.claim(slot, aClaim);
  await claims.posted(slot, standing);
  return slot;
}

it('knows nothing of a message that nobody claimed', async () => {
  expect(await claims.read(aSlot())).toBeNull();
});

it('lets one of many claim a message', async () => {
  const slot = aSlot();
  const outcomes = await Promise.all(Array.from({ length: 5 }, () => claims.claim(slot, aClaim)));
  expect(outcomes.filter((won) => won)).toHaveLength(1);
  expect(await claims.read(slot)).toEqual({ state: 'claimed', ...aClaim, refusedWith: null });
});

it('keeps the message and each reply apart', async () => {
  const root = aSlot();
  await claims.claim(root, aClaim);
  expect(await claims.read({ ...root, part: 7 })).toBeNull();
  expect(await claims.read({ ...root, episode: 999 })).toBeNull();
});

it('remembers where a claimed message stands', async () => {
  const slot = await givenPosted();
  expect(await claims.read(slot)).toEqual({ state: 'posted', postId: 'post-1', ...standing, refusedWith: null });
  expect(await claims.claim(slot, aClaim)).toBe(false);
});

it('does not record a place for a message that is not claimed', async () => {
  expect(await claims.posted(aSlot(), standing)).toBe(false);
  expect(await claims.posted(await givenPosted(), standing)).toBe(false);
});

it('moves the shown version forward only', async () => {
  const slot = await givenPosted();
  expect(await claims.rendered(slot, 5)).toBe(true);
  expect(await claims.rendered(slot, 4)).toBe(false);
  expect(await claims.rendered(slot, 5)).toBe(false);
  expect(await claims.read(slot)).toMatchObject({ renderedVersion: 5 });
  expect(await claims.rendered(aSlot(), 1)).toBe(false);
});

it('lets a released message be claimed again', async () => {
  const slot = await givenPosted();
  expect(await claims.release(slot)).toBe(true);
  expect(await claims.read(slot)).toEqual({ state: 'released', refusedWith: null });
  expect(await claims.claim(slot, { ...aClaim, channel: 'C0PAYMENTS' })).toBe(true);
  expect(await claims.read(slot)).toMatchObject({ state: 'claimed', channel: 'C0PAYMENTS' });
});

it('remembers a reported refusal through release and claim', async () => {
  const slot = aSlot();
  expect(await claims.reported(slot, 'is_archived')).toBe(false);
  await claims.claim(slot, aClaim);
  expect(await claims.reported(slot, 'is_archived')).toBe(true);
  await claims.release(slot);
  await claims.claim(slot, aClaim);
  await claims.posted(slot, standing);
  expect(await claims.read(slot)).toMatchObject({ state: 'posted', refusedWith: 'is_archived' });
});

it('lets one of many take a claim over', async () => {
  const slot = aSlot();
  await claims.claim(slot, aClaim);
  const later = { from: leaseUntil, to: '2026-03-02T10:03:00.000Z' };
  const outcomes = await Promise.all(Array.from({ length: 5 }, () => claims.moveLease(slot, later)));
  expect(outcomes.filter((won) => won)).toHaveLength(1);
  expect(await claims.read(slot)).toMatchObject({ state: 'claimed', leaseUntil: later.to });
});

it('moves the lease of a claim only', async () => {
  const lease = { from: leaseUntil, to: leaseUntil };
  expect(await claims.moveLease(aSlot(), lease)).toBe(false);
  expect(await claims.moveLease(await givenPosted(), lease)).toBe(false);
});

it('lets a claim that was stored without a lease be taken over', async () => {
  const slot = aSlot();
  const { leaseUntil: _none, ...old } = aClaim;
  const Item = { pk: `KEY#${keyArn}`, sk: `MESSAGE#${slot.episode}#root`, state: 'claimed', ...old };
  await open.client.send(new PutCommand({ TableName: 'findings', Item }));
  expect(await claims.read(slot)).toMatchObject({ state: 'claimed', leaseUntil: null });
  expect(await claims.moveLease(slot, { from: null, to: leaseUntil })).toBe(true);
  expect(await claims.moveLease(slot, { from: null, to: leaseUntil })).toBe(false);
});

it('does not accept a row that it did not write', async () => {
  const slot = aSlot();
  await open.client.send(
    new PutCommand({
      TableName: 'findings',
      Item: { pk: `KEY#${keyArn}`, sk: `MESSAGE#${slot.episode}#root`, state: 'posted', ts: 5 },
    }),
  );
  await expect(claims.read(slot)).rejects.toMatchObject({ name: '$ZodError' });
});
