import { mayDecide, planClicks } from './clicks.ts';
import { planEvents } from './events.ts';
import { forgeries } from './forgery.ts';
import { spreadOf } from './percentiles.ts';
import { FULL, QUICK } from './plan.ts';

it.each([
  ['full', FULL],
  ['quick', QUICK],
])('a %s run has as many events as it says, each after the creation of its key', (_, plan) => {
  const { keys, steps } = planEvents(plan);
  expect(steps).toHaveLength(plan.events.total);
  const created = new Set<unknown>();
  for (const { kind, key } of steps) {
    if (kind === 'create') created.add(key);
    expect(created.has(key)).toBe(true);
  }
  expect(created.size).toBe(keys.length);
  const delivered = steps.filter((step) => step.kind === 'deliver').map((step) => step.eventId);
  expect(delivered.length).toBeGreaterThan(new Set(delivered).size);
});

it('clicks come from people who may decide and from people who may not', () => {
  const finding = (episode: number) => ({ ref: { key: 'key', episode }, channel: 'C', ts: '1.0', blocks: [] });
  const clicks = planClicks(
    Array.from({ length: 50 }, (_, index) => finding(index + 1)),
    200,
  );
  expect(clicks).toHaveLength(200);
  expect(new Set(clicks.map(({ by }) => by)).size).toBe(5);
  expect(clicks.filter(mayDecide).length).toBeGreaterThan(10);
  expect(planClicks([], 10)).toEqual([]);
});

it('a thousand forgeries are mostly small, and a few as large as the bot accepts', () => {
  const sizes = forgeries().map(({ body }) => body.length);
  expect(sizes).toHaveLength(1000);
  expect(sizes.filter((size) => size <= 1024).length).toBeGreaterThan(900);
  expect(Math.max(...sizes)).toBe(1_000_000);
});

it('percentiles are values that were measured', () => {
  expect(spreadOf([])).toEqual({ count: 0, p50: 0, p95: 0, p99: 0, max: 0 });
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(spreadOf(hundred)).toEqual({ count: 100, p50: 50, p95: 95, p99: 99, max: 100 });
});
