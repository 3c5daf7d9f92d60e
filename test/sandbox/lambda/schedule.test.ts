import { installClock, type SandboxClock } from '../../../sandbox/clock.ts';
import { createSchedule, type Schedule } from '../../../sandbox/lambda/schedule.ts';

const HOUR = 3_600_000;
let clock: SandboxClock;
let schedule: Schedule;
let runs: number;
let work: () => Promise<void>;
beforeEach(() => {
  clock = installClock();
  runs = 0;
  work = () => Promise.resolve();
  schedule = createSchedule({
    everyMs: HOUR,
    pollMs: 5,
    onError: () => undefined,
    run: () => {
      runs += 1;
      return work();
    },
  });
});
afterEach(async () => {
  await schedule.stop();
  clock.uninstall();
});
const untilRuns = async (count: number) => {
  while (runs < count) await new Promise((resolve) => setTimeout(resolve, 1));
};

it('runs when the simulated clock says so, by itself', async () => {
  await schedule.runIfDue();
  expect(runs).toBe(0);
  clock.advance(HOUR);
  await untilRuns(1);
  clock.advance(HOUR);
  await untilRuns(2);
});

it('makes up for a long jump with one run and keeps its rhythm', async () => {
  clock.advance(31 * 24 * HOUR + HOUR / 2);
  await schedule.runIfDue();
  expect(runs).toBe(1);
  clock.advance(HOUR / 4);
  await schedule.runIfDue();
  expect(runs).toBe(1);
  clock.advance(HOUR / 4);
  await schedule.runIfDue();
  expect(runs).toBe(2);
});

it('waits for a run that is under way', async () => {
  const gate = Promise.withResolvers<undefined>();
  work = async () => {
    await gate.promise;
  };
  const running = schedule.runNow();
  expect(schedule.running()).toBe(1);
  clock.advance(HOUR);
  await schedule.runIfDue();
  expect(runs).toBe(1);
  gate.resolve(undefined);
  await running;
  await schedule.runIfDue();
  expect(runs).toBe(2);
});

it('goes on after a run that failed', async () => {
  work = () => Promise.reject(new Error('broken'));
  await schedule.runNow();
  clock.advance(HOUR);
  await schedule.runIfDue();
  expect(runs).toBe(2);
  expect(schedule.running()).toBe(0);
});

it('fires no more when it is stopped', async () => {
  await schedule.stop();
  clock.advance(HOUR);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(runs).toBe(0);
});

it('refuses an interval that is not positive', () => {
  expect(() => createSchedule({ everyMs: 0, run: () => Promise.resolve() })).toThrow(RangeError);
});
