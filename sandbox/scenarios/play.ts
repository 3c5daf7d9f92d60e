import type { Scenario } from './scenario.ts';
import { SCENARIOS, scenarioNames } from './scenarios.ts';
import { type Addresses, createVisitor } from './visitor.ts';

/** Plays one scenario in a running sandbox. @throws Surprise */
export async function playScenario(
  { play }: Scenario,
  addresses: Addresses,
  say: (line: string) => void = () => undefined,
): Promise<void> {
  const visitor = createVisitor(addresses, say);
  try {
    await play(visitor);
    await visitor.settle();
    const trails = await visitor.checkTrails();
    const events = trails.reduce((sum, trail) => sum + trail.events.length, 0);
    say(`audit trail: ${events} events of ${trails.length} keys, hash chains intact`);
  } finally {
    visitor.close();
  }
}

/**
 * Plays the named scenario, or `all`, prints each step, and answers whether all went as told.
 * @throws Error when there is no such scenario
 */
export async function playScenarios(name: string, addresses: Addresses): Promise<boolean> {
  const chosen = SCENARIOS.filter((scenario) => name === 'all' || scenario.name === name);
  if (chosen.length === 0)
    throw new Error(`There is no scenario "${name}"; known: all, ${scenarioNames().join(', ')}.`);
  const failed: string[] = [];
  for (const scenario of chosen) {
    console.log(`\n${scenario.name}: ${scenario.story}`);
    try {
      await playScenario(scenario, addresses, (line) => {
        console.log(`  - ${line}`);
      });
      console.log('  ok');
    } catch (error) {
      failed.push(scenario.name);
      console.log(`  SURPRISE: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  console.log(
    `\n${chosen.length - failed.length} of ${chosen.length} as told${failed.length > 0 ? `; not: ${failed.join(', ')}` : ''}`,
  );
  return failed.length === 0;
}
