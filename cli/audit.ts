import { Argument, InvalidArgumentError } from 'commander';
import pMap from 'p-map';
import { readAuditTrail, readPatternTrail } from '../functions/adapters/audit-trail.ts';
import type { AuditEvent, ChainVerdict } from '../functions/domain/audit.ts';
import { parseKeyArn } from '../functions/domain/key.ts';
import type { PatternRecord } from '../functions/domain/pattern-audit.ts';
import { eventTable } from './audit/event-words.ts';
import { patternEventTable } from './audit/pattern-event-words.ts';
import { CannotRun, EXIT, type ExitCode, program, runProgram } from './command-line.ts';
import { allFindings, type Hub, type HubOptions, onHub, withHubOptions } from './hub.ts';
import { json, print, styled } from './terminal.ts';

type AuditOptions = HubOptions & { json?: true };

/** What a trail is of. */
const SUBJECT = 'ARN of a key, or id of an exemption of a pattern (npm run exemptions lists them)';

/** Each is three reads of one partition. */
const KEYS_AT_ONCE = 8;

const audit = program('audit', 'Reads the audit trail: who decided what, when, why, and what happened.');

withHubOptions(audit.command('verify'))
  .description('prove that a trail was not altered, and that what is stored follows from it; exits 1 when not')
  .argument('[subject]', SUBJECT, subject)
  .option('--all', 'every key that has a finding, and every exemption of a pattern')
  .option('--json', 'print the verdicts as JSON')
  .action(async (key: string | undefined, options: AuditOptions & { all?: true }) => {
    if ((key === undefined) === (options.all !== true)) throw new CannotRun('Name a key or a pattern, or say --all.');
    process.exitCode = await onHub(options, (hub) => verify(hub, key, options.json === true));
  });

withHubOptions(audit.command('show'))
  .description('print a trail, oldest first, and whether it holds')
  .addArgument(new Argument('<subject>', SUBJECT).argParser(subject))
  .option('--json', 'print the events as JSON')
  .action(async (key: string, options: AuditOptions) => {
    process.exitCode = await onHub(options, (hub) => show(hub, key, options.json === true));
  });

withHubOptions(audit.command('day'))
  .description('print everything that happened on a day')
  .addArgument(new Argument('<yyyy-mm-dd>', 'day in UTC').argParser(day))
  .option('--json', 'print the events as JSON')
  .action(async (date: string, options: AuditOptions) => {
    process.exitCode = await onHub(options, async ({ findings, patterns }) =>
      list({ events: await findings.auditOfDay(date), patternEvents: await patterns.auditOfDay(date) }, options),
    );
  });

withHubOptions(audit.command('person'))
  .description('print everything that a person decided, or was refused')
  .argument('<teamId>', 'Slack workspace id')
  .argument('<userId>', 'Slack user id')
  .option('--json', 'print the events as JSON')
  .action(async (teamId: string, userId: string, options: AuditOptions) => {
    process.exitCode = await onHub(options, async ({ findings, patterns }) => {
      const events = await findings.auditOfPerson(teamId, userId);
      return list({ events, patternEvents: await patterns.auditOfPerson(teamId, userId) }, options);
    });
  });

await runProgram(audit);

async function verify(hub: Hub, one: string | undefined, asJson: boolean): Promise<ExitCode> {
  const subjects = one === undefined ? await everySubject(hub) : [one];
  const verdicts = await pMap(subjects, async (arn) => ({ arn, verdict: (await read(hub, arn)).verdict }), {
    concurrency: KEYS_AT_ONCE,
  });
  const broken = verdicts.filter(({ verdict }) => !verdict.intact);
  const keys = subjects.filter(isKey).length;
  const patterns = subjects.length - keys;
  if (asJson) print(json({ keys, patterns, broken: broken.length, verdicts }));
  else {
    for (const { arn, verdict } of one === undefined ? broken : verdicts) print(verdictLine(arn, verdict));
    const counted = patterns === 0 ? `${keys} keys` : `${keys} keys, exemptions of ${patterns} patterns`;
    if (one === undefined) print(`${counted}, ${broken.length} with a trail that does not hold.`);
  }
  return broken.length === 0 ? EXIT.clean : EXIT.found;
}

async function everySubject(hub: Hub): Promise<string[]> {
  const arns = (await allFindings(hub)).map((finding) => finding.key.arn);
  const ids = (await hub.patterns.all()).map(({ id }) => id);
  return [...arns.sort(), ...ids.sort()];
}

async function show(hub: Hub, one: string, asJson: boolean): Promise<ExitCode> {
  const { events, words, verdict } = await read(hub, one);
  if (asJson) print(json({ events, verdict }));
  else {
    if (events.length > 0) print(`${words}\n`);
    print(verdictLine(one, verdict));
  }
  return verdict.intact ? EXIT.clean : EXIT.found;
}

/** The trail of a key or of an exemption of a pattern, and its events in words. */
async function read(
  { findings, patterns }: Hub,
  one: string,
): Promise<{ events: unknown[]; words: string; verdict: ChainVerdict }> {
  if (isKey(one)) {
    const { events, verdict } = await readAuditTrail(findings, one);
    return { events, words: eventTable(events, false), verdict };
  }
  const { events, verdict } = await readPatternTrail(patterns, one);
  return { events, words: patternEventTable(events, false), verdict };
}

function list(
  { events, patternEvents }: { events: readonly AuditEvent[]; patternEvents: readonly PatternRecord[] },
  { json: asJson }: AuditOptions,
): ExitCode {
  if (asJson === true) print(json({ events, patternEvents }));
  else if (events.length + patternEvents.length === 0) print('Nothing happened.');
  else {
    if (events.length > 0) print(eventTable(events, true));
    if (patternEvents.length > 0) print(`Exemptions of patterns:\n${patternEventTable(patternEvents, true)}`);
  }
  return EXIT.clean;
}

function verdictLine(one: string, verdict: ChainVerdict): string {
  const [what, stored] = isKey(one) ? ['key', 'finding'] : ['exemption', 'exemption'];
  if (!verdict.intact) return `${styled(['red', 'bold'], 'BROKEN')}  ${one}: ${verdict.problem}`;
  if (verdict.events === 0) return `${styled('green', 'intact')}  ${one}: nothing is known about this ${what}`;
  return `${styled('green', 'intact')}  ${one}: ${verdict.events === 1 ? 'one event' : `${verdict.events} events`}, and the ${stored} follows from them`;
}

function isKey(text: string): boolean {
  return parseKeyArn(text) !== null;
}

function subject(text: string): string {
  if (!isKey(text) && !/^[\w-]+$/.test(text)) {
    throw new InvalidArgumentError(
      'Expected the ARN of a KMS key, not of an alias, or the id of an exemption of a pattern.',
    );
  }
  return text;
}

function day(text: string): string {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));
  if (!isDay) throw new InvalidArgumentError('Expected a day such as 2026-03-31.');
  return text;
}
