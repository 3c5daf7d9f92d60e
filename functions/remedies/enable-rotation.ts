import type { Remedy } from '../domain/remedy.ts';
import type { RemedyAction } from './remedy-action.ts';

/**
 * Automatic rotation. CIS AWS Foundations v5.0.0, 3.6: "Ensure rotation for customer-created symmetric CMKs is
 * enabled"; also shortens a period that is longer than the policy allows.
 */
export const enableRotation: RemedyAction<Extract<Remedy, { id: 'enable-rotation' }>> = {
  isStillNeeded: ({ assessment }) => assessment.verdict === 'rotation-off' || assessment.verdict === 'period-too-long',
  apply: (kms, key, { rotationPeriodInDays }) => kms.enableRotation(key, rotationPeriodInDays),
  isDone: (read, { rotationPeriodInDays }) =>
    read.rotationEnabled === true && read.rotationPeriodInDays === rotationPeriodInDays,
  expects: ({ rotationPeriodInDays }) => `rotation on, every ${rotationPeriodInDays} days`,
  confirmWithinSeconds: 45,
};
