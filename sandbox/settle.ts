/** What is still on the way, by where it is; only entries above 0. */
export type Pending = Record<string, number>;

export type Settled = { pending: 0; waitedMs: number } | { pending: Pending; waitedMs: number };

const BETWEEN_LOOKS_MS = 40;

/**
 * Waits until two looks in a row find nothing on the way: a delivery may be between two places for a moment. After
 * `atMostMs` of real time it answers what was still there.
 */
export async function settle(look: () => Promise<Pending>, atMostMs: number): Promise<Settled> {
  const start = performance.now();
  const waitedMs = () => Math.round(performance.now() - start);
  for (let quietLooks = 0; ; ) {
    const pending = await look();
    quietLooks = Object.keys(pending).length === 0 ? quietLooks + 1 : 0;
    if (quietLooks === 2) return { pending: 0, waitedMs: waitedMs() };
    if (waitedMs() > atMostMs) return { pending, waitedMs: waitedMs() };
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_LOOKS_MS));
  }
}
