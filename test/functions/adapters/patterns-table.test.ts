import { createCarryOutPattern } from '../../../functions/adapters/carry-out-pattern.ts';
import { digest } from '../../../functions/adapters/digest.ts';
import { createFindingsTable } from '../../../functions/adapters/findings-table.ts';
import { createPatternCoverage } from '../../../functions/adapters/pattern-coverage.ts';
import { createPatternsTable } from '../../../functions/adapters/patterns-table.ts';
import { AlreadyHandled, VersionConflict } from '../../../functions/adapters/table-writes.ts';
import { EMPTY_CHAIN, seal } from '../../../functions/domain/audit.ts';
import { EMPTY_PATTERN_CHAIN, sealPattern, verifyPatternChain } from '../../../functions/domain/pattern-audit.ts';
import type { PatternCommand } from '../../../functions/domain/pattern-exemption.ts';
import {
  aKey,
  anOpening,
  aPatternConfirmation,
  aPatternRequest,
  aPersonRef,
  aPolicy,
  DEV_KEYS,
  KEY,
  later,
} from '../../builders.ts';
import { createInMemoryPatterns, type Patterns } from '../../fakes/in-memory-patterns.ts';
import { openTables, type Tables, WAYS } from './support/dynamodb-tables.ts';

let tables: Tables;
beforeAll(async () => {
  tables = await openTables();
});
afterAll(() => tables.close());

let ids = 0;
const newId = () => {
  ids += 1;
  return `id-${ids}`;
};

describe.each([...WAYS, 'memory, as the use cases’ tests have it'] as const)('exemptions of patterns in %s', (way) => {
  let patterns: Patterns;
  beforeAll(() => {
    patterns =
      way === 'the AWS SDK' || way === 'fetch' ? createPatternsTable(tables.ways[way]) : createInMemoryPatterns();
  });

  async function carryOut(id: string, commands: readonly PatternCommand[], onceId: string | null = null) {
    const loadPolicy = () => Promise.resolve({ policy: aPolicy(), version: 'policy-1' });
    const run = createCarryOutPattern({ table: patterns, loadPolicy, newId, digest });
    const results = [];
    for (const command of commands) {
      results.push(await run({ id, cause: { kind: 'slack', id: 'test' }, onceId, command: () => command }));
    }
    return results;
  }

  /** Each test has an account of its own. */
  const anAccount = () => String(100_000_000_000 + Number(newId().slice(3)));
  const asking = (id: string, accountId: string) => aPatternRequest({ id, pattern: { ...DEV_KEYS, accountId } });

  it('stores what a decision leads to, its trail, and the account’s list', async () => {
    const [id, account] = [newId(), anAccount()];
    await carryOut(id, [asking(id, account), aPatternConfirmation()]);
    const head = await patterns.load(id);
    expect(head.pattern).toMatchObject({ id, request: null, grant: { until: later({ days: 30 }) }, ended: null });
    const trail = await patterns.auditOf(id);
    expect(trail.map(({ event }) => event.type)).toEqual(['pattern-requested', 'pattern-confirmed']);
    expect(verifyPatternChain(trail, digest, head)).toEqual({ intact: true, events: 2 });
    expect(await patterns.ofAccount(account)).toEqual([head.pattern]);
    expect(await patterns.current(100)).toContainEqual(head.pattern);
  });

  it('lists none that has ended', async () => {
    const [id, account] = [newId(), anAccount()];
    const revoke = { type: 'revoke-pattern' as const, at: later({ days: 1 }), by: aPersonRef() };
    await carryOut(id, [asking(id, account), aPatternConfirmation(), { ...revoke, verdict: { allowed: true } }]);
    expect(await patterns.ofAccount(account)).toEqual([]);
    expect((await patterns.current(1000)).map((pattern) => pattern.id)).not.toContain(id);
    expect((await patterns.load(id)).pattern?.ended).toMatchObject({ because: 'revoked' });
  });

  it('has those come up whose deadline has passed', async () => {
    const [id, account] = [newId(), anAccount()];
    await carryOut(id, [asking(id, account)]);
    const dueAt = async (now: string) => (await patterns.dueBefore(now, 1000)).map((pattern) => pattern.id);
    expect(await dueAt(later({ days: 1, minutes: 9 }))).not.toContain(id);
    expect(await dueAt(later({ days: 1, minutes: 10 }))).toContain(id);
    await carryOut(id, [{ type: 'lapse-pattern', at: later({ days: 1, minutes: 10 }) }]);
    expect(await dueAt(later({ days: 400 }))).not.toContain(id);
  });

  it('records who was refused, and changes nothing else', async () => {
    const [id, account] = [newId(), anAccount()];
    const by = aPersonRef({ userId: `U${id}` });
    await carryOut(id, [asking(id, account)]);
    const before = await patterns.load(id);
    const [result] = await carryOut(id, [aPatternConfirmation({ by, verdict: { allowed: false, reason: 'guest' } })]);
    expect(result?.decision).toEqual({ outcome: 'refused', refusal: { reason: 'guest' } });
    expect((await patterns.load(id)).pattern).toEqual(before.pattern);
    expect((await patterns.auditOfPerson(by.teamId, by.userId)).map(({ event }) => event.type)).toEqual([
      'pattern-refused',
    ]);
    expect(await patterns.auditOfDay(later({}).slice(0, 10))).toEqual(
      expect.arrayContaining([expect.objectContaining({ patternId: id, sequence: 2 })]),
    );
  });

  it('records nothing of a refused request for something new', async () => {
    const id = newId();
    const [result] = await carryOut(id, [{ ...asking(id, anAccount()), verdict: { allowed: false, reason: 'bot' } }]);
    expect(result).toEqual({ decision: { outcome: 'refused', refusal: { reason: 'bot' } }, pattern: undefined });
    expect(await patterns.auditOf(id)).toEqual([]);
  });

  it('acts upon a request of Slack once', async () => {
    const id = newId();
    const request = asking(id, anAccount());
    const [first, second] = await carryOut(id, [request, request], `slack#${id}`);
    expect(first?.decision.outcome).toBe('accepted');
    expect(second).toEqual({ decision: { outcome: 'ignored' }, pattern: first?.pattern });
    expect(await patterns.auditOf(id)).toHaveLength(1);
  });

  it('refuses a change that does not follow from what is stored', async () => {
    const [id, account] = [newId(), anAccount()];
    const context = { cause: { kind: 'slack' as const, id: 'test' }, policyVersion: 'policy-1', newId };
    const { at, by, terms, pattern } = asking(id, account);
    const requested = { type: 'pattern-requested' as const, at, id, pattern };
    const sealed = (hours: number) => {
      const request = { by, at, terms, lapsesAt: later({ hours }) };
      const { records, head } = sealPattern(EMPTY_PATTERN_CHAIN, [{ ...requested, request }], context, digest);
      return { before: EMPTY_PATTERN_CHAIN, after: head, records, dueAt: null };
    };
    await patterns.append({ ...sealed(1), onceId: `once#${id}` });
    await expect(patterns.append({ ...sealed(2), onceId: null })).rejects.toThrow(VersionConflict);
    await expect(patterns.append({ ...sealed(3), onceId: `once#${id}` })).rejects.toThrow(AlreadyHandled);
    expect((await patterns.load(id)).pattern?.request?.lapsesAt).toBe(later({ hours: 1 }));
  });

  it('lets one of two who confirm at once be the one', async () => {
    const [id, account] = [newId(), anAccount()];
    await carryOut(id, [asking(id, account)]);
    const both = await Promise.all([1, 2].map(() => carryOut(id, [aPatternConfirmation()])));
    expect(both.map(([result]) => result?.decision.outcome).toSorted()).toEqual(['accepted', 'refused']);
  });
});

