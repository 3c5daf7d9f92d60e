/** How much is sent, and what is promised about it. */
export type Plan = {
  events: {
    perMinute: number;
    total: number;
    problemKeys: number;
    fineKeys: number;
    rotatingKeys: number;
    settling: number;
    deliveries: number;
  };
  clicks: { perSecond: number; seconds: number; hotKeyAtOnce: number };
  flood: { perSecond: number; clicksPerSecond: number; seconds: number };
  limitedMessages: number;
  limits: Limits;
};

/** Beyond these the run counts a violation. */
export type Limits = {
  /** p95 of authenticated clicks under the flood, by p95 of the same clicks alone. */
  floodFactor: number;
  /** Slack shows people a warning when an answer takes longer. */
  clickMs: number;
  /** Heap after everything has settled and been collected, per event and click that was sent. */
  heapBytesPerRequest: number;
  settleSeconds: number;
};

const LIMITS: Limits = { floodFactor: 6, clickMs: 3000, heapBytesPerRequest: 40_000, settleSeconds: 240 };

export const FULL: Plan = {
  events: {
    perMinute: 10_000,
    total: 10_000,
    problemKeys: 1500,
    fineKeys: 2000,
    rotatingKeys: 1000,
    settling: 1500,
    deliveries: 1500,
  },
  clicks: { perSecond: 200, seconds: 10, hotKeyAtOnce: 8 },
  flood: { perSecond: 1000, clicksPerSecond: 10, seconds: 20 },
  limitedMessages: 30,
  limits: LIMITS,
};

/** Small enough for every commit: a minute on two cores. */
export const QUICK: Plan = {
  events: {
    perMinute: 6_000,
    total: 500,
    problemKeys: 80,
    fineKeys: 100,
    rotatingKeys: 50,
    settling: 70,
    deliveries: 70,
  },
  clicks: { perSecond: 40, seconds: 5, hotKeyAtOnce: 8 },
  flood: { perSecond: 1000, clicksPerSecond: 10, seconds: 10 },
  limitedMessages: 10,
  limits: { ...LIMITS, floodFactor: Number.POSITIVE_INFINITY },
};
