import { createDigestUpkeep } from '../../../functions/adapters/digest-upkeep.ts';
import { createDigests } from '../../../functions/adapters/digests-table.ts';
import { type Batch, memberOf } from '../../../functions/domain/digest.ts';
import type { FindingEvent } from '../../../functions/domain/finding-events.ts';
import type { KeyIdentity } from '../../../functions/domain/key.ts';
import { approveBatch, type BatchDeps } from '../../../functions/sweep-keys/approve-batch.ts';
import { keepDigests } from '../../../functions/sweep-keys/keep-digests.ts';
import { aKey, anApproval, anOpening, aPerson, aPolicy, KEY, later } from '../../builders.ts';
import { createInMemoryFindings } from '../../fakes/in-memory-findings.ts';
import { openTables, type Tables } from '../adapters/support/dynamodb-tables.ts';

const APPROVER = aPerson({ userId: 'U0APPROVER' });
const REF = { requestId: 'request-1' };
const PAYMENTS = '444455556666';

let tables: Tables;
beforeAll(async () => {
  tables = await openTables();
});
afterAll(() => tables.close());

let storms = 0;

/** A digest with keys 1 to `keys`, of two accounts in turn, and one person's approval of all of them. */
async function aWorld(keys: number, changes: Partial<Batch> = {}) {
  storms += 1;
  const policy = aPolicy();
  policy.defaultRoute.approvers = { users: [APPROVER.userId], userGroups: ['S0APPROVERS'] };
  const findings = createInMemoryFindings(policy);
  const table = tables.ways['the AWS SDK'];
  const digests = { ...createDigests(table), ...createDigestUpkeep(table) };
  const clock = { now: later({ hours: 1 }) };
  const paused: number[] = [];
  const digest = await digests.current(`C0STORM${storms}`, later({}));
  async function join(number: number, more: FindingEvent[] = [], opening: Parameters<typeof anOpening>[0] = {}) {
    const key = keyNumber(number);
    await findings.given([anOpening({ key, facts: aKey({ ...key }), ...opening }), ...more]);
    const finding = await findings.loadFinding(key.arn);
    if (finding !== undefined)
      await digests.putMember(digest, memberOf(finding, policy.digest), 1, later({ minutes: 1 }));
  }
  for (let number = 1; number <= keys; number += 1) await join(number);
  const batch: Batch = {
    ...{
      digest,
      ...REF,
      at: later({ minutes: 30 }),
      person: APPROVER,
      groups: { known: true, groupIds: [], gone: [] },
    },
    ...{ policyVersion: '1', upTo: later({ minutes: 29 }), count: keys, ...changes },
  };
  await digests.putBatch(batch);
  const deps = (other: Partial<BatchDeps> = {}) => ({
    now: () => clock.now,
    pause: (milliseconds: number) => {
      paused.push(milliseconds);
      clock.now = new Date(Date.parse(clock.now) + milliseconds).toISOString();
      return Promise.resolve();
    },
    hasTime: () => true,
    loadPolicy: findings.loadPolicy,
    digests,
    carryOut: findings.carryOut,
    ...other,
  });
  const types = (number: number) => findings.eventTypes(keyNumber(number).arn);
  const run = (other: Partial<BatchDeps> = {}) => approveBatch({ digest, ...REF }, deps(other));
  return { policy, findings, digests, clock, paused, digest, batch, join, deps, types, run };
}

function keyNumber(number: number): KeyIdentity {
  const keyId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  const accountId = number % 2 === 0 ? PAYMENTS : KEY.accountId;
  return { ...KEY, keyId, accountId, arn: KEY.arn.replace(KEY.keyId, keyId).replace(KEY.accountId, accountId) };
}
/** Answers true so often, then false. */
function times(count: number): () => boolean {
  let left = count;
  return () => {
    left -= 1;
    return left >= 0;
  };
}

