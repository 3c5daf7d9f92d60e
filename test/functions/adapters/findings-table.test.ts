import { randomUUID } from 'node:crypto';
import { createCarryOut } from '../../../functions/adapters/carry-out.ts';
import { digest } from '../../../functions/adapters/digest.ts';
import { type DynamoDbTable, TransactionRefused } from '../../../functions/adapters/dynamodb.ts';
import { createFindingsTable } from '../../../functions/adapters/findings-table.ts';
import { createPolicyStore } from '../../../functions/adapters/policy-store.ts';
import { verifyChain } from '../../../functions/domain/audit.ts';
import type { Command } from '../../../functions/domain/commands.ts';
import { replay } from '../../../functions/domain/evolve.ts';
import { openTables, type Tables, WAYS } from './support/dynamodb-tables.ts';

const AT = '2026-03-01T12:00:00.000Z';
const person = { userId: 'U0PERSON', teamId: 'T0TEAM', name: 'Person', email: 'person@example.com' };
const allowed = { allowed: true as const };

const policyDocument = {
  version: 1,
  rotation: { periodInDays: 365, maximumPeriodInDays: 365 },
  organisation: { teamIds: ['T0TEAM'] },
  defaultRoute: { channel: 'C0CHANNEL', approvers: { users: ['U0PERSON'] } },
  exemptions: { maximumDays: 90 },
};

let tables: Tables;
beforeAll(async () => {
  tables = await openTables();
  const table = tables.ways['the AWS SDK'];
  await createPolicyStore({ table, now: () => new Date(AT) }).putPolicy(policyDocument);
});
afterAll(() => tables.close());

function aKey() {
  const keyId = randomUUID();
  const arn = `arn:aws:kms:eu-central-1:444455556666:key/${keyId}`;
  return { arn, partition: 'aws', region: 'eu-central-1', accountId: '444455556666', keyId };
}

function aWorld(dynamoDb: DynamoDbTable) {
  const table = createFindingsTable(dynamoDb);
  const policies = createPolicyStore({ table: dynamoDb, now: () => new Date(AT) });
  const carryOut = createCarryOut({ table, loadPolicy: () => policies.loadPolicy(), newId: randomUUID, digest });
  const key = aKey();
  const run = (command: Command, onceId: string | null = null) =>
    carryOut({ keyArn: key.arn, cause: { kind: 'slack', id: 'test' }, onceId, command: () => command });
  const off: Command = {
    ...{ type: 'assess', at: AT, key, facts: null, assessment: { verdict: 'rotation-off' }, route: 'default' },
    ...{ mode: 'ask', rotationPeriodInDays: 365, trigger: { kind: 'kms-event', eventId: 'e', eventName: 'n', at: AT } },
  };
  const approve: Command = {
    ...{ type: 'approve', at: AT, episode: 1, by: person, verdict: allowed, rotationPeriodInDays: 365 },
  };
  return { table, key, run, off, approve };
}

