import { REMEDIES } from '../../../functions/contracts/remedies.ts';
import { assess, type KeyObservation } from '../../../functions/domain/assessment.ts';
import type { ReadBack } from '../../../functions/domain/read-back.ts';
import type { Remedy } from '../../../functions/domain/remedy.ts';
import { bindRemedies, REMEDY_ACTIONS } from '../../../functions/remedies/remedies.ts';
import { anObservation, aPolicy, DAY_ONE, KEY } from '../../builders.ts';

const MATERIAL = 'a'.repeat(64);
const OTHER_MATERIAL = 'b'.repeat(64);

/** A KMS that has one key and does what it is told, however often. */
function createKey(start: ReadBack) {
  let read = start;
  const calls: string[] = [];
  const accept = (change: Partial<ReadBack>, call: string) => {
    calls.push(call);
    read = { ...read, ...change };
    return Promise.resolve({ outcome: 'accepted' as const, kmsRequestId: 'request-1' });
  };
  return {
    calls,
    read: () => read,
    changes: {
      enableRotation: (_key: object, days: number) =>
        accept({ rotationEnabled: true, rotationPeriodInDays: days }, `enable ${days}`),
      disableRotation: () => accept({ rotationEnabled: false, rotationPeriodInDays: null }, 'disable'),
      rotateOnDemand: () => accept({ currentKeyMaterialId: MATERIAL }, 'rotate'),
    },
  };
}

const OFF: ReadBack = {
  ...{ rotationEnabled: false, rotationPeriodInDays: null },
  ...{ nextRotationAt: null, currentKeyMaterialId: null },
};
const ON: ReadBack = { ...OFF, rotationEnabled: true, rotationPeriodInDays: 365 };
const IMPORTED: ReadBack = { ...OFF, rotationEnabled: null, currentKeyMaterialId: OTHER_MATERIAL };

const off = anObservation();
const on = (periodInDays: number) => anObservation({}, { kind: 'automatic', enabled: true, periodInDays });
const imported = (pendingKeyMaterialId: string | null, lastRotatedAt: string | null = null) =>
  anObservation({ origin: 'EXTERNAL' }, { kind: 'imported', pendingKeyMaterialId, lastRotatedAt });

type Case = {
  remedy: Remedy;
  needed: KeyObservation[];
  notNeeded: KeyObservation[];
  before: ReadBack;
  call: string;
};

const CASES: { [Id in Remedy['id']]: Case & { remedy: Extract<Remedy, { id: Id }> } } = {
  'enable-rotation': {
    remedy: { id: 'enable-rotation', rotationPeriodInDays: 180 },
    needed: [off, on(730)],
    notNeeded: [on(365), on(90), imported(MATERIAL), { seen: 'no-key' }, anObservation({ keyState: 'Disabled' })],
    before: OFF,
    call: 'enable 180',
  },
  'rotate-on-demand': {
    remedy: { id: 'rotate-on-demand', keyMaterialId: MATERIAL },
    needed: [imported(MATERIAL), imported(MATERIAL, DAY_ONE)],
    notNeeded: [imported(null), imported(OTHER_MATERIAL), imported(null, DAY_ONE), off, { seen: 'no-key' }],
    before: IMPORTED,
    call: 'rotate',
  },
  'disable-rotation': {
    remedy: { id: 'disable-rotation' },
    needed: [on(365), on(730)],
    notNeeded: [off, imported(MATERIAL), { seen: 'no-key' }],
    before: ON,
    call: 'disable',
  },
};

describe.each(Object.values(CASES))('$remedy.id', ({ remedy, needed, notNeeded, before, call }) => {
  const seen = (observation: KeyObservation) => ({
    observation,
    assessment: assess(observation, aPolicy().rotation, DAY_ONE),
  });
  const bound = (key = createKey(before)) => bindRemedies(key.changes)(remedy);

  it.each(needed)('is needed: %j', (observation) => {
    expect(bound().isStillNeeded(seen(observation))).toBe(true);
  });

  it.each(notNeeded)('is not needed: %j', (observation) => {
    expect(bound().isStillNeeded(seen(observation))).toBe(false);
  });

  it('makes exactly one call and is done after it', async () => {
    const key = createKey(before);
    expect(bound(key).isDone(key.read())).toBe(false);
    await bound(key).apply(KEY);
    expect(key.calls).toEqual([call]);
    expect(bound(key).isDone(key.read())).toBe(true);
  });

  it('leaves the key the same when applied twice', async () => {
    const key = createKey(before);
    await bound(key).apply(KEY);
    const once = key.read();
    await bound(key).apply(KEY);
    expect(key.read()).toEqual(once);
  });
});

it('describes every remedy that can be done', () => {
  expect(Object.keys(REMEDY_ACTIONS).sort()).toEqual(Object.keys(REMEDIES).sort());
});

it('is not done by another period than the approved one', () => {
  const { isDone } = bindRemedies(createKey(OFF).changes)({ id: 'enable-rotation', rotationPeriodInDays: 365 });
  expect(isDone({ ...ON, rotationPeriodInDays: 400 })).toBe(false);
});
