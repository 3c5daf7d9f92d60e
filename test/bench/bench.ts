/**
 * Measures how fast and how large the bot is: `npm run bench`, `npm run bench -- --quick`, `-- --json FILE`. A full run
 * exits with 1 when a target is missed.
 *
 * The functions run as bundles, each in a process of its own that loads them as Lambda does; this process plays AWS and
 * Slack (the sandbox's services) and the event sources. "Own time" is what the main thread of the function's process
 * computed, so neither the services nor whatever else the machine does is in it. "By the clock" is what passed, without
 * the time during which a service worked on a request of the function, measured here; a busy machine is in it. Nothing
 * of this is a Lambda: compare figures of one run with each other.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle } from '../../infra/bundling.ts';
import { startServices } from '../support/simulated-services.ts';
import { walkMainPath } from './main-path.ts';
import {
  type Bundle,
  forEachBundle,
  measureColdClicks,
  measureEvents,
  measureInits,
  measureStorm,
  measureWarmClicks,
} from './measurements.ts';
import { machine, reportText } from './report.ts';
import { sharesOf } from './shares.ts';
import { bundleStock } from './stock/bundle-stock.ts';
import { figuresOf } from './targets.ts';

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } },
});
const runs = options.quick
  ? { cold: 3, inits: 3, warm: 40, events: 30, storm: 60 }
  : { cold: 15, inits: 11, warm: 300, events: 150, storm: 400 };

await using cleanup = new AsyncDisposableStack();
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
cleanup.defer(() => {
  rmSync(folder, { recursive: true });
});
// What is measured is a finding with a message of its own, however many there are in the minute.
const services = await startServices({ digest: { threshold: null } });
cleanup.defer(services.close);

const pathOf = (name: Bundle) => join(folder, name, 'index.js');
const contents = await forEachBundle(async (name) => {
  const target = join(folder, name);
  return sharesOf(name === 'stock' ? await bundleStock(target) : await bundle(name, target));
});
const place = { services, pathOf };
const cold = await measureColdClicks(place, runs.cold);
const inits = await measureInits(place, runs.inits);
const warm = await measureWarmClicks(place, runs.warm);
const events = await measureEvents(place, runs.events);
const storm = await measureStorm(place, runs.storm);
const mainPath = await walkMainPath(place);

const bytes = await forEachBundle((name) => Promise.resolve(contents[name].bytes));
const shares = await forEachBundle((name) => Promise.resolve(contents[name].shares));
const figures = figuresOf({ bytes, inits, cold, warm, ...events, storm, mainPath });
process.stdout.write(reportText(figures, shares, mainPath));
if (options.json !== undefined) {
  const written = { machine: machine(), quick: options.quick, runs, figures, shares, mainPath };
  writeFileSync(options.json, `${JSON.stringify(written, null, 2)}\n`);
}
if (!options.quick && figures.some(({ target }) => target?.met === false)) process.exitCode = 1;
