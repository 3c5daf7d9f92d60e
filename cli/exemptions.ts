import { daysLeft } from '../functions/domain/exemption.ts';
import type { ExemptFinding } from '../functions/domain/finding.ts';
import { keyName } from '../functions/messages/key-facts.ts';
import { utc } from '../functions/messages/phrase.ts';
import { person } from './audit/event-words.ts';
import { EXIT, type ExitCode, program, runProgram, wholeNumber } from './command-line.ts';
import { allFindings, type Hub, type HubOptions, onHub, withHubOptions } from './hub.ts';
import { json, print, table } from './terminal.ts';

type ExemptionsOptions = HubOptions & { expiring?: number; json?: true };

const HEAD = ['UNTIL', 'DAYS', 'ACCOUNT', 'REGION', 'KEY', 'OWNER', 'GRANTED BY', 'REASON'];

const exemptions = withHubOptions(program('exemptions', 'Lists the keys that are exempt, those that end first on top.'))
  .option('--expiring <days>', 'those that end within so many days; exits 1 when there are any', wholeNumber(0, 3650))
  .option('--json', 'print them as JSON')
  .action(async (options: ExemptionsOptions) => {
    process.exitCode = await onHub(options, (hub) => list(hub, options));
  });

await runProgram(exemptions);

async function list(hub: Hub, { expiring, json: asJson }: ExemptionsOptions): Promise<ExitCode> {
  const now = new Date().toISOString();
  const exempt = (await allFindings(hub, ['exempt']))
    .filter((finding) => finding.status === 'exempt')
    .filter(({ exemption }) => expiring === undefined || daysLeft(exemption, now) <= expiring)
    .sort((a, b) => Date.parse(a.exemption.until) - Date.parse(b.exemption.until));
  if (asJson === true) print(json({ exemptions: exempt.map(({ key, exemption }) => ({ key, exemption })) }));
  else
    print(
      exempt.length === 0
        ? 'No exemptions.'
        : table(
            HEAD,
            exempt.map((finding) => rowOf(finding, now)),
          ),
    );
  return expiring !== undefined && exempt.length > 0 ? EXIT.found : EXIT.clean;
}

function rowOf({ key, facts, exemption }: ExemptFinding, now: string): string[] {
  const { until, owner, grantedBy, reason, ticket } = exemption;
  return [
    ...[utc(until), String(daysLeft(exemption, now)), key.accountId, key.region, keyName(key, facts)],
    ...[person(owner), person(grantedBy), ticket === null ? reason : `${reason} (${ticket})`],
  ];
}
