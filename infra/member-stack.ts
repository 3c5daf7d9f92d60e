import {
  Aws,
  CfnCondition,
  DefaultStackSynthesizer,
  Duration,
  type Environment,
  Fn,
  type IStackSynthesizer,
  Stack,
  Validations,
} from 'aws-cdk-lib';
import { CfnRule } from 'aws-cdk-lib/aws-events';
import { AccountPrincipal, CfnRole, PolicyDocument, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { PATH_METADATA_ENABLE_CONTEXT } from 'aws-cdk-lib/cx-api';
import type { Construct } from 'constructs';
import type { FunctionName } from '../functions/contracts/functions.ts';
import { KMS_EVENT_PATTERN } from '../functions/contracts/kms-event.ts';
import { READ_ACTIONS, REMEDIES } from '../functions/contracts/remedies.ts';
import { type Deployment, namesOf } from './deployment.ts';

export type MemberStackProps = { env: Environment; deployment: Deployment };

/** Who may assume which role of a member account. */
export const ASSUMED_BY = {
  read: ['detect-finding', 'sweep-keys', 'remediate-key'],
  remediate: ['remediate-key'],
} as const satisfies Record<string, readonly FunctionName[]>;

const KEYS = `arn:${Aws.PARTITION}:kms:*:${Aws.ACCOUNT_ID}:key/*`;

/** AWS KMS Developer Guide, "AWS KMS permissions": these two know no resource but `*`, and no condition. */
const OF_NO_KEY: readonly string[] = ['kms:ListAliases', 'kms:ListKeys'];

const HOUR = 3600;

/** Member accounts are not bootstrapped for the CDK, so the template cannot ask whether they are. */
function withoutBootstrapRule() {
  // The CDK's own declarations do not agree under exactOptionalPropertyTypes.
  return new DefaultStackSynthesizer({ generateBootstrapVersionRule: false }) as IStackSynthesizer;
}

/**
 * What every watched account has in every watched Region: a rule that sends the events of KMS to the hub's bus and, in
 * the hub's Region only because IAM knows no Regions, the three roles that this takes.
 *
 * One template serves all accounts and Regions; nothing in it depends on where it is deployed. So it is a StackSet's
 * template as it stands (OrganizationStack) and has no assets. The hub account is covered by the same stack, deployed
 * directly, one per Region and the hub's Region first: `npx cdk deploy <name>-member-<region>`.
 */
export class MemberStack extends Stack {
  public constructor(scope: Construct, id: string, { env, deployment }: MemberStackProps) {
    super(scope, id, {
      env,
      description: `Forwards events of AWS KMS to ${deployment.name} and lets it read and remediate keys.`,
      analyticsReporting: false,
      synthesizer: withoutBootstrapRule(),
    });
    // The paths contain the id of the stack, which would make a template for every Region.
    this.node.setContext(PATH_METADATA_ENABLE_CONTEXT, false);

    const names = namesOf(deployment);
    const { hub } = deployment;
    const hubBus = `arn:${Aws.PARTITION}:events:${hub.region}:${hub.account}:event-bus/${names.eventBus}`;
    const inHubRegion = new CfnCondition(this, 'InHubRegion', {
      expression: Fn.conditionEquals(Aws.REGION, hub.region),
    });

    const readRole = new CfnRole(this, 'ReadRole', {
      roleName: names.readRole,
      description: `Looks at KMS keys for ${deployment.name}.`,
      maxSessionDuration: HOUR,
      assumeRolePolicyDocument: trustOf(deployment, ASSUMED_BY.read),
      policies: [{ policyName: 'read', policyDocument: readPolicy() }],
    });
    Validations.of(readRole).acknowledge(
      { id: 'AwsSolutions-IAM5[Resource::*]', reason: 'ListAliases and ListKeys know no other resource.' },
      ANY_KEY,
      INLINE_POLICY,
    );

    const remediateRole = new CfnRole(this, 'RemediateRole', {
      roleName: names.remediateRole,
      description: `Changes the rotation of KMS keys for ${deployment.name}, after somebody approved it.`,
      maxSessionDuration: HOUR,
      assumeRolePolicyDocument: trustOf(deployment, ASSUMED_BY.remediate),
      policies: [{ policyName: 'remediate', policyDocument: remediatePolicy() }],
    });
    Validations.of(remediateRole).acknowledge(ANY_KEY, INLINE_POLICY);

    const forwardRole = new CfnRole(this, 'ForwardRole', {
      roleName: names.forwardRole,
      description: `Sends events of KMS to the event bus of ${deployment.name}.`,
      maxSessionDuration: HOUR,
      assumeRolePolicyDocument: trustOfRule(names.forwardRule),
      policies: [
        {
          policyName: 'forward',
          policyDocument: new PolicyDocument({
            statements: [new PolicyStatement({ actions: ['events:PutEvents'], resources: [hubBus] })],
          }),
        },
      ],
    });
    Validations.of(forwardRole).acknowledge(INLINE_POLICY);

    for (const role of [readRole, remediateRole, forwardRole]) role.cfnOptions.condition = inHubRegion;

    // EventBridge neither retries nor keeps what it has no permission to deliver, unless there is such a queue, and it
    // has to be in the rule's own account and Region. It is for whoever asks why an event never came: the key itself is
    // found by the next sweep.
    const undelivered = new Queue(this, 'Undelivered', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    Validations.of(undelivered).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'It is the dead-letter queue of the rule.',
    });

    const rule = new CfnRule(this, 'ForwardRule', {
      name: names.forwardRule,
      description: `Sends events of KMS that may concern rotation to ${deployment.name}.`,
      eventPattern: KMS_EVENT_PATTERN,
      state: 'ENABLED',
      targets: [
        {
          id: 'hub',
          arn: hubBus,
          // The same ARN twice; where the role is part of the stack, it has to be there before the rule.
          roleArn: Fn.conditionIf(
            inHubRegion.logicalId,
            forwardRole.attrArn,
            `arn:${Aws.PARTITION}:iam::${Aws.ACCOUNT_ID}:role/${names.forwardRole}`,
          ).toString(),
          deadLetterConfig: { arn: undelivered.queueArn },
          retryPolicy: { maximumEventAgeInSeconds: 24 * HOUR, maximumRetryAttempts: 185 },
        },
      ],
    });
    undelivered.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [undelivered.queueArn],
        conditions: { ArnEquals: { 'aws:SourceArn': rule.attrArn } },
      }),
    );
  }
}

