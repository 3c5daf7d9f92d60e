import { listedPlaces, type Place, scannedPlace } from '../functions/contracts/sweep.ts';
import type { Invoke } from './lambda/invoke.ts';

/** What a sweep came to. A place that failed is one of which some keys were not looked at. */
export type SweepResult = { places: number; keys: number; changed: number; failedPlaces: string[] };

/**
 * Runs sweep-keys as the state machine of infra/key-sweep.ts does, one place after another and without trying again.
 */
export async function sweepAllKeys(invoke: Invoke): Promise<SweepResult> {
  const result: SweepResult = { places: 0, keys: 0, changed: 0, failedPlaces: [] };
  let marker: string | null = null;
  do {
    const page = listedPlaces.parse(await invoke({ task: 'list-places', marker }));
    for (const place of page.places) {
      const scanned = await scan(place, invoke);
      result.places += 1;
      result.keys += scanned?.keys ?? 0;
      result.changed += scanned?.changed ?? 0;
      if (scanned === null || scanned.failed > 0) result.failedPlaces.push(`${place.accountId} ${place.region}`);
    }
    marker = page.nextMarker;
  } while (marker !== null);
  return result;
}

/** Null when the function failed. */
async function scan(from: Place, invoke: Invoke): Promise<Place['counts'] | null> {
  try {
    for (let place = from; ; ) {
      const { nextMarker, ...rest } = scannedPlace.parse(await invoke({ task: 'scan-place', ...place }));
      if (nextMarker === null) return rest.counts;
      place = { ...rest, marker: nextMarker };
    }
  } catch {
    // The function's log has the error.
    return null;
  }
}
