import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks, NIST80053R5Checks } from 'cdk-nag';
import * as z from 'zod/mini';
import { namesOf, readDeployment } from '../../infra/deployment.ts';
import { MemberStack } from '../../infra/member-stack.ts';
import { NoOrganization, OrganizationStack } from '../../infra/organization-stack.ts';

const deployment = await readDeployment('infra/examples/organization.yaml');
const { hub } = deployment;

const app = new App();
const stack = new OrganizationStack(app, 'organization', { env: hub, deployment });
const template = Template.fromStack(stack);

it('rolls out the very template that is deployed directly into the hub account', () => {
  const direct = new MemberStack(new App(), 'member', { env: hub, deployment });
  const stackSets = Object.values(template.findResources('AWS::CloudFormation::StackSet'));
  const bodies = z
    .array(z.object({ Properties: z.object({ TemplateBody: z.string() }) }))
    .parse(stackSets)
    .map(({ Properties }) => Properties.TemplateBody);
  expect(bodies.map((body): unknown => JSON.parse(body))).toEqual([Template.fromStack(direct).toJSON()]);
  expect(bodies[0]?.length).toBeLessThan(51_200);
});

it('covers the accounts of the targets and those added later, the hub account excluded, the Region of the hub first', () => {
  const regions = ['us-east-1', hub.region, 'eu-west-1'];
  const other = new OrganizationStack(new App(), 'organization', { env: hub, deployment: { ...deployment, regions } });
  Template.fromStack(other).hasResourceProperties('AWS::CloudFormation::StackSet', {
    StackSetName: namesOf(deployment).memberStack,
    PermissionModel: 'SERVICE_MANAGED',
    CallAs: 'DELEGATED_ADMIN',
    AutoDeployment: { Enabled: true, RetainStacksOnAccountRemoval: false },
    Capabilities: ['CAPABILITY_NAMED_IAM'],
    ManagedExecution: { Active: true },
    OperationPreferences: {
      RegionConcurrencyType: 'SEQUENTIAL',
      RegionOrder: [hub.region, 'us-east-1', 'eu-west-1'],
      FailureTolerancePercentage: 25,
      MaxConcurrentPercentage: 100,
    },
    StackInstancesGroup: [
      {
        Regions: regions,
        DeploymentTargets: {
          OrganizationalUnitIds: ['ou-exam-pleunit1'],
          Accounts: [hub.account],
          AccountFilterType: 'DIFFERENCE',
        },
      },
    ],
  });
});

it('refuses a deployment without an organization', () => {
  const alone = { ...deployment, organization: undefined };
  expect(() => new OrganizationStack(new App(), 'organization', { env: hub, deployment: alone })).toThrow(
    NoOrganization,
  );
});

it.each([
  ['AWS Solutions', AwsSolutionsChecks],
  ['NIST 800-53 Rev. 5', NIST80053R5Checks],
])('breaks no rule of %s', (_, Checks) => {
  expect(new Checks(app).validateScope(stack).violations).toEqual([]);
});
