import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { FUNCTION_NAMES, type FunctionName } from '../../functions/contracts/functions.ts';
import { STREAM_CONSUMER_NAMES, type StreamConsumer } from '../../functions/contracts/stream-consumers.ts';
import { GRACE } from '../event-intake.ts';
import type { AlarmDefinition } from './alarm.ts';
import { ownMetric } from './own-metric.ts';
import type { Watched } from './watched.ts';

const FIVE_MINUTES = Duration.minutes(5);
const HOUR = Duration.hours(1);

/** What goes wrong now and then and heals by itself wakes nobody: it has to go wrong for a quarter of an hour. */
const FOR_A_WHILE = { of: 5, breaching: 3 };

const EVENT_QUEUES = ['creations', 'changes'] as const;

/** Every alarm of a deployment. What each section of docs/runbook.md is about. */
export function alarmsOf(watched: Watched): AlarmDefinition[] {
  return [
    ...wayIn(watched),
    ...messages(watched),
    ...functions(watched),
    ...people(watched),
    ...remediation(watched),
    ...clock(watched),
    ...store(watched),
  ];
}

/** Whether events come in at all, as far as the detector. */
function wayIn({ deployment, intake }: Watched): AlarmDefinition[] {
  const ofRule = (queue: (typeof EVENT_QUEUES)[number], metricName: string, period: Duration) =>
    new Metric({
      namespace: 'AWS/Events',
      metricName,
      // EventBridge User Guide, "Monitoring Amazon EventBridge": both, for a rule on a bus of one's own.
      dimensionsMap: { EventBusName: intake.bus.eventBusName, RuleName: intake.rules[queue].ref },
      ...{ period, statistic: 'Sum' },
    });
  // The heartbeat is seen twice a day, so this takes two that are missing. Single hours, because CloudWatch looks
  // back for a few periods more than it is asked to before it calls data missing: with whole days that would be days.
  const aDay = { periods: { of: 25, breaching: 25 }, noData: 'bad' } as const;
  return [
    {
      name: 'no-events-arrive',
      // Sent only when it is not zero. The rule of the changes is the one that the heartbeat matches.
      metric: ofRule('changes', 'Invocations', HOUR),
      breach: { below: 1 },
      ...aDay,
      errorImpact:
        'No event about any key has come in for a day, not even the heartbeat: new keys without rotation go unseen.',
      runbook: 'no-events',
    },
    {
      name: 'no-events-handled',
      metric: ownMetric(deployment.name, 'EventsHandled', { statistic: 'Sum', period: HOUR }),
      breach: { below: 1 },
      ...aDay,
      errorImpact: 'No event about any key has been looked into for a day: new keys without rotation go unseen.',
      runbook: 'no-events',
    },
    ...EVENT_QUEUES.map(
      (queue): AlarmDefinition => ({
        name: `${queue}-lost`,
        metric: ofRule(queue, 'InvocationsFailedToBeSentToDlq', FIVE_MINUTES),
        breach: { above: 0 },
        noData: 'ok',
        errorImpact: `Events of ${queue} could be put neither into their queue nor into that of the undelivered, and are lost.`,
        runbook: 'events-lost',
      }),
    ),
    {
      name: 'events-unreadable',
      metric: ownMetric(deployment.name, 'EventsUnreadable', { statistic: 'Sum', period: FIVE_MINUTES }),
      breach: { above: 0 },
      noData: 'ok',
      errorImpact: 'An event about a key cannot be read, so nobody looks at that key before the daily sweep.',
      runbook: 'events-unreadable',
    },
  ];
}

/** Messages that were set aside, and those that wait for too long. */
function messages({ intake, reactions, functions: functionsOf }: Watched): AlarmDefinition[] {
  // A queue that nothing was put into for hours sends no data: it is empty.
  const notEmpty = (queue: IQueue) =>
    ({
      metric: queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period: FIVE_MINUTES }),
      breach: { above: 0 },
      noData: 'ok',
    }) as const;
  return [
    ...EVENT_QUEUES.flatMap((queue): AlarmDefinition[] => [
      {
        name: `${queue}-dead-letters`,
        ...notEmpty(intake.deadLetterQueues[queue]),
        errorImpact: `Events of ${queue} failed twenty times and were set aside: nobody looks at their keys before the daily sweep.`,
        runbook: 'events-set-aside',
      },
      {
        name: `${queue}-wait`,
        // SQS counts from when a message was sent, and leaves out what was received three times: so a message that is given
        // back for a longer grace, or fails, is not what this is about, but a queue that nobody takes from.
        metric: intake.queues[queue].metricApproximateAgeOfOldestMessage({
          statistic: 'Maximum',
          period: FIVE_MINUTES,
        }),
        breach: { above: GRACE[queue].toSeconds() + HOUR.toSeconds() },
        periods: { of: 3, breaching: 3 },
        noData: 'ok',
        errorImpact: `Events of ${queue} have waited for an hour longer than their grace period: findings come late.`,
        runbook: 'events-wait',
      },
    ]),
    {
      name: 'undelivered',
      ...notEmpty(intake.undelivered),
      errorImpact:
        'EventBridge could not put events into their queue: nobody looks at their keys before the daily sweep.',
      runbook: 'events-undelivered',
    },
    {
      name: 'stream-failures',
      ...notEmpty(reactions.failures),
      errorImpact:
        'What follows an audit event was given up after twelve hours: an announcement, a remediation or a second look is missing.',
      runbook: 'stream-failures',
    },
    ...STREAM_CONSUMER_NAMES.map(
      (consumer): AlarmDefinition => ({
        name: `${consumer}-behind`,
        metric: new Metric({
          namespace: 'AWS/Lambda',
          metricName: 'IteratorAge',
          dimensionsMap: { FunctionName: functionsOf[consumer].function.functionName },
          ...{ statistic: 'Maximum', period: FIVE_MINUTES },
        }),
        // Milliseconds. Two remediations in a row take eight minutes.
        breach: { above: Duration.minutes(15).toMilliseconds() },
        periods: { of: 3, breaching: 3 },
        // Without a record there is nothing to be behind with.
        noData: 'ok',
        errorImpact: BEHIND[consumer],
        runbook: 'stream-behind',
      }),
    ),
  ];
}

