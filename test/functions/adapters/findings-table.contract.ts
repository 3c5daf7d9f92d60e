import { randomUUID } from 'node:crypto';
import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { createCarryOut } from '../../../functions/adapters/carry-out.ts';
import { digest } from '../../../functions/adapters/digest.ts';
import { PolicyChanged } from '../../../functions/adapters/policy-store.ts';
import { AlreadyHandled, VersionConflict } from '../../../functions/adapters/table-writes.ts';
import { INDEX_BY_GROUP, statusGroup } from '../../../functions/contracts/table.ts';
import { type ChainHead, EMPTY_CHAIN, seal, verifyChain } from '../../../functions/domain/audit.ts';
import type { Command } from '../../../functions/domain/commands.ts';
import { replay } from '../../../functions/domain/evolve.ts';
import type { FindingEvent } from '../../../functions/domain/finding-events.ts';
import type { KeyIdentity } from '../../../functions/domain/key.ts';
import { aKey, anOpening, aPersonRef, aPolicy, DAY_ONE, HISTORY, later } from '../../builders.ts';
import type { Findings, Store } from './store.ts';

function newKey(): KeyIdentity {
  const keyId = randomUUID();
  const arn = `arn:aws:kms:eu-central-1:444455556666:key/${keyId}`;
  return { arn, partition: 'aws', region: 'eu-central-1', accountId: '444455556666', keyId };
}

const opening = (key: KeyIdentity, facts: Parameters<typeof aKey>[0] = {}) =>
  anOpening({ key, facts: aKey({ ...key, ...facts }) });
const reminders = (count: number): FindingEvent[] =>
  Array.from({ length: count }, (_, index) => ({
    type: 'reminded',
    at: later({ hours: index + 1 }),
    reminder: index + 1,
  }));

/** What following `before` with these events asks of the table. */
function changeOf(before: ChainHead, events: FindingEvent[], more: { dueAt?: string; onceId?: string } = {}) {
  const context = { cause: { kind: 'slack', id: 'test' }, policyVersion: 'policy-1', newId: randomUUID } as const;
  const { records, head: after } = seal(before, events, context, digest);
  return { before, after, records, dueAt: more.dueAt ?? null, onceId: more.onceId ?? null };
}

