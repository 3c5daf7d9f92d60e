import { readdirSync } from 'node:fs';

/**
 * All examples of the rules in one module, for mutation testing only: jest then makes one environment for each mutant
 * instead of ten, which was most of its time. Properties stay out: they draw at random, and chance is no proof.
 */
const files = readdirSync(new URL('../functions/domain/', import.meta.url));

for (const file of files.filter((name) => name.endsWith('.test.ts') && name !== 'properties.test.ts')) {
  try {
    await import(`../functions/domain/${file}`);
  } catch (error) {
    // A mutant that breaks what a file builds its tests from is noticed like any other.
    test(`${file} can be loaded`, () => {
      throw error;
    });
  }
}
