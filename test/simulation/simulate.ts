/** `npm run simulate`: plays schedules of a simulated world and says whether every promise held. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { isPlantedFault, PLANTED_FAULTS } from './planted-faults.ts';
import { type Report, reportSchema, type Task } from './worker.ts';

const HELP = `npm run simulate -- [options]
  --seeds N        random schedules (default 2000)
  --from S         the first seed (default 1)
  --seed S         one schedule, told step by step
  --exhaustive     every schedule of a small world that differs from the undisturbed course in at most ...
  --deviations N     ... so many places (default 1)
  --replay A:B,... one schedule of the small world, told step by step
  --plant NAME     with a mistake in the product: ${Object.keys(PLANTED_FAULTS).join(', ')}
  --until-first    stops at the first violation
  --workers N      threads (default: one per core)`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    exhaustive: { type: 'boolean', default: false },
    deviations: { type: 'string', default: '1' },
    replay: { type: 'string' },
    plant: { type: 'string' },
    'until-first': { type: 'boolean', default: false },
    workers: { type: 'string', default: String(availableParallelism()) },
    help: { type: 'boolean', default: false },
  },
});

const PROGRESS_EVERY = 1000;

type Tally = { schedules: number; steps: number; violations: number; first: Report | undefined };

function taskOf(): Task['work'] {
  if (values.seed !== undefined) return { kind: 'story-of-seed', seed: Number(values.seed) };
  if (values.replay !== undefined) {
    const deviations = values.replay.split(',').filter((part) => part !== '');
    return {
      kind: 'story-of-deviations',
      deviations: deviations.map((part) => {
        const [at, option] = part.split(':').map(Number);
        return { at: at ?? 0, option: option ?? 0 };
      }),
    };
  }
  if (values.exhaustive) return { kind: 'exhaustive', deviations: Number(values.deviations) };
  return { kind: 'seeds', from: Number(values.from), count: Number(values.seeds) };
}

async function play(work: Task['work'], shares: number): Promise<Tally> {
  const tally: Tally = { schedules: 0, steps: 0, violations: 0, first: undefined };
  const kinds = new Map<string, number>();
  const workers = Array.from({ length: shares }, (_, share) => {
    const task: Task = { ...(values.plant === undefined ? {} : { plant: values.plant }), share, shares, work };
    return new Worker(new URL('./worker.ts', import.meta.url), { workerData: task });
  });
  const stop = () => Promise.all(workers.map((worker) => worker.terminate()));
  await Promise.all(
    workers.map(
      (worker) =>
        new Promise<void>((resolve, reject) => {
          worker.on('message', (message: unknown) => {
            const report = reportSchema.parse(message);
            count(report, tally, kinds);
            if (report.violations.length > 0 && values['until-first']) void stop();
          });
          worker.on('error', reject);
          worker.on('exit', () => {
            resolve();
          });
        }),
    ),
  );
  for (const [kind, times] of kinds) console.log(`${times} x ${kind}`);
  return tally;
}

function count(report: Report, tally: Tally, kinds: Map<string, number>): void {
  tally.schedules += 1;
  tally.steps += report.steps;
  tally.violations += report.violations.length;
  for (const line of report.story) console.log(line);
  for (const violation of report.violations) {
    const kind = violation.replaceAll(/arn:\S+/g, 'a key').replaceAll(/\d{4}-\d\d-\d\dT\S+/g, 'some time');
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  if (report.violations.length > 0) tally.first ??= report;
  if (tally.schedules % PROGRESS_EVERY === 0) {
    console.error(`${tally.schedules} schedules, ${tally.steps} steps, ${tally.violations} violations`);
  }
}

async function main(): Promise<void> {
  if (values.help) {
    console.log(HELP);
    return;
  }
  if (values.plant !== undefined && !isPlantedFault(values.plant)) throw new Error(`there is no fault ${values.plant}`);
  const work = taskOf();
  const isStory = work.kind === 'story-of-seed' || work.kind === 'story-of-deviations';
  const { schedules, steps, violations, first } = await play(work, isStory ? 1 : Number(values.workers));
  if (first !== undefined && !isStory) {
    console.log(`\nThe first: ${first.violations.join('; ')}`);
    const plant = values.plant === undefined ? '' : ` --plant ${values.plant}`;
    console.log(`Step by step: npm run simulate -- ${first.again}${plant}\n`);
  }
  console.log(`${schedules} schedules, ${steps} steps, ${violations} violations`);
  process.exitCode = violations === 0 ? 0 : 1;
}

await main();
