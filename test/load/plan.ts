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
  /** Clicks at a rate that the sandbox can answer: all of them have to be decided. */
  steady: { perSecond: number; seconds: number };
  /** More than the sandbox can answer on two cores: what is not decided has to be said, and nothing done twice. */
  surge: { perSecond: number; seconds: number };
  /** Clicks by several people on the same finding at the same moment. */
  crowd: number;
  flood: { perSecond: number; clicksPerSecond: number; seconds: number };
  limitedMessages: number;
  /** Findings at once for one channel, and how many of them have messages of their own. */
  storm: { findings: number; perSecond: number; threshold: number };
  limits: Limits;
};

/** Beyond these the run counts a violation. */
export type Limits = {
  /**
   * Median of authenticated clicks under the flood, by the median of the same clicks alone. The flood takes a quarter
   * to a third of the one core that functions, HTTP API and simulated AWS share here, and its sender competes for the
   * other; the tail is the machine's as much as the bot's, so for that the limit is `clickMs`, which is Slack's own. In
   * AWS each request has a function of its own.
   */
  floodFactor: number;
  /** Slack shows people a warning when an answer takes longer. */
  clickMs: number;
  /** Heap after everything has settled and been collected, per event and click: what the simulated AWS and Slack store. */
  heapBytesPerRequest: number;
  settleSeconds: number;
};

const LIMITS: Limits = { floodFactor: 5, clickMs: 3000, heapBytesPerRequest: 40_000, settleSeconds: 240 };

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
  steady: { perSecond: 10, seconds: 30 },
  surge: { perSecond: 200, seconds: 5 },
  crowd: 8,
  flood: { perSecond: 1000, clicksPerSecond: 10, seconds: 20 },
  limitedMessages: 30,
  storm: { findings: 5000, perSecond: 100, threshold: 20 },
  limits: { ...LIMITS, heapBytesPerRequest: 12_000 },
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
  steady: { perSecond: 10, seconds: 5 },
  surge: { perSecond: 40, seconds: 3 },
  crowd: 8,
  flood: { perSecond: 1000, clicksPerSecond: 10, seconds: 6 },
  limitedMessages: 10,
  storm: { findings: 60, perSecond: 30, threshold: 10 },
  limits: { ...LIMITS, floodFactor: Number.POSITIVE_INFINITY },
};
