import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnLogGroup } from 'aws-cdk-lib/aws-logs';
import { Schedule, ScheduleExpression, TimeWindow } from 'aws-cdk-lib/aws-scheduler';
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-scheduler-targets';
import {
  CfnStateMachine,
  Choice,
  Condition,
  DefinitionBody,
  DistributedMap,
  Fail,
  JitterType,
  JsonPath,
  LogLevel,
  Pass,
  Result,
  StateMachine,
  StateMachineType,
  Succeed,
  TaskInput,
} from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import * as z from 'zod/mini';
import type { Place, SweepTask } from '../functions/contracts/sweep.ts';
import type { Deployment } from './deployment.ts';

export type KeySweepProps = {
  deployment: Deployment;
  sweepKeys: IFunction;
  /** Encrypts the log; its policy has to let CloudWatch Logs use it. */
  key: IKey;
};

/** UTC. With the window the sweep begins within the hour after. */
const DAILY_AT = { hour: '5', minute: '0' };

/**
 * How many places are scanned at a time. Each is an account and Region with request quotas of its own at KMS, so more of
 * them do not load any of them more; each is one concurrent run of sweep-keys, of the 1,000 that an account has for all
 * of its functions. 8,500 places with few keys take about half an hour.
 */
const PLACES_AT_ONCE = 10;

const MAP_LABEL = 'Places';

/** The words with which a scan of a place ends. */
const DONE = 'done';
const FAILED = 'failed';

/**
 * Looks at every key of every account and Region once a day: keys that are older than the bot, and those whose events
 * got lost.
 *
 * The map is a distributed one: in an inline map all scans would share one history of at most 25,000 events, and a scan
 * takes about 15 of them each time it goes on. Here each place has an execution, and so a history, of its own. They are
 * standard ones, because a place with many keys takes longer than the five minutes of an express one. A place that
 * fails does not stop the others, but in the end the sweep has failed: its alarm is about any place that was not swept.
 */
export class KeySweep extends Construct {
  public readonly stateMachine: StateMachine;
  public readonly schedule: Schedule;

