import type { Batch } from '../domain/digest.ts';
import { approveBatch, type BatchDeps } from './approve-batch.ts';

export type KeepDigestsDeps = BatchDeps & {
  digests: {
    /** Longest ago first. */
    stale: (limit: number) => Promise<string[]>;
    openBatches: (limit: number) => Promise<Batch[]>;
  };
};

const PAGE = 100;

/**
 * What the clock does for digests: has those rendered whose last change nobody rendered, because it came too soon after
 * another, and goes on with batches that a run left. Answers how many of each there were.
 * @throws AggregateError after all the others were done
 */
export async function keepDigests(deps: KeepDigestsDeps): Promise<{ stale: number; batches: number }> {
  const errors: unknown[] = [];
  const stale = await deps.digests.stale(PAGE);
  for (const digest of stale) {
    await deps.digests.askForRefresh(digest, deps.now()).catch((error: unknown) => errors.push(error));
  }
  const batches = await deps.digests.openBatches(PAGE);
  for (const batch of batches) {
    if (!deps.hasTime()) break;
    await approveBatch(batch, deps).catch((error: unknown) => errors.push(error));
  }
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} digests or batches failed`);
  return { stale: stale.length, batches: batches.length };
}
