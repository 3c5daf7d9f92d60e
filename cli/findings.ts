import { Argument } from 'commander';
import { type Finding, type Status, severityOf } from '../functions/domain/finding.ts';
import { keyName } from '../functions/messages/key-facts.ts';
import { utc } from '../functions/messages/phrase.ts';
import { findingSentence } from '../functions/messages/problem-sentence.ts';
import { EXIT, type ExitCode, program, runProgram } from './command-line.ts';
import { allFindings, type Hub, type HubOptions, onHub, STATUSES, withHubOptions } from './hub.ts';
import { json, print, sentence, table } from './terminal.ts';

type FindingsOptions = HubOptions & { json?: true };

const HEAD = ['STATUS', 'SEVERITY', 'OPENED', 'ACCOUNT', 'REGION', 'KEY', 'WHAT'];

/** Somebody has to do something about these. */
const UNSETTLED: readonly Status[] = ['open', 'failed'];

const findings = withHubOptions(program('findings', 'Lists findings, the oldest first.'))
  .addArgument(new Argument('[status]', 'those of one status').choices(STATUSES))
  .option('--json', 'print them as JSON')
  .addHelpText('after', '\nExits 1 when one of those listed is open or failed.')
  .action(async (status: Status | undefined, options: FindingsOptions) => {
    process.exitCode = await onHub(options, (hub) => list(hub, status, options.json === true));
  });

await runProgram(findings);

async function list(hub: Hub, status: Status | undefined, asJson: boolean): Promise<ExitCode> {
  const found = await allFindings(hub, status === undefined ? STATUSES : [status]);
  found.sort((a, b) => (a.openedAt < b.openedAt ? -1 : a.openedAt > b.openedAt ? 1 : 0));
  if (asJson) print(json({ findings: found }));
  else print(found.length === 0 ? 'No findings.' : table(HEAD, found.map(rowOf)));
  return found.some((finding) => UNSETTLED.includes(finding.status)) ? EXIT.found : EXIT.clean;
}

function rowOf(finding: Finding): string[] {
  const { status, openedAt, key, facts } = finding;
  return [
    ...[status, severityOf(finding), utc(openedAt), key.accountId, key.region, keyName(key, facts)],
    sentence(findingSentence(finding)),
  ];
}
