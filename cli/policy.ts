import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { stringify } from 'yaml';
import { policyVersion, type StoredPolicy } from '../functions/adapters/policy-store.ts';
import { readPolicyYaml } from '../functions/adapters/policy-yaml.ts';
import { InvalidPolicy } from '../functions/contracts/policy.ts';
import { CannotRun, EXIT, type ExitCode, program, runProgram } from './command-line.ts';
import { type Hub, type HubOptions, onHub, withHubOptions } from './hub.ts';
import { differenceLines } from './policy/difference-lines.ts';
import { differences } from './policy/differences.ts';
import { json, print, printable, remark, table } from './terminal.ts';

const DEFAULT_FILE = 'rotation-policy.yaml';

const policy = program('policy', 'Checks, shows, compares and stores the rotation policy.');
const file = ['[file]', 'the policy file', DEFAULT_FILE] as const;

policy
  .command('check')
  .description('check a file, without AWS; exits 1 when it is not valid')
  .argument(...file)
  .action(async (path: string) => {
    process.exitCode = await check(path);
  });

withHubOptions(policy.command('show'))
  .description('print the stored policy as YAML')
  .option('--json', 'print it as JSON, with version and time')
  .action(async (options: HubOptions & { json?: true }) => {
    process.exitCode = await onHub(options, (hub) => show(hub, options.json === true));
  });

withHubOptions(policy.command('diff'))
  .description('print what would change; exits 1 when something would, or when the file is not valid')
  .argument(...file)
  .option('--json', 'print the differences as JSON')
  .action(async (path: string, options: HubOptions & { json?: true }) => {
    process.exitCode = await onHub(options, (hub) => diff(hub, path, options.json === true));
  });

withHubOptions(policy.command('apply'))
  .description('check a file, print what changes, and store it, unless somebody stored another meanwhile')
  .argument(...file)
  .option('--expect <version>', 'the version that has to be stored now, as diff printed it; "none" for none')
  .option('--yes', 'do not ask')
  .action(async (path: string, options: HubOptions & ApplyOptions) => {
    process.exitCode = await onHub(options, (hub) => apply(hub, path, options));
  });

withHubOptions(policy.command('history'))
  .description('list the policies that were stored, the newest first')
  .option('--json', 'print them as JSON, documents included')
  .action(async (options: HubOptions & { json?: true }) => {
    process.exitCode = await onHub(options, (hub) => history(hub, options.json === true));
  });

await runProgram(policy);

type ApplyOptions = { expect?: string; yes?: true };

/** `say` takes the good news: where the output is for something else, they are a remark. */
async function check(path: string, say = print): Promise<ExitCode> {
  try {
    const { document } = await readFileOfPolicy(path);
    say(`${path} is valid. Version ${policyVersion(document)}`);
    return EXIT.clean;
  } catch (error) {
    if (!(error instanceof InvalidPolicy)) throw error;
    say(`${path}: ${error.message}`);
    return EXIT.found;
  }
}

async function show({ policies }: Hub, asJson: boolean): Promise<ExitCode> {
  const stored = await policies.storedPolicy();
  if (stored === null) throw new CannotRun('No policy is stored yet. Store one with: npm run policy -- apply');
  if (asJson) print(json(stored));
  else print(`# Version ${versionOf(stored)}, stored at ${stored.storedAt}.\n${stringify(stored.document).trimEnd()}`);
  return EXIT.clean;
}

async function diff({ policies }: Hub, path: string, asJson: boolean): Promise<ExitCode> {
  const checked = await check(path, remark);
  if (checked !== EXIT.clean) return checked;
  const { document } = await readFileOfPolicy(path);
  const stored = await policies.storedPolicy();
  const found = differences(stored?.document ?? null, document);
  if (asJson) print(json({ stored: versionOf(stored), file: policyVersion(document), differences: found }));
  else {
    print(found.length === 0 ? 'The stored policy is the same.' : differenceLines(found));
    print(`Stored: ${versionOf(stored)}`);
  }
  return found.length === 0 ? EXIT.clean : EXIT.found;
}

async function apply({ policies }: Hub, path: string, { expect, yes }: ApplyOptions): Promise<ExitCode> {
  const checked = await check(path, remark);
  if (checked !== EXIT.clean) return checked;
  const { document } = await readFileOfPolicy(path);
  const stored = await policies.storedPolicy();
  if (expect !== undefined && expect !== versionOf(stored)) {
    print(
      `Nothing was stored: the stored policy is ${versionOf(stored)}, not ${expect}. Look at it with: npm run policy -- diff`,
    );
    return EXIT.found;
  }
  const found = differences(stored?.document ?? null, document);
  if (found.length === 0) {
    print(`Nothing to do: version ${versionOf(stored)} is stored already.`);
    return EXIT.clean;
  }
  print(differenceLines(found));
  if (yes !== true && !(await agrees(`Replace ${versionOf(stored)}?`))) {
    print('Nothing was stored.');
    return EXIT.found;
  }
  const { version } = await policies.putPolicy(document, stored?.version ?? null);
  print(`Stored version ${version}. It takes effect within a minute.`);
  return EXIT.clean;
}

async function history({ policies }: Hub, asJson: boolean): Promise<ExitCode> {
  const versions = (await policies.policyHistory()).toReversed();
  if (asJson) print(json(versions));
  else if (versions.length === 0) print('No policy was stored yet.');
  else
    print(
      table(
        ['STORED AT', 'VERSION'],
        versions.map(({ storedAt, version }) => [storedAt, version]),
      ),
    );
  return EXIT.clean;
}

/** @throws InvalidPolicy, CannotRun */
async function readFileOfPolicy(path: string): Promise<{ document: unknown }> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new CannotRun(
      `${printable(path)} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
  return readPolicyYaml(text);
}

/** The version of what is there, not the one that was written beside it. */
function versionOf(stored: StoredPolicy | null): string {
  return stored === null ? 'none' : policyVersion(stored.document);
}

async function agrees(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new CannotRun('Nothing was stored: nobody is there to ask. Say --yes.');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
