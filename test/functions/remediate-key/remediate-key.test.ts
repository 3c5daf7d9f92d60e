import type { Change } from '../../../functions/adapters/kms-changes.ts';
import type { KeyObservation } from '../../../functions/domain/assessment.ts';
import type { FindingEvent } from '../../../functions/domain/finding-events.ts';
import type { ReadBack } from '../../../functions/domain/read-back.ts';
import { KeyNotReady, type RemediateDeps, remediateKey } from '../../../functions/remediate-key/remediate-key.ts';
import { bindRemedies } from '../../../functions/remedies/remedies.ts';
import {
  aFinding,
  anApproval,
  anExemption,
  anObservation,
  anOpening,
  aPersonRef,
  aRemediation,
  HISTORY,
  KEY,
  later,
} from '../../builders.ts';
import { createInMemoryFindings } from '../../fakes/in-memory-findings.ts';

const NOW = later({ minutes: 30 });
/** As far as the remediator's first record goes. */
const APPROVED = [anOpening(), anApproval()];
const STARTED: FindingEvent = {
  ...{ type: 'remediation-started', at: NOW },
  remedy: { id: 'enable-rotation', rotationPeriodInDays: 365 },
};

/** KMS with one key of the kind that rotates: what it answers can be replaced call by call. */
function createWorld(options: { enabled?: boolean; period?: number } = {}) {
  const findings = createInMemoryFindings();
  let rotation = { enabled: options.enabled ?? false, period: options.period ?? 365 };
  const calls: string[] = [];
  let slept = 0;
  const read = (): ReadBack => ({
    rotationEnabled: rotation.enabled,
    rotationPeriodInDays: rotation.enabled ? rotation.period : null,
    nextRotationAt: rotation.enabled ? later({ days: 365 }) : null,
    currentKeyMaterialId: null,
  });
  const accepted: Change = { outcome: 'accepted', kmsRequestId: 'request-1' };
  const kms = {
    observeKey: (): Promise<KeyObservation> =>
      Promise.resolve(
        anObservation(
          {},
          rotation.enabled
            ? { kind: 'automatic', enabled: true, periodInDays: rotation.period }
            : { kind: 'automatic', enabled: false },
        ),
      ),
    readBack: () => Promise.resolve(read()),
    enableRotation: (_key: object, period: number): Promise<Change> => {
      calls.push('enable');
      rotation = { enabled: true, period };
      return Promise.resolve(accepted);
    },
    disableRotation: (): Promise<Change> => {
      calls.push('disable');
      rotation = { ...rotation, enabled: false };
      return Promise.resolve(accepted);
    },
    rotateOnDemand: (): Promise<Change> => {
      calls.push('rotate');
      return Promise.resolve(accepted);
    },
  };
  const deps = (changes: Partial<typeof kms> = {}): RemediateDeps => {
    const used = { ...kms, ...changes };
    return {
      now: () => new Date(NOW),
      sleep: () => {
        slept += 1;
        return Promise.resolve();
      },
      loadPolicy: findings.loadPolicy,
      loadFinding: findings.loadFinding,
      observeKey: used.observeKey,
      readBack: used.readBack,
      remedyOf: bindRemedies(used),
      carryOut: findings.carryOut,
    };
  };
  return { findings, calls, deps, kms, slept: () => slept };
}

type World = ReturnType<typeof createWorld>;
const found = (world: World) => world.findings.loadFinding(KEY.arn);
const answer =
  <T>(value: T) =>
  () =>
    Promise.resolve(value);

