import pMap from 'p-map';
import type { Alert } from '../contracts/notice.ts';
import type { Place, ScanCounts, ScannedPlace } from '../contracts/sweep.ts';
import type { UnknownReason } from '../domain/assessment.ts';
import { type JudgeDeps, judge, lookAt, type ObserveKey, primaryOf, type Sight } from '../domain/judge.ts';
import type { KeyIdentity, KeyPlace } from '../domain/key.ts';
import { graceOf, type Policy } from '../domain/policy.ts';

export type ScanDeps = JudgeDeps & {
  loadPolicy: () => Promise<{ policy: Policy }>;
  /** Throws when the keys cannot be listed now but perhaps later. */
  listKeys: (
    place: KeyPlace,
    marker: string | null,
  ) => Promise<
    { listed: true; keys: KeyIdentity[]; nextMarker: string | null } | { listed: false; reason: UnknownReason }
  >;
  observeKey: ObserveKey;
  alert: (alert: Alert) => Promise<void>;
  /** Where this function runs. */
  home: KeyPlace;
  /** Regions whose keys are watched. */
  regions: readonly string[];
  pause: (milliseconds: number) => Promise<void>;
  /** Whether there is time for another page; the rest is left to the next run. */
  hasTime: () => boolean;
};

/** What was done, and why some keys could not be looked at. */
export type Scan = { place: ScannedPlace; errors: Error[] };

/** Not even one page of keys could be looked at in the time of a run: KMS is slow or throttles. */
export class ScanTooSlow extends Error {
  public override readonly name = 'ScanTooSlow';
}

/*
 * At most 4 keys in 200 ms, so 20 keys a second. The request quotas are per account and Region, each call has its own,
 * and they are shared with everybody there (AWS KMS Developer Guide, "Request quotas"). A key takes at most one call each
 * of DescribeKey (1% of 2,000/s), GetKeyRotationStatus (2% of 1,000/s) or, with imported material, ListKeyRotations (20%
 * of 100/s, if all keys are of that kind), ListAliases (4% of 500/s) and ListResourceTags (1% of 2,000/s), more only for
 * those with several pages of them. A key whose finding changes is looked at once more by detect-finding: at most twice
 * as much. 100,000 keys, the most that a place can have, take 84 minutes.
 */
const KEYS_AT_ONCE = 4;
const PACE_MS = 200;
/** A key that could not be looked at is tried once more at the end of its page. */
const AGAIN_AFTER_MS = 3000;

/**
 * Looks at the keys of an account and Region and brings their findings up to date: keys that are older than the bot, and
 * those whose events got lost. One key that fails does not stop the others. Repeating it is harmless.
 * @throws ScanTooSlow; PolicyUnreadable; whatever listing the keys throws, to be tried again from the same marker
 */
export async function scanPlace({ accountId, region, marker, counts }: Place, deps: ScanDeps): Promise<Scan> {
  const { policy } = await deps.loadPolicy();
  const place = { partition: deps.home.partition, accountId, region };
  const at = deps.now().toISOString();
  const errors: Error[] = [];
  let done = counts;
  const scan = (nextMarker: string | null): Scan => ({
    place: { accountId, region, nextMarker, counts: done },
    errors,
  });
  for (let next = marker; ; ) {
    const page = await deps.listKeys(place, next);
    if (!page.listed) {
      await tellUnreachable(place, page.reason, at, deps);
      done = { ...done, failed: done.failed + 1 };
      return scan(null);
    }
    const looked = await lookAtPage(page.keys, { at, policy, deps });
    if (looked === 'out-of-time') {
      // From there again: what was done of the page changes nothing the second time.
      if (next === marker) throw new ScanTooSlow(`no time for ${page.keys.length} keys of ${accountId} in ${region}`);
      return scan(next);
    }
    done = sum(done, looked.counts);
    errors.push(...looked.errors);
    next = page.nextMarker;
    if (next === null || !deps.hasTime()) return scan(next);
  }
}

type Context = { at: string; policy: Policy; deps: ScanDeps };

