import { assertPattern, matches } from './event-bridge/event-pattern.ts';

export { assertPattern, matches } from './event-bridge/event-pattern.ts';

/** An EventBridge rule with one target. */
export type Rule = {
  name: string;
  /** An event pattern; checked when the bus is made. */
  pattern: unknown;
  target: (event: unknown) => Promise<void> | void;
};

export type EventBus = {
  /** Accepts an event, as PutEvents does, and answers the names of the rules that match it. Targets run afterwards. */
  put: (event: unknown) => string[];
  /** How many deliveries have not succeeded yet, the ones that wait for a retry included. */
  pending: () => number;
  /** Drops the deliveries that wait for a retry, and resolves when the running ones have ended. */
  stop: () => Promise<void>;
};

/** EventBridge gives up after 185 attempts (User Guide, "How EventBridge retries delivering events"). */
const MAX_ATTEMPTS = 185;
const LONGEST_RETRY_DELAY_MS = 10_000;

/**
 * An event bus in memory. Every rule that matches gets its own copy of the event. A target that fails is tried again
 * after `retryDelayMs` of real time, doubling up to ten seconds; after 185 attempts the event is dropped and
 * `onDropped` is told. Throws InvalidEventPattern for a rule that EventBridge would refuse.
 */
export function createEventBus({
  rules,
  retryDelayMs = 200,
  onDropped = ({ rule, error }) => {
    console.error(`event bus: rule ${rule} gave up on an event:`, error);
  },
}: {
  rules: readonly Rule[];
  retryDelayMs?: number;
  onDropped?: (dropped: { rule: string; event: unknown; error: unknown }) => void;
}): EventBus {
  for (const { pattern } of rules) assertPattern(pattern);
  const running = new Set<Promise<void>>();
  const waiting = new Set<NodeJS.Timeout>();
  let stopped = false;

  function start(rule: Rule, event: unknown, attempt: number): void {
    const work = deliver(rule, event, attempt).finally(() => running.delete(work));
    running.add(work);
  }

  async function deliver(rule: Rule, event: unknown, attempt: number): Promise<void> {
    // The writer of the event must not wait for its targets.
    await Promise.resolve();
    try {
      await rule.target(structuredClone(event));
    } catch (error) {
      if (attempt >= MAX_ATTEMPTS) onDropped({ rule: rule.name, event, error });
      else if (!stopped) retry(rule, event, attempt);
    }
  }

  function retry(rule: Rule, event: unknown, attempt: number): void {
    const delay = Math.min(retryDelayMs * 2 ** (attempt - 1), LONGEST_RETRY_DELAY_MS);
    const timer = setTimeout(() => {
      waiting.delete(timer);
      start(rule, event, attempt + 1);
    }, delay);
    waiting.add(timer);
  }

  return {
    put(event) {
      const copy: unknown = JSON.parse(JSON.stringify(event));
      const matching = rules.filter(({ pattern }) => matches(pattern, copy));
      for (const rule of matching) start(rule, copy, 1);
      return matching.map(({ name }) => name);
    },
    pending: () => running.size + waiting.size,
    async stop() {
      stopped = true;
      for (const timer of waiting) clearTimeout(timer);
      waiting.clear();
      await Promise.all(running);
    },
  };
}
