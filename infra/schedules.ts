import { Duration, Stack } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule, CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { SweepTask } from '../functions/contracts/sweep.ts';
import { acknowledge } from './acknowledge.ts';

/**
 * What the clock starts: every minute the sweep of deadlines, and twice a day the heartbeat. The heartbeat tags the hub's own key;
 * CloudTrail says so, and that event travels the whole way of any other. When no event was seen for a day, the way is
 * broken, and not the world quiet.
 */
export class Schedules extends Construct {
  public readonly deadlines: CfnSchedule;
  public readonly heartbeat: CfnSchedule;
  readonly #group: CfnScheduleGroup;

  public constructor(
    scope: Construct,
    id: string,
    { name, sweepKeys, key }: { name: string; sweepKeys: LambdaFunction; key: IKey },
  ) {
    super(scope, id);
    this.#group = new CfnScheduleGroup(this, 'Group', { name });
    const once = { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 };

    this.deadlines = new CfnSchedule(this, 'Deadlines', {
      name: `${name}-deadlines`,
      description: 'Ends exemptions, reminds, escalates',
      groupName: this.#group.ref,
      scheduleExpression: 'rate(1 minute)',
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: sweepKeys.functionArn,
        roleArn: this.#role('InvokeSweep', 'lambda:InvokeFunction', sweepKeys.functionArn).roleArn,
        input: JSON.stringify({ task: 'deadlines' } satisfies SweepTask),
        // What is due stays due, and the next minute comes.
        retryPolicy: once,
      },
    });
    sweepKeys.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.minutes(1) });

    this.heartbeat = new CfnSchedule(this, 'Heartbeat', {
      name: `${name}-heartbeat`,
      description: "Tags the hub's own key, so that an event is seen at least twice a day",
      groupName: this.#group.ref,
      scheduleExpression: 'rate(12 hours)',
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: `arn:${Stack.of(this).partition}:scheduler:::aws-sdk:kms:tagResource`,
        roleArn: this.#role('TagKey', 'kms:TagResource', key.keyArn).roleArn,
        input: JSON.stringify({
          KeyId: key.keyArn,
          Tags: [{ TagKey: `${name}-heartbeat`, TagValue: '<aws.scheduler.scheduled-time>' }],
        }),
        retryPolicy: { maximumRetryAttempts: 3, maximumEventAgeInSeconds: 3600 },
      },
    });
  }

  #role(id: string, action: string, resource: string): Role {
    const { partition, region, account } = Stack.of(this);
    const role = new Role(this, id, {
      description: `A schedule of ${this.#group.name ?? ''}: ${action} on one resource`,
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: {
          StringEquals: {
            'aws:SourceAccount': account,
            'aws:SourceArn': `arn:${partition}:scheduler:${region}:${account}:schedule-group/${this.#group.name ?? ''}`,
          },
        },
      }),
      inlinePolicies: {
        permissions: new PolicyDocument({
          statements: [new PolicyStatement({ actions: [action], resources: [resource] })],
        }),
      },
    });
    acknowledge(role, { 'NIST.800.53.R5-IAMNoInlinePolicy': 'One action on one resource, for this schedule alone.' });
    return role;
  }
}