async function lookAtPage(
  keys: readonly KeyIdentity[],
  context: Context,
): Promise<{ counts: ScanCounts; errors: Error[] } | 'out-of-time'> {
  const { deps } = context;
  const first = await lookAtAll(keys, context);
  const failed = first.flatMap((result) => ('error' in result ? [result.key] : []));
  if (failed.length > 0 && deps.hasTime()) await deps.pause(AGAIN_AFTER_MS);
  const results = [...first.filter((result) => !('error' in result)), ...(await lookAtAll(failed, context))];
  if (results.some((result) => 'outcome' in result && result.outcome === 'not-started')) return 'out-of-time';
  const errors = results.flatMap((result) => ('error' in result ? [result.error] : []));
  const outcomes = results.flatMap((result) => ('outcome' in result ? [result.outcome] : []));
  const count = (wanted: Outcome) => outcomes.filter((outcome) => outcome === wanted).length;
  const counts = { keys: keys.length, young: count('young'), changed: count('changed'), failed: errors.length };
  return { counts, errors };
}

type Outcome = 'young' | 'changed' | 'unchanged' | 'not-started';
type Result = { key: KeyIdentity; outcome: Outcome } | { key: KeyIdentity; error: Error };

async function lookAtAll(keys: readonly KeyIdentity[], context: Context): Promise<Result[]> {
  const { deps } = context;
  return await pMap(
    keys,
    async (key): Promise<Result> => {
      if (!deps.hasTime()) return { key, outcome: 'not-started' };
      const pace = deps.pause(PACE_MS);
      try {
        return { key, outcome: await bringUpToDate(key, context) };
      } catch (cause) {
        return { key, error: new Error(`key ${key.arn}`, { cause }) };
      } finally {
        await pace;
      }
    },
    { concurrency: KEYS_AT_ONCE },
  );
}

async function bringUpToDate(
  key: KeyIdentity,
  { at, policy, deps }: Context,
): Promise<Exclude<Outcome, 'not-started'>> {
  const sight: Sight = { key, observation: await deps.observeKey(key) };
  const { observation } = sight;
  // The role went away meanwhile. That is said once for the account, not of each of its keys.
  if (observation.seen === 'refusal' && isAboutTheRole(observation.reason))
    throw new Error(refusalOf(observation.reason));
  const facts = observation.seen === 'no-key' ? null : observation.facts;
  // A place has dozens of AWS's own keys; none of them can have a finding.
  if (facts?.keyManager === 'AWS') return 'unchanged';
  if (facts !== null && isYoung(facts.createdAt, policy, deps.now())) return 'young';
  const primary = primaryOf(sight);
  // A primary in a watched Region is looked at where it is.
  const leadsAway = primary !== null && !deps.regions.includes(primary.region);
  const seen = leadsAway ? await lookAt(key, deps.observeKey) : { ...sight, replica: null };
  const cause = { kind: 'sweep' as const, id: `sweep#${at}` };
  return await judge({ seen, trigger: { kind: 'sweep', at }, cause, onceId: null, policy }, deps);
}

/** Whether the event of its creation may still be waiting for the tool that made the key to finish. */
function isYoung(createdAt: string, policy: Policy, now: Date): boolean {
  return now.getTime() - Date.parse(createdAt) < graceOf(policy, 'CreateKey') * 1000;
}

async function tellUnreachable(place: KeyPlace, reason: UnknownReason, at: string, deps: ScanDeps): Promise<void> {
  // A role is the same in every Region, so it is told from one of them.
  if (isAboutTheRole(reason) && place.region !== deps.home.region) return;
  const where = isAboutTheRole(reason) ? `account ${place.accountId}` : `account ${place.accountId} in ${place.region}`;
  const message = `The keys of ${where} cannot be swept: ${refusalOf(reason)}.`;
  await deps.alert({ kind: 'alert', alert: 'account-unreachable', at, message, keyArn: null });
}

function isAboutTheRole(reason: UnknownReason): boolean {
  return 'operation' in reason && reason.operation === 'sts:AssumeRole';
}

function refusalOf(reason: UnknownReason): string {
  switch (reason.because) {
    case 'access-denied':
      return `${reason.operation} is denied (${reason.principal})`;
    case 'kms-refused':
      return `${reason.operation} is refused with ${reason.code}`;
    case 'unrecognised-key-state':
    case 'unrecognised-origin':
    case 'rotation-not-read':
    case 'period-not-reported':
      return reason.because;
  }
}

function sum(a: ScanCounts, b: ScanCounts): ScanCounts {
  return {
    keys: a.keys + b.keys,
    young: a.young + b.young,
    changed: a.changed + b.changed,
    failed: a.failed + b.failed,
  };
}
