import { Stack } from 'aws-cdk-lib';
import { CfnPolicy } from 'aws-cdk-lib/aws-organizations';
import type { Construct } from 'constructs';
import { type Deployment, namesOf } from '../deployment.ts';

type ServiceControlPolicy = NonNullable<Deployment['guardrails']['serviceControlPolicy']>;

export type ServiceControlPolicyStackProps = {
  deployment: Deployment;
  serviceControlPolicy: ServiceControlPolicy;
  /** The maximum of rotation-policy.yaml, in days. */
  maximumPeriodInDays: number;
};

/**
 * A service control policy that keeps rotation on and the bot's own resources in place; see docs/guardrails.md before
 * deploying it. It takes credentials of the management account, or of a delegated administrator for policies, so no
 * account is named here.
 */
export class ServiceControlPolicyStack extends Stack {
  public constructor(scope: Construct, id: string, props: ServiceControlPolicyStackProps) {
    const { deployment, serviceControlPolicy, maximumPeriodInDays } = props;
    super(scope, id, {
      env: { region: organizationsRegion(deployment.hub.region) },
      description: 'A service control policy that keeps the rotation of KMS keys on.',
    });
    new CfnPolicy(this, 'KeepRotation', {
      name: `${deployment.name}-keep-rotation`,
      description: 'Keeps the rotation of KMS keys on.',
      type: 'SERVICE_CONTROL_POLICY',
      targetIds: serviceControlPolicy.targets,
      content: rotationControlPolicy(deployment, serviceControlPolicy.breakGlassRoles, maximumPeriodInDays),
    });
  }
}

/** What EnableKeyRotation takes when no period is named. */
const DEFAULT_PERIOD_IN_DAYS = 365;

/**
 * Denies DisableKeyRotation, and EnableKeyRotation with a period above the maximum, to everybody but the bot and the
 * break-glass roles. The bot is excepted so that backing out works. So that nobody else becomes the bot, or silences it,
 * the second half of the policy leaves its roles, rules and stacks in member accounts to those who deploy them.
 */
export function rotationControlPolicy(
  { name, hub }: Pick<Deployment, 'name' | 'hub'>,
  breakGlassRoles: readonly string[],
  maximumPeriodInDays: number,
) {
  const { readRole, remediateRole, forwardRole, forwardRule, memberStack } = namesOf({ name });
  const roleArn = (roleName: string, account = '*') => `arn:*:iam::${account}:role/${roleName}`;
  const exceptFor = (...roles: string[]) => ({ ArnNotLike: { 'aws:PrincipalArn': [...roles, ...breakGlassRoles] } });
  const exceptForBot = exceptFor(roleArn(remediateRole));
  const exceptForDeployment = exceptFor(
    // With service-managed permissions StackSets make this role in every account.
    roleArn('stacksets-exec-*'),
    // Deploys the member stacks of the hub account, in the CDK's way.
    roleArn(`cdk-*-cfn-exec-role-${hub.account}-*`, hub.account),
  );
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'KeepRotationOn',
        Effect: 'Deny',
        Action: 'kms:DisableKeyRotation',
        Resource: '*',
        Condition: exceptForBot,
      },
      {
        Sid: 'KeepPeriodShort',
        Effect: 'Deny',
        Action: 'kms:EnableKeyRotation',
        Resource: '*',
        Condition: {
          NumericGreaterThan: { 'kms:RotationPeriodInDays': String(maximumPeriodInDays) },
          ...exceptForBot,
        },
      },
      ...(maximumPeriodInDays >= DEFAULT_PERIOD_IN_DAYS
        ? []
        : [
            {
              // Without a period KMS takes a year, and a numeric condition never applies to what is not there.
              Sid: 'NamePeriod',
              Effect: 'Deny',
              Action: 'kms:EnableKeyRotation',
              Resource: '*',
              Condition: { Null: { 'kms:RotationPeriodInDays': 'true' }, ...exceptForBot },
            },
          ]),
      {
        Sid: 'KeepRoles',
        Effect: 'Deny',
        Action: [
          'iam:AttachRolePolicy',
          'iam:CreateRole',
          'iam:DeleteRole',
          'iam:DeleteRolePermissionsBoundary',
          'iam:DeleteRolePolicy',
          'iam:DetachRolePolicy',
          'iam:PutRolePermissionsBoundary',
          'iam:PutRolePolicy',
          'iam:UpdateAssumeRolePolicy',
          'iam:UpdateRole',
        ],
        Resource: [readRole, remediateRole, forwardRole].map((roleName) => roleArn(roleName)),
        Condition: exceptForDeployment,
      },
      {
        Sid: 'KeepRule',
        Effect: 'Deny',
        Action: [
          'events:DeleteRule',
          'events:DisableRule',
          'events:PutRule',
          'events:PutTargets',
          'events:RemoveTargets',
        ],
        Resource: `arn:*:events:*:*:rule/${forwardRule}`,
        Condition: exceptForDeployment,
      },
      {
        // A stack may act as a role that is excepted above, whoever asks it to.
        Sid: 'KeepStack',
        Effect: 'Deny',
        Action: ['cloudformation:DeleteStack', 'cloudformation:ExecuteChangeSet', 'cloudformation:UpdateStack'],
        Resource: `arn:*:cloudformation:*:*:stack/StackSet-${memberStack}-*`,
        Condition: exceptForDeployment,
      },
    ],
  };
}

/** Where Organizations is hosted, by partition; its resources have long been offered to CloudFormation only there. */
function organizationsRegion(hubRegion: string): string {
  if (hubRegion.startsWith('cn-')) return 'cn-northwest-1';
  return hubRegion.startsWith('us-gov-') ? 'us-gov-west-1' : 'us-east-1';
}
