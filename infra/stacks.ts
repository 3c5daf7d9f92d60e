import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, NIST80053R5Checks } from 'cdk-nag';
import type { Deployment } from './deployment.ts';
import { type FunctionCode, HubStack } from './hub-stack.ts';

/** The stacks of a deployment. */
export type Stacks = { hub: HubStack };

/** The rule packs that every stack has to pass; what is accepted is acknowledged next to the resource it concerns. */
export function rulePacks(app: App) {
  return [new AwsSolutionsChecks(app, { verbose: true }), new NIST80053R5Checks(app, { verbose: true })] as const;
}

/** Makes every stack of a deployment; `cdk synth` fails when one of them breaks a rule. */
export function makeStacks(app: App, { deployment, code }: { deployment: Deployment; code: FunctionCode }): Stacks {
  Validations.of(app).addPlugins(...rulePacks(app));
  const hub = new HubStack(app, { deployment, code });
  return { hub };
}
