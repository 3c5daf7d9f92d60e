import {
  type Assessment,
  assess,
  type Gate,
  gate,
  isProblem,
  type KeyObservation,
  type NotApplicableReason,
  type UnknownReason,
} from '../../../functions/domain/assessment.ts';
import type { KeyFacts } from '../../../functions/domain/key.ts';
import { aKey, anObservation, DAY_ONE, later, PROBLEMS } from '../../builders.ts';

const RULES = { maximumPeriodInDays: 365 };

describe('gate', () => {
  const notApplicable = (reason: NotApplicableReason): Gate => ({
    next: 'nothing',
    assessment: { verdict: 'not-applicable', reason },
  });
  const unknown = (reason: UnknownReason): Gate => ({ next: 'nothing', assessment: { verdict: 'unknown', reason } });

  const ROTATE = 'KMS Developer Guide, "Rotate AWS KMS keys"';
  const STATES = 'KMS Developer Guide, "Key states of AWS KMS keys"';
  const MULTI_REGION = 'KMS Developer Guide, "Rotating multi-Region keys"';
  const METADATA = 'KMS API Reference, KeyMetadata';

  const table: { field: string; facts: Partial<KeyFacts>; page: string; expected: Gate }[] = [
    { field: 'none', facts: {}, page: ROTATE, expected: { next: 'read-rotation-status' } },
    { field: 'keyManager', facts: { keyManager: 'AWS' }, page: ROTATE, expected: notApplicable('aws-managed-key') },
    ...['RSA_2048', 'RSA_4096', 'ECC_NIST_P256', 'ECC_SECG_P256K1', 'ECC_NIST_EDWARDS25519', 'SM2', 'ML_DSA_65'].map(
      (keySpec) => ({ field: 'keySpec', facts: { keySpec }, page: ROTATE, expected: notApplicable('asymmetric-key') }),
    ),
    ...['HMAC_224', 'HMAC_512'].map((keySpec) => ({
      ...{ field: 'keySpec', facts: { keySpec, keyUsage: 'GENERATE_VERIFY_MAC' }, page: ROTATE },
      expected: notApplicable('hmac-key'),
    })),
    ...['SM2_NEXT', 'AES_512', 'HYBRID_RSA_2048', 'NEXT_HMAC_256'].map((keySpec) => ({
      ...{ field: 'keySpec', facts: { keySpec }, page: METADATA },
      expected: notApplicable('unrecognised-key-spec'),
    })),
    {
      ...{ field: 'keyUsage', facts: { keyUsage: 'SIGN_VERIFY' }, page: METADATA },
      expected: notApplicable('key-usage'),
    },
    ...[{ origin: 'AWS_CLOUDHSM' }, { origin: 'EXTERNAL_KEY_STORE' }].map((facts) => ({
      ...{ field: 'origin', facts, page: ROTATE },
      expected: notApplicable('custom-key-store'),
    })),
    {
      ...{ field: 'customKeyStoreId', facts: { customKeyStoreId: 'cks-1234567890abcdef0' }, page: ROTATE },
      expected: notApplicable('custom-key-store'),
    },
    {
      ...{ field: 'origin', facts: { origin: 'ELSEWHERE' }, page: METADATA },
      expected: unknown({ because: 'unrecognised-origin', origin: 'ELSEWHERE' }),
    },
    { field: 'origin', facts: { origin: 'EXTERNAL' }, page: ROTATE, expected: { next: 'read-key-material' } },
    {
      ...{ field: 'multiRegionKeyType', facts: { multiRegionKeyType: 'REPLICA' }, page: MULTI_REGION },
      expected: notApplicable('replica-key'),
    },
    {
      ...{ field: 'multiRegionKeyType', facts: { multiRegionKeyType: 'PRIMARY' }, page: MULTI_REGION },
      expected: { next: 'read-rotation-status' },
    },
    { field: 'keyState', facts: { keyState: 'Disabled' }, page: STATES, expected: notApplicable('disabled') },
    ...['PendingDeletion', 'PendingReplicaDeletion'].map((keyState) => ({
      ...{ field: 'keyState', facts: { keyState }, page: STATES },
      expected: notApplicable('pending-deletion'),
    })),
    {
      ...{ field: 'keyState', facts: { keyState: 'PendingImport', origin: 'EXTERNAL' }, page: STATES },
      expected: notApplicable('pending-import'),
    },
    ...['Creating', 'Updating'].map((keyState) => ({
      ...{ field: 'keyState', facts: { keyState, multiRegionKeyType: 'PRIMARY' as const }, page: STATES },
      expected: { next: 'wait' as const, keyState },
    })),
    ...['Unavailable', 'Resting'].map((keyState) => ({
      ...{ field: 'keyState', facts: { keyState }, page: STATES },
      expected: unknown({ because: 'unrecognised-key-state', keyState }),
    })),
  ];

  test.each(table)('$field $facts: $expected ($page)', ({ facts, expected }) => {
    expect(gate(aKey(facts))).toEqual(expected);
  });

  it('covers every field that decides', () => {
    const fields = [
      'keyManager',
      'keyState',
      'keySpec',
      'keyUsage',
      'origin',
      'customKeyStoreId',
      'multiRegionKeyType',
    ];
    expect(new Set(table.map(({ field }) => field))).toEqual(new Set(['none', ...fields]));
  });
});

