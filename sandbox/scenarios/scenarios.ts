import { decisions } from './decisions.ts';
import { patterns } from './patterns.ts';
import { redelivery } from './redelivery.ts';
import { remediation } from './remediation.ts';
import type { Scenario } from './scenario.ts';
import { storms } from './storms.ts';
import { sweep } from './sweep.ts';
import { trouble } from './trouble.ts';

/** Every scenario, in the order in which `all` plays them. */
export const SCENARIOS: readonly Scenario[] = [
  ...remediation,
  ...decisions,
  ...trouble,
  ...redelivery,
  ...sweep,
  ...storms,
  ...patterns,
];

export function scenarioNames(): string[] {
  return SCENARIOS.map(({ name }) => name);
}
