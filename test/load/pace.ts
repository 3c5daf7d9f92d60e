const TICK_MS = 5;

/**
 * Calls `send` for each item at its own time, `perSecond` of them, whether or not earlier ones have been answered: who
 * waits for answers measures a slow server as a fast one. `send` is told when its item was due. Resolves when all have
 * been answered; at most `atMostOpen` are open at a time, and what comes beyond that waits for its turn.
 */
export async function atRate<T>(
  items: readonly T[],
  { perSecond, atMostOpen = 2000 }: { perSecond: number; atMostOpen?: number },
  send: (item: T, dueAt: number) => Promise<void>,
): Promise<void> {
  const start = performance.now();
  const open = new Set<Promise<void>>();
  for (const [index, item] of items.entries()) {
    const dueAt = start + (index * 1000) / perSecond;
    while (performance.now() < dueAt) await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    if (open.size >= atMostOpen) await Promise.race(open);
    const sent = send(item, dueAt).finally(() => open.delete(sent));
    open.add(sent);
  }
  await Promise.all(open);
}
