import type { Alert } from '../../../functions/contracts/notice.ts';
import type { KeyObservation } from '../../../functions/domain/assessment.ts';
import type { FindingEvent } from '../../../functions/domain/finding-events.ts';
import type { KeyIdentity } from '../../../functions/domain/key.ts';
import { type SweepDeps, SweepIncomplete, sweepFindings } from '../../../functions/sweep-keys/sweep-keys.ts';
import { anApproval, anObservation, anOpening, commandsOfEveryType, HISTORY, KEY, later } from '../../builders.ts';
import { createInMemoryFindings } from '../../fakes/in-memory-findings.ts';

const ON = anObservation({}, { kind: 'automatic', enabled: true, periodInDays: 365 });

function createWorld() {
  const findings = createInMemoryFindings();
  const alerts: Alert[] = [];
  const deps = (changes: Partial<SweepDeps> = {}): SweepDeps => ({
    loadPolicy: findings.loadPolicy,
    findingsDueBefore: findings.findingsDueBefore,
    observeKey: () => Promise.resolve(anObservation()),
    carryOut: findings.carryOut,
    alert: (alert) => {
      alerts.push(alert);
      return Promise.resolve();
    },
    offsetAt: () => 0,
    hasTime: () => true,
    ...changes,
  });
  return { findings, alerts, deps };
}
type World = ReturnType<typeof createWorld>;
const found = (world: World) => world.findings.loadFinding(KEY.arn);
const lastEvent = (world: World) => world.findings.eventTypes(KEY.arn).at(-1);
const keyNumber = (number: number): KeyIdentity => {
  const keyId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  return { ...KEY, keyId, arn: KEY.arn.replace(KEY.keyId, keyId) };
};

describe('an exemption at its end', () => {
  const END = later({ days: 30 });

  it('opens the finding again when the key still does not rotate', async () => {
    const world = createWorld();
    await world.findings.given(HISTORY.exempt);
    await sweepFindings(END, world.deps());
    expect(await found(world)).toMatchObject({ status: 'open', askedAt: END });
  });

  it('closes the finding when the key rotates by now', async () => {
    const world = createWorld();
    await world.findings.given(HISTORY.exempt);
    await sweepFindings(END, world.deps({ observeKey: () => Promise.resolve(ON) }));
    expect(await found(world)).toMatchObject({ status: 'closed', closing: { because: 'compliant' } });
  });

  it('closes the finding when the key is gone', async () => {
    const world = createWorld();
    await world.findings.given(HISTORY.exempt);
    const observeKey = () => Promise.resolve<KeyObservation>({ seen: 'no-key' });
    await sweepFindings(END, world.deps({ observeKey }));
    expect(await found(world)).toMatchObject({ closing: { reason: 'key-deleted' } });
  });

  it('is not held up by another finding that cannot be read', async () => {
    const world = createWorld();
    await world.findings.given(HISTORY.exempt);
    const unreadable = () => {
      throw new Error('written by another version');
    };
    const findingsDueBefore = async (now: string, limit: number) => [
      { keyArn: `${KEY.arn}-2`, read: unreadable },
      ...(await world.findings.findingsDueBefore(now, limit)),
    ];
    await expect(sweepFindings(END, world.deps({ findingsDueBefore }))).rejects.toMatchObject({
      name: 'SweepIncomplete',
      counts: { due: 2, done: { 'expire-exemption': 1 }, failed: 1 },
    });
    expect(await found(world)).toMatchObject({ status: 'open' });
  });

  it('is left to the next run when the key cannot be looked at now', async () => {
    const world = createWorld();
    await world.findings.given(HISTORY.exempt);
    const observeKey = () => Promise.reject(new Error('throttled'));
    await expect(sweepFindings(END, world.deps({ observeKey }))).rejects.toThrow(SweepIncomplete);
    await sweepFindings(END, world.deps());
    expect(await found(world)).toMatchObject({ status: 'open' });
  });
});

