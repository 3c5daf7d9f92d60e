import type { FindingEvent } from '../../../functions/domain/finding-events.ts';
import type { PatternCommand } from '../../../functions/domain/pattern-exemption.ts';
import { applyPattern, PatternIncomplete } from '../../../functions/sweep-keys/apply-pattern.ts';
import { type KeepPatternsDeps, keepPatterns } from '../../../functions/sweep-keys/keep-patterns.ts';
import {
  aKey,
  anActor,
  anApproval,
  anExemption,
  anOpening,
  aPatternConfirmation,
  aPatternRequest,
  aPersonRef,
  aPolicy,
  aTrigger,
  KEY,
  later,
} from '../../builders.ts';
import { createInMemoryFindings } from '../../fakes/in-memory-findings.ts';
import { createInMemoryPatterns } from '../../fakes/in-memory-patterns.ts';

const ID = 'pattern-1';
const CONFIRMED = [aPatternRequest(), aPatternConfirmation()];
const revocation = (at: string): PatternCommand => ({
  ...{ type: 'revoke-pattern', at, by: aPersonRef({ userId: 'U0ENDER' }), verdict: { allowed: true } },
});
const keyNumber = (number: number) => {
  const keyId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  return { ...KEY, keyId, arn: KEY.arn.replace(KEY.keyId, keyId) };
};

async function aWorld(commands: readonly PatternCommand[] = CONFIRMED) {
  const policy = aPolicy();
  policy.exemptions.patterns = { channel: 'C0PATTERNS', approvers: { users: [], userGroups: ['S0PATTERNS'] } };
  const findings = createInMemoryFindings(policy);
  const patterns = createInMemoryPatterns(policy);
  await patterns.given(ID, commands);
  const clock = { now: later({ minutes: 21 }) };
  const deps: KeepPatternsDeps = {
    now: () => clock.now,
    hasTime: () => true,
    loadPolicy: findings.loadPolicy,
    loadPattern: async (id) => (await patterns.load(id)).pattern,
    patternsDueBefore: patterns.dueBefore,
    findingsPage: findings.findingsPage,
    carryOut: findings.carryOut,
    carryOutPattern: patterns.carryOut,
  };
  return {
    ...{ findings, patterns, clock, deps },
    async open(number: number, more: FindingEvent[] = [], opening: Parameters<typeof anOpening>[0] = {}) {
      const key = keyNumber(number);
      const facts = aKey({ ...key, aliases: [`dev-${number}`] });
      await findings.given([anOpening({ key, facts, ...opening }), ...more]);
    },
    finding: (number: number) => findings.loadFinding(keyNumber(number).arn),
    pattern: async () => (await patterns.load(ID)).pattern,
    types: async () => (await patterns.auditOf(ID)).map(({ event }) => event.type),
    async sweepAt(now: string) {
      clock.now = now;
      return await keepPatterns(now, deps);
    },
  };
}

