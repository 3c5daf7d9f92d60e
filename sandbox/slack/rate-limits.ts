/** Slack's page "Rate limits". Windows run in real time, because a client waits for Retry-After in real time. */
const WINDOW_MS = 60_000;

/** `special` methods have a limit whose number Slack does not publish; they are not limited here. */
export type Tier = 'tier2' | 'tier3' | 'tier4' | 'special' | 'message-per-second';

const CALLS_PER_MINUTE = { tier2: 20, tier3: 50, tier4: 100 } as const;
/** "Short bursts" over one message per second and channel are let through; how many is our guess, Slack gives no number. */
const BURST = 5;

export type RateLimits = {
  /** Counts a call; answers the seconds to wait if it is one too many, else undefined. */
  retryAfter: (method: string, tier: Tier, channel: string) => number | undefined;
};

/** Limits as Slack has them, or none. */
export function createRateLimits(mode: 'slack' | 'off'): RateLimits {
  const calls = new Map<string, number[]>();
  const buckets = new Map<string, { tokens: number; at: number }>();

  function perMinute(method: string, limit: number, now: number): number | undefined {
    const recent = (calls.get(method) ?? []).filter((at) => now - at < WINDOW_MS);
    calls.set(method, recent);
    const [oldest] = recent;
    if (recent.length >= limit && oldest !== undefined) return Math.ceil((oldest + WINDOW_MS - now) / 1000);
    recent.push(now);
    return undefined;
  }

  function perSecond(channel: string, now: number): number | undefined {
    const bucket = buckets.get(channel) ?? { tokens: BURST, at: now };
    const tokens = Math.min(BURST, bucket.tokens + (now - bucket.at) / 1000);
    buckets.set(channel, { tokens: tokens < 1 ? tokens : tokens - 1, at: now });
    return tokens < 1 ? 1 : undefined;
  }

  return {
    retryAfter(method, tier, channel) {
      if (mode === 'off') return undefined;
      const now = performance.now();
      switch (tier) {
        case 'special':
          return undefined;
        case 'message-per-second':
          return perSecond(channel, now);
        case 'tier2':
        case 'tier3':
        case 'tier4':
          return perMinute(method, CALLS_PER_MINUTE[tier], now);
      }
    },
  };
}
