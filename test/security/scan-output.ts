import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { secretsIn } from './support/planted-secrets.ts';

/*
 * node test/security/scan-output.ts <command> [arguments]
 *
 * Runs a command with every sandbox in it at its most talkative, passes on what it prints, and fails if a secret of the
 * sandbox is in there. What the functions log is read but not passed on.
 */
const [command, ...args] = process.argv.slice(2);
if (command === undefined) throw new Error('Say which command to run.');

const leaks: string[] = [];
let lines = 0;

async function scan(from: Readable, to: NodeJS.WritableStream): Promise<void> {
  for await (const line of createInterface({ input: from })) {
    lines += 1;
    const found = secretsIn(line);
    leaks.push(...found);
    if (!line.startsWith('{"level":"') && found.length === 0) to.write(`${line}\n`);
  }
}

const child = spawn(command, args, {
  stdio: ['inherit', 'pipe', 'pipe'],
  env: { ...process.env, SANDBOX_VERBOSE: '1' },
});
const ended = once(child, 'close');
await Promise.all([scan(child.stdout, process.stdout), scan(child.stderr, process.stderr)]);
await ended;

for (const leak of leaks) console.error(`A secret was printed after: ${leak}`);
console.log(`${leaks.length === 0 ? 'No' : leaks.length} simulated secrets in ${lines} lines of output.`);
process.exitCode = leaks.length > 0 ? 1 : (child.exitCode ?? 1);
