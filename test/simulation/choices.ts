import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/**
 * Where everything that is open in a run is decided: which of several things happens next, whether a call fails, what a
 * person does. Option 0 is always the undisturbed course. The same choices give the same run.
 */
export type Choices = {
  /** Answers the index of an option; an option of weight 0 is never taken. */
  pick: (weights: readonly number[]) => number;
};

/** Choices by a pseudo-random generator. */
export function randomChoices(seed: number): Choices {
  const generator = xoroshiro128plus(seed);
  return {
    pick(weights) {
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      if (total <= 0) return 0;
      let left = uniformInt(generator, 0, total - 1);
      for (const [index, weight] of weights.entries()) {
        left -= weight;
        if (left < 0) return index;
      }
      return 0;
    },
  };
}

/** Taking another option than the undisturbed one: at which choice, counted from 0, and which. */
export type Deviation = { at: number; option: number };

export type ScriptedChoices = Choices & {
  /** What else could have been chosen at each choice that was made. */
  alternatives: () => readonly (readonly number[])[];
};

/** The undisturbed course, but for the given deviations. */
export function scriptedChoices(deviations: readonly Deviation[]): ScriptedChoices {
  const script = new Map(deviations.map(({ at, option }) => [at, option]));
  const alternatives: number[][] = [];
  return {
    pick(weights) {
      const at = alternatives.length;
      alternatives.push([...weights.keys()].filter((option) => option > 0 && (weights[option] ?? 0) > 0));
      return script.get(at) ?? 0;
    },
    alternatives: () => alternatives,
  };
}
