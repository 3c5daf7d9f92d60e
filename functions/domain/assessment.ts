import type { KeyFacts } from './key.ts';

/** Why rotation cannot be asked of a key. AWS KMS Developer Guide, "Rotate AWS KMS keys" and the key-state table. */
export type NotApplicableReason =
  | 'aws-managed-key'
  | 'asymmetric-key'
  | 'hmac-key'
  | 'unrecognised-key-spec'
  | 'key-usage'
  | 'custom-key-store'
  | 'replica-key'
  | 'disabled'
  | 'pending-deletion'
  | 'pending-import'
  | 'key-deleted';

/** Which policy has to change before a key can be read or remediated. */
export type DeniedBy = 'key-policy' | 'identity-policy' | 'service-control-policy' | 'unspecified';

/** Why nobody can say whether a key rotates. Never to be read as "rotation off". */
export type UnknownReason =
  | { because: 'access-denied'; operation: string; deniedBy: DeniedBy; principal: string }
  | { because: 'unrecognised-key-state'; keyState: string }
  | { because: 'unrecognised-origin'; origin: string }
  | { because: 'rotation-not-read' }
  | { because: 'period-not-reported' }
  | { because: 'kms-refused'; operation: string; code: string };

export type Assessment =
  | { verdict: 'compliant' }
  | { verdict: 'rotation-off' }
  | { verdict: 'period-too-long'; periodInDays: number; maximumPeriodInDays: number }
  | { verdict: 'manual-rotation-due'; pendingKeyMaterialId: string | null; lastRotatedAt: string | null }
  | { verdict: 'not-applicable'; reason: NotApplicableReason }
  | { verdict: 'unknown'; reason: UnknownReason };

/** An assessment somebody has to do something about. */
export type Problem = Exclude<Assessment, { verdict: 'compliant' | 'not-applicable' }>;

/** What the key's own rotation calls answered; `not-read` when they were not made. */
export type RotationReading =
  | { kind: 'automatic'; enabled: false }
  | { kind: 'automatic'; enabled: true; periodInDays: number | null }
  | { kind: 'imported'; pendingKeyMaterialId: string | null; lastRotatedAt: string | null }
  | { kind: 'not-read' };

/** What was seen when the key was looked at. */
export type KeyObservation =
  | { seen: 'key'; facts: KeyFacts; reading: RotationReading }
  | { seen: 'no-key' }
  | { seen: 'refusal'; facts: KeyFacts | null; reason: UnknownReason };

/** The part of the policy that assessment needs; days. */
export type RotationRules = { maximumPeriodInDays: number };

/** The seven fields of a key's metadata that decide whether, and how, it can rotate. */
export type GateInputs = Pick<
  KeyFacts,
  'keyManager' | 'keyState' | 'keySpec' | 'keyUsage' | 'origin' | 'customKeyStoreId' | 'multiRegionKeyType'
>;

export type Gate =
  | { next: 'read-rotation-status' }
  | { next: 'read-key-material' }
  | { next: 'wait'; keyState: string }
  | { next: 'nothing'; assessment: Extract<Assessment, { verdict: 'not-applicable' | 'unknown' }> };

const ASYMMETRIC_SPEC = /^(RSA_|ECC_|ML_DSA_|SM2$)/;
const HMAC_SPEC = /^HMAC_/;

/**
 * The eligibility gate: which call, if any, answers the rotation question for this key. It comes before any
 * rotation call because an error code is no substitute: GetKeyRotationStatus answers a quiet `false` for keys that
 * can never rotate. Only SYMMETRIC_DEFAULT keys with Origin AWS_KMS rotate automatically; EXTERNAL ones on demand.
 */
