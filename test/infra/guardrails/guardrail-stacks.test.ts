import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as z from 'zod/mini';
import { InvalidPolicy } from '../../../functions/contracts/policy.ts';
import { type Deployment, readDeployment } from '../../../infra/deployment.ts';
import { guardrailStacks, readMaximumPeriodInDays } from '../../../infra/guardrails/guardrail-stacks.ts';

const organization = await readDeployment('infra/examples/organization.yaml');
const singleAccount = await readDeployment('deployment.yaml');

const stacksOf = (deployment: Deployment) => guardrailStacks(new App(), { deployment, maximumPeriodInDays: 365 });

it('makes none unless the deployment asks for them', () => {
  expect(stacksOf(singleAccount)).toEqual([]);
});

it('checks the account in every watched Region with a rule of AWS Config', () => {
  const stacks = stacksOf({ ...singleAccount, guardrails: { configRule: true } });
  expect(stacks.map(({ stackName, environment }) => [stackName, environment])).toEqual([
    ['kms-rotation-bot-guardrails-config-eu-central-1', 'aws://111122223333/eu-central-1'],
    ['kms-rotation-bot-guardrails-config-us-east-1', 'aws://111122223333/us-east-1'],
  ]);
  for (const stack of stacks) {
    Template.fromStack(stack).hasResourceProperties('AWS::Config::ConfigRule', {
      ConfigRuleName: 'cmk-backing-key-rotation-enabled',
      Source: { Owner: 'AWS', SourceIdentifier: 'CMK_BACKING_KEY_ROTATION_ENABLED' },
    });
  }
});

it('checks an organization with a conformance pack of the same rule', () => {
  const configRule = Template.fromStack(
    stacksOf({ ...singleAccount, regions: ['eu-central-1'], guardrails: { configRule: true } })[0] ?? fail(),
  ).findResources('AWS::Config::ConfigRule');
  const stacks = stacksOf(organization).filter(({ stackName }) => stackName.includes('config'));
  expect(stacks.map(({ environment }) => environment)).toEqual([
    ...['aws://unknown-account/eu-central-1', 'aws://unknown-account/us-east-1'],
  ]);
  for (const stack of stacks) {
    const packs = Template.fromStack(stack).findResources('AWS::Config::OrganizationConformancePack');
    const pack = z
      .array(
        z.object({ Properties: z.object({ OrganizationConformancePackName: z.string(), TemplateBody: z.string() }) }),
      )
      .parse(Object.values(packs))[0];
    // Names of packs: a letter, then letters, digits and hyphens.
    expect(pack?.Properties.OrganizationConformancePackName).toMatch(/^[a-zA-Z][-a-zA-Z0-9]{0,127}$/);
    const body: unknown = JSON.parse(pack?.Properties.TemplateBody ?? '');
    expect(body).toEqual({ Resources: configRule });
  }
});

it('takes the longest period from the rotation policy', async () => {
  expect(await readMaximumPeriodInDays('rotation-policy.yaml')).toBe(365);
});

it.each(['no-such-file.yaml', 'deployment.yaml'])('refuses %s as rotation policy', async (path) => {
  await expect(readMaximumPeriodInDays(path)).rejects.toThrow(InvalidPolicy);
});

function fail(): never {
  throw new Error('there is no stack');
}
