import { randomUUID } from 'node:crypto';
import { createCarryOut } from '../../../functions/adapters/carry-out.ts';
import { digest } from '../../../functions/adapters/digest.ts';
import { type DynamoDbTable, TransactionRefused } from '../../../functions/adapters/dynamodb.ts';
import { createFindingsTable } from '../../../functions/adapters/findings-table.ts';
import { createPolicyStore } from '../../../functions/adapters/policy-store.ts';
import type { Command } from '../../../functions/domain/commands.ts';
import { describeFindings, describeFindingsTable } from './findings-table.contract.ts';
import { openInMemoryFindings, openSandboxStore, type Store } from './store.ts';
import { openTables, type Tables, WAYS } from './support/dynamodb-tables.ts';

describe.each(WAYS)('the findings table on the sandbox’s DynamoDB over %s', (way) => {
  let store: Store;
  afterAll(() => store.close());
  describeFindings(async () => {
    store = await openSandboxStore(way);
    return store.table;
  });
  describeFindingsTable(() => openSandboxStore(way));
});

describe('the fake of the use cases’ tests', () => {
  describeFindings(openInMemoryFindings);
});

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
    ...{
      mode: 'ask',
      presentMode: 'ask',
      rotationPeriodInDays: 365,
      trigger: { kind: 'kms-event', eventId: 'e', eventName: 'n', at: AT },
    },
  };
  const approve: Command = {
    ...{ type: 'approve', at: AT, episode: 1, by: person, verdict: allowed, rotationPeriodInDays: 365 },
  };
  return { table, key, run, off, approve };
}

describe.each(WAYS)('a write whose answer is lost, over %s', (way) => {
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