/** The contract of whatever keeps findings: appending is atomic, a lost race is told, and what is due is found. */
export function describeFindings(open: () => Findings | Promise<Findings>): void {
  let table: Findings;
  beforeAll(async () => {
    table = await open();
  });

  async function append(before: ChainHead, events: FindingEvent[], more: Parameters<typeof changeOf>[2] = {}) {
    const change = changeOf(before, events, more);
    await table.append(change);
    return change.after;
  }

  function aWorld() {
    const carryOut = createCarryOut({
      table,
      loadPolicy: () => Promise.resolve({ policy: aPolicy(), version: 'policy-1' }),
      newId: randomUUID,
      digest,
    });
    const key = newKey();
    const run = (command: Command, onceId: string | null = null) =>
      carryOut({ keyArn: key.arn, cause: { kind: 'slack', id: 'test' }, onceId, command: () => command });
    const off: Command = {
      ...{ type: 'assess', at: DAY_ONE, key, facts: null, assessment: { verdict: 'rotation-off' }, route: 'default' },
      ...{ mode: 'ask', presentMode: 'ask', rotationPeriodInDays: 365 },
      trigger: { kind: 'kms-event', eventId: 'e', eventName: 'n', at: DAY_ONE },
    };
    const approve: Command = {
      ...{ type: 'approve', at: DAY_ONE, episode: 1, by: aPersonRef(), rotationPeriodInDays: 365 },
      verdict: { allowed: true },
    };
    return { key, run, off, approve };
  }

  describe('carrying out a command', () => {
    it('appends events and moves the finding together', async () => {
      const { key, run, off, approve } = aWorld();
      await run(off);
      await run(approve);

      const head = await table.load(key.arn);
      const { finding } = head;
      const trail = await table.auditOf(key.arn);
      expect(finding?.status).toBe('approved');
      expect(trail.map(({ event }) => event.type)).toEqual(['finding-opened', 'remediation-approved']);
      expect(verifyChain(trail, digest, head)).toEqual({ intact: true, events: 2 });
      expect(replay(trail.map(({ event }) => event))).toEqual(finding);
    });

    it('does once what is asked twice under one id', async () => {
      const { key, run, off } = aWorld();
      await run(off, `event-${key.keyId}`);
      const again = await run(
        { ...off, assessment: { verdict: 'period-too-long', periodInDays: 400, maximumPeriodInDays: 365 } },
        `event-${key.keyId}`,
      );
      expect(again.decision).toEqual({ outcome: 'ignored', because: 'duplicate-delivery' });
      expect(await table.auditOf(key.arn)).toHaveLength(1);
    });

    it('lets one of two simultaneous approvals win and tells the other who decided', async () => {
      const { key, run, off, approve } = aWorld();
      await run(off);
      const results = await Promise.all([run(approve, `a-${key.keyId}`), run(approve, `b-${key.keyId}`)]);
      expect(results.map(({ decision }) => decision.outcome).sort()).toEqual(['accepted', 'refused']);
      expect(results.find(({ decision }) => decision.outcome === 'refused')?.decision).toMatchObject({
        refusal: { reason: 'already-decided', status: 'approved', by: aPersonRef().name },
      });
      const types = (await table.auditOf(key.arn)).map(({ event }) => event.type);
      expect(types).toEqual(['finding-opened', 'remediation-approved', 'command-refused']);
    });

    it('records a refusal and leaves the finding as it was', async () => {
      const { key, run, off, approve } = aWorld();
      await run(off);
      const before = (await table.load(key.arn)).finding;
      await run({ ...approve, verdict: { allowed: false, reason: 'guest' } });
      expect((await table.load(key.arn)).finding).toEqual(before);
      expect((await table.auditOf(key.arn)).at(-1)?.event).toMatchObject({
        type: 'command-refused',
        refusal: { reason: 'guest' },
      });
    });
  });

  describe('appending', () => {
    it('begins with an empty chain', async () => {
      expect(await table.load(newKey().arn)).toEqual(EMPTY_CHAIN);
      expect(await table.auditOf(newKey().arn)).toEqual([]);
    });

    it('gives back what was stored, to the last field, and at once', async () => {
      for (const [, ...rest] of Object.values(HISTORY)) {
        const key = newKey();
        const change = changeOf(EMPTY_CHAIN, [opening(key), ...rest]);
        await table.append(change);
        expect(await table.load(key.arn)).toEqual(change.after);
        expect(await table.auditOf(key.arn)).toEqual(change.records);
      }
    });

    it('keeps a long trail in the order of its numbers', async () => {
      const key = newKey();
      let head = await append(EMPTY_CHAIN, [opening(key), ...reminders(60)]);
      for (const reminder of reminders(3)) head = await append(head, [reminder]);
      const trail = await table.auditOf(key.arn);
      expect(trail.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 64 }, (_, index) => index + 1));
      expect(verifyChain(trail, digest, head)).toEqual({ intact: true, events: 64 });
    });

    it('refuses a second beginning, and writes nothing of it', async () => {
      const key = newKey();
      const head = await append(EMPTY_CHAIN, [opening(key)]);
      await expect(append(EMPTY_CHAIN, [opening(key), ...reminders(2)])).rejects.toThrow(VersionConflict);
      expect(await table.load(key.arn)).toEqual(head);
      expect(await table.auditOf(key.arn)).toHaveLength(1);
    });

    it('refuses what stands on an older version, and writes nothing of it', async () => {
      const key = newKey();
      const first = await append(EMPTY_CHAIN, [opening(key)]);
      const second = await append(first, reminders(1));
      const due = { dueAt: later({ hours: 1 }) };
      await expect(append(first, reminders(2), due)).rejects.toThrow(VersionConflict);
      expect(await table.load(key.arn)).toEqual(second);
      expect(await table.auditOf(key.arn)).toHaveLength(2);
    });

    it('refuses what stands on another chain of the same length', async () => {
      const key = newKey();
      await append(EMPTY_CHAIN, [opening(key)]);
      const { after: forged } = changeOf(EMPTY_CHAIN, [opening(key, { description: 'another' })]);
      await expect(append(forged, reminders(1))).rejects.toThrow(VersionConflict);
    });

    it('says that a cause was handled before, also when the finding has moved', async () => {
      const [key, other] = [newKey(), newKey()];
      const onceId = randomUUID();
      const head = await append(EMPTY_CHAIN, [opening(key)], { onceId });
      await expect(append(head, reminders(1), { onceId })).rejects.toThrow(AlreadyHandled);
      await expect(append(EMPTY_CHAIN, [opening(key)], { onceId })).rejects.toThrow(AlreadyHandled);
      await expect(append(EMPTY_CHAIN, [opening(other)], { onceId })).rejects.toThrow(AlreadyHandled);
      expect(await table.load(other.arn)).toEqual(EMPTY_CHAIN);
    });

    it('does not use up a cause whose change lost the race', async () => {
      const key = newKey();
      const head = await append(EMPTY_CHAIN, [opening(key)]);
      const onceId = randomUUID();
      await expect(append(EMPTY_CHAIN, [opening(key)], { onceId })).rejects.toThrow(VersionConflict);
      await append(head, reminders(1), { onceId });
      expect((await table.load(key.arn)).sequence).toBe(2);
    });

    it('lets exactly one of many changes of the same version win', async () => {
      const key = newKey();
      const head = await append(EMPTY_CHAIN, [opening(key)]);
      const race = await Promise.allSettled(Array.from({ length: 12 }, () => append(head, reminders(2))));
      const lost = race.flatMap((each): unknown[] => (each.status === 'rejected' ? [each.reason] : []));
      expect(lost.filter((reason) => reason instanceof VersionConflict)).toHaveLength(11);
      const stored = await table.load(key.arn);
      expect(verifyChain(await table.auditOf(key.arn), digest, stored)).toEqual({ intact: true, events: 3 });
    });
  });

  describe('what is due', () => {
    const keys = [newKey(), newKey(), newKey()] as const;
    const heads: ChainHead[] = [];
    const hour = (hours: number) => later({ days: 900, hours });
    beforeAll(async () => {
      const [late, early, middle] = keys;
      heads.push(await append(EMPTY_CHAIN, [opening(late)], { dueAt: hour(3) }));
      heads.push(await append(EMPTY_CHAIN, [opening(early)], { dueAt: hour(1) }));
      heads.push(await append(EMPTY_CHAIN, [opening(middle)], { dueAt: hour(2) }));
      await append(EMPTY_CHAIN, [opening(newKey())]);
    });
    const due = async (now: string, limit = 100) =>
      (await table.findingsDueBefore(now, limit))
        .map(({ keyArn }) => keys.findIndex(({ arn }) => arn === keyArn))
        .filter((index) => index >= 0);

    it('comes with the most overdue first', async () => {
      expect(await due(hour(9))).toEqual([1, 2, 0]);
    });
    it('counts a deadline at this very instant', async () => {
      expect(await due(hour(2))).toEqual([1, 2]);
      expect(await due(later({ days: 900, hours: 2, milliseconds: -1 }))).toEqual([1]);
    });
    it('is not more than asked for', async () => {
      expect(await table.findingsDueBefore(hour(9), 2)).toHaveLength(2);
    });
    it('moves with the finding, and goes when nothing is due any more', async () => {
      const [, early, middle] = heads;
      if (early === undefined || middle === undefined) throw new Error('the findings were not stored');
      await append(early, reminders(1), { dueAt: hour(8) });
      await append(middle, reminders(1));
      expect(await due(hour(9))).toEqual([0, 1]);
    });
  });
}