describe.each(WAYS)('carrying out a command over %s', (way) => {
  const world = () => aWorld(tables.ways[way]);

  it('appends events and moves the finding together', async () => {
    const { table, key, run, off, approve } = world();
    await run(off);
    await run(approve);

    const { finding, sequence, hash } = await table.load(key.arn);
    const trail = await table.auditOf(key.arn);
    expect(finding?.status).toBe('approved');
    expect(trail.map(({ event }) => event.type)).toEqual(['finding-opened', 'remediation-approved']);
    expect(verifyChain(trail, digest, { sequence, hash })).toEqual({ intact: true, events: 2 });
    expect(replay(trail.map(({ event }) => event))).toEqual(finding);
  });

  it('does once what is asked twice under one id', async () => {
    const { table, key, run, off } = world();
    await run(off, `event-${key.keyId}`);
    const again = await run(
      { ...off, assessment: { verdict: 'period-too-long', periodInDays: 400, maximumPeriodInDays: 365 } },
      `event-${key.keyId}`,
    );
    expect(again.decision).toEqual({ outcome: 'ignored', because: 'duplicate-delivery' });
    expect(await table.auditOf(key.arn)).toHaveLength(1);
  });

  it('lets one of two simultaneous approvals win and tells the other who decided', async () => {
    const { table, key, run, off, approve } = world();
    await run(off);
    const results = await Promise.all([run(approve, `a-${key.keyId}`), run(approve, `b-${key.keyId}`)]);
    expect(results.map(({ decision }) => decision.outcome).sort()).toEqual(['accepted', 'refused']);
    expect(results.find(({ decision }) => decision.outcome === 'refused')?.decision).toMatchObject({
      refusal: { reason: 'already-decided', status: 'approved', by: 'Person' },
    });
    const types = (await table.auditOf(key.arn)).map(({ event }) => event.type);
    expect(types).toEqual(['finding-opened', 'remediation-approved', 'command-refused']);
  });

  it('records a refusal and leaves the finding as it was', async () => {
    const { table, key, run, off, approve } = world();
    await run(off);
    const before = (await table.load(key.arn)).finding;
    await run({ ...approve, verdict: { allowed: false, reason: 'guest' } });
    expect((await table.load(key.arn)).finding).toEqual(before);
    expect((await table.auditOf(key.arn)).at(-1)?.event).toMatchObject({
      type: 'command-refused',
      refusal: { reason: 'guest' },
    });
  });

  it('is done when the write is stored, even if every answer to it is lost', async () => {
    const { ways, befall } = tables;
    const { key, table, run, off, approve } = aWorld({
      ...ways[way],
      async putTogether(puts) {
        befall('lost', 'unavailable', 'unavailable');
        await ways[way].putTogether(puts);
      },
    });
    await run(off, `event-${key.keyId}`);
    const { decision, finding } = await run(approve, `click-${key.keyId}`);
    expect(decision.outcome).toBe('accepted');
    expect(finding).toEqual((await table.load(key.arn)).finding);
    const types = (await table.auditOf(key.arn)).map(({ event }) => event.type);
    expect(types).toEqual(['finding-opened', 'remediation-approved']);
  });

  it('does not take its own write, sent again, for the decision of somebody else', async () => {
    const { key, table, run, off, approve } = aWorld({
      ...tables.ways[way],
      async putTogether(puts) {
        await tables.ways[way].putTogether(puts);
        await tables.ways[way].putTogether(puts);
      },
    });
    await run(off, null);
    expect((await run(approve, `click-${key.keyId}`)).decision.outcome).toBe('accepted');
    const types = (await table.auditOf(key.arn)).map(({ event }) => event.type);
    expect(types).toEqual(['finding-opened', 'remediation-approved']);
  });
});

it('does not decide again when DynamoDB refuses a transaction for another reason than a race', async () => {
  let asked = 0;
  const { run, off } = aWorld({
    ...tables.ways['the AWS SDK'],
    putTogether() {
      asked += 1;
      return Promise.reject(new TransactionRefused(['None', 'ValidationError']));
    },
  });
  await expect(run(off)).rejects.toBeInstanceOf(TransactionRefused);
  expect(asked).toBe(1);
});

describe.each(WAYS)('the access patterns over %s', (way) => {
  it('finds findings by status and by deadline, and events by day and by person', async () => {
    const { table, key, run, off, approve } = aWorld(tables.ways[way]);
    await run(off);
    const mine = (findings: { key: { arn: string } }[]) => findings.filter((finding) => finding.key.arn === key.arn);

    expect(mine(await table.findingsByStatus('open'))).toHaveLength(1);
    expect(mine(await table.findingsDueBefore('2026-03-01T15:59:59.999Z', 100))).toHaveLength(0);
    expect(mine(await table.findingsDueBefore('2026-03-01T16:00:00.000Z', 100))).toHaveLength(1);

    await run(approve);
    expect(mine(await table.findingsByStatus('open'))).toHaveLength(0);
    expect(mine(await table.auditOfDay('2026-03-01'))).toHaveLength(2);
    const decided = await table.auditOfPerson('T0TEAM', 'U0PERSON');
    expect(decided.filter((event) => event.key.arn === key.arn)).toHaveLength(1);
  });
});

describe('the policy store', () => {
  it('refuses a bad policy and keeps the good one', async () => {
    const store = createPolicyStore({ table: tables.ways.fetch, now: () => new Date(AT) });
    await expect(store.putPolicy({ version: 1 })).rejects.toMatchObject({ name: 'InvalidPolicy' });
    expect((await store.loadPolicy()).policy.rotation.periodInDays).toBe(365);
  });
});
