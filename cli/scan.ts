import { setTimeout as wait } from 'node:timers/promises';
import { KMSClient } from '@aws-sdk/client-kms';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import pMap from 'p-map';
import { keyReaderWith } from '../functions/adapters/kms.ts';
import { CannotRun, EXIT, type ExitCode, explain, program, runProgram, several, wholeNumber } from './command-line.ts';
import { profileOption } from './hub.ts';
import { enabledRegions } from './scan/enabled-regions.ts';
import { countScan, type RegionScan, scanRegion } from './scan/scan-account.ts';
import { scanCsv, scanDocument, scanReport } from './scan/scan-report.ts';
import { json, print, remark } from './terminal.ts';

type ScanOptions = {
  region?: string[];
  allRegions?: true;
  profile?: string;
  maximumPeriod: number;
  concurrency: number;
  every?: true;
  json?: true;
  csv?: true;
};

/**
 * At most this many keys at once and Region, each with at most three calls on their way: with answers in 10 ms that
 * is well below half of the lowest quota concerned (ListAliases, 500 per second; AWS KMS Developer Guide, "Request quotas").
 */
const MOST_AT_ONCE = 16;
const REGIONS_AT_ONCE = 4;
/** The SDK slows down by itself when KMS throttles, because the account's own services need the same quota. */
const PATIENCE = { retryMode: 'adaptive', maxAttempts: 8 };

const scan = program(
  'scan',
  'Looks at every KMS key of one account, as the bot would, without any deployment. Changes nothing.',
)
  .option(
    '--region <regions>',
    'Regions, with commas or given several times; default: that of the environment',
    several,
  )
  .option('--all-regions', 'every Region that is enabled for the account')
  .addOption(profileOption())
  .option('--maximum-period <days>', 'the longest rotation period that is allowed', wholeNumber(90, 2560), 365)
  .option('-c, --concurrency <keys>', 'keys looked at at once in a Region', wholeNumber(1, MOST_AT_ONCE), 4)
  .option('--every', 'show the keys that are in order too')
  .option('--json', 'print every key as JSON')
  .option('--csv', 'print every key as CSV')
  .addHelpText(
    'after',
    '\nExits 0 when every key is in order, 1 when one is not, 2 when some could not be looked at and none of the others is at fault.',
  )
  .action(async (options: ScanOptions) => {
    if (options.json === true && options.csv === true) throw new CannotRun('Choose one of --json and --csv.');
    const scanned = await scanAccount(options);
    if (options.json === true) print(json(scanDocument(scanned)));
    else print(options.csv === true ? scanCsv(scanned) : scanReport(scanned, options.every === true));
    process.exitCode = exitCodeOf(scanned);
  });

await runProgram(scan);

async function scanAccount({ profile, concurrency, maximumPeriod, ...places }: ScanOptions): Promise<RegionScan[]> {
  const access = profile === undefined ? {} : { profile };
  const sts = new STSClient(access);
  const { Arn: arn = '' } = await sts.send(new GetCallerIdentityCommand({}));
  const regions = await regionsOf(places, sts);
  remark(`Looking at ${regions.join(', ')} as ${arn}.`);
  return pMap(
    regions,
    async (region) => {
      const client = new KMSClient({ ...access, ...PATIENCE, region });
      const scanned = await scanRegion({
        ...{ region, client, concurrency, rules: { maximumPeriodInDays: maximumPeriod } },
        reader: keyReaderWith({ clientFor: () => client, principalFor: () => arn }),
        ...{
          now: () => new Date(),
          wait: (milliseconds) => wait(milliseconds),
          explain,
          onProgress: progressOf(region),
        },
      });
      client.destroy();
      remark(`${region}: ${scanned.keys.length} keys`);
      return scanned;
    },
    { concurrency: REGIONS_AT_ONCE },
  );
}

async function regionsOf(
  { region, allRegions }: Pick<ScanOptions, 'region' | 'allRegions'>,
  sts: STSClient,
): Promise<string[]> {
  if (allRegions === true) return enabledRegions(sts.config);
  return region === undefined ? [await sts.config.region()] : [...new Set(region)];
}

/** A line every hundred keys: a file that takes stderr stays short. */
function progressOf(region: string): (done: number, all: number) => void {
  return (done, all) => {
    if (done % 100 === 0) remark(`${region}: ${done} of ${all}`);
  };
}

function exitCodeOf(scanned: readonly RegionScan[]): ExitCode {
  const { problems, unknown, regionsRefused } = countScan(scanned);
  if (problems > 0) return EXIT.found;
  return unknown + regionsRefused > 0 ? EXIT.incomplete : EXIT.clean;
}
