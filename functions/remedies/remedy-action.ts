import type { Change, KeyChanges } from '../adapters/kms-changes.ts';
import type { Assessment, KeyObservation } from '../domain/assessment.ts';
import type { KeyIdentity } from '../domain/key.ts';
import type { ReadBack } from '../domain/read-back.ts';
import type { Remedy } from '../domain/remedy.ts';

/** A key as it was seen, and how it was judged. */
export type Seen = { observation: KeyObservation; assessment: Assessment };

/** The template of a remedy: look, change, prove. */
export type RemedyAction<R extends Remedy> = {
  /** Whether the key as it is now still needs exactly what was approved. */
  isStillNeeded: (seen: Seen, remedy: R) => boolean;
  /** Makes the change; harmless when it was made before. Throws TransientKmsError for what may pass by itself. */
  apply: (kms: KeyChanges, key: KeyIdentity, remedy: R) => Promise<Change>;
  /** Whether the key reads back as the remedy leaves it. */
  isDone: (read: ReadBack, remedy: R) => boolean;
  /** What `isDone` waits for, in words. */
  expects: (remedy: R) => string;
  /** How long KMS may take until the change shows, seconds. */
  confirmWithinSeconds: number;
};