describe('an "Approve all"', () => {
  it('approves each key as the person who clicked, and ends', async () => {
    const world = await aWorld(3);
    expect(await world.run()).toEqual({ outcome: 'done', approved: 3, refused: 0 });
    for (const number of [1, 2, 3]) {
      const record = world.findings.auditOf(keyNumber(number).arn).at(-1);
      expect(record?.cause).toEqual({ kind: 'slack', id: 'request-1' });
      const { userId, teamId, name, email } = APPROVER;
      const at = record?.event.at;
      const approval = { by: { kind: 'person', person: { userId, teamId, name, email } }, at };
      expect(record?.event).toMatchObject({ type: 'remediation-approved', approval });
    }
    expect(await world.digests.loadBatch(world.batch)).toMatchObject({ doneAt: world.clock.now, refused: 0 });
    expect(await world.run()).toEqual({ outcome: 'nothing-to-do', approved: 0, refused: 0 });
  });

  it('approves no more than five a second in an account and Region', async () => {
    const world = await aWorld(5);
    await world.run();
    // Three of one account, two of the other: three rounds of a fifth of a second.
    expect(world.paused).toEqual([200, 200, 200]);
  });

  it('leaves alone what is not for it, what joined later, and what was decided meanwhile', async () => {
    const world = await aWorld(1);
    const imported = { verdict: 'manual-rotation-due', pendingKeyMaterialId: null, lastRotatedAt: null } as const;
    await world.join(2, [], { assessment: imported });
    await world.join(3, [anApproval()]);
    await world.join(4);
    await world.findings.carryOut({
      ...{ keyArn: keyNumber(4).arn, cause: { kind: 'slack', id: 'another' }, onceId: null },
      command: () => ({
        ...{ type: 'approve', at: later({ minutes: 40 }), episode: 1, by: aPerson({ userId: 'U0OTHER' }) },
        ...{ verdict: { allowed: true }, rotationPeriodInDays: 365 },
      }),
    });
    const late = memberOf((await world.findings.loadFinding(keyNumber(1).arn)) ?? fail(), world.policy.digest);
    await world.findings.given([anOpening({ key: keyNumber(5) })]);
    await world.digests.putMember(world.digest, { ...late, key: keyNumber(5) }, 1, later({ minutes: 31 }));
    expect(await world.run()).toEqual({ outcome: 'done', approved: 1, refused: 0 });
    expect(world.types(2)).toEqual(['finding-opened']);
    expect(world.types(4)).toEqual(['finding-opened', 'remediation-approved']);
    expect(world.types(5)).toEqual(['finding-opened']);
  });

  it('judges authority by the route of each finding, and records each refusal there, once', async () => {
    const world = await aWorld(3);
    world.policy.routes.push({
      ...{ ...world.policy.defaultRoute, name: 'payments', match: { accounts: [PAYMENTS] } },
      approvers: { users: ['U0SOMEBODYELSE'], userGroups: [] },
    });
    await world.join(4, [], { route: 'payments' });
    const half = await world.run({ hasTime: times(3) });
    expect(half).toMatchObject({ outcome: 'passed-on' });
    expect(await world.run()).toMatchObject({ outcome: 'done', refused: 1 });
    expect(world.types(4)).toEqual(['finding-opened', 'command-refused']);
    expect(world.types(2)).toEqual(['finding-opened', 'remediation-approved']);
    expect(await world.digests.loadBatch(world.batch)).toMatchObject({ refused: 1 });
  });

  it.each([
    [{ isDeactivated: true }, 'deactivated'],
    [{ isGuest: true }, 'guest'],
    [{ isStranger: true }, 'outside-organisation'],
  ])('is refused key by key for %j', async (facts, reason) => {
    const world = await aWorld(2, { person: { ...APPROVER, ...facts } });
    expect(await world.run()).toMatchObject({ approved: 0, refused: 2 });
    expect(world.findings.auditOf(keyNumber(1).arn).at(-1)?.event).toMatchObject({ refusal: { reason } });
  });

  it('counts a user group only if Slack has said so at the click', async () => {
    const inGroup = {
      person: aPerson({ userId: 'U0MEMBER' }),
      groups: { known: true, groupIds: ['S0APPROVERS'], gone: [] },
    } as const;
    const world = await aWorld(1, { ...inGroup, groups: { known: true, groupIds: ['S0APPROVERS'], gone: [] } });
    expect(await world.run()).toMatchObject({ approved: 1 });
    const without = await aWorld(1, { ...inGroup, groups: { known: false } });
    expect(await without.run()).toMatchObject({ approved: 0, refused: 1 });
  });
});