export function gate(key: GateInputs): Gate {
  if (key.keyManager !== 'CUSTOMER') return notApplicable('aws-managed-key');
  if (ASYMMETRIC_SPEC.test(key.keySpec)) return notApplicable('asymmetric-key');
  if (HMAC_SPEC.test(key.keySpec)) return notApplicable('hmac-key');
  if (key.keySpec !== 'SYMMETRIC_DEFAULT') return notApplicable('unrecognised-key-spec');
  if (key.keyUsage !== 'ENCRYPT_DECRYPT') return notApplicable('key-usage');
  if (key.customKeyStoreId !== null || key.origin === 'AWS_CLOUDHSM' || key.origin === 'EXTERNAL_KEY_STORE') {
    return notApplicable('custom-key-store');
  }
  if (key.origin !== 'AWS_KMS' && key.origin !== 'EXTERNAL') {
    return { next: 'nothing', assessment: unknown({ because: 'unrecognised-origin', origin: key.origin }) };
  }
  if (key.multiRegionKeyType === 'REPLICA') return notApplicable('replica-key');
  switch (key.keyState) {
    case 'Enabled':
      return { next: key.origin === 'EXTERNAL' ? 'read-key-material' : 'read-rotation-status' };
    case 'Disabled':
      return notApplicable('disabled');
    case 'PendingDeletion':
    case 'PendingReplicaDeletion':
      return notApplicable('pending-deletion');
    case 'PendingImport':
      return notApplicable('pending-import');
    // Both pass within seconds; whoever looked should look again rather than record anything.
    case 'Creating':
    case 'Updating':
      return { next: 'wait', keyState: key.keyState };
    default:
      return {
        next: 'nothing',
        assessment: unknown({ because: 'unrecognised-key-state', keyState: key.keyState }),
      };
  }
}

/**
 * Judges a key. Total: every observation has an answer, and what was not read is `unknown`, never "off".
 * Imported key material counts as rotated if an on-demand rotation happened within the maximum period.
 */
export function assess(observation: KeyObservation, rules: RotationRules, now: string): Assessment {
  switch (observation.seen) {
    case 'no-key':
      return { verdict: 'not-applicable', reason: 'key-deleted' };
    case 'refusal':
      return unknown(observation.reason);
    case 'key': {
      const way = gate(observation.facts);
      switch (way.next) {
        case 'nothing':
          return way.assessment;
        case 'wait':
          return unknown({ because: 'rotation-not-read' });
        case 'read-rotation-status':
          return assessAutomaticRotation(observation.reading, rules);
        case 'read-key-material':
          return assessImportedMaterial(observation.reading, rules, now);
      }
    }
  }
}

function assessAutomaticRotation(reading: RotationReading, rules: RotationRules): Assessment {
  if (reading.kind !== 'automatic') return unknown({ because: 'rotation-not-read' });
  if (!reading.enabled) return { verdict: 'rotation-off' };
  if (reading.periodInDays === null) return unknown({ because: 'period-not-reported' });
  if (reading.periodInDays > rules.maximumPeriodInDays) {
    return {
      verdict: 'period-too-long',
      periodInDays: reading.periodInDays,
      maximumPeriodInDays: rules.maximumPeriodInDays,
    };
  }
  return { verdict: 'compliant' };
}

function assessImportedMaterial(reading: RotationReading, rules: RotationRules, now: string): Assessment {
  if (reading.kind !== 'imported') return unknown({ because: 'rotation-not-read' });
  const { pendingKeyMaterialId, lastRotatedAt } = reading;
  const recent =
    lastRotatedAt !== null && Date.parse(now) - Date.parse(lastRotatedAt) <= days(rules.maximumPeriodInDays);
  return pendingKeyMaterialId === null && recent
    ? { verdict: 'compliant' }
    : { verdict: 'manual-rotation-due', pendingKeyMaterialId, lastRotatedAt };
}

/** Tells apart what needs somebody's decision from what does not. */
export function isProblem(assessment: Assessment): assessment is Problem {
  return assessment.verdict !== 'compliant' && assessment.verdict !== 'not-applicable';
}

function notApplicable(reason: NotApplicableReason): Gate {
  return { next: 'nothing', assessment: { verdict: 'not-applicable', reason } };
}

function unknown(reason: UnknownReason): Extract<Assessment, { verdict: 'unknown' }> {
  return { verdict: 'unknown', reason };
}

function days(count: number): number {
  return count * 86_400_000;
}
