import { listedPlaces, type Place, scannedPlace } from '../../functions/contracts/sweep.ts';
import type { Containers } from './containers.ts';
import type { Move, Scheduler, Source } from './scheduler.ts';

const HOUR = 3_600_000;
/** Step Functions tries a failed task again; after that the place is given up until the next sweep. */
const ATTEMPTS = 4;
const AGAIN_AFTER_MS = 5000;

type Waiting = { place: Place | null; listFrom: string | null; attempts: number; readyAt: number };

/**
 * The state machine of the sweep: lists places, scans each, goes on where a scan stopped, tries again what failed. It runs
 * at any time, beside itself too.
 */
export class Sweeps implements Source {
  readonly #scheduler: Scheduler;
  readonly #containers: Containers;
  #sweeps: number;
  #waiting: Waiting[] = [];
  #running = 0;

  public constructor(parts: { scheduler: Scheduler; containers: Containers; sweeps: number }) {
    this.#scheduler = parts.scheduler;
    this.#containers = parts.containers;
    this.#sweeps = parts.sweeps;
  }

  public pending(): number {
    return this.#waiting.length + this.#running;
  }

  /** The last one: an hour after everything else, so that nothing is new any more. */
  public stop(): void {
    if (this.#sweeps > 0) this.#start(this.#scheduler.now() + HOUR);
    this.#sweeps = 0;
  }

  public moves(): Move[] {
    if (!this.#containers.isFree('sweep-keys')) return [];
    const now = this.#scheduler.now();
    const moves: Move[] = this.#waiting
      .filter(({ readyAt }) => readyAt <= now)
      .map((waiting) => ({
        weight: 6,
        act: () => {
          this.#invoke(waiting);
        },
      }));
    if (this.#sweeps > 1) {
      moves.push({
        weight: 2,
        act: () => {
          this.#sweeps -= 1;
          this.#start(now);
        },
      });
    }
    return moves;
  }

  public nextAt(): number | null {
    return this.#waiting.length === 0 ? null : Math.min(...this.#waiting.map(({ readyAt }) => readyAt));
  }

  #start(readyAt: number): void {
    this.#scheduler.tell(() => 'a sweep begins');
    this.#waiting.push({ place: null, listFrom: null, attempts: 0, readyAt });
  }

  #invoke(waiting: Waiting): void {
    this.#waiting = this.#waiting.filter((other) => other !== waiting);
    this.#running += 1;
    const { place, listFrom } = waiting;
    const event = place === null ? { task: 'list-places', marker: listFrom } : { task: 'scan-place', ...place };
    const what = place === null ? 'the sweep lists places' : `the sweep scans ${place.accountId} ${place.region}`;
    this.#containers.invoke('sweep-keys', { what, event }, (result) => {
      this.#running -= 1;
      if ('error' in result) this.#again(waiting);
      else if (place === null) this.#listed(result.answer);
      else this.#scanned(result.answer);
    });
  }

  #again({ place, listFrom, attempts }: Waiting): void {
    if (attempts + 1 === ATTEMPTS) return;
    const readyAt = this.#scheduler.now() + AGAIN_AFTER_MS;
    this.#waiting.push({ place, listFrom, attempts: attempts + 1, readyAt });
  }

  #listed(answer: unknown): void {
    const { places, nextMarker } = listedPlaces.parse(answer);
    const readyAt = this.#scheduler.now();
    for (const place of places) this.#waiting.push({ place, listFrom: null, attempts: 0, readyAt });
    if (nextMarker !== null) this.#waiting.push({ place: null, listFrom: nextMarker, attempts: 0, readyAt });
  }

  #scanned(answer: unknown): void {
    const { nextMarker: marker, ...place } = scannedPlace.parse(answer);
    if (marker === null) return;
    this.#waiting.push({ place: { ...place, marker }, listFrom: null, attempts: 0, readyAt: this.#scheduler.now() });
  }
}