describe('assess', () => {
  const now = later({ days: 400 });
  const pending = 'c'.repeat(64);
  const imported = (lastRotatedAt: string | null, pendingKeyMaterialId: string | null = null): KeyObservation =>
    anObservation({ origin: 'EXTERNAL' }, { kind: 'imported', pendingKeyMaterialId, lastRotatedAt });
  const automatic = (periodInDays: number | null): KeyObservation =>
    anObservation({}, { kind: 'automatic', enabled: true, periodInDays });
  const due = (lastRotatedAt: string | null, pendingKeyMaterialId: string | null = null): Assessment => ({
    ...{ verdict: 'manual-rotation-due', pendingKeyMaterialId, lastRotatedAt },
  });
  const unknown = (reason: UnknownReason): Assessment => ({ verdict: 'unknown', reason });
  const denied: UnknownReason = {
    ...{ because: 'access-denied', operation: 'GetKeyRotationStatus', deniedBy: 'key-policy' },
    principal: 'arn:aws:sts::111122223333:assumed-role/kms-rotation-read/session',
  };

  const table: { when: string; seen: KeyObservation; expected: Assessment }[] = [
    { when: 'rotation is off', seen: anObservation(), expected: { verdict: 'rotation-off' } },
    { when: 'rotation is on, exactly the maximum', seen: automatic(365), expected: { verdict: 'compliant' } },
    { when: 'rotation is on, the shortest', seen: automatic(90), expected: { verdict: 'compliant' } },
    {
      ...{ when: 'rotation is on, a day over the maximum', seen: automatic(366) },
      expected: { verdict: 'period-too-long', periodInDays: 366, maximumPeriodInDays: 365 },
    },
    { when: 'no period is told', seen: automatic(null), expected: unknown({ because: 'period-not-reported' }) },
    {
      ...{ when: 'the status was not read', seen: anObservation({}, { kind: 'not-read' }) },
      expected: unknown({ because: 'rotation-not-read' }),
    },
    {
      ...{ when: 'the material was not read', seen: anObservation({ origin: 'EXTERNAL' }, { kind: 'not-read' }) },
      expected: unknown({ because: 'rotation-not-read' }),
    },
    { when: 'material never rotated', seen: imported(null), expected: due(null) },
    { when: 'material waits', seen: imported(null, pending), expected: due(null, pending) },
    {
      ...{ when: 'material waits although the last is recent', seen: imported(later({ days: 399 }), pending) },
      expected: due(later({ days: 399 }), pending),
    },
    {
      ...{ when: 'material rotated exactly the maximum ago', seen: imported(later({ days: 35 })) },
      expected: { verdict: 'compliant' },
    },
    {
      ...{ when: 'material rotated a millisecond longer ago', seen: imported(later({ days: 35, milliseconds: -1 })) },
      expected: due(later({ days: 35, milliseconds: -1 })),
    },
    {
      ...{ when: 'the key is in passing', seen: anObservation({ keyState: 'Updating' }) },
      expected: unknown({ because: 'rotation-not-read' }),
    },
    {
      // GetKeyRotationStatus answers false for keys that cannot rotate; that must not read as "off".
      ...{ when: 'a key that cannot rotate says false', seen: anObservation({ keySpec: 'RSA_2048' }) },
      expected: { verdict: 'not-applicable', reason: 'asymmetric-key' },
    },
    {
      when: 'the key is gone',
      seen: { seen: 'no-key' },
      expected: { verdict: 'not-applicable', reason: 'key-deleted' },
    },
    {
      ...{ when: 'access is denied', seen: { seen: 'refusal', facts: null, reason: denied } },
      expected: unknown(denied),
    },
  ];

  test.each(table)('$when: $expected.verdict', ({ seen, expected }) => {
    expect(assess(seen, RULES, now)).toEqual(expected);
  });
});

describe('isProblem', () => {
  test.each([...PROBLEMS])('$verdict needs somebody', (problem) => {
    expect(isProblem(problem)).toBe(true);
  });

  test.each<Assessment>([{ verdict: 'compliant' }, { verdict: 'not-applicable', reason: 'disabled' }])(
    '$verdict needs nobody',
    (assessment) => {
      expect(isProblem(assessment)).toBe(false);
    },
  );

  it('counts days from the same clock as everything else', () => {
    expect(
      assess(
        anObservation({ origin: 'EXTERNAL' }, { kind: 'imported', pendingKeyMaterialId: null, lastRotatedAt: DAY_ONE }),
        RULES,
        DAY_ONE,
      ),
    ).toEqual({ verdict: 'compliant' });
  });
});
