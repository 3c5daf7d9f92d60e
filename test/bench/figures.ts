/** What was measured once, several times: a middle and a bad value. Milliseconds, unless the figure says otherwise. */
export type Spread = { median: number; p99: number; runs: number };

export type Target = { says: string; met: boolean };

/** One row of the report. */
export type Figure = {
  name: string;
  value: string;
  p99?: string;
  /** The same with the stock variant, in the same run. */
  stock?: string;
  /** Ours divided by stock. */
  ratio?: string;
  target?: Target;
};

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { median: at(0.5), p99: at(0.99), runs: sorted.length };
}

/** How long at least one of the calls was under way: what a function spent waiting, even when it asked twice at once. */
export function waited(calls: readonly { startedAt: number; endedAt: number }[]): number {
  let total = 0;
  let until = Number.NEGATIVE_INFINITY;
  for (const { startedAt, endedAt } of [...calls].sort((a, b) => a.startedAt - b.startedAt)) {
    total += Math.max(0, endedAt - Math.max(startedAt, until));
    until = Math.max(until, endedAt);
  }
  return total;
}

export const ms = (value: number): string => `${value.toFixed(1)} ms`;
/** Ours divided by stock. */
export const ratio = (ours: number, stock: number): string => (ours / stock).toFixed(2);
export const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} KB`;

/** Rows of equal columns, the first to the left, the others to the right. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(width(column)) : cell.padStart(width(column))))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function figureRow({ name, value, p99 = '', stock = '', ratio = '', target }: Figure): string[] {
  return [name, value, p99, stock, ratio, target === undefined ? '' : target.says, verdict(target)];
}

function verdict(target: Target | undefined): string {
  if (target === undefined) return '';
  return target.met ? 'met' : 'NOT MET';
}
