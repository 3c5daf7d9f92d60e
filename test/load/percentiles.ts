/** Latencies in milliseconds. */
export type Spread = { count: number; p50: number; p95: number; p99: number; max: number };

/** The nearest-rank percentiles of `values`; all 0 when there are none. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}
