import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks, NIST80053R5Checks } from 'cdk-nag';
import { namesOf, readDeployment } from '../../../infra/deployment.ts';
import { guardrailStacks } from '../../../infra/guardrails/guardrail-stacks.ts';
import { rotationControlPolicy } from '../../../infra/guardrails/service-control-policy-stack.ts';
import { type SimulatedRequest, simulatePolicy } from '../simulated-iam.ts';

const deployment = await readDeployment('infra/examples/organization.yaml');
const names = namesOf(deployment);
const { hub } = deployment;
const MEMBER = '444455556666';
const KEY = `arn:aws:kms:eu-central-1:${MEMBER}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
const MEMBER_STACK = `arn:aws:cloudformation:us-east-1:${MEMBER}:stack/StackSet-${names.memberStack}-0a1b2c3d/e5f6`;
const role = (name: string, account = MEMBER) => `arn:aws:iam::${account}:role/${name}`;

const policy = rotationControlPolicy(deployment, ['arn:aws:iam::*:role/break-glass'], 365);

const as = (
  principal: string,
  action: string,
  resource = KEY,
  context: Record<string, string> = {},
): SimulatedRequest => ({
  action,
  resource,
  context: { 'aws:PrincipalArn': principal, ...context },
});
const period = (days: number) => ({ 'kms:RotationPeriodInDays': String(days) });

describe('denies', () => {
  it.each([
    ['an administrator to switch rotation off', as(role('Admin'), 'kms:DisableKeyRotation')],
    ['the root user the same', as(`arn:aws:iam::${MEMBER}:root`, 'kms:DisableKeyRotation')],
    ['Terraform the same', as(role('terraform'), 'kms:DisableKeyRotation')],
    ['a period above the maximum', as(role('Admin'), 'kms:EnableKeyRotation', KEY, period(366))],
    ['a role that only sounds like the bot', as(role(`x-${names.remediateRole}`), 'kms:DisableKeyRotation')],
    [
      'a user of the name of the bot',
      as(`arn:aws:iam::${MEMBER}:user/${names.remediateRole}`, 'kms:DisableKeyRotation'),
    ],
    ['the reading role of the bot', as(role(names.readRole), 'kms:DisableKeyRotation')],
    ['to let others become the bot', as(role('Admin'), 'iam:UpdateAssumeRolePolicy', role(names.remediateRole))],
    ['to make a role of the name of the bot', as(role('Admin'), 'iam:CreateRole', role(names.remediateRole))],
    ['the bot to change its own role', as(role(names.remediateRole), 'iam:PutRolePolicy', role(names.remediateRole))],
    [
      'to silence the forwarding rule',
      as(role('Admin'), 'events:DisableRule', `arn:aws:events:us-east-1:${MEMBER}:rule/${names.forwardRule}`),
    ],
    ['to delete the stack of a member account', as(role('Admin'), 'cloudformation:DeleteStack', MEMBER_STACK)],
    [
      'a member account to pass for the hub',
      as(role('cdk-x-cfn-exec-role-111122223333-eu-central-1'), 'iam:DeleteRole', role(names.readRole)),
    ],
  ])('%s', (_, request) => {
    expect(simulatePolicy(policy, request)).toBe('Deny');
  });
});

describe('leaves alone', () => {
  it.each([
    ['switching rotation on', as(role('Admin'), 'kms:EnableKeyRotation', KEY, period(365))],
    ['switching rotation on without a period', as(role('Admin'), 'kms:EnableKeyRotation')],
    ['rotating on demand', as(role('Admin'), 'kms:RotateKeyOnDemand')],
    ['disabling a key', as(role('Admin'), 'kms:DisableKey')],
    ['the bot that backs out', as(role(names.remediateRole), 'kms:DisableKeyRotation')],
    ['the bot in China', as(`arn:aws-cn:iam::${MEMBER}:role/${names.remediateRole}`, 'kms:DisableKeyRotation')],
    ['the break-glass role', as(role('break-glass'), 'kms:DisableKeyRotation')],
    ['its long periods', as(role('break-glass'), 'kms:EnableKeyRotation', KEY, period(2560))],
    ['StackSets', as(role('stacksets-exec-0123456789abcdef'), 'iam:DeleteRole', role(names.readRole))],
    [
      'the deployment of the hub account',
      as(
        role(`cdk-hnb659fds-cfn-exec-role-${hub.account}-${hub.region}`, hub.account),
        'events:PutRule',
        `arn:aws:events:us-east-1:${hub.account}:rule/${names.forwardRule}`,
      ),
    ],
    [
      'StackSets that delete it',
      as(role('stacksets-exec-0123456789abcdef'), 'cloudformation:DeleteStack', MEMBER_STACK),
    ],
    ['other stacks', as(role('Admin'), 'cloudformation:DeleteStack', MEMBER_STACK.replace('StackSet-kms', 'kms'))],
    ['other roles', as(role('Admin'), 'iam:DeleteRole', role('orders'))],
    ['other rules', as(role('Admin'), 'events:PutRule', `arn:aws:events:us-east-1:${MEMBER}:rule/orders`)],
    ['assuming the roles', as(role('Admin'), 'sts:AssumeRole', role(names.readRole))],
  ])('%s', (_, request) => {
    expect(simulatePolicy(policy, request)).toBe('none');
  });
});

it('insists on a period where the maximum is below the year that KMS takes without one', () => {
  const strict = rotationControlPolicy(deployment, ['arn:aws:iam::*:role/break-glass'], 180);
  const enable = (context: Record<string, string>) =>
    simulatePolicy(strict, as(role('Admin'), 'kms:EnableKeyRotation', KEY, context));
  expect(enable({})).toBe('Deny');
  expect(enable(period(181))).toBe('Deny');
  expect(enable(period(180))).toBe('none');
});

it('fits into a policy document, with the longest name and ten break-glass roles', () => {
  const name = 'n'.repeat(24);
  const roles = Array.from({ length: 10 }, (_, index) => `arn:aws:iam::*:role/security/break-glass-${index}`);
  // AWS Organizations User Guide, "Quotas": 10,240 characters since 2026, 5,120 before, with which every partition agrees.
  expect(JSON.stringify(rotationControlPolicy({ name, hub }, roles, 180)).length).toBeLessThanOrEqual(5120);
});

describe('the stack', () => {
  const app = new App();
  const [stack] = guardrailStacks(app, { deployment, maximumPeriodInDays: 365 });
  if (stack === undefined) throw new Error('the example has guardrails');

  it('is deployed where Organizations is, into whatever account the credentials are of', () => {
    expect(stack.stackName).toBe('kms-rotation-bot-guardrails-scp');
    expect(stack.environment).toBe('aws://unknown-account/us-east-1');
  });

  it('attaches the policy to the targets', () => {
    Template.fromStack(stack).hasResourceProperties('AWS::Organizations::Policy', {
      Name: 'kms-rotation-bot-keep-rotation',
      Type: 'SERVICE_CONTROL_POLICY',
      TargetIds: ['ou-exam-pleunit1'],
      Content: policy,
    });
  });

  it.each([
    ['AWS Solutions', AwsSolutionsChecks],
    ['NIST 800-53 Rev. 5', NIST80053R5Checks],
  ])('breaks no rule of %s', (_, Checks) => {
    expect(new Checks(app).validateScope(app).violations).toEqual([]);
  });
});