describe('a run that does not come to the end', () => {
  it('is gone on with where it stopped, without deciding anything twice', async () => {
    const world = await aWorld(6);
    expect(await world.run({ hasTime: times(2) })).toEqual({ outcome: 'passed-on', approved: 2, refused: 0 });
    expect(await world.run()).toEqual({ outcome: 'done', approved: 4, refused: 0 });
    for (const number of [1, 2, 3, 4, 5, 6])
      expect(world.types(number)).toEqual(['finding-opened', 'remediation-approved']);
  });

  it('keeps others away until it must be dead, and is then gone on with by the clock', async () => {
    const world = await aWorld(2);
    let calls = 0;
    const dying = () => {
      calls += 1;
      return calls === 2 ? new Promise<never>(() => undefined) : world.findings.carryOut(arguments_());
    };
    const arguments_ = () => ({
      ...{ keyArn: keyNumber(1).arn, cause: { kind: 'slack' as const, id: 'request-1' }, onceId: null },
      command: () => null,
    });
    void world.run({ carryOut: dying });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await world.run()).toMatchObject({ outcome: 'with-another-run' });
    world.clock.now = later({ hours: 1, minutes: 2 });
    await keepDigests({ ...world.deps(), digests: world.digests });
    expect(world.types(1)).toEqual(['finding-opened', 'remediation-approved']);
    expect(world.types(2)).toEqual(['finding-opened', 'remediation-approved']);
  });

  it('does the others when one key fails, and tries that one again', async () => {
    const world = await aWorld(3);
    const carryOut: BatchDeps['carryOut'] = (request) =>
      request.keyArn === keyNumber(2).arn ? Promise.reject(new Error('throttled')) : world.findings.carryOut(request);
    await expect(world.run({ carryOut })).rejects.toMatchObject({ name: 'BatchIncomplete' });
    expect(world.types(3)).toContain('remediation-approved');
    expect(await world.run()).toEqual({ outcome: 'done', approved: 1, refused: 0 });
  });

  it('decides nothing without a policy', async () => {
    const world = await aWorld(1);
    const unreadable = Object.assign(new Error('no policy'), { name: 'PolicyUnreadable' });
    await expect(world.run({ loadPolicy: () => Promise.reject(unreadable) })).rejects.toBe(unreadable);
    await expect(world.run({ carryOut: () => Promise.reject(unreadable) })).rejects.toBe(unreadable);
    expect(world.types(1)).toEqual(['finding-opened']);
  });

  it('is given up after a day: the rest stays for people to decide', async () => {
    const world = await aWorld(2);
    world.clock.now = later({ hours: 24, minutes: 31 });
    expect(await world.run()).toEqual({ outcome: 'done', approved: 0, refused: 0 });
    expect(world.types(1)).toEqual(['finding-opened']);
  });
});

it('has the digest shown when it begins and when it ends', async () => {
  const world = await aWorld(1);
  const before = (await world.digests.load(world.digest, later({})))?.version ?? 0;
  await world.run();
  expect((await world.digests.load(world.digest, later({})))?.version).toBe(before + 2);
  expect(await world.digests.stale(100)).toContain(world.digest);
});

function fail(): never {
  throw new Error('there is no such finding');
}