describe('an approved remediation', () => {
  it('switches rotation on, reads it back three times and says so', async () => {
    const world = createWorld();
    const record = await world.findings.given(APPROVED);
    await expect(remediateKey(record, world.deps())).resolves.toBe('remediated');
    expect(world.findings.eventTypes(KEY.arn).slice(-2)).toEqual(['remediation-started', 'remediated']);
    expect(await found(world)).toMatchObject({
      status: 'remediated',
      kmsRequestId: 'request-1',
      proof: { readAt: NOW, agreeingReads: 3, rotationEnabled: true, rotationPeriodInDays: 365 },
    });
  });

  it('changes nothing when the record is delivered again', async () => {
    const world = createWorld();
    const record = await world.findings.given(APPROVED);
    await remediateKey(record, world.deps());
    await expect(remediateKey(record, world.deps())).resolves.toBe('skipped');
    expect(world.calls).toEqual(['enable']);
  });

  it('is in the trail before the key is changed', async () => {
    const world = createWorld();
    const record = await world.findings.given(APPROVED);
    let before: string[] = [];
    const enableRotation = (key: object, period: number) => {
      before = world.findings.eventTypes(KEY.arn);
      return world.kms.enableRotation(key, period);
    };
    await remediateKey(record, world.deps({ enableRotation }));
    expect(before.at(-1)).toBe('remediation-started');
  });

  it('changes nothing once the watchdog may give up on it any moment', async () => {
    const world = createWorld();
    const overdue = (minutes: number, report: number): FindingEvent => ({
      ...{ type: 'remediation-overdue', at: later({ minutes }), report },
    });
    const record = await world.findings.given([...APPROVED, overdue(25, 1), overdue(40, 2)]);
    const now = () => new Date(later({ minutes: 51 }));
    await expect(remediateKey(record, { ...world.deps(), now })).resolves.toBe('skipped');
    expect(world.calls).toEqual([]);
  });

  it('is confirmed, not repeated, after a crash between the change and its confirmation', async () => {
    const world = createWorld();
    const record = await world.findings.given(APPROVED);
    const readBack = () => Promise.reject(new Error('crash'));
    await expect(remediateKey(record, world.deps({ readBack }))).rejects.toThrow('crash');
    await expect(remediateKey(record, world.deps())).resolves.toBe('remediated');
    expect(world.calls).toEqual(['enable']);
    expect(world.findings.eventTypes(KEY.arn).filter((type) => type === 'remediation-started')).toHaveLength(1);
    expect(await found(world)).toMatchObject({ status: 'remediated', kmsRequestId: null });
  });

  it('is made after a crash between its start and the change', async () => {
    const world = createWorld();
    const record = await world.findings.given([...APPROVED, STARTED]);
    const approval = world.findings.auditOf(KEY.arn)[1] ?? record;
    await expect(remediateKey(approval, world.deps())).resolves.toBe('remediated');
    expect(world.calls).toEqual(['enable']);
  });

  it('waits for reads that agree one after the other', async () => {
    const world = createWorld();
    const record = await world.findings.given(APPROVED);
    const off = {
      rotationEnabled: false,
      rotationPeriodInDays: null,
      nextRotationAt: null,
      currentKeyMaterialId: null,
    };
    const reads: (ReadBack | undefined)[] = [off, undefined, undefined, off];
    const readBack = () => {
      const stale = reads.shift();
      return stale === undefined ? world.kms.readBack() : Promise.resolve(stale);
    };
    await expect(remediateKey(record, world.deps({ readBack }))).resolves.toBe('remediated');
    expect(world.slept()).toBe(6);
  });

  it('fails when the key does not read back as approved within 45 seconds', async () => {
    const world = createWorld();
    const record = await world.findings.given(APPROVED);
    const enableRotation = answer<Change>({ outcome: 'accepted', kmsRequestId: 'request-1' });
    await expect(remediateKey(record, world.deps({ enableRotation }))).resolves.toBe('failed');
    expect(world.slept()).toBe(45);
    expect(await found(world)).toMatchObject({
      status: 'failed',
      failure: { because: 'not-confirmed', expected: 'rotation on, every 365 days', lastRead: 'rotation off' },
      kmsRequestId: 'request-1',
    });
  });

  it('throws, leaving the finding approved, when KMS may answer later', async () => {
    const world = createWorld();
    const record = await world.findings.given(APPROVED);
    const enableRotation = () => Promise.reject(new Error('ThrottlingException'));
    await expect(remediateKey(record, world.deps({ enableRotation }))).rejects.toThrow('ThrottlingException');
    expect(await found(world)).toMatchObject({ status: 'approved', startedAt: NOW });
  });

  it.each([
    [{ because: 'policy-denies', operation: 'kms:EnableKeyRotation', deniedBy: 'key-policy', principal: 'arn' }],
    [{ because: 'kms-refused', operation: 'kms:EnableKeyRotation', code: 'UnsupportedOperationException' }],
  ] as const)('fails when KMS refuses: $because', async (failure) => {
    const world = createWorld();
    const record = await world.findings.given(APPROVED);
    const enableRotation = answer<Change>({ outcome: 'refused', failure, kmsRequestId: 'request-2' });
    await expect(remediateKey(record, world.deps({ enableRotation }))).resolves.toBe('failed');
    expect(await found(world)).toMatchObject({ status: 'failed', failure, kmsRequestId: 'request-2' });
  });

  it('closes when the key was disabled between the look and the change', async () => {
    const world = createWorld();
    const record = await world.findings.given(APPROVED);
    const looks = [anObservation(), anObservation({ keyState: 'Disabled' })];
    const observeKey = () => Promise.resolve(looks.shift() ?? anObservation());
    const enableRotation = answer<Change>({ outcome: 'key-not-ready' });
    await expect(remediateKey(record, world.deps({ observeKey, enableRotation }))).resolves.toBe('closed');
    expect(await found(world)).toMatchObject({ closing: { because: 'not-applicable', reason: 'disabled' } });
  });

  it('is tried again when KMS finds the key not ready but it looks as before', async () => {
    const world = createWorld();
    const record = await world.findings.given(APPROVED);
    const enableRotation = answer<Change>({ outcome: 'key-not-ready' });
    await expect(remediateKey(record, world.deps({ enableRotation }))).rejects.toThrow(KeyNotReady);
  });
});

