import type { Proof } from './finding.ts';

/** What KMS says of a key's rotation after it was changed; null is what does not apply to the key or was not told. */
export type ReadBack = Omit<Proof, 'readAt' | 'agreeingReads'>;
