import type { Move, Scheduler, Source } from './scheduler.ts';

const HOUR = 3_600_000;
const REPAIRED_AFTER_MS = HOUR / 3;
/** Two mistakes in a row would last longer than the queues try. */
const NEXT_AFTER_MS = HOUR;
const LEAPS = [HOUR, 24 * HOUR, 8 * 24 * HOUR, 31 * 24 * HOUR, 91 * 24 * HOUR];

/** The people who run the bot: now and then they store a policy that nobody can read, and repair it later. */
export class Operators implements Source {
  readonly #scheduler: Scheduler;
  readonly #storePolicy: (isUsable: boolean) => void;
  readonly #isCalm: () => boolean;
  #mistakes: number;
  #repairAt: number | null = null;
  #flawlessUntil = 0;

  public constructor(parts: {
    scheduler: Scheduler;
    mistakes: number;
    storePolicy: (isUsable: boolean) => void;
    /** As long as they make no mistake. */
    isCalm: () => boolean;
  }) {
    this.#scheduler = parts.scheduler;
    this.#isCalm = parts.isCalm;
    this.#mistakes = parts.mistakes;
    this.#storePolicy = parts.storePolicy;
  }

  public isPolicyBroken(): boolean {
    return this.#repairAt !== null;
  }

  public stop(): void {
    this.#mistakes = 0;
    if (this.isPolicyBroken()) this.#repair();
  }

  public moves(): Move[] {
    if (this.#repairAt === null)
      return this.#mistakes === 0 || this.#isCalm() || this.#scheduler.now() < this.#flawlessUntil
        ? []
        : [
            {
              weight: 1,
              act: () => {
                this.#break();
              },
            },
          ];
    return this.#repairAt <= this.#scheduler.now()
      ? [
          {
            weight: 40,
            act: () => {
              this.#repair();
            },
          },
        ]
      : [];
  }

  public nextAt(): number | null {
    return this.#repairAt;
  }

  #break(): void {
    this.#mistakes -= 1;
    this.#repairAt = this.#scheduler.now() + REPAIRED_AFTER_MS;
    this.#scheduler.tell(() => 'somebody stores a policy that cannot be used');
    this.#storePolicy(false);
  }

  #repair(): void {
    this.#repairAt = null;
    this.#flawlessUntil = this.#scheduler.now() + NEXT_AFTER_MS;
    this.#scheduler.tell(() => 'the policy is repaired');
    this.#storePolicy(true);
  }
}

/** Time that passes in leaps while nothing is under way. */
export class Calendar implements Source {
  readonly #scheduler: Scheduler;
  readonly #isIdle: () => boolean;
  readonly #hasDeliveries: () => boolean;
  #leaps: number;

  public constructor(parts: {
    scheduler: Scheduler;
    leaps: number;
    isIdle: () => boolean;
    /** Whether something waits in a queue or a stream, which keep nothing for months. */
    hasDeliveries: () => boolean;
  }) {
    this.#scheduler = parts.scheduler;
    this.#hasDeliveries = parts.hasDeliveries;
    this.#leaps = parts.leaps;
    this.#isIdle = parts.isIdle;
  }

  public stop(): void {
    this.#leaps = 0;
  }

  public moves(): Move[] {
    return this.#leaps === 0 || !this.#isIdle()
      ? []
      : [
          {
            weight: 1,
            act: () => {
              this.#leap();
            },
          },
        ];
  }

  public nextAt(): null {
    return null;
  }

  #leap(): void {
    this.#leaps -= 1;
    const possible = this.#hasDeliveries() ? LEAPS.filter((length) => length === HOUR) : LEAPS;
    const length = possible[this.#scheduler.pick(possible.map(() => 1))] ?? HOUR;
    this.#scheduler.tell(() => `${length / HOUR} hours pass`);
    this.#scheduler.advanceTo(this.#scheduler.now() + length);
  }
}
