import { type Choices, type Deviation, randomChoices, scriptedChoices } from './choices.ts';
import { type Circumstances, runSchedule, type ScheduleResult } from './run-schedule.ts';

/** The circumstances of a random schedule are drawn from its seed too, but for those in `under`. */
export async function runSeed(
  seed: number,
  { under = {}, withStory = false }: { under?: Partial<Circumstances>; withStory?: boolean } = {},
): Promise<ScheduleResult> {
  const choices = randomChoices(seed);
  const circumstances = { ...withPatterns(drawCircumstances(choices), seed), ...drawSweeps(seed), ...under };
  return await runSchedule({ choices, circumstances, name: `seed ${seed}`, withStory });
}

/** Every fourth schedule is swept. By the seed itself and not by a choice, so that all others stay as they are. */
function drawSweeps(seed: number): Pick<Circumstances, keyof typeof NO_SWEEPS> {
  return seed % 4 === 0 ? { sweeps: 1 + ((seed / 4) % 3), lostEvents: [0, 1, 4][(seed / 4) % 5] ?? 0 } : NO_SWEEPS;
}

/** In every fifth schedule people may exempt patterns, and do enough for it. By the seed itself, as sweeps are. */
function withPatterns(drawn: Drawn, seed: number): Drawn {
  if (seed % 5 !== 3 || drawn.isStorm) return drawn;
  return { ...drawn, patterns: true, peopleActs: 60, keys: 6, keyActs: 8 };
}

type Drawn = Omit<Circumstances, keyof typeof NO_SWEEPS>;
const NO_SWEEPS = { sweeps: 0, lostEvents: 0 };
const NO_STORM = { isStorm: false, firstLook: 'at once', isCalmBefore: false } as const;

function drawCircumstances(choices: Choices): Drawn {
  const one = <const T>(options: readonly [T, ...T[]], weights: readonly number[] = options.map(() => 1)): T =>
    options[choices.pick(weights)] ?? options[0];
  const drawn: Drawn = {
    keys: one([1, 2, 3], [8, 3, 1]),
    keyActs: one([0, 1, 2, 4, 8], [4, 4, 3, 2, 1]),
    peopleActs: one([2, 4, 8, 16], [4, 4, 2, 1]),
    misfortunes: one([0, 1, 2, 4, 8, 16]),
    likelihood: one([5, 20, 60]),
    staleReadsMs: one([0, 1500, 60_000]),
    indexLagMs: one([0, 900]),
    mode: one(['ask', 'auto', 'observe'], [8, 2, 1]),
    policyMistakes: one([0, 1, 2], [6, 1, 1]),
    leaps: one([0, 3]),
    ...{ digestThreshold: 20, ...NO_STORM, patterns: false },
  };
  const isStorm = one([false, true], [2, 1]);
  if (!isStorm) return drawn;
  const storm = { ...drawn, keys: one([4, 6, 8]), digestThreshold: one([1, 2]), isStorm };
  if (one([false, true], [2, 1]))
    return { ...storm, peopleActs: one([8, 16]), firstLook: one(['soon', 'at the digest']) };
  // What people do about the storm is what is looked at closely.
  return {
    ...{ ...storm, mode: 'ask', peopleActs: one([16, 32]), firstLook: 'at the digest', isCalmBefore: true },
    ...{ misfortunes: one([0, 16, 40]), likelihood: one([10, 30]), policyMistakes: one([0, 2], [3, 1]) },
  };
}

/** One key, one approval, one change of mind. Small enough to be explored as a whole. */
const SMALL_WORLD: { name: string; circumstances: Circumstances } = {
  name: 'the small world',
  circumstances: {
    ...{ keys: 1, keyActs: 0, peopleActs: 1, misfortunes: 2, likelihood: 1 },
    ...{ staleReadsMs: 0, indexLagMs: 0, mode: 'ask', policyMistakes: 0, leaps: 0 },
    ...NO_SWEEPS,
    ...{ digestThreshold: 20, ...NO_STORM, patterns: false },
  },
};

export type SmallWorldSchedule = { deviations: readonly Deviation[]; result: ScheduleResult };

/**
 * Every schedule of the small world that differs from the undisturbed course in at most `most` places: another order,
 * a failing call, a death, a second delivery.
 */
export async function* exploreSmallWorld(
  most: number,
  isMine: (deviation: Deviation) => boolean,
): AsyncGenerator<SmallWorldSchedule> {
  const open: Deviation[][] = [[]];
  for (let deviations = open.pop(); deviations !== undefined; deviations = open.pop()) {
    const choices = scriptedChoices(deviations);
    const result = await runSchedule({ choices, ...SMALL_WORLD, withStory: false });
    yield { deviations, result };
    if (deviations.length === most) continue;
    const after = deviations.at(-1)?.at ?? -1;
    for (const [at, options] of choices.alternatives().entries()) {
      if (at <= after) continue;
      for (const option of options) {
        const next = { at, option };
        if (deviations.length > 0 || isMine(next)) open.push([...deviations, next]);
      }
    }
  }
}

/** Plays one schedule of the small world with its story. */
export async function replaySmallWorld(deviations: readonly Deviation[]): Promise<ScheduleResult> {
  return await runSchedule({ choices: scriptedChoices(deviations), ...SMALL_WORLD, withStory: true });
}
