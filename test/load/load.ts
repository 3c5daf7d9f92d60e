// `npm run load`: drives the sandbox with far more than it will ever see, checks from outside that nothing was lost and
// nothing done twice, and prints what it cost. `--quick` is the same, small; `--storm` is thousands of findings at once,
// and takes a quarter of an hour. Ends by itself, with exit code 0 or 1.
import { parseArgs } from 'node:util';
import { floodRun } from './flood-run.ts';
import { limitedRun } from './limited-run.ts';
import { FULL, type Plan, QUICK } from './plan.ts';
import { type Part, printTable, printViolations, type Row } from './report.ts';
import { stormRun } from './storm-run.ts';
import { throughputRun } from './throughput-run.ts';

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, profile: { type: 'string' }, storm: { type: 'boolean' } },
});
const plan = values.quick === true ? QUICK : FULL;
const rows: Row[] = [];
const violations: string[] = [];

async function play(run: (plan: Plan) => Promise<Part>): Promise<void> {
  const part = await run(plan);
  rows.push(...part.rows);
  violations.push(...part.violations);
}

let counts = '';
if (values.storm !== true) {
  const throughput = await throughputRun(plan, { profileTo: values.profile });
  rows.push(...throughput.rows);
  violations.push(...throughput.violations);
  counts = `${throughput.events} events, ${throughput.clicks} clicks, `;
  await play(floodRun);
  await play(limitedRun);
}
// The full storm takes as long as KMS's limits ask for: a run of its own.
if (values.storm === true) await play(stormRun);

printTable(rows);
printViolations(violations);
console.log(`${counts}${violations.length} violations`);
process.exitCode = violations.length === 0 ? 0 : 1;
