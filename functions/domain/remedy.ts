import type { DeniedBy, Problem } from './assessment.ts';

/** What the bot does to a key once somebody approved it; exactly the parameters of the KMS call. */
export type Remedy =
  | { id: 'enable-rotation'; rotationPeriodInDays: number }
  | { id: 'rotate-on-demand'; keyMaterialId: string }
  | { id: 'disable-rotation' };

export type RemedyId = Remedy['id'];

export type RemediationFailure =
  /** A human must change a policy first. */
  | { because: 'policy-denies'; operation: string; deniedBy: DeniedBy; principal: string }
  /** The call was accepted, but the key did not read back as expected within the bound. */
  | { because: 'not-confirmed'; expected: string; lastRead: string }
  /** The key was not what had been approved when the bot looked again. */
  | { because: 'key-changed'; found: Problem }
  /** 25 on-demand rotations per key, not adjustable (KMS resource quotas). */
  | { because: 'rotation-limit-reached' }
  | { because: 'kms-refused'; operation: string; code: string }
  /** Started, or never started, and no result came although it was tried again. */
  | { because: 'no-result'; attempts: number };

/** The remedy a problem has, or null when only the key's owner can do something about it. */
export function remedyFor(problem: Problem, rotationPeriodInDays: number): Remedy | null {
  switch (problem.verdict) {
    case 'rotation-off':
    case 'period-too-long':
      return { id: 'enable-rotation', rotationPeriodInDays };
    case 'manual-rotation-due':
      return problem.pendingKeyMaterialId === null
        ? null
        : { id: 'rotate-on-demand', keyMaterialId: problem.pendingKeyMaterialId };
    case 'unknown':
      return null;
  }
}
