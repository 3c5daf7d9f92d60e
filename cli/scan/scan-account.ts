import { type KMSClient, paginateListKeys } from '@aws-sdk/client-kms';
import pMap from 'p-map';
import type { KeyReader } from '../../functions/adapters/kms.ts';
import { TransientKmsError } from '../../functions/adapters/kms-errors.ts';
import { type Assessment, assess, isProblem, type RotationRules } from '../../functions/domain/assessment.ts';
import { type KeyFacts, type KeyIdentity, parseKeyArn } from '../../functions/domain/key.ts';

/** `doubt` says why nobody could look at a key that is `unknown`, where the assessment cannot. */
export type ScannedKey = { key: KeyIdentity; facts: KeyFacts | null; assessment: Assessment; doubt: string | null };

/** `refused` says why the keys of the Region could not be listed. */
export type RegionScan = { region: string; keys: ScannedKey[]; refused: string | null };

export type ScanInput = {
  region: string;
  client: KMSClient;
  reader: Pick<KeyReader, 'observeKey'>;
  rules: RotationRules;
  /** How many keys are looked at at once. */
  concurrency: number;
  now: () => Date;
  wait: (milliseconds: number) => Promise<void>;
  /** Told after every key. */
  onProgress: (done: number, all: number) => void;
  /** An error in words. */
  explain: (error: unknown) => string;
};

/**
 * A key that is being made, or a service that is overloaded even for the SDK's retries, is looked at again this much
 * later; then it is unknown.
 */
const SECOND_LOOK_MS = 3000;
const PAGE_SIZE = 1000;

/** Looks at every key of a Region. Nothing that fails stops the rest, and nothing that was not read counts as good. */
export async function scanRegion(input: ScanInput): Promise<RegionScan> {
  const { region, client, concurrency, onProgress } = input;
  const identities: KeyIdentity[] = [];
  let refused: string | null = null;
  try {
    for await (const { Keys: page = [] } of paginateListKeys({ client }, { Limit: PAGE_SIZE })) {
      identities.push(...page.map(({ KeyArn: arn = '' }) => parseKeyArn(arn)).filter((key) => key !== null));
    }
  } catch (error) {
    refused = input.explain(error);
  }
  let done = 0;
  const keys = await pMap(
    identities,
    async (key) => {
      const scanned = await scanKey(key, input);
      done += 1;
      onProgress(done, identities.length);
      return scanned;
    },
    { concurrency },
  );
  return { region, keys, refused };
}

async function scanKey(key: KeyIdentity, input: ScanInput): Promise<ScannedKey> {
  const { reader, rules, now, wait } = input;
  const look = async (): Promise<ScannedKey> => {
    const observation = await reader.observeKey(key);
    const facts = observation.seen === 'no-key' ? null : observation.facts;
    return { key, facts, assessment: assess(observation, rules, now().toISOString()), doubt: null };
  };
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof TransientKmsError)) return unknown(key, input.explain(error));
  }
  await wait(SECOND_LOOK_MS);
  try {
    return await look();
  } catch (error) {
    return unknown(key, input.explain(error));
  }
}

function unknown(key: KeyIdentity, doubt: string): ScannedKey {
  return { key, facts: null, assessment: { verdict: 'unknown', reason: { because: 'rotation-not-read' } }, doubt };
}

export type ScanCounts = {
  keys: number;
  compliant: number;
  notApplicable: number;
  /** Somebody has to do something about them. */
  problems: number;
  unknown: number;
  regionsRefused: number;
};

export function countScan(regions: readonly RegionScan[]): ScanCounts {
  const keys = regions.flatMap((region) => region.keys);
  const count = (is: (assessment: Assessment) => boolean) => keys.filter(({ assessment }) => is(assessment)).length;
  const unknownKeys = count(({ verdict }) => verdict === 'unknown');
  return {
    keys: keys.length,
    compliant: count(({ verdict }) => verdict === 'compliant'),
    notApplicable: count(({ verdict }) => verdict === 'not-applicable'),
    problems: count(isProblem) - unknownKeys,
    unknown: unknownKeys,
    regionsRefused: regions.filter(({ refused }) => refused !== null).length,
  };
}
