import { createRequire } from 'node:module';
import { cpus, loadavg } from 'node:os';
import * as z from 'zod';
import { ASSUMPTIONS } from './cost.ts';
import { type Figure, figureRow, kilobytes, renderTable } from './figures.ts';
import type { MainPath } from './main-path.ts';
import type { Bundle } from './measurements.ts';
import type { Share } from './shares.ts';

const SHOWN_PARTS = 8;

/** What a person reads: where it was measured, the figures, and what is behind them. */
export function reportText(figures: readonly Figure[], shares: Record<Bundle, Share[]>, mainPath: MainPath): string {
  const head = ['', 'median', 'p99', 'stock', 'ratio', 'target', ''];
  const costs = Object.entries(mainPath.cost).map(([service, usd]) => `${service} ${(usd * 1000).toFixed(4)}`);
  return [
    machine(),
    '',
    renderTable([head, ...figures.map(figureRow)]),
    '',
    'own time: computing of the main thread; by the clock: without the time that services took; stock: see test/bench/stock',
    '',
    'What the bundles are made of:',
    ...Object.entries(shares).map(([name, parts]) => `  ${name}: ${partsText(parts)}`),
    '',
    'Calls on the main path of one finding, by function:',
    ...mainPath.calls.map(({ by, calls }) => `  ${by}: ${calls}`),
    '',
    `USD per 1,000 findings: ${costs.join(', ')}`,
    ...ASSUMPTIONS.map((assumption) => `  assumed: ${assumption}`),
    '  Slack takes about one message per second and channel; in a storm that is the limit, not the function.',
    '',
  ].join('\n');
}

/** Where and with what it was measured. */
export function machine(): string {
  const processors = cpus();
  const load = loadavg()[0] ?? 0;
  return [
    `${new Date().toISOString().slice(0, 16)}Z`,
    ...[processors[0]?.model ?? 'unknown processor', `${processors.length} cores`, `load ${load.toFixed(1)}`],
    `Node.js ${process.version}`,
    ...['esbuild', '@slack/bolt', '@aws-sdk/client-dynamodb'].map((name) => `${name} ${versionOf(name)}`),
  ].join(', ');
}

function partsText(parts: readonly Share[]): string {
  const rest = parts.slice(SHOWN_PARTS).reduce((sum, { bytes }) => sum + bytes, 0);
  return [...parts.slice(0, SHOWN_PARTS), { part: 'others', bytes: rest }]
    .map(({ part, bytes }) => `${part} ${kilobytes(bytes)}`)
    .join(', ');
}

function versionOf(name: string): string {
  const require = createRequire(import.meta.url);
  return z.object({ version: z.string() }).parse(require(`${name}/package.json`)).version;
}
