import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { VersionConflict } from './table-writes.ts';

/** Lets the others go first after a lost race. */
export type Pause = (lostRaces: number) => Promise<void>;

/**
 * Lost races in a row before giving up; each means that somebody else got something done. With the pauses between them
 * that is at most two seconds, inside the three in which Slack wants an answer.
 */
const ATTEMPTS = 10;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 320;

/** Repeats an attempt that loses a race. @throws VersionConflict when the race is lost again and again */
export async function untilWon<T>(attempt: () => Promise<T>, pause: Pause = randomPause): Promise<T> {
  for (let lostRaces = 0; ; ) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error;
      lostRaces += 1;
      if (lostRaces === ATTEMPTS) throw error;
      await pause(lostRaces);
    }
  }
}

/** Of random length: those who lost the same race would meet again in the next one. */
async function randomPause(lostRaces: number): Promise<void> {
  const share = randomBytes(1).readUInt8() / 255;
  await sleep(share * Math.min(FIRST_PAUSE_MS * 2 ** (lostRaces - 1), LONGEST_PAUSE_MS));
}