const BEHIND: Record<StreamConsumer, string> = {
  'announce-finding':
    'Slack is behind by a quarter of an hour: people do not see findings and answers, or see buttons that are old.',
  'remediate-key': 'Approved remediations have not begun for a quarter of an hour.',
  'detect-finding': 'Keys that somebody asked to be looked at again have waited for a quarter of an hour.',
  'sweep-keys': 'An "Approve all" has not gone on for a quarter of an hour.',
};

const FAILING: Record<FunctionName, string> = {
  'detect-finding': 'Events about keys are not looked into: findings are missing or late.',
  'decide-finding': 'Clicks and commands in Slack fail: people see an error and nothing is decided.',
  'remediate-key': 'Approved remediations fail before they can say why: keys stay as they are.',
  'announce-finding': 'Findings and answers do not get to Slack.',
  'sweep-keys': 'Deadlines are not met: nobody is reminded, exemptions do not end in time.',
};

/** Nobody clicks a second time to make the bot look healthy: there, one failure counts. */
const whenFailing = (name: FunctionName) => (name === 'decide-finding' ? {} : { periods: FOR_A_WHILE });

function functions(watched: Watched): AlarmDefinition[] {
  return [
    ...FUNCTION_NAMES.flatMap((name): AlarmDefinition[] => {
      const { function: lambda } = watched.functions[name];
      return [
        {
          name: `${name}-errors`,
          metric: lambda.metricErrors({ period: FIVE_MINUTES }),
          breach: { above: 0 },
          ...whenFailing(name),
          noData: 'ok',
          errorImpact: FAILING[name],
          runbook: 'function-errors',
        },
        {
          name: `${name}-throttles`,
          metric: lambda.metricThrottles({ period: FIVE_MINUTES }),
          breach: { above: 0 },
          ...whenFailing(name),
          noData: 'ok',
          errorImpact: `Lambda turns away calls of ${name} for want of concurrency. ${FAILING[name]}`,
          runbook: 'function-throttles',
        },
      ];
    }),
    {
      name: 'decide-finding-slow',
      metric: watched.functions['decide-finding'].function.metricDuration({ statistic: 'p99', period: FIVE_MINUTES }),
      breach: { above: 2500 },
      // With few clicks the p99 is the slowest of them; one alone is no trend.
      periods: { of: 3, breaching: 2 },
      noData: 'ok',
      errorImpact:
        'Answers to clicks take more than 2.5 s; Slack shows an error after 3 s, though the decision counts.',
      runbook: 'slow-answers',
    },
  ];
}

/** Between the bot and the people in Slack. */
function people({ deployment, slackApi }: Watched): AlarmDefinition[] {
  return [
    {
      name: 'slack-api-errors',
      metric: slackApi.api.metricServerError({ statistic: 'Sum', period: FIVE_MINUTES }),
      breach: { above: 0 },
      noData: 'ok',
      errorImpact: "Slack's requests are answered with 5xx: clicks and commands fail.",
      runbook: 'slack-requests-fail',
    },
    {
      name: 'slack-refused',
      metric: ownMetric(deployment.name, 'SlackRefused', { statistic: 'Sum', period: FIVE_MINUTES }),
      breach: { above: 0 },
      noData: 'ok',
      errorImpact: 'Slack refuses announcements for good: findings are stored, but nobody sees them in Slack.',
      runbook: 'slack-refused',
    },
  ];
}

