/**
 * Measures how fast and how large the bot is: `npm run bench`, `npm run bench -- --quick`, `-- --json FILE`.
 *
 * The functions run as bundles, each in a process of its own that loads them as Lambda does; this process plays AWS and
 * Slack (the sandbox's services) and the event sources. "Own time" is what the main thread of the function's process
 * computed, so neither the services nor whatever else the machine does is in it. "By the clock" is what passed, without the time
 * during which a service worked on a request of the function, measured here; a busy machine is in it. Nothing of this
 * is a Lambda: compare figures of one run with each other.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { bundle, FUNCTION_NAMES, type FunctionName } from '../../infra/bundling.ts';
import { startFunction } from '../support/function-process.ts';
import { startServices } from '../support/simulated-services.ts';
import { ASSUMPTIONS } from './cost.ts';
import { type Figure, figureRow, kilobytes, ms, renderTable, type Spread, spread } from './figures.ts';
import { type MainPath, walkMainPath } from './main-path.ts';
import { measureColdClicks, measureEvents, measureStorm, measureWarmClicks, type Place } from './measurements.ts';
import { type Share, sharesOf } from './shares.ts';
import { bundleStock } from './stock/bundle-stock.ts';

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } },
});
const RUNS = options.quick
  ? { cold: 3, inits: 3, warm: 40, events: 30, storm: 60 }
  : { cold: 15, inits: 11, warm: 300, events: 150, storm: 400 };

const LIMITS = {
  decideBytes: 250_000,
  otherBytes: 600_000,
  decideInitShare: 1 / 5,
  otherInitMs: 90,
  coldMs: 350,
  coldShare: 1 / 2,
  warmP99Ms: 25,
  detectMs: 15,
};

const figures: Figure[] = [];
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const cleanup = new AsyncDisposableStack();
cleanup.defer(() => {
  rmSync(folder, { recursive: true });
});

let shares: Record<string, Share[]> = {};
let mainPath: MainPath | undefined;
try {
  const services = await startServices();
  cleanup.defer(services.close);
  const pathOf = (name: FunctionName | 'stock') => join(folder, name, 'index.js');
  const place: Place = { services, pathOf };

  const bytes: Partial<Record<FunctionName | 'stock', number>> = {};
  for (const name of [...FUNCTION_NAMES, 'stock'] as const) {
    const target = join(folder, name);
    const contents = sharesOf(name === 'stock' ? await bundleStock(target) : await bundle(name, target));
    bytes[name] = contents.bytes;
    shares = { ...shares, [name]: contents.shares };
  }

  progress('cold clicks');
  const cold = await measureColdClicks(place, RUNS.cold);
  progress('inits');
  const inits = await measureInits(place);
  progress('warm clicks');
  const warm = await measureWarmClicks(place, RUNS.warm);
  progress('events');
  const events = await measureEvents(place, RUNS.events);
  progress('storm');
  const storm = await measureStorm(place, RUNS.storm);
  progress('main path');
  mainPath = await walkMainPath(place);

  const [ours, stock] = [by('clock', cold.ours), by('clock', cold.stock)];
  const [oursCpu, coldStockCpu] = [by('cpu', cold.ours), by('cpu', cold.stock)];
  figures.push(
    {
      name: 'click to acknowledgement, cold: process start to answer, by the clock',
      ...{
        value: ms(ours.median),
        p99: ms(ours.p99),
        stock: ms(stock.median),
        ratio: ratio(ours.median, stock.median),
      },
      target: {
        says: `<= ${LIMITS.coldMs} ms, <= ${LIMITS.coldShare} of stock`,
        met: ours.median <= LIMITS.coldMs && ours.median <= LIMITS.coldShare * stock.median,
      },
    },
    {
      name: 'click to acknowledgement, cold, own time with the start of Node.js',
      ...{ value: ms(oursCpu.median), p99: ms(oursCpu.p99), stock: ms(coldStockCpu.median) },
      ratio: ratio(oursCpu.median, coldStockCpu.median),
    },
  );
  const [cpu, clock] = [by('cpu', warm.ours), by('clock', warm.ours)];
  const [stockCpu, stockClock] = [by('cpu', warm.stock), by('clock', warm.stock)];
  figures.push(
    {
      name: 'click to acknowledgement, warm, own time',
      ...{ value: ms(cpu.median), p99: ms(cpu.p99), stock: ms(stockCpu.median) },
      ratio: ratio(cpu.median, stockCpu.median),
      target: { says: `p99 <= ${LIMITS.warmP99Ms} ms`, met: cpu.p99 <= LIMITS.warmP99Ms },
    },
    {
      name: 'click to acknowledgement, warm, by the clock',
      ...{ value: ms(clock.median), p99: ms(clock.p99), stock: ms(stockClock.median) },
      ratio: ratio(clock.median, stockClock.median),
    },
  );
  const detect = by('cpu', events.detect);
  figures.push(
    {
      name: 'event to append (detect-finding), own time',
      ...{ value: ms(detect.median), p99: ms(detect.p99) },
      target: { says: `<= ${LIMITS.detectMs} ms`, met: detect.median <= LIMITS.detectMs },
    },
    ...(['cpu', 'clock'] as const).map((measure) => {
      const posted = by(measure, events.posted);
      const how = measure === 'cpu' ? 'own time' : 'by the clock';
      return { name: `event to posted message, both functions, ${how}`, value: ms(posted.median), p99: ms(posted.p99) };
    }),
  );
  const perMessage = by('clock', storm);
  figures.push({
    name: 'messages per second and container in a storm (announce-finding)',
    value: `${(1000 / perMessage.median).toFixed(0)}/s`,
    p99: `${(1000 / perMessage.p99).toFixed(0)}/s`,
  });
  for (const name of FUNCTION_NAMES) {
    const size = bytes[name] ?? Number.NaN;
    const isDecide = name === 'decide-finding';
    const limit = isDecide ? LIMITS.decideBytes : LIMITS.otherBytes;
    figures.push({
      name: `bundle of ${name}`,
      value: kilobytes(size),
      ...(isDecide ? { stock: kilobytes(bytes.stock ?? 0), ratio: ratio(size, bytes.stock ?? 0) } : {}),
      target: { says: `<= ${limit / 1000} KB`, met: size <= limit },
    });
  }
  const stockInit = spread(inits.stock);
  for (const name of FUNCTION_NAMES) {
    const init = spread(inits[name]);
    const isDecide = name === 'decide-finding';
    figures.push({
      name: `init of ${name}, own time`,
      ...{ value: ms(init.median), p99: ms(init.p99) },
      ...(isDecide ? { stock: ms(stockInit.median), ratio: ratio(init.median, stockInit.median) } : {}),
      target: isDecide
        ? {
            says: `<= ${LIMITS.decideInitShare} of stock`,
            met: init.median <= LIMITS.decideInitShare * stockInit.median,
          }
        : { says: `<= ${LIMITS.otherInitMs} ms`, met: init.median <= LIMITS.otherInitMs },
    });
  }
  figures.push({
    name: 'AWS calls per finding: open, approved, remediated',
    value: String(mainPath.awsCalls),
  });
  figures.push({ name: 'Slack calls per finding', value: String(mainPath.slackCalls) });
  figures.push({ name: '1,000 findings', value: `${(mainPath.costPerFinding * 1000).toFixed(2)} USD` });
  report(mainPath);
} finally {
  await cleanup.disposeAsync();
}
if (!options.quick && figures.some(({ target }) => target?.met === false)) process.exitCode = 1;

function by(measure: 'cpu' | 'clock', timings: readonly { cpu: number; clock: number }[]): Spread {
  return spread(timings.map((timing) => timing[measure]));
}

/** Own time of loading, in fresh processes, all functions in turn. */
async function measureInits({ services, pathOf }: Place): Promise<Record<FunctionName | 'stock', number[]>> {
  const inits: Record<FunctionName | 'stock', number[]> = {
    ...{ 'detect-finding': [], 'decide-finding': [], 'remediate-key': [], 'announce-finding': [], 'sweep-keys': [] },
    stock: [],
  };
  for (let run = 0; run < RUNS.inits; run += 1) {
    for (const name of [...FUNCTION_NAMES, 'stock'] as const) {
      const started = await startFunction({ bundle: pathOf(name), environment: services.environment });
      inits[name].push(started.first.init.cpuMs);
      await started.stop();
    }
  }
  return inits;
}

