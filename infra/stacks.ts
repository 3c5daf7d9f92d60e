import { type App, type Stack, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, NIST80053R5Checks } from 'cdk-nag';
import { type Deployment, namesOf } from './deployment.ts';
import { guardrailStacks } from './guardrails/guardrail-stacks.ts';
import { type FunctionCode, HubStack } from './hub-stack.ts';
import { MemberStack } from './member-stack.ts';
import { OrganizationStack } from './organization-stack.ts';

/** The stacks of a deployment, in the order in which they are deployed. */
export type Stacks = {
  hub: HubStack;
  members: MemberStack[];
  organization: OrganizationStack | null;
  guardrails: Stack[];
};

type StacksProps = {
  deployment: Deployment;
  code: FunctionCode;
  /** Of the rotation policy, for the guardrails. */
  maximumPeriodInDays: number;
};

/** The rule packs that every stack has to pass; what is accepted is acknowledged next to the resource it concerns. */
export function rulePacks(app: App) {
  return [new AwsSolutionsChecks(app, { verbose: true }), new NIST80053R5Checks(app, { verbose: true })] as const;
}

/** Makes every stack of a deployment; `cdk synth` fails when one of them breaks a rule. */
export function makeStacks(app: App, { deployment, code, maximumPeriodInDays }: StacksProps): Stacks {
  Validations.of(app).addPlugins(...rulePacks(app));
  const { hub, regions } = deployment;
  const hubStack = new HubStack(app, { deployment, code });
  const { memberStack, organizationStack } = namesOf(deployment);

  const member = (region: string) =>
    new MemberStack(app, `${memberStack}-${region}`, { env: { account: hub.account, region }, deployment });
  // The hub's Region has the roles that the others name.
  const first = member(hub.region);
  first.addStackDependency(hubStack, 'its rule sends to the bus of the hub');
  const others = regions.filter((region) => region !== hub.region).map(member);
  for (const other of others) other.addStackDependency(first, 'the roles are there');

  const organization =
    deployment.organization === undefined
      ? null
      : new OrganizationStack(app, organizationStack, {
          env: { account: hub.account, region: hub.region },
          deployment,
        });
  organization?.addStackDependency(hubStack, 'its rules send to the bus of the hub');
  return {
    hub: hubStack,
    members: [first, ...others],
    organization,
    guardrails: guardrailStacks(app, { deployment, maximumPeriodInDays }),
  };
}
