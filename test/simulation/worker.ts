import { parentPort, workerData } from 'node:worker_threads';
import * as z from 'zod';
import { isPlantedFault, plantFault } from './planted-faults.ts';
import type { ScheduleResult } from './run-schedule.ts';
import { SITUATIONS } from './situations.ts';

const deviation = z.object({ at: z.int(), option: z.int() });
export const taskSchema = z.object({
  plant: z.string().optional(),
  /** Which share of the work is this worker's. */
  share: z.int(),
  shares: z.int(),
  work: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('seeds'), from: z.int(), count: z.int() }),
    z.object({ kind: z.literal('exhaustive'), deviations: z.int() }),
    z.object({ kind: z.literal('stories-of-seeds'), seeds: z.array(z.int()) }),
    z.object({ kind: z.literal('story-of-deviations'), deviations: z.array(deviation) }),
  ]),
});
export type Task = z.infer<typeof taskSchema>;

export const reportSchema = z.object({
  steps: z.int(),
  violations: z.array(z.string()),
  reached: z.array(z.enum(SITUATIONS)),
  /** How to play it again: options of `npm run simulate`. */
  again: z.string(),
  story: z.array(z.string()),
});
export type Report = z.infer<typeof reportSchema>;

async function work(): Promise<void> {
  const { plant, share, shares, work: task } = taskSchema.parse(workerData);
  const under = plant !== undefined && isPlantedFault(plant) ? plantFault(plant) : {};
  // Only now: a fault has to be planted before the product is loaded.
  const { enterSimulation } = await import('./environment.ts');
  enterSimulation();
  const { exploreSmallWorld, replaySmallWorld, runSeed } = await import('./explore.ts');
  // What libraries do once per process must not be part of a schedule, or the first one would differ from the rest.
  await runSeed(0);
  function report({ steps, violations, reached }: ScheduleResult, again: string, story: readonly string[] = []): void {
    const message: Report = { steps, again, violations: [...violations], reached: [...reached], story: [...story] };
    parentPort?.postMessage(message);
  }

  switch (task.kind) {
    case 'seeds':
      for (let seed = task.from + share; seed < task.from + task.count; seed += shares) {
        report(await runSeed(seed, { under }), `--seed ${seed}`);
      }
      return;
    case 'exhaustive': {
      const isMine = ({ at, option }: z.infer<typeof deviation>) => (at + option) % shares === share;
      for await (const { deviations, result } of exploreSmallWorld(task.deviations, isMine)) {
        if (deviations.length === 0 && share !== 0) continue;
        report(result, `--replay ${deviations.map(({ at, option }) => `${at}:${option}`).join(',')}`);
      }
      return;
    }
    case 'stories-of-seeds':
      for (const seed of task.seeds) {
        const result = await runSeed(seed, { under, withStory: true });
        report(result, `--seed ${seed}`, [`Seed ${seed}`, ...result.story]);
      }
      return;
    case 'story-of-deviations': {
      const result = await replaySmallWorld(task.deviations);
      report(result, '', result.story);
    }
  }
}

if (parentPort !== null) {
  await work();
  // Timers of libraries that wait for what will never come must not keep the thread.
  process.exit(0);
}
