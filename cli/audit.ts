import { Argument, InvalidArgumentError } from 'commander';
import pMap from 'p-map';
import { readAuditTrail } from '../functions/adapters/audit-trail.ts';
import type { AuditEvent, ChainVerdict } from '../functions/domain/audit.ts';
import { parseKeyArn } from '../functions/domain/key.ts';
import { eventTable } from './audit/event-words.ts';
import { CannotRun, EXIT, type ExitCode, program, runProgram } from './command-line.ts';
import { allFindings, type Hub, type HubOptions, onHub, withHubOptions } from './hub.ts';
import { json, print, styled } from './terminal.ts';

type AuditOptions = HubOptions & { json?: true };

/** Each is three reads of one partition. */
const KEYS_AT_ONCE = 8;

const audit = program('audit', 'Reads the audit trail: who decided what, when, why, and what happened.');

withHubOptions(audit.command('verify'))
  .description('prove that the trail of a key was not altered, and that its finding follows from it; exits 1 when not')
  .argument('[keyArn]', 'ARN of the key', keyArn)
  .option('--all', 'every key that has a finding')
  .option('--json', 'print the verdicts as JSON')
  .action(async (key: string | undefined, options: AuditOptions & { all?: true }) => {
    if ((key === undefined) === (options.all !== true)) throw new CannotRun('Name the ARN of a key, or say --all.');
    process.exitCode = await onHub(options, (hub) => verify(hub, key, options.json === true));
  });

withHubOptions(audit.command('show'))
  .description('print the trail of a key, oldest first, and whether it holds')
  .addArgument(new Argument('<keyArn>', 'ARN of the key').argParser(keyArn))
  .option('--json', 'print the events as JSON')
  .action(async (key: string, options: AuditOptions) => {
    process.exitCode = await onHub(options, (hub) => show(hub, key, options.json === true));
  });

withHubOptions(audit.command('day'))
  .description('print everything that happened on a day')
  .addArgument(new Argument('<yyyy-mm-dd>', 'day in UTC').argParser(day))
  .option('--json', 'print the events as JSON')
  .action(async (date: string, options: AuditOptions) => {
    process.exitCode = await onHub(options, async ({ findings }) => list(await findings.auditOfDay(date), options));
  });

withHubOptions(audit.command('person'))
  .description('print everything that a person decided, or was refused')
  .argument('<teamId>', 'Slack workspace id')
  .argument('<userId>', 'Slack user id')
  .option('--json', 'print the events as JSON')
  .action(async (teamId: string, userId: string, options: AuditOptions) => {
    process.exitCode = await onHub(options, async ({ findings }) =>
      list(await findings.auditOfPerson(teamId, userId), options),
    );
  });

await runProgram(audit);

async function verify(hub: Hub, key: string | undefined, asJson: boolean): Promise<ExitCode> {
  const arns = key === undefined ? (await allFindings(hub)).map((finding) => finding.key.arn).sort() : [key];
  const verdicts = await pMap(
    arns,
    async (arn) => ({ arn, verdict: (await readAuditTrail(hub.findings, arn)).verdict }),
    {
      concurrency: KEYS_AT_ONCE,
    },
  );
  const broken = verdicts.filter(({ verdict }) => !verdict.intact);
  if (asJson) print(json({ keys: verdicts.length, broken: broken.length, verdicts }));
  else {
    for (const { arn, verdict } of key === undefined ? broken : verdicts) print(verdictLine(arn, verdict));
    if (key === undefined) print(`${verdicts.length} keys, ${broken.length} with a trail that does not hold.`);
  }
  return broken.length === 0 ? EXIT.clean : EXIT.found;
}

async function show({ findings }: Hub, key: string, asJson: boolean): Promise<ExitCode> {
  const { events, verdict } = await readAuditTrail(findings, key);
  if (asJson) print(json({ events, verdict }));
  else {
    if (events.length > 0) print(`${eventTable(events, false)}\n`);
    print(verdictLine(key, verdict));
  }
  return verdict.intact ? EXIT.clean : EXIT.found;
}

function list(events: readonly AuditEvent[], { json: asJson }: AuditOptions): ExitCode {
  if (asJson === true) print(json({ events }));
  else print(events.length === 0 ? 'Nothing happened.' : eventTable(events, true));
  return EXIT.clean;
}

function verdictLine(arn: string, verdict: ChainVerdict): string {
  if (!verdict.intact) return `${styled(['red', 'bold'], 'BROKEN')}  ${arn}: ${verdict.problem}`;
  if (verdict.events === 0) return `${styled('green', 'intact')}  ${arn}: nothing is known about this key`;
  return `${styled('green', 'intact')}  ${arn}: ${verdict.events === 1 ? 'one event' : `${verdict.events} events`}, and the finding follows from them`;
}

function keyArn(text: string): string {
  if (parseKeyArn(text) === null) throw new InvalidArgumentError('Expected the ARN of a KMS key, not of an alias.');
  return text;
}

function day(text: string): string {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));
  if (!isDay) throw new InvalidArgumentError('Expected a day such as 2026-03-31.');
  return text;
}
