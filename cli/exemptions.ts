import { daysLeft } from '../functions/domain/exemption.ts';
import type { ExemptFinding } from '../functions/domain/finding.ts';
import type { PatternExemption, PatternGrant } from '../functions/domain/pattern-exemption.ts';
import { keyName } from '../functions/messages/key-facts.ts';
import { bareWords } from '../functions/messages/pattern-words.ts';
import { utc } from '../functions/messages/phrase.ts';
import { person } from './audit/event-words.ts';
import { EXIT, type ExitCode, program, runProgram, wholeNumber } from './command-line.ts';
import { allFindings, type Hub, type HubOptions, onHub, withHubOptions } from './hub.ts';
import { json, print, table } from './terminal.ts';

type ExemptionsOptions = HubOptions & { expiring?: number; json?: true };

const HEAD = ['UNTIL', 'DAYS', 'ACCOUNT', 'REGION', 'KEY', 'OWNER', 'GRANTED BY', 'REASON'];
const PATTERN_HEAD = ['UNTIL', 'DAYS', 'ACCOUNT', 'KEYS', 'EXEMPT', 'OWNER', 'GRANTED BY', 'REASON', 'ID'];
/** Far more than two people each can have agreed on. */
const MOST_PATTERNS = 1000;

const exemptions = withHubOptions(program('exemptions', 'Lists the keys that are exempt, those that end first on top.'))
  .option('--expiring <days>', 'those that end within so many days; exits 1 when there are any', wholeNumber(0, 3650))
  .option('--json', 'print them as JSON')
  .action(async (options: ExemptionsOptions) => {
    process.exitCode = await onHub(options, (hub) => list(hub, options));
  });

await runProgram(exemptions);

async function list(hub: Hub, { expiring, json: asJson }: ExemptionsOptions): Promise<ExitCode> {
  const now = new Date().toISOString();
  const isMeant = (exemption: { until: string }) => expiring === undefined || daysLeft(exemption, now) <= expiring;
  const byEnd = (a: { until: string }, b: { until: string }) => Date.parse(a.until) - Date.parse(b.until);
  const exempt = (await allFindings(hub, ['exempt']))
    .filter((finding) => finding.status === 'exempt')
    .filter(({ exemption }) => isMeant(exemption))
    .sort((a, b) => byEnd(a.exemption, b.exemption));
  const patterns = (await hub.patterns.current(MOST_PATTERNS))
    .flatMap(({ grant, ...pattern }) => (grant === null ? [] : [{ ...pattern, grant }]))
    .filter(({ grant }) => isMeant(grant))
    .sort((a, b) => byEnd(a.grant, b.grant));
  if (asJson === true) {
    print(json({ exemptions: exempt.map(({ key, exemption }) => ({ key, exemption })), patterns }));
  } else {
    const rows = exempt.map((finding) => rowOf(finding, now));
    print(rows.length === 0 ? 'No exemptions.' : table(HEAD, rows));
    const more = patterns.map((pattern) => patternRow(pattern, now));
    if (more.length > 0) print(`\nOf all keys of a pattern:\n${table(PATTERN_HEAD, more)}`);
  }
  return expiring !== undefined && exempt.length + patterns.length > 0 ? EXIT.found : EXIT.clean;
}

function rowOf({ key, facts, exemption }: ExemptFinding, now: string): string[] {
  const { until, owner, grantedBy, reason, ticket, pattern } = exemption;
  const by = pattern === undefined ? '' : `, for ${bareWords(pattern.means)}`;
  return [
    ...[utc(until), String(daysLeft(exemption, now)), key.accountId, key.region, keyName(key, facts)],
    ...[person(owner), `${person(grantedBy)}${by}`, ticket === null ? reason : `${reason} (${ticket})`],
  ];
}

function patternRow(
  { id, pattern, grant, coverage }: Omit<PatternExemption, 'grant'> & { grant: PatternGrant },
  now: string,
): string[] {
  const { until, owner, grantedBy, confirmedBy, reason, ticket } = grant;
  return [
    ...[utc(until), String(daysLeft(grant, now)), pattern.accountId, bareWords(pattern)],
    ...[coverage === null ? '' : String(coverage.exempt), person(owner)],
    ...[`${person(grantedBy)} and ${person(confirmedBy)}`, ticket === null ? reason : `${reason} (${ticket})`, id],
  ];
}