const ANY_KEY = {
  id: 'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:kms:*:<AWS::AccountId>:key/*]',
  reason: 'Every key of the account is watched, in every Region, those not made yet included.',
};

const INLINE_POLICY = {
  id: 'NIST.800.53.R5-IAMNoInlinePolicy',
  reason: 'The policy belongs to this role alone and comes and goes with it; no other role can be given it.',
};

/**
 * The account of the hub, narrowed to roles of it. The roles are named by condition and not as principals: a principal
 * has to exist when the policy is written, and IAM replaces it by an id that a role made anew does not have.
 */
function trustOf({ name, hub, externalId, organization }: Deployment, functions: readonly FunctionName[]) {
  const { functionRole } = namesOf({ name });
  return new PolicyDocument({
    statements: [
      new PolicyStatement({
        principals: [new AccountPrincipal(hub.account)],
        actions: ['sts:AssumeRole'],
        conditions: {
          ArnEquals: {
            'aws:PrincipalArn': functions.map(
              (fn) => `arn:${Aws.PARTITION}:iam::${hub.account}:role/${functionRole(fn)}`,
            ),
          },
          StringEquals: {
            'sts:ExternalId': externalId,
            ...(organization === undefined ? {} : { 'aws:PrincipalOrgID': organization.id }),
          },
        },
      }),
    ],
  });
}

/** EventBridge User Guide, "Cross-service confused deputy prevention": the source of a rule's target is the rule. */
function trustOfRule(ruleName: string) {
  return new PolicyDocument({
    statements: [
      new PolicyStatement({
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['sts:AssumeRole'],
        conditions: {
          ArnLike: { 'aws:SourceArn': `arn:${Aws.PARTITION}:events:*:${Aws.ACCOUNT_ID}:rule/${ruleName}` },
          StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
        },
      }),
    ],
  });
}

function readPolicy() {
  const ofKeys = READ_ACTIONS.filter((action) => !OF_NO_KEY.includes(action)).sort();
  return new PolicyDocument({
    statements: [
      new PolicyStatement({ actions: ofKeys, resources: [KEYS] }),
      new PolicyStatement({ actions: [...OF_NO_KEY], resources: ['*'] }),
    ],
  });
}

/**
 * Each change on the keys that it is for and no others: a RotateKeyOnDemand that nobody asked for would use up one of
 * the 25 that a key has. Both condition keys hold for all operations on a key (AWS KMS Developer Guide, "AWS KMS
 * permissions").
 */
function remediatePolicy() {
  const byOrigin = Object.entries(Object.groupBy(Object.values(REMEDIES), ({ keyOrigin }) => keyOrigin));
  return new PolicyDocument({
    statements: byOrigin.map(
      ([keyOrigin, remedies]) =>
        new PolicyStatement({
          actions: remedies.flatMap(({ iamActions }) => iamActions).sort(),
          resources: [KEYS],
          conditions: { StringEquals: { 'kms:KeySpec': 'SYMMETRIC_DEFAULT', 'kms:KeyOrigin': keyOrigin } },
        }),
    ),
  });
}
