import * as z from 'zod/mini';

const accountId = z.string().check(z.regex(/^\d{12}$/));
const region = z.string().check(z.regex(/^[a-z]{2}(-[a-z]+)+-\d$/));
const marker = z.nullable(z.string().check(z.minLength(1)));
const count = z.int().check(z.minimum(0));

/** What was done in a place so far. */
const counts = z.strictObject({
  /** Keys that were looked at. */
  keys: count,
  /** Keys that are left to the event of their creation. */
  young: count,
  /** Keys whose finding was opened or brought up to date. */
  changed: count,
  /** Keys that could not be looked at; 1 for a place whose keys cannot be listed. */
  failed: count,
});

/** All keys of one account in one Region, and where to go on with them; null is the beginning. */
const place = z.strictObject({ accountId, region, marker, counts });

/** What starts sweep-keys. The schedule sends the first, the state machine of the sweep the others. */
export const sweepTask = z.discriminatedUnion('task', [
  /** Does what the clock asks for: reminders, ends of exemptions, remediations without a result. */
  z.strictObject({ task: z.literal('deadlines') }),
  /** Lists accounts and Regions, after an account. */
  z.strictObject({ task: z.literal('list-places'), marker }),
  /** Looks at the keys of a place. */
  z.extend(place, { task: z.literal('scan-place') }),
]);

/** Answer of `list-places`: at most `PLACES_PER_PAGE` places, and where the next ones begin; null at the end. */
export const listedPlaces = z.strictObject({ places: z.array(place), nextMarker: marker });

/** Answer of `scan-place`: the same place, with where to go on; null at the end. */
export const scannedPlace = z.strictObject({ accountId, region, nextMarker: marker, counts });

export type SweepTask = z.infer<typeof sweepTask>;
export type Place = z.infer<typeof place>;
export type ScanCounts = z.infer<typeof counts>;
export type ListedPlaces = z.infer<typeof listedPlaces>;
export type ScannedPlace = z.infer<typeof scannedPlace>;

/**
 * Step Functions passes at most 256 KiB from state to state ("Quotas related to state machine executions"); a place is
 * about 130 bytes of JSON.
 */
export const PLACES_PER_PAGE = 1000;