describe('a pattern that was confirmed', () => {
  it('exempts what waits for people and is meant, and leaves the rest', async () => {
    const world = await aWorld();
    await world.open(1);
    await world.open(2, [
      anApproval(),
      {
        ...{ type: 'remediation-failed', at: later({ minutes: 15 }), kmsRequestId: null },
        failure: { because: 'rotation-limit-reached' },
      },
    ]);
    await world.open(3, [{ type: 'exemption-granted', at: later({ minutes: 5 }), exemption: anExemption() }]);
    await world.open(4, [anApproval()]);
    await world.open(5, [], { facts: aKey({ ...keyNumber(5), aliases: ['prod-5'] }) });
    await world.open(6, [], { trigger: aTrigger({ actor: anActor({ arn: null, email: 'second@corp.example' }) }) });
    expect(await applyPattern(ID, world.deps)).toEqual({ outcome: 'done', changed: 2 });
    for (const number of [1, 2]) {
      expect(await world.finding(number)).toMatchObject({ status: 'exempt', exemption: { pattern: { id: ID } } });
    }
    const rest = await Promise.all([3, 4, 5, 6].map(world.finding));
    expect(rest.map((finding) => finding?.status)).toEqual(['exempt', 'approved', 'open', 'open']);
    expect(rest[0]).not.toHaveProperty('exemption.pattern');
    expect((await world.pattern())?.coverage).toEqual({ exempt: 2, leftOut: 1 });
  });

  it('exempts what opened meanwhile for ten minutes, and notes only what is new', async () => {
    const world = await aWorld();
    expect(await world.sweepAt(later({ minutes: 21 }))).toBe(1);
    await world.open(1);
    await world.sweepAt(later({ minutes: 22 }));
    await world.sweepAt(later({ minutes: 23 }));
    expect((await world.finding(1))?.status).toBe('exempt');
    await world.sweepAt(later({ minutes: 30 }));
    await world.open(2);
    expect(await world.sweepAt(later({ minutes: 31 }))).toBe(0);
    expect((await world.finding(2))?.status).toBe('open');
    expect((await world.types()).filter((type) => type === 'pattern-applied')).toHaveLength(3);
    expect(await world.pattern()).toMatchObject({ isApplied: true, coverage: { exempt: 1, leftOut: 0 } });
  });

  it('does nothing more than once, however often it is asked to', async () => {
    const world = await aWorld();
    await world.open(1);
    await Promise.all([applyPattern(ID, world.deps), applyPattern(ID, world.deps)]);
    await applyPattern(ID, world.deps);
    expect(world.findings.eventTypes(keyNumber(1).arn)).toEqual(['finding-opened', 'exemption-granted']);
    expect((await world.types()).filter((type) => type === 'pattern-applied')).toHaveLength(1);
  });

  it('leaves a key alone that somebody took out of it meanwhile', async () => {
    const world = await aWorld();
    await world.open(1);
    await applyPattern(ID, world.deps);
    await world.findings.carryOut({
      ...{ keyArn: keyNumber(1).arn, cause: { kind: 'slack', id: 'click' }, onceId: null },
      command: () => ({
        ...{ type: 'revoke-exemption', at: later({ minutes: 22 }), episode: 1, by: aPersonRef() },
        verdict: { allowed: true },
      }),
    });
    await world.sweepAt(later({ minutes: 23 }));
    expect((await world.finding(1))?.status).toBe('open');
    expect((await world.pattern())?.coverage).toEqual({ exempt: 0, leftOut: 1 });
  });

  it('exempts nothing when the policy lets nobody exempt patterns any more', async () => {
    const world = await aWorld();
    await world.open(1);
    const loadPolicy = () => Promise.resolve({ policy: aPolicy() });
    await applyPattern(ID, { ...world.deps, loadPolicy });
    expect((await world.finding(1))?.status).toBe('open');
  });

  it('goes on with the others when one fails, and is not done then', async () => {
    const world = await aWorld();
    await world.open(1);
    await world.open(2);
    const carryOut: KeepPatternsDeps['carryOut'] = (request) =>
      request.keyArn === keyNumber(1).arn ? Promise.reject(new Error('throttled')) : world.findings.carryOut(request);
    await expect(applyPattern(ID, { ...world.deps, carryOut })).rejects.toThrow(PatternIncomplete);
    expect((await world.finding(2))?.status).toBe('exempt');
    expect((await world.pattern())?.coverage).toBeNull();
    await world.sweepAt(later({ minutes: 31 }));
    expect((await world.finding(1))?.status).toBe('exempt');
  });

  it('is not done when the time is over first', async () => {
    const world = await aWorld();
    await world.open(1);
    expect(await applyPattern(ID, { ...world.deps, hasTime: () => false })).toMatchObject({ outcome: 'out-of-time' });
    expect((await world.pattern())?.coverage).toBeNull();
  });
});

describe('a pattern that was ended', () => {
  it('has its keys asked about again, in the name of who ended it, and no others', async () => {
    const world = await aWorld();
    await world.open(1);
    await world.open(2, [{ type: 'exemption-granted', at: later({ minutes: 5 }), exemption: anExemption() }]);
    await applyPattern(ID, world.deps);
    await world.patterns.given(ID, [revocation(later({ minutes: 40 }))]);
    await world.sweepAt(later({ minutes: 41 }));
    expect((await world.finding(1))?.status).toBe('open');
    expect((await world.finding(2))?.status).toBe('exempt');
    expect(world.findings.auditOf(keyNumber(1).arn).at(-1)?.event).toMatchObject({
      ...{ type: 'exemption-revoked', by: { userId: 'U0ENDER' }, withPattern: true },
    });
    await world.sweepAt(later({ minutes: 51 }));
    expect(await world.sweepAt(later({ minutes: 52 }))).toBe(0);
    expect(await world.pattern()).toMatchObject({ isApplied: true, coverage: { exempt: 0 } });
  });
});

describe('the clock', () => {
  it('lets a request lapse', async () => {
    const world = await aWorld([aPatternRequest()]);
    expect(await world.sweepAt(later({ days: 1 }))).toBe(0);
    await world.sweepAt(later({ days: 1, minutes: 10 }));
    expect(await world.types()).toEqual(['pattern-requested', 'pattern-lapsed']);
  });

  it('reminds the owner once for each of the policy’s days, then ends it', async () => {
    const world = await aWorld();
    await world.sweepAt(later({ minutes: 31 }));
    for (const days of [15, 16, 17, 23, 29, 30, 31]) await world.sweepAt(later({ days }));
    const trail = await world.patterns.auditOf(ID);
    expect(trail.slice(3).map(({ event }) => [event.type, event.at])).toEqual([
      ['pattern-reminded', later({ days: 16 })],
      ['pattern-reminded', later({ days: 23 })],
      ['pattern-reminded', later({ days: 29 })],
      ['pattern-expired', later({ days: 30 })],
    ]);
  });

  it('goes on with the others when one fails', async () => {
    const world = await aWorld([aPatternRequest()]);
    await world.patterns.given('pattern-2', [aPatternRequest({ id: 'pattern-2' })]);
    const loadPattern: KeepPatternsDeps['loadPattern'] = (id) =>
      id === ID ? Promise.reject(new Error('damaged')) : world.deps.loadPattern(id);
    await expect(keepPatterns(later({ days: 2 }), { ...world.deps, loadPattern })).rejects.toThrow(AggregateError);
    expect((await world.patterns.load('pattern-2')).pattern?.ended?.because).toBe('never-confirmed');
  });
});