describe.each(WAYS)('what a pattern covers over %s', (way) => {
  async function open(keyId: string, { at = later({}), accountId = KEY.accountId, aliases = ['dev-cache'] } = {}) {
    const arn = `arn:aws:kms:eu-central-1:${accountId}:key/${keyId}`;
    const key = { ...KEY, arn, accountId, keyId };
    const context = { cause: { kind: 'sweep' as const, id: 'test' }, policyVersion: 'policy-1', newId };
    const opening = anOpening({ at, key, facts: aKey({ ...key, aliases }) });
    const { records, head } = seal(EMPTY_CHAIN, [opening], context, digest);
    const table = createFindingsTable(tables.ways[way]);
    await table.append({ before: EMPTY_CHAIN, after: head, records, dueAt: null, onceId: null });
    return arn;
  }

  it('is its keys that have a finding, newest first, and no more than asked for', async () => {
    const accountId = way === 'fetch' ? '700000000001' : '700000000002';
    const pattern = { ...DEV_KEYS, accountId };
    const coverage = createPatternCoverage({ table: tables.ways[way], now: () => new Date() });
    expect(await coverage(pattern, { atMost: 10 })).toEqual({ keys: [], isAll: true });
    const older = await open('00000000-0000-4000-8000-000000000001', { accountId });
    const newer = await open('00000000-0000-4000-8000-000000000002', { accountId, at: later({ hours: 1 }) });
    await open('00000000-0000-4000-8000-000000000003', { accountId, aliases: ['prod-cache'] });
    await open('00000000-0000-4000-8000-000000000004', { accountId: `8${accountId.slice(1)}` });
    const covered = (arn: string) => ({ arn, alias: 'dev-cache', status: 'open' });
    expect(await coverage(pattern, { atMost: 2 })).toEqual({ keys: [covered(newer), covered(older)], isAll: true });
    expect(await coverage(pattern, { atMost: 1 })).toEqual({ keys: [covered(newer)], isAll: false });
  });

  it('says so when there was no time to look at all', async () => {
    const accountId = way === 'fetch' ? '700000000003' : '700000000004';
    const arn = await open('00000000-0000-4000-8000-000000000005', { accountId });
    let calls = 0;
    const now = () => {
      calls += 1;
      return new Date(calls * 10_000);
    };
    const coverage = createPatternCoverage({ table: tables.ways[way], now });
    expect(await coverage({ ...DEV_KEYS, accountId }, { atMost: 10 })).toEqual({
      keys: [{ arn, alias: 'dev-cache', status: 'open' }],
      isAll: false,
    });
  });
});
