import type { Remedy } from '../domain/remedy.ts';
import type { RemedyAction } from './remedy-action.ts';

/**
 * Rotation of imported key material, which KMS never rotates by itself. FINOS CCC KeyMgmt CN03.AR01: rotation with "an
 * interval not exceeding 365 days". Takes 20 to 70 seconds in KMS; until then the old material is the current one.
 */
export const rotateOnDemand: RemedyAction<Extract<Remedy, { id: 'rotate-on-demand' }>> = {
  isStillNeeded: ({ assessment }, { keyMaterialId }) =>
    assessment.verdict === 'manual-rotation-due' && assessment.pendingKeyMaterialId === keyMaterialId,
  apply: (kms, key) => kms.rotateOnDemand(key),
  isDone: (read, { keyMaterialId }) => read.currentKeyMaterialId === keyMaterialId,
  expects: ({ keyMaterialId }) => `key material ${keyMaterialId} in use`,
  confirmWithinSeconds: 120,
};
