import type { RemedyId } from '../domain/remedy.ts';

/** What there is to know about a remedy without running it; infra grants exactly these actions, on exactly these keys. */
export type RemedyDescription = {
  /** What comes of it, for a person who is about to approve it. */
  does: string;
  /** Which remedy undoes it; null when nothing does. */
  undoneBy: RemedyId | null;
  /** IAM actions of the `remediate` role for the change itself. */
  iamActions: readonly string[];
  /** Origin of the key material of the keys it is for; the role may do it to no others. */
  keyOrigin: 'AWS_KMS' | 'EXTERNAL';
};

export const REMEDIES: Record<RemedyId, RemedyDescription> = {
  'enable-rotation': {
    does: 'KMS then makes new key material on schedule; old ciphertext stays readable and the key id stays the same.',
    undoneBy: 'disable-rotation',
    iamActions: ['kms:EnableKeyRotation'],
    keyOrigin: 'AWS_KMS',
  },
  'rotate-on-demand': {
    does: 'KMS starts using the imported key material that is pending rotation; old ciphertext stays readable.',
    undoneBy: null,
    iamActions: ['kms:RotateKeyOnDemand'],
    keyOrigin: 'EXTERNAL',
  },
  'disable-rotation': {
    does: 'The key keeps its present material and no longer rotates by itself.',
    undoneBy: 'enable-rotation',
    iamActions: ['kms:DisableKeyRotation'],
    keyOrigin: 'AWS_KMS',
  },
};

/** IAM actions of the `read` role: what looking at a key takes. */
export const READ_ACTIONS = [
  'kms:DescribeKey',
  'kms:GetKeyRotationStatus',
  'kms:ListKeyRotations',
  'kms:ListAliases',
  'kms:ListResourceTags',
] as const;
