import { type Assessment, isProblem } from '../../functions/domain/assessment.ts';
import { notApplicableSentence, problemSentence } from '../../functions/messages/problem-sentence.ts';
import { csv, printable, sentence, styled, table } from '../terminal.ts';
import { countScan, type RegionScan, type ScannedKey } from './scan-account.ts';

/** Worst first: what is off, what is too slow, what nobody could look at; then the rest. */
const ORDER: readonly Assessment['verdict'][] = [
  ...(['rotation-off', 'manual-rotation-due', 'period-too-long', 'unknown'] as const),
  ...(['compliant', 'not-applicable'] as const),
];

/** The keys that somebody has to look at (with `every`, all of them), and the counts. */
export function scanReport(regions: readonly RegionScan[], every: boolean): string {
  const shown = inOrder(regions).filter(({ assessment }) => every || isProblem(assessment));
  const rows = shown.map((scanned) => [
    scanned.assessment.verdict,
    scanned.key.region,
    scanned.key.keyId,
    scanned.facts?.aliases.join(' ') ?? '',
    wordsFor(scanned),
  ]);
  const refused = regions.flatMap(({ region, refused: why }) =>
    why === null ? [] : [`${styled('yellow', region)}: keys cannot be listed. ${printable(why)}`],
  );
  const keyTable = rows.length === 0 ? [] : [table(['VERDICT', 'REGION', 'KEY', 'ALIASES', 'WHAT'], rows), ''];
  return [...keyTable, ...refused, summary(regions)].join('\n');
}

/** Every key, one row each; empty cells for what was not read. */
export function scanCsv(regions: readonly RegionScan[]): string {
  const head = ['verdict', 'account', 'region', 'key_arn', 'aliases', 'what'];
  const rows = inOrder(regions).map((scanned) => [
    ...[scanned.assessment.verdict, scanned.key.accountId, scanned.key.region, scanned.key.arn],
    ...[scanned.facts?.aliases.join(' ') ?? '', wordsFor(scanned)],
  ]);
  return csv([head, ...rows]);
}

/** Every key with its assessment as the bot stores it, and the counts. */
export function scanDocument(regions: readonly RegionScan[]): object {
  return {
    counts: countScan(regions),
    keys: inOrder(regions).map((scanned) => ({
      ...{ arn: scanned.key.arn, aliases: scanned.facts?.aliases ?? [], assessment: scanned.assessment },
      what: wordsFor(scanned),
    })),
    refused: regions.flatMap(({ region, refused: why }) => (why === null ? [] : [{ region, why }])),
  };
}

function inOrder(regions: readonly RegionScan[]): ScannedKey[] {
  const rank = ({ assessment }: ScannedKey) => ORDER.indexOf(assessment.verdict);
  return regions.flatMap(({ keys }) => keys).sort((a, b) => rank(a) - rank(b));
}

function wordsFor({ assessment, doubt }: ScannedKey): string {
  if (doubt !== null) return doubt;
  switch (assessment.verdict) {
    case 'compliant':
      return 'Rotates as it should.';
    case 'not-applicable':
      return `${notApplicableSentence(assessment.reason)}.`;
    case 'rotation-off':
    case 'period-too-long':
    case 'manual-rotation-due':
    case 'unknown':
      return sentence(problemSentence(assessment));
  }
}

function summary(regions: readonly RegionScan[]): string {
  const { keys, compliant, notApplicable, problems, unknown } = countScan(regions);
  const where = regions.length === 1 ? (regions[0]?.region ?? '') : `${regions.length} Regions`;
  return `${keys} keys in ${where}: ${problems} to be dealt with, ${unknown} unknown, ${compliant} rotate, ${notApplicable} for which rotation does not apply.`;
}