  public constructor(scope: Construct, id: string, { deployment, sweepKeys, key }: KeySweepProps) {
    super(scope, id);

    const logGroup = new CfnLogGroup(this, 'Log', {
      // AWS's own prefix: the resource policy for delivered logs has a limit of characters, and needs no entry for it.
      logGroupName: `/aws/vendedlogs/states/${deployment.name}-key-sweep`,
      retentionInDays: deployment.operations.logRetentionDays,
      kmsKeyId: key.keyArn,
    });
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      stateMachineName: `${deployment.name}-key-sweep`,
      stateMachineType: StateMachineType.STANDARD,
      comment: 'Looks at every key of every watched account and Region',
      definitionBody: DefinitionBody.fromChainable(this.#everyPlace(sweepKeys)),
      // The next one is due after 24 hours.
      timeout: Duration.hours(23),
      tracingEnabled: true,
      logs: { destination: logGroup, level: LogLevel.ALL, includeExecutionData: false },
    });
    const { defaultChild } = this.stateMachine.node;
    // The CDK waits for the role and its policy; the first of these follows from the role's ARN already.
    if (defaultChild instanceof CfnStateMachine) {
      defaultChild.addMetadata('cfn-lint', { config: { ignore_checks: ['W3005'] } });
    }
    this.schedule = new Schedule(this, 'Schedule', {
      description: 'Once a day: looks at every key of every watched account and Region',
      schedule: ScheduleExpression.cron(DAILY_AT),
      timeWindow: TimeWindow.flexible(Duration.hours(1)),
      target: new StepFunctionsStartExecution(this.stateMachine, {
        retryAttempts: 5,
        maxEventAge: Duration.hours(6),
        // The target's own would stand in the stack, beside this construct.
        role: new Role(this, 'ScheduleRole', {
          assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
            conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
          }),
        }),
      }),
    });
    this.#acknowledge(sweepKeys);
  }

  /** Page by page of places, because an organization may have more than fit between two states. */
  #everyPlace(sweepKeys: IFunction) {
    const begin = new Pass(this, 'Begin', { result: Result.fromObject({ marker: null, anyFailed: false }) });
    const listPlaces = this.#task('ListPlaces', sweepKeys, {
      payload: { task: 'list-places' satisfies SweepTask['task'], marker: JsonPath.stringAt('$.marker') },
      resultPath: '$.listed',
    });
    const scanPlaces = new DistributedMap(this, 'ScanPlaces', {
      label: MAP_LABEL,
      mapExecutionType: StateMachineType.STANDARD,
      maxConcurrency: PLACES_AT_ONCE,
      itemsPath: '$.listed.places',
      resultSelector: { anyFailed: JsonPath.arrayContains(JsonPath.listAt('$'), FAILED) },
      resultPath: '$.scanned',
    });
    scanPlaces.itemProcessor(this.#onePlace(sweepKeys));
    const noteFailure = new Pass(this, 'NoteFailure', {
      result: Result.fromBoolean(true),
      resultPath: '$.anyFailed',
    });
    const nextPage = new Pass(this, 'NextPage', {
      parameters: {
        marker: JsonPath.stringAt('$.listed.nextMarker'),
        anyFailed: JsonPath.objectAt('$.anyFailed'),
      },
    });
    const whole = new Choice(this, 'WasEverythingSwept')
      .when(
        Condition.booleanEquals('$.anyFailed', true),
        new Fail(this, 'SomePlacesFailed', {
          error: 'SomePlacesFailed',
          cause: `Every place was tried. Those whose execution in the map run answers "${FAILED}" were not swept to their end; the log of sweep-keys says why.`,
        }),
      )
      .otherwise(new Succeed(this, 'Swept'));
    const more = new Choice(this, 'AreThereMorePlaces')
      .when(Condition.isNull('$.listed.nextMarker'), whole)
      .otherwise(nextPage.next(listPlaces));
    const failures = new Choice(this, 'DidAPlaceFail')
      .when(Condition.booleanEquals('$.scanned.anyFailed', true), noteFailure.next(more))
      .otherwise(more);
    return begin.next(listPlaces).next(scanPlaces).next(failures);
  }

  /** One account in one Region, as often as the function runs out of time. */
  #onePlace(sweepKeys: IFunction) {
    const scan = this.#task('ScanPlace', sweepKeys, {
      payload: { task: 'scan-place' satisfies SweepTask['task'], ...placeWith('$.marker') },
    });
    const goOn = new Pass(this, 'GoOn', { parameters: placeWith('$.nextMarker') });
    const done = new Pass(this, 'PlaceDone', { result: Result.fromString(DONE) });
    const failed = new Pass(this, 'PlaceFailed', { result: Result.fromString(FAILED) });
    scan.addCatch(failed);
    const whole = new Choice(this, 'WasEveryKeyLookedAt')
      .when(Condition.numberGreaterThan('$.counts.failed', 0), failed)
      .otherwise(done);
    const end = new Choice(this, 'AreThereMoreKeys')
      .when(Condition.isNull('$.nextMarker'), whole)
      .otherwise(goOn.next(scan));
    return scan.next(end);
  }

  #task(
    id: string,
    lambdaFunction: IFunction,
    { payload, resultPath }: { payload: Record<string, string>; resultPath?: string },
  ): LambdaInvoke {
    const task = new LambdaInvoke(this, id, {
      lambdaFunction,
      payload: TaskInput.fromObject(payload),
      payloadResponseOnly: true,
      retryOnServiceExceptions: false,
      ...(resultPath === undefined ? {} : { resultPath }),
    });
    // Nobody can judge a key without a policy, and nobody repairs it within seconds; sweep-keys alerts every minute.
    task.addRetry({ errors: ['PolicyUnreadable'], maxAttempts: 0 });
    // Throttling, time-outs, deaths. Whatever was done already changes nothing the second time.
    task.addRetry({
      maxAttempts: 5,
      interval: Duration.seconds(5),
      backoffRate: 2,
      maxDelay: Duration.minutes(2),
      jitterStrategy: JitterType.FULL,
    });
    return task;
  }

  #acknowledge(sweepKeys: IFunction): void {
    const { region, account } = Stack.of(this);
    const machine = JSON.stringify(Stack.of(this).resolve(this.stateMachine.stateMachineArn));
    const executions = `arn:<AWS::Partition>:states:${region}:${account}:execution:{"Fn::Select":[6,{"Fn::Split":[":",${machine}]}]}`;
    const wildcard = (resource: string, reason: string) => ({ id: `AwsSolutions-IAM5[Resource::${resource}]`, reason });
    Validations.of(this).acknowledge(
      wildcard('*', 'Log delivery (CreateLogDelivery and its like) and X-Ray writes take no resource.'),
      wildcard(`${inNagWords(Stack.of(this).resolve(sweepKeys.functionArn))}:*`, 'Versions of this one function.'),
      wildcard(`${executions}:*`, 'The executions of its own map, whose names Step Functions makes up.'),
      wildcard(`${executions}/${MAP_LABEL}:*`, 'The executions of its own map, whose names Step Functions makes up.'),
      { id: 'NIST.800.53.R5-IAMNoInlinePolicy', reason: 'Each policy belongs to one role and goes with it.' },
    );
  }
}

/** How cdk-nag writes a resource that may be a reference. */
function inNagWords(resolved: unknown): string {
  const reference = attribute.safeParse(resolved);
  return reference.success ? `<${reference.data['Fn::GetAtt'].join('.')}>` : String(resolved);
}

const attribute = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) });

/** A place as the function takes it; `marker` is where it stands in the state's input. */
function placeWith(marker: string): Record<keyof Place, string> {
  return {
    accountId: JsonPath.stringAt('$.accountId'),
    region: JsonPath.stringAt('$.region'),
    marker: JsonPath.stringAt(marker),
    counts: JsonPath.stringAt('$.counts'),
  };
}
