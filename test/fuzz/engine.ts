/*
 * Fuzzes one target: `node --experimental-loader ./strip-types-hook.ts engine.ts <target> <libFuzzer arguments>`. A
 * process of its own, because libFuzzer ends it with the first failure. Jazzer.js instruments what the target watches
 * and drives libFuzzer.
 */
import path from 'node:path';
import { adaptAddonToOlderGlibc } from './older-glibc.ts';
import { targetNamed } from './targets.ts';

const [name = '', ...fuzzerOptions] = process.argv.slice(2);
const { watched } = targetNamed(name);

adaptAddonToOlderGlibc(path.resolve('.cache/fuzz/addon'));
const { default: jazzer } = await import('@jazzer.js/core');

const options = new jazzer.OptionsManager(jazzer.OptionSource.DefaultCLIOptions).merge(
  {
    fuzzTarget: new URL(`./targets/${name}.ts`, import.meta.url).href,
    includes: [...watched],
    // Set together with `includes`, else everything of node_modules would be left out.
    excludes: ['@jazzer.js'],
    fuzzerOptions,
    timeout: 10_000,
  },
  jazzer.OptionSource.CommandLineArguments,
);
const { returnCode } = await jazzer.startFuzzing(options);
process.exitCode = returnCode;
