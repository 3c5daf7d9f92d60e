/** `npm run simulate`: plays schedules of a simulated world and says whether every promise held. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { isPlantedFault, PLANTED_FAULTS } from './planted-faults.ts';
import { SITUATIONS, type Situation } from './situations.ts';
import { type Report, reportSchema, type Task } from './worker.ts';

const HELP = `npm run simulate -- [options]
  --seeds N        random schedules (default 2000)
  --from S         the first seed (default 1)
  --seed S,...     one schedule, told step by step; or several, one after the other in one thread
  --exhaustive     every schedule of a small world that differs from the undisturbed course in at most ...
  --deviations N     ... so many places (default 1)
  --replay A:B,... one schedule of the small world, told step by step
  --plant NAME     with a mistake in the product: ${Object.keys(PLANTED_FAULTS).join(', ')}
  --coverage       says how many schedules reached what, and fails when none did
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
    coverage: { type: 'boolean', default: false },
    'until-first': { type: 'boolean', default: false },
    workers: { type: 'string', default: String(availableParallelism()) },
    help: { type: 'boolean', default: false },
  },
});

const PROGRESS_EVERY = 1000;

type Tally = {
  schedules: number;
  steps: number;
  violations: number;
  first: Report | undefined;
  /** How many schedules reached each situation. */
  reached: Map<Situation, number>;
};

function taskOf(): Task['work'] {
  if (values.seed !== undefined) return { kind: 'stories-of-seeds', seeds: values.seed.split(',').map(Number) };
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

/** So many schedules are played by one thread at most before a new one takes over: modules that were loaded stay in memory. */
const SEEDS_PER_THREAD = 300;
/** The same for the small world, whose schedules nobody can count before. */
const SHARES_PER_DEVIATION = 8;

/** Divides the work into parts for one thread each. */
function partsOf(work: Task['work'], lanes: number): Pick<Task, 'work' | 'share' | 'shares'>[] {
  switch (work.kind) {
    case 'seeds': {
      const end = work.from + work.count;
      const most = Math.min(SEEDS_PER_THREAD, Math.ceil(work.count / lanes));
      return Array.from({ length: Math.ceil(work.count / most) }, (_, part) => {
        const from = work.from + part * most;
        return { share: 0, shares: 1, work: { ...work, from, count: Math.min(most, end - from) } };
      });
    }
    case 'exhaustive': {
      const shares = Math.max(lanes, SHARES_PER_DEVIATION ** (work.deviations - 1));
      return Array.from({ length: shares }, (_, share) => ({ share, shares, work }));
    }
    case 'stories-of-seeds':
    case 'story-of-deviations':
      return [{ share: 0, shares: 1, work }];
  }
}

/** Most of what a schedule makes is short-lived. */
const resourceLimits = { maxYoungGenerationSizeMb: 64 };

async function play(work: Task['work'], lanes: number): Promise<Tally> {
  const tally: Tally = { schedules: 0, steps: 0, violations: 0, first: undefined, reached: new Map() };
  const kinds = new Map<string, number>();
  const parts = partsOf(work, lanes);
  const working = new Set<Worker>();
  let isOver = false;

  function playPart(part: (typeof parts)[number]): Promise<void> {
    const task: Task = { ...(values.plant === undefined ? {} : { plant: values.plant }), ...part };
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: task, resourceLimits });
    working.add(worker);
    return new Promise<void>((resolve, reject) => {
      worker.on('message', (message: unknown) => {
        if (isOver) return;
        const report = reportSchema.parse(message);
        count(report, tally, kinds);
        isOver = report.violations.length > 0 && values['until-first'];
        if (isOver) for (const each of working) void each.terminate();
      });
      worker.on('error', reject);
      worker.on('exit', () => {
        working.delete(worker);
        resolve();
      });
    });
  }

  async function lane(): Promise<void> {
    for (let part = parts.shift(); part !== undefined && !isOver; part = parts.shift()) await playPart(part);
  }

  await Promise.all(Array.from({ length: lanes }, lane));
  for (const [kind, times] of kinds) console.log(`${times} x ${kind}`);
  return tally;
}

function count(report: Report, tally: Tally, kinds: Map<string, number>): void {
  tally.schedules += 1;
  tally.steps += report.steps;
  tally.violations += report.violations.length;
  for (const line of report.story) console.log(line);
  for (const situation of report.reached) tally.reached.set(situation, (tally.reached.get(situation) ?? 0) + 1);
  for (const violation of report.violations) {
    const kind = violation.replaceAll(/arn:\S+/g, 'a key').replaceAll(/\d{4}-\d\d-\d\dT\S+/g, 'some time');
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  if (report.violations.length > 0) {
    tally.first ??= report;
    console.error(`${report.again}: ${report.violations.join('; ')}`);
  }
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
  const isStory = work.kind === 'stories-of-seeds' || work.kind === 'story-of-deviations';
  const { schedules, steps, violations, first, reached } = await play(work, isStory ? 1 : Number(values.workers));
  if (first !== undefined && !isStory) {
    console.log(`\nThe first: ${first.violations.join('; ')}`);
    const plant = values.plant === undefined ? '' : ` --plant ${values.plant}`;
    console.log(`Step by step: npm run simulate -- ${first.again}${plant}\n`);
  }
  if (values.coverage) for (const situation of SITUATIONS) console.log(`${reached.get(situation) ?? 0} x ${situation}`);
  const isCovered = !values.coverage || SITUATIONS.every((situation) => reached.has(situation));
  console.log(`${schedules} schedules, ${steps} steps, ${violations} violations`);
  process.exitCode = violations === 0 && isCovered ? 0 : 1;
}

await main();