describe('what is found when the key is looked at again', () => {
  it('closes without a change when rotation is on already', async () => {
    const world = createWorld({ enabled: true });
    const record = await world.findings.given(APPROVED);
    await expect(remediateKey(record, world.deps())).resolves.toBe('closed');
    expect(world.calls).toEqual([]);
    expect(await found(world)).toMatchObject({ status: 'closed', closing: { because: 'compliant', by: null } });
  });

  it('closes when somebody set another allowed period after the start', async () => {
    const world = createWorld({ enabled: true, period: 180 });
    const record = await world.findings.given([...APPROVED, STARTED]);
    const approval = world.findings.auditOf(KEY.arn)[1] ?? record;
    await expect(remediateKey(approval, world.deps())).resolves.toBe('closed');
  });

  it('closes when the key is gone', async () => {
    const world = createWorld();
    const record = await world.findings.given(APPROVED);
    const observeKey = answer<KeyObservation>({ seen: 'no-key' });
    await expect(remediateKey(record, world.deps({ observeKey }))).resolves.toBe('closed');
  });

  it('fails when the key cannot be read, naming the policy', async () => {
    const world = createWorld();
    const record = await world.findings.given(APPROVED);
    const reason = { operation: 'kms:DescribeKey', deniedBy: 'key-policy', principal: 'arn' } as const;
    const observeKey = answer<KeyObservation>({
      ...{ seen: 'refusal', facts: null },
      reason: { because: 'access-denied', ...reason },
    });
    await expect(remediateKey(record, world.deps({ observeKey }))).resolves.toBe('failed');
    expect(await found(world)).toMatchObject({ failure: { because: 'policy-denies', ...reason } });
    expect(world.calls).toEqual([]);
  });

  it('fails when other key material is pending than the approved one', async () => {
    const world = createWorld();
    const approval = anApproval();
    if (approval.type !== 'remediation-approved') throw new Error('not an approval');
    const remedy = { id: 'rotate-on-demand', keyMaterialId: 'a'.repeat(64) } as const;
    const record = await world.findings.given([anOpening(), { ...approval, remedy }]);
    const reading = { kind: 'imported', pendingKeyMaterialId: 'b'.repeat(64), lastRotatedAt: null } as const;
    const observeKey = answer(anObservation({ origin: 'EXTERNAL' }, reading));
    await expect(remediateKey(record, world.deps({ observeKey }))).resolves.toBe('failed');
    expect(await found(world)).toMatchObject({ failure: { because: 'key-changed' } });
    expect(world.calls).toEqual([]);
  });
});