function remediation({ deployment }: Watched): AlarmDefinition[] {
  return [
    {
      name: 'remediations-failed',
      metric: ownMetric(deployment.name, 'RemediationsFailed', { statistic: 'Sum', period: FIVE_MINUTES }),
      breach: { above: 0 },
      noData: 'ok',
      errorImpact: 'An approved change of a key ended without the wanted result: the key still does not rotate.',
      runbook: 'remediations-failed',
    },
    {
      name: 'findings-stuck',
      // A gauge of every minute. Overdue is after 15 minutes, when the watchdog starts the remediation anew; this one waits for that.
      metric: ownMetric(deployment.name, 'FindingsStuck', { statistic: 'Maximum', period: FIVE_MINUTES }),
      breach: { above: 0 },
      periods: { of: 3, breaching: 3 },
      noData: 'same',
      errorImpact:
        'An approved remediation has had no result for half an hour: the key is as it was, and nobody may decide about it meanwhile.',
      runbook: 'findings-stuck',
    },
  ];
}

/** What has to happen by the clock. */
function clock({ deployment, schedules, keySweep }: Watched): AlarmDefinition[] {
  const { stateMachine } = keySweep;
  const sweepImpact = 'keys that are older than the bot, or whose events got lost, may not be known.';
  return [
    {
      name: 'deadlines-not-swept',
      metric: ownMetric(deployment.name, 'SweepsDone', { statistic: 'Sum', period: Duration.minutes(1) }),
      breach: { below: 1 },
      periods: { of: 10, breaching: 10 },
      noData: 'bad',
      errorImpact:
        'Deadlines have not been looked at for ten minutes: no reminders, no escalations, exemptions do not end.',
      runbook: 'deadlines-not-swept',
    },
    {
      name: 'policy-unreadable',
      // 0 or 1, every minute.
      metric: ownMetric(deployment.name, 'PolicyUnreadable', { statistic: 'Maximum', period: Duration.minutes(1) }),
      breach: { above: 0 },
      periods: FOR_A_WHILE,
      noData: 'same',
      errorImpact: 'Without a usable policy nothing is found, decided or remediated.',
      runbook: 'policy-unreadable',
    },
    {
      name: 'due-findings-failed',
      metric: ownMetric(deployment.name, 'DueFindingsFailed', { statistic: 'Sum', period: FIVE_MINUTES }),
      breach: { above: 0 },
      periods: { of: 3, breaching: 3 },
      noData: 'ok',
      errorImpact:
        'Some findings cannot be brought forward: their reminder, escalation or end of exemption is missing.',
      runbook: 'due-findings-failed',
    },
    {
      name: 'schedule-errors',
      metric: new Metric({
        namespace: 'AWS/Scheduler',
        metricName: 'TargetErrorCount',
        dimensionsMap: { ScheduleGroup: schedules.deadlines.groupName ?? '' },
        ...{ statistic: 'Sum', period: FIVE_MINUTES },
      }),
      breach: { above: 0 },
      noData: 'ok',
      errorImpact: 'The scheduler cannot start the sweep of deadlines or the heartbeat.',
      runbook: 'schedule-errors',
    },
    {
      name: 'key-sweep-failed',
      metric: stateMachine.metricFailed({ period: FIVE_MINUTES }),
      breach: { above: 0 },
      noData: 'ok',
      errorImpact: `The daily sweep of keys did not get to all places: ${sweepImpact}`,
      runbook: 'key-sweep',
    },
    {
      name: 'key-sweep-timed-out',
      metric: stateMachine.metricTimedOut({ period: FIVE_MINUTES }),
      breach: { above: 0 },
      noData: 'ok',
      errorImpact: `The daily sweep of keys was not done within 23 hours: ${sweepImpact}`,
      runbook: 'key-sweep',
    },
    {
      name: 'key-sweep-missing',
      metric: stateMachine.metricSucceeded({ period: HOUR }),
      breach: { below: 1 },
      // It begins within an hour of the same time each day; 100,000 keys in one place take an hour and a half.
      periods: { of: 50, breaching: 50 },
      noData: 'bad',
      errorImpact: `No sweep of keys has been completed for two days: ${sweepImpact}`,
      runbook: 'key-sweep',
    },
  ];
}

/** The operations that the functions call. A throttled index throttles them too. */
const TABLE_OPERATIONS = ['GetItem', 'Query', 'TransactWriteItems', 'UpdateItem'] as const;

function store({ table }: Watched): AlarmDefinition[] {
  // One alarm each and no sum of them: metric math has no value where one of its metrics has none, and DynamoDB sends these
  // when they happen.
  return TABLE_OPERATIONS.flatMap((operation) => {
    const metric = (metricName: string) =>
      new Metric({
        namespace: 'AWS/DynamoDB',
        metricName,
        dimensionsMap: { TableName: table.tableName, Operation: operation },
        ...{ statistic: 'Sum', period: FIVE_MINUTES },
      });
    const often = { breach: { above: 0 }, periods: FOR_A_WHILE, noData: 'ok', runbook: 'table-trouble' } as const;
    return [
      {
        name: `table-throttles-${operation}`,
        metric: metric('ThrottledRequests'),
        ...often,
        errorImpact: `DynamoDB turns away calls of ${operation}: decisions take long, or fail.`,
      },
      {
        name: `table-errors-${operation}`,
        metric: metric('SystemErrors'),
        ...often,
        errorImpact: `DynamoDB fails with errors of its own at ${operation}: decisions take long, or fail.`,
      },
    ];
  });
}
