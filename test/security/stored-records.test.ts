import { DeleteCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { eventSortKey, POLICY_PARTITION, partitionOf, SNAPSHOT_SORT_KEY } from '../../functions/contracts/table.ts';
import { TABLE_NAME } from '../../sandbox/deploy.ts';
import { type Bot, startBot } from './support/bot.ts';

let bot: Bot;
beforeAll(async () => {
  bot = await startBot();
}, 30_000);
afterAll(() => bot.stop(), 30_000);

const row = z.looseObject({ pk: z.string(), sk: z.string(), record: z.looseObject({ sequence: z.int() }).optional() });

/** A key with a trail of four events, intact. */
async function aTrail(): Promise<string> {
  const arn = await bot.openFinding();
  for (const user of ['U0VIEWER', 'U0GUEST', 'U0OUTSIDER']) await bot.visitor.click(user, arn, 'approve');
  const { events, chain } = await bot.visitor.audit(arn);
  expect(chain.intact).toBe(true);
  expect(events.length).toBe(4);
  return arn;
}

const at = (arn: string, sk: string) => ({ TableName: TABLE_NAME, Key: { pk: partitionOf(arn), sk } });
const problemOf = async (arn: string) => (await bot.visitor.audit(arn)).chain.problem;
const remove = (arn: string, sequence: number) => bot.table.send(new DeleteCommand(at(arn, eventSortKey(sequence))));

describe('in the audit trail', () => {
  let arn: string;
  beforeEach(async () => {
    arn = await aTrail();
  }, 30_000);

  it('audit event altered', async () => {
    await bot.table.send(
      new UpdateCommand({
        ...at(arn, eventSortKey(3)),
        UpdateExpression: 'SET #record.#event.#by.person.userId = :other',
        ExpressionAttributeNames: { '#record': 'record', '#event': 'event', '#by': 'by' },
        ExpressionAttributeValues: { ':other': 'U0APPROVER2' },
      }),
    );
    expect(await problemOf(arn)).toBe('event 3 was altered');
  }, 30_000);

  it('audit event removed', async () => {
    await remove(arn, 2);
    expect(await problemOf(arn)).toBe('event 2 is missing, found 3');
  }, 30_000);

  it('audit event inserted', async () => {
    const rows = (await bot.rows()).map((item) => row.parse(item));
    const last = rows.find(({ pk, sk }) => pk === partitionOf(arn) && sk === eventSortKey(4));
    const record = { ...last?.record, sequence: 5 };
    await bot.table.send(new PutCommand({ TableName: TABLE_NAME, Item: { ...last, sk: eventSortKey(5), record } }));
    expect(await problemOf(arn)).toBe('event 5 does not follow the event before it');
  }, 30_000);

  it('audit trail cut off at its end', async () => {
    await remove(arn, 4);
    expect(await problemOf(arn)).toBe('event 4 is missing: the snapshot stands at event 4');
  }, 30_000);
});

it('finding row edited', async () => {
  const arn = await bot.openFinding();
  const rows = (await bot.rows()).map((item) => row.parse(item));
  const snapshot = rows.find(({ pk, sk }) => pk === partitionOf(arn) && sk === SNAPSHOT_SORT_KEY);
  const now = new Date().toISOString();
  const approved = {
    ...{ status: 'approved', approval: { by: { kind: 'policy', route: 'default' }, at: now } },
    ...{ remedy: { id: 'enable-rotation', rotationPeriodInDays: 365 }, startedAt: null, lastActivityAt: now },
    ...{ thenExempt: null, overdueReports: 0 },
  };
  const finding = { ...z.looseObject({}).parse(snapshot?.['finding']), ...approved };
  await bot.table.send(new PutCommand({ TableName: TABLE_NAME, Item: { ...snapshot, finding } }));
  await bot.visitor.settle();
  // Nothing reacts to an edited row by itself, and whoever verifies the trail sees the edit.
  expect((await bot.visitor.rotationOf(arn)).enabled).toBe(false);
  expect(await problemOf(arn)).toBe('the stored finding is not what its events lead to');
}, 30_000);

it('policy row made invalid', async () => {
  const arn = await bot.openFinding();
  const policy = { TableName: TABLE_NAME, Key: { pk: POLICY_PARTITION, sk: 'CURRENT' } };
  const setMaximum = (days: unknown) =>
    bot.table.send(
      new UpdateCommand({
        ...policy,
        UpdateExpression: 'SET #document.exemptions.maximumDays = :days',
        ExpressionAttributeNames: { '#document': 'document' },
        ExpressionAttributeValues: { ':days': days },
      }),
    );
  await setMaximum('for ever');
  // A policy is remembered for a minute; afterwards the sweep finds it unreadable and says so.
  await bot.visitor.advance('2m');
  const { ephemerals } = await bot.visitor.click('U0APPROVER', arn, 'approve');
  expect(ephemerals.map(({ text }) => text).join()).toMatch(/could not be finished just now/);
  expect(await bot.visitor.trail(arn)).toEqual(['finding-opened']);
  await setMaximum(90);
  await bot.visitor.settle();
  expect((await bot.visitor.rotationOf(arn)).enabled).toBe(false);
  expect(await bot.visitor.notices()).toContainEqual(
    expect.objectContaining({ kind: 'alert', alert: 'policy-unreadable' }),
  );
}, 30_000);