describe('a back-out', () => {
  const backOut: FindingEvent = {
    ...{ type: 'back-out-approved', at: later({ hours: 1 }), remedy: { id: 'disable-rotation' } },
    approval: { by: { kind: 'person', person: aPersonRef() }, at: later({ hours: 1 }) },
    thenExempt: anExemption(),
  };

  it('switches rotation off and ends in the exemption', async () => {
    const world = createWorld({ enabled: true });
    const record = await world.findings.given([...HISTORY.remediated, backOut]);
    await expect(remediateKey(record, world.deps())).resolves.toBe('remediated');
    expect(world.calls).toEqual(['disable']);
    expect(await found(world)).toMatchObject({ status: 'exempt', exemption: anExemption() });
  });

  it('switches nothing off once that exemption is over', async () => {
    const world = createWorld({ enabled: true });
    const record = await world.findings.given([...HISTORY.remediated, backOut]);
    const now = () => new Date(later({ days: 30 }));
    await expect(remediateKey(record, { ...world.deps(), now })).resolves.toBe('skipped');
    expect(world.calls).toEqual([]);
    expect(await found(world)).toMatchObject({ status: 'approved', startedAt: null });
  });

  it('ends in the exemption also when rotation is off already', async () => {
    const world = createWorld();
    const record = await world.findings.given([...HISTORY.remediated, backOut]);
    await expect(remediateKey(record, world.deps())).resolves.toBe('remediated');
    expect(world.calls).toEqual([]);
    expect(await found(world)).toMatchObject({ status: 'exempt' });
  });
});

describe('what is left alone', () => {
  it.each(['open', 'failed', 'exempt', 'closed', 'remediated'] as const)('a finding that is %s', async (status) => {
    const world = createWorld();
    await world.findings.given(HISTORY[status]);
    const approved = await createWorld().findings.given(APPROVED);
    await expect(remediateKey(approved, world.deps())).resolves.toBe('skipped');
    expect(world.calls).toEqual([]);
    expect((await found(world))?.status).toBe(aFinding(status).status);
  });

  it('an approval of an earlier episode', async () => {
    const world = createWorld();
    await world.findings.given([
      ...[anOpening(), anApproval(), ...aRemediation()],
      ...[anOpening({ episode: 2, at: later({ days: 2 }) }), anApproval(later({ days: 2, hours: 1 }))],
    ]);
    const old = world.findings.auditOf(KEY.arn)[1];
    if (old === undefined) throw new Error('no record');
    await expect(remediateKey(old, world.deps())).resolves.toBe('skipped');
    expect(world.calls).toEqual([]);
  });

  it('everything, when the policy cannot be read', async () => {
    const world = createWorld();
    const record = await world.findings.given(APPROVED);
    const loadPolicy = () => Promise.reject(new Error('PolicyUnreadable'));
    await expect(remediateKey(record, { ...world.deps(), loadPolicy })).rejects.toThrow('PolicyUnreadable');
    expect(world.calls).toEqual([]);
    expect((await found(world))?.status).toBe('approved');
  });

  it('a record of another kind', async () => {
    const world = createWorld();
    const record = await world.findings.given(HISTORY.open);
    await expect(remediateKey(record, world.deps())).resolves.toBe('skipped');
  });
});