describe('what is due', () => {
  it('reminds the owner of an exemption once per mark', async () => {
    const world = createWorld();
    await world.findings.given(HISTORY.exempt);
    const at = later({ days: 16 });
    await expect(sweepFindings(at, world.deps())).resolves.toEqual({ due: 1, done: { 'remind-owner': 1 }, failed: 0 });
    await expect(sweepFindings(at, world.deps())).resolves.toEqual({ due: 0, done: {}, failed: 0 });
    expect(await found(world)).toMatchObject({ status: 'exempt', exemption: { remindedDays: [14] } });
  });

  it('reminds, and escalates after two days', async () => {
    const world = createWorld();
    await world.findings.given(HISTORY.open);
    await sweepFindings(later({ hours: 4 }), world.deps());
    expect(await found(world)).toMatchObject({ remindersSent: 1, escalatedAt: null });
    await sweepFindings(later({ hours: 48 }), world.deps());
    expect(await found(world)).toMatchObject({ remindersSent: 2, escalatedAt: later({ hours: 48 }) });
  });

  it('reports a remediation without a result, and gives it up after three reports', async () => {
    const world = createWorld();
    await world.findings.given([anOpening(), anApproval(later({ minutes: 10 }))]);
    for (const minutes of [25, 40, 55]) await sweepFindings(later({ minutes }), world.deps());
    expect(world.findings.eventTypes(KEY.arn).slice(-3)).toEqual([
      'remediation-overdue',
      'remediation-overdue',
      'remediation-failed',
    ]);
  });

  it('is nothing any more when somebody decided since the page was read', async () => {
    const world = createWorld();
    await world.findings.given(HISTORY.open);
    const stale = await world.findings.findingsDueBefore(later({ hours: 4 }), 10);
    const { carryOut } = world.findings;
    const id = { kind: 'clock', id: 'test' } as const;
    await carryOut({ keyArn: KEY.arn, cause: id, onceId: null, command: () => ({ type: 'escalate', at: later({}) }) });
    await carryOut({
      keyArn: KEY.arn,
      cause: id,
      onceId: null,
      command: () => ({ ...commandsOfEveryType().remind, at: later({}) }),
    });
    await sweepFindings(later({ hours: 4 }), world.deps({ findingsDueBefore: () => Promise.resolve(stale) }));
    expect(lastEvent(world)).toBe('reminded');
    expect(await found(world)).toMatchObject({ remindersSent: 1 });
  });
});

describe('a run', () => {
  const open = (number: number): FindingEvent => anOpening({ key: keyNumber(number) });

  it('goes on until nothing is due', async () => {
    const world = createWorld();
    for (let number = 0; number < 120; number += 1) await world.findings.given([open(number)]);
    await expect(sweepFindings(later({ hours: 4 }), world.deps())).resolves.toEqual({
      ...{ due: 120, done: { remind: 120 }, failed: 0 },
    });
  });

  it('does not let one failing finding stop the others', async () => {
    const world = createWorld();
    for (let number = 0; number < 3; number += 1) await world.findings.given([open(number)]);
    const carryOut: SweepDeps['carryOut'] = (request) =>
      request.keyArn === keyNumber(1).arn ? Promise.reject(new Error('no table')) : world.findings.carryOut(request);
    const run = sweepFindings(later({ hours: 4 }), world.deps({ carryOut }));
    await expect(run).rejects.toMatchObject({ counts: { due: 3, done: { remind: 2 }, failed: 1 } });
  });

  it('ends when its time is over', async () => {
    const world = createWorld();
    for (let number = 0; number < 5; number += 1) await world.findings.given([open(number)]);
    // Asked for once per page and once per finding.
    const answers = [true, true, true];
    const hasTime = () => answers.pop() ?? false;
    await expect(sweepFindings(later({ hours: 4 }), world.deps({ hasTime }))).resolves.toMatchObject({ due: 2 });
  });

  it('does nothing but say so when the policy cannot be read', async () => {
    const world = createWorld();
    await world.findings.given(HISTORY.exempt);
    const unreadable = Object.assign(new Error('no rotation policy is stored yet'), { name: 'PolicyUnreadable' });
    const at = later({ days: 31 });
    const run = sweepFindings(at, world.deps({ loadPolicy: () => Promise.reject(unreadable) }));
    await expect(run).rejects.toBe(unreadable);
    expect(world.alerts).toEqual([
      {
        ...{ kind: 'alert', alert: 'policy-unreadable', at, keyArn: null },
        message: 'Nothing is decided or remediated: no rotation policy is stored yet.',
      },
    ]);
    expect(lastEvent(world)).toBe('exemption-granted');
  });
});
