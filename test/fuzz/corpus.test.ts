import { readdirSync, readFileSync } from 'node:fs';
import { jest } from '@jest/globals';
import { loadTarget, TARGETS } from './targets.ts';

/*
 * Every seed and every input kept in corpus/ through its target once: the fuzzer's properties as plain tests.
 */
beforeEach(() => {
  // Bolt's logger; what went wrong is in the answer too.
  jest.spyOn(console, 'error').mockImplementation(() => undefined);
});

describe.each(TARGETS.map(({ name }) => name))('%s: every property holds', (name) => {
  it('for each seed', async () => {
    const { fuzz, seeds } = await loadTarget(name);
    expect(seeds().length).toBeGreaterThan(2);
    for (const seed of seeds()) await fuzz(seed);
  });

  it.each(readdirSync(new URL(`corpus/${name}/`, import.meta.url)))('for %s', async (file) => {
    const { fuzz } = await loadTarget(name);
    await fuzz(readFileSync(new URL(`corpus/${name}/${file}`, import.meta.url)));
  });
});
