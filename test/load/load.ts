// `npm run load`: drives the sandbox with far more than it will ever see, checks from outside that nothing was lost and
// nothing done twice, and prints what it cost. `--quick` is the same, small. Ends by itself, with exit code 0 or 1.
import { parseArgs } from 'node:util';
import { floodRun } from './flood-run.ts';
import { limitedRun } from './limited-run.ts';
import { FULL, QUICK } from './plan.ts';
import { printTable, printViolations, type Row } from './report.ts';
import { throughputRun } from './throughput-run.ts';

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, profile: { type: 'string' } } });
const plan = values.quick === true ? QUICK : FULL;
const rows: Row[] = [];
const violations: string[] = [];

const throughput = await throughputRun(plan, { profileTo: values.profile });
rows.push(...throughput.rows);
violations.push(...throughput.violations);
for (const run of [floodRun, limitedRun]) {
  const part = await run(plan);
  rows.push(...part.rows);
  violations.push(...part.violations);
}

printTable(rows);
printViolations(violations);
console.log(`${throughput.events} events, ${throughput.clicks} clicks, ${violations.length} violations`);
process.exitCode = violations.length === 0 ? 0 : 1;
