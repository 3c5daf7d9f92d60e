/*
 * `npm run fuzz`: every target for a bounded time, one line each, and one line for all of them. See README.md beside.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { loadTarget, PLANTED, TARGETS, type Target, targetNamed } from './targets.ts';

const USAGE = `npm run fuzz -- [options]
  --seconds N      fuzz each target for N seconds (default 60)
  --runs N         instead of a time: N executions per target
  --target NAME    only this target; may be repeated. ${TARGETS.map(({ name }) => name).join(', ')}
  --seed N         libFuzzer's random seed, to have the same run again
  --replay FILE    run one input again, without the fuzzer; its folder names the target`;

const HERE = import.meta.dirname;
/** Runs after Jazzer.js's own loader hook asked for the source, because that registers later. */
const HOOK = new URL('strip-types-hook.ts', import.meta.url).href;
const CACHE = path.resolve('.cache/fuzz');
const CRASHES = path.join(HERE, 'crashes');
/** The planted bug takes some hundred thousand executions; this many mean that the feedback does not work. */
const PLANTED_RUNS = 5_000_000;

type Limits = { seconds: number; runs: number | undefined; seed: string | undefined };
type Result = {
  executions: number;
  edges: number;
  added: number;
  seconds: number;
  crash: string | null;
  log: string[];
};

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    runs: { type: 'string' },
    target: { type: 'string', multiple: true },
    seed: { type: 'string' },
    replay: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(USAGE);
else if (values.replay !== undefined) await replay(values.replay);
else await fuzzAll();

async function fuzzAll(): Promise<void> {
  const limits = { seconds: count(values.seconds), runs: optionalCount(values.runs), seed: values.seed };
  const targets = values.target?.map(targetNamed) ?? TARGETS;
  let executions = 0;
  let failures = 0;
  const proof = await fuzz(PLANTED, { ...limits, runs: PLANTED_RUNS });
  if (proof.crash === null) {
    failures += 1;
    console.log(`self-test: the planted bug was NOT found\n${proof.log.slice(-20).join('\n')}`);
  } else console.log(`self-test: the planted bug was found after ${thousands(proof.executions)} executions`);
  for (const target of targets) {
    const result = await fuzz(target, limits);
    executions += result.executions;
    console.log(line(target, result));
    if (result.crash === null) continue;
    failures += 1;
    console.log(`${result.log.join('\n')}\n  again: npm run fuzz -- --replay ${path.relative('.', result.crash)}\n`);
  }
  console.log(`${executions} executions, ${targets.length} targets, ${failures} failures`);
  process.exitCode = failures === 0 ? 0 : 1;
}

/** Runs the engine on one target until its limit or its first failure. */
async function fuzz(target: Target, { seconds, runs, seed }: Limits): Promise<Result> {
  const { name, longest, words } = target;
  const isProof = target === PLANTED;
  const crashes = isProof ? path.join(CACHE, name, 'crashes') : path.join(CRASHES, name);
  const corpus = path.join(CACHE, name, 'corpus');
  const seeds = path.join(CACHE, name, 'seeds');
  for (const folder of [crashes, corpus, seeds]) mkdirSync(folder, { recursive: true });
  for (const bytes of (await loadTarget(name)).seeds()) {
    writeFileSync(path.join(seeds, createHash('sha1').update(bytes).digest('hex')), bytes);
  }
  const dictionary = path.join(CACHE, name, 'dictionary');
  writeFileSync(dictionary, words.map((word) => `${quoted(word)}\n`).join(''));
  const handWritten = path.join(HERE, 'corpus', name);
  const known = new Set(readdirSync(corpus));
  const before = new Set(readdirSync(crashes));
  const begun = performance.now();
  const { code, log } = await engine([
    ...[name, ...(isProof ? [] : [corpus]), seeds, ...(isProof ? [] : [handWritten])],
    ...[`-artifact_prefix=${crashes}${path.sep}`, `-dict=${dictionary}`, `-max_len=${longest}`, '-rss_limit_mb=2048'],
    // Else valid seeds shrink to the shortest nonsense with the same coverage.
    '-reduce_inputs=0',
    ...(runs === undefined ? [`-max_total_time=${seconds}`] : [`-runs=${runs}`]),
    ...(seed === undefined ? [] : [`-seed=${seed}`]),
  ]);
  const crash = readdirSync(crashes).find((file) => !before.has(file) || log.some((text) => text.includes(file)));
  if (code !== 0 && crash === undefined) throw new Error(`the fuzzer broke down on ${name}:\n${log.join('\n')}`);
  const last = log.findLast((text) => /^#\d+\t/.test(text)) ?? '';
  return {
    executions: number(/^Done (\d+) runs/m, log.join('\n')) || number(/^#(\d+)/, last),
    edges: number(/cov: (\d+)/, last),
    added: readdirSync(corpus).filter((file) => !known.has(file)).length,
    seconds: (performance.now() - begun) / 1000,
    crash: crash === undefined || code === 0 ? null : path.join(crashes, crash),
    log: log.filter((text) => !/^(INFO|#\d+\t|#+ |".*# Uses|DEBUG)/.test(text)),
  };
}

function engine(args: readonly string[]): Promise<{ code: number | null; log: string[] }> {
  const child = spawn(
    process.execPath,
    ['--no-warnings', '--experimental-loader', HOOK, path.join(HERE, 'engine.ts'), ...args],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const log: string[] = [];
  for (const stream of [child.stdout, child.stderr]) createInterface(stream).on('line', (text) => log.push(text));
  const { promise, resolve, reject } = Promise.withResolvers<{ code: number | null; log: string[] }>();
  child.on('error', reject).on('close', (code, signal) => {
    if (signal !== null) log.push(`ended by ${signal}`);
    resolve({ code, log });
  });
  return promise;
}

async function replay(file: string): Promise<void> {
  const { fuzz: run } = await loadTarget(targetNamed(path.basename(path.dirname(path.resolve(file)))).name);
  await run(readFileSync(file));
  console.log(`${file}: every property holds`);
}

function line({ name }: Target, { executions, edges, added, seconds, crash }: Result): string {
  const rate = thousands(Math.round(executions / seconds));
  const outcome = crash === null ? 'ok' : `FAILED: ${path.relative('.', crash)}`;
  return `${name.padEnd(15)} ${thousands(executions).padStart(9)} executions, ${rate}/s, ${edges} edges, ${added} new corpus entries: ${outcome}`;
}

function number(pattern: RegExp, text: string): number {
  return Number(pattern.exec(text)?.[1] ?? 0);
}

function thousands(value: number): string {
  return value.toLocaleString('en');
}

function quoted(word: string): string {
  return `"${word.replace(/["\\\n]/g, (character) => (character === '\n' ? '\\x0A' : `\\${character}`))}"`;
}

function optionalCount(text: string | undefined): number | undefined {
  return text === undefined ? undefined : count(text);
}

function count(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new RangeError(`"${text}" is not a number of seconds or executions\n\n${USAGE}`);
  return Number(text);
}