function report(path: MainPath): void {
  const head = ['', 'median', 'p99', 'stock', 'ratio', 'target', ''];
  const lines = [
    machine(),
    '',
    renderTable([head, ...figures.map(figureRow)]),
    '',
    'What the bundles are made of:',
    ...Object.entries(shares).map(([name, parts]) => `  ${name}: ${partsText(parts)}`),
    '',
    'Calls on the main path of one finding, by function:',
    ...path.calls.map(({ by, calls }) => `  ${by}: ${calls}`),
    '',
    `USD per 1,000 findings: ${Object.entries(path.cost)
      .map(([service, usd]) => `${service} ${(usd * 1000).toFixed(4)}`)
      .join(', ')}`,
    ...ASSUMPTIONS.map((assumption) => `  assumed: ${assumption}`),
    '  Slack takes about one message per second and channel; in a storm that is the limit, not the function.',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  if (options.json !== undefined) {
    const content = { machine: machine(), quick: options.quick, runs: RUNS, figures, shares, mainPath: path };
    writeFileSync(options.json, `${JSON.stringify(content, null, 2)}\n`);
  }
}

function partsText(parts: readonly Share[]): string {
  const SHOWN = 8;
  const rest = parts.slice(SHOWN).reduce((sum, { bytes }) => sum + bytes, 0);
  return [...parts.slice(0, SHOWN), { part: 'others', bytes: rest }]
    .map(({ part, bytes }) => `${part} ${kilobytes(bytes)}`)
    .join(', ');
}

function machine(): string {
  const processors = cpus();
  const load = loadavg()[0] ?? 0;
  const versions = ['esbuild', '@slack/bolt', '@aws-sdk/client-dynamodb'].map((name) => `${name} ${versionOf(name)}`);
  return `${new Date().toISOString().slice(0, 16)}Z, ${processors[0]?.model ?? 'unknown processor'}, ${processors.length} cores, load ${load.toFixed(1)}, Node.js ${process.version}, ${versions.join(', ')}`;
}

function versionOf(name: string): string {
  const require = createRequire(import.meta.url);
  return z.object({ version: z.string() }).parse(require(`${name}/package.json`)).version;
}

function ratio(ours: number, stock: number): string {
  return (ours / stock).toFixed(2);
}

function progress(what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`measuring ${what} ...\n`);
}