/** What only the table itself has: its indexes, the policy, and the pages of DynamoDB. */
export function describeFindingsTable(open: () => Promise<Store>): void {
  let store: Store;
  beforeAll(async () => {
    store = await open();
  });
  afterAll(() => store.close());
  const append = (events: FindingEvent[]) => store.table.append(changeOf(EMPTY_CHAIN, events));
  const arns = (rows: { key: KeyIdentity }[]) => rows.map(({ key }) => key.arn);

  describe('the indexes', () => {
    it('find findings by status, and not by the status they had', async () => {
      const key = newKey();
      const first = changeOf(EMPTY_CHAIN, [opening(key)]);
      await store.table.append(first);
      expect(arns(await store.table.findingsByStatus('open'))).toContain(key.arn);
      const [, approval] = HISTORY.approved;
      if (approval === undefined) throw new Error('an approved finding was approved');
      await store.table.append(changeOf(first.after, [approval]));
      expect(arns(await store.table.findingsByStatus('open'))).not.toContain(key.arn);
      expect(arns(await store.table.findingsByStatus('approved'))).toContain(key.arn);
    });

    it('find the events of a day across keys, in order of time', async () => {
      const [one, other] = [newKey(), newKey()];
      const day = (hours: number) => later({ days: 400, hours });
      const reminded = (hours: number): FindingEvent => ({ type: 'reminded', at: day(hours), reminder: 1 });
      await append([opening(one), reminded(1), reminded(5), reminded(16)]);
      await append([opening(other), reminded(2)]);
      const times = (await store.table.auditOfDay(day(0).slice(0, 10))).map(({ event }) => event.at);
      expect(times).toEqual([day(1), day(2), day(5)]);
    });

    it('find what a person decided or was refused', async () => {
      const [key, person] = [newKey(), aPersonRef({ userId: `U${randomUUID()}` })];
      const at = (hours: number) => later({ hours });
      await append([
        opening(key),
        { type: 'recheck-requested', at: at(1), by: person },
        { type: 'reminded', at: at(2), reminder: 1 },
        {
          ...{ type: 'command-refused', at: at(3), command: 'approve', refusal: { reason: 'guest' } },
          by: { kind: 'person', person },
        },
      ]);
      const found = await store.table.auditOfPerson(person.teamId, person.userId);
      expect(found.map(({ event }) => event.type)).toEqual(['recheck-requested', 'command-refused']);
      expect(await store.table.auditOfPerson('T0OTHER', person.userId)).toEqual([]);
    });

    it('give everything that does not fit on one page', async () => {
      // A page of a query ends at 1 MB (DynamoDB Developer Guide, "Paginating table query results").
      const keys = Array.from({ length: 7 }, newKey);
      for (const key of keys) {
        await append([opening(key, { description: 'x'.repeat(180_000) }), ...HISTORY.closed.slice(1)]);
      }
      const { Items: onePage, LastEvaluatedKey: more } = await store.client.send(
        new QueryCommand({
          TableName: store.tableName,
          IndexName: INDEX_BY_GROUP,
          KeyConditionExpression: 'groupKey = :closed',
          ExpressionAttributeValues: { ':closed': statusGroup('closed') },
        }),
      );
      expect([onePage?.length === keys.length, more === undefined]).toEqual([false, false]);
      expect(arns(await store.table.findingsByStatus('closed')).sort()).toEqual(
        arns(keys.map((key) => ({ key }))).sort(),
      );
    });
  });

  describe('the policy store', () => {
    const at = new Date(DAY_ONE);
    const policyDocument = {
      version: 1,
      rotation: { periodInDays: 365, maximumPeriodInDays: 365 },
      organisation: { teamIds: ['T0TEAM'] },
      defaultRoute: { channel: 'C0CHANNEL', approvers: { users: ['U0PERSON'] } },
      exemptions: { maximumDays: 90 },
    };

    it('has no policy to begin with', async () => {
      await expect(store.policiesAt(() => at).loadPolicy()).rejects.toMatchObject({ name: 'PolicyUnreadable' });
    });

    it('refuses a bad policy and keeps the good one', async () => {
      const policies = store.policiesAt(() => at);
      const { version } = await policies.putPolicy(policyDocument);
      await expect(policies.putPolicy({ version: 1 })).rejects.toMatchObject({ name: 'InvalidPolicy' });
      const loaded = await store.policiesAt(() => at).loadPolicy();
      expect(loaded.policy.rotation.periodInDays).toBe(365);
      expect(loaded.version).toBe(version);
    });

    it('replaces the policy that was looked at and no other, and keeps what was stored', async () => {
      const policies = store.policiesAt(() => at);
      const first = await policies.putPolicy(policyDocument);
      const changed = { ...policyDocument, backOut: { windowDays: 3 } };
      const second = await policies.putPolicy(changed, first.version);
      await expect(
        policies.putPolicy({ ...policyDocument, backOut: { windowDays: 4 } }, first.version),
      ).rejects.toThrow(PolicyChanged);
      expect(await policies.storedPolicy()).toMatchObject({ document: changed, version: second.version });
      const history = await policies.policyHistory();
      expect(history.map(({ version }) => version)).toEqual(expect.arrayContaining([first.version, second.version]));
    });
  });
}
