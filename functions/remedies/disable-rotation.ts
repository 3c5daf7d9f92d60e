import type { Remedy } from '../domain/remedy.ts';
import type { RemedyAction } from './remedy-action.ts';

/**
 * The way back from `enable-rotation`. It goes against CIS AWS Foundations v5.0.0, 3.6 ("Ensure rotation for
 * customer-created symmetric CMKs is enabled"), so it is only ever done together with an exemption.
 */
export const disableRotation: RemedyAction<Extract<Remedy, { id: 'disable-rotation' }>> = {
  isStillNeeded: ({ observation }) =>
    observation.seen === 'key' && observation.reading.kind === 'automatic' && observation.reading.enabled,
  apply: (kms, key) => kms.disableRotation(key),
  isDone: (read) => read.rotationEnabled === false,
  expects: () => 'rotation off',
  confirmWithinSeconds: 45,
};
