import { type ListedPlaces, PLACES_PER_PAGE } from '../contracts/sweep.ts';

export type ListPlacesDeps = {
  /** Throws PolicyUnreadable. */
  loadPolicy: () => Promise<unknown>;
  /** Account ids in rising order. */
  listAccounts: () => Promise<string[]>;
  /** Regions whose keys are watched. */
  regions: readonly string[];
};

const NOTHING_DONE = { keys: 0, young: 0, changed: 0, failed: 0 };

/**
 * Every account in every Region, page by page. The marker is an account, not a token of Organizations: hours may pass
 * before the next page is asked for.
 * @throws PolicyUnreadable: without a policy no key can be judged, so the sweep does not even begin
 */
export async function listPlaces(marker: string | null, deps: ListPlacesDeps): Promise<ListedPlaces> {
  await deps.loadPolicy();
  const accounts = (await deps.listAccounts()).filter((accountId) => marker === null || accountId > marker);
  const page = accounts.slice(0, Math.max(1, Math.floor(PLACES_PER_PAGE / deps.regions.length)));
  const places = page.flatMap((accountId) =>
    deps.regions.map((region) => ({ accountId, region, marker: null, counts: NOTHING_DONE })),
  );
  return { places, nextMarker: accounts.length > page.length ? (page.at(-1) ?? null) : null };
}
