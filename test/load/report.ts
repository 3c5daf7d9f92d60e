import { type Spread, spreadOf } from './percentiles.ts';
import type { Usage } from './server-messages.ts';

/** One line of the table that is printed at the end. */
export type Row = { what: string; value: string };

/** What one part of the run found. */
export type Part = { rows: Row[]; violations: string[] };

export function printTable(rows: readonly Row[]): void {
  const width = Math.max(...rows.map(({ what }) => what.length));
  for (const { what, value } of rows) console.log(`${what.padEnd(width)}  ${value}`);
}

const EXAMPLES = 3;

/** Violations of the same kind differ only in which key or click it was: some of each, and how many there are. */
export function printViolations(violations: readonly string[]): void {
  const kinds = Map.groupBy(violations, (violation) => violation.replace(/arn:\S+|[0-9a-f]{32}/g, ''));
  for (const ofKind of kinds.values()) {
    for (const violation of ofKind.slice(0, EXAMPLES)) console.log(`violation: ${violation}`);
    if (ofKind.length > EXAMPLES) console.log(`           and ${ofKind.length - EXAMPLES} more like these`);
  }
}

/** For example `p50 12, p95 40, p99 61, max 88 ms (n=300)`. */
export function latency(values: readonly number[]): string {
  const { count, p50, p95, p99, max }: Spread = spreadOf(values);
  const ms = (value: number) => (value < 10 ? value.toFixed(1) : value.toFixed(0));
  return `p50 ${ms(p50)}, p95 ${ms(p95)}, p99 ${ms(p99)}, max ${ms(max)} ms (n=${count})`;
}

const MB = 1024 * 1024;
export const megabytes = (bytes: number) => `${(bytes / MB).toFixed(0)} MB`;

/** Peak of what was sampled. */
export function peak(samples: readonly Usage[], of: 'rss' | 'heapUsed'): number {
  return samples.reduce((most, sample) => Math.max(most, sample[of]), 0);
}

/** Says on stderr what is being done, because some of it takes minutes. */
export function progress(what: string): void {
  console.error(`${process.uptime().toFixed(0).padStart(4)} s  ${what}`);
}
