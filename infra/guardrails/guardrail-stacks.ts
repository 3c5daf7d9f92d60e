import { readFile } from 'node:fs/promises';
import type { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { parse } from 'yaml';
import { InvalidPolicy, parsePolicy } from '../../functions/contracts/policy.ts';
import { type Deployment, namesOf } from '../deployment.ts';
import { ConfigRuleStack } from './config-rule-stack.ts';
import { ServiceControlPolicyStack } from './service-control-policy-stack.ts';

/**
 * The stacks of the guardrails that the deployment file asks for, none by default: `<name>-guardrails-scp`, and
 * `<name>-guardrails-config-<region>` for every watched Region.
 */
export function guardrailStacks(
  app: Construct,
  { deployment, maximumPeriodInDays }: { deployment: Deployment; maximumPeriodInDays: number },
): Stack[] {
  const { hub, regions, organization, guardrails } = deployment;
  const { guardrailsStack } = namesOf(deployment);
  const { serviceControlPolicy, configRule } = guardrails;
  return [
    ...(serviceControlPolicy === undefined
      ? []
      : [
          new ServiceControlPolicyStack(app, `${guardrailsStack}-scp`, {
            deployment,
            serviceControlPolicy,
            maximumPeriodInDays,
          }),
        ]),
    ...(configRule ? regions : []).map((region) => {
      const env = organization === undefined ? { account: hub.account, region } : { region };
      return new ConfigRuleStack(app, `${guardrailsStack}-config-${region}`, { env, deployment });
    }),
  ];
}

/**
 * The longest period that the rotation policy allows, in days.
 * @throws InvalidPolicy when the file is missing, is no YAML or no valid policy
 */
export async function readMaximumPeriodInDays(path: string): Promise<number> {
  let document: unknown;
  try {
    document = parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new InvalidPolicy([{ path, problem: cause instanceof Error ? cause.message : String(cause) }]);
  }
  return parsePolicy(document).rotation.maximumPeriodInDays;
}
