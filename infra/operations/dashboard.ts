import { Duration, Stack } from 'aws-cdk-lib';
import { AlarmStatusWidget, Dashboard, GraphWidget, type IMetric, Metric, Row } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { FUNCTION_NAMES } from '../../functions/contracts/functions.ts';
import { STREAM_CONSUMER_NAMES } from '../../functions/contracts/stream-consumers.ts';
import type { RunbookAlarm } from './alarm.ts';
import { ownMetric, type PlainMetricName, searchOwnMetric } from './own-metric.ts';
import type { Watched } from './watched.ts';

const HOUR = Duration.hours(1);
const FIVE_MINUTES = Duration.minutes(5);
/** These gauges are emitted every 15 minutes: in each half hour there is at least one. */
const HALF_HOUR = Duration.minutes(30);

/** One page: what waits for people, how they answer, and whether the machinery keeps up. */
export class OperationsDashboard extends Dashboard {
  public constructor(
    scope: Construct,
    id: string,
    { alarms, ...watched }: Watched & { alarms: readonly RunbookAlarm[] },
  ) {
    const { deployment, intake, functions, slackApi, reactions } = watched;
    const { name } = deployment;
    super(scope, id, { dashboardName: name, defaultInterval: Duration.days(7) });
    const { region } = Stack.of(scope);
    const count = (metricName: PlainMetricName, label: string) =>
      ownMetric(name, metricName, { statistic: 'Sum', period: HOUR, label });
    const gauge = (metricName: PlainMetricName, label: string) =>
      ownMetric(name, metricName, { statistic: 'Maximum', period: HALF_HOUR, label });
    const times = (metricName: PlainMetricName) =>
      (['p50', 'p90'] as const).map((statistic) =>
        ownMetric(name, metricName, { statistic, period: HOUR, label: statistic }),
      );
    const graph = (title: string, width: number, left: IMetric[], label?: string) =>
      new GraphWidget({
        ...{ title, width, left, region, height: 6 },
        leftYAxis: { min: 0, showUnits: false, ...(label === undefined ? {} : { label }) },
      });
    const each = FUNCTION_NAMES.map((functionName) => ({ functionName, lambda: functions[functionName].function }));
    const queues = [intake.queues.creations, intake.queues.changes];
    const setAside = [
      ...[intake.deadLetterQueues.creations, intake.deadLetterQueues.changes],
      ...[intake.undelivered, reactions.failures],
    ];

    this.addWidgets(
      new Row(new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: 24, height: 5 })),
      new Row(
        graph('Findings opened', 8, [searchOwnMetric(name, 'FindingsOpened', HOUR)]),
        graph('Decisions', 8, [searchOwnMetric(name, 'FindingsDecided', HOUR)]),
        graph('How findings end', 8, [
          count('RemediationsConfirmed', 'remediated'),
          count('RemediationsFailed', 'remediation failed'),
          count('ExemptionsGranted', 'exempted'),
          count('FindingsClosed', 'settled without the bot'),
          count('FindingsEscalated', 'escalated'),
          count('CommandsRefused', 'attempts refused'),
        ]),
      ),
      new Row(
        graph('Time to decision', 6, times('TimeToDecision'), 'seconds'),
        graph('Time to remediate', 6, times('TimeToRemediate'), 'seconds'),
        graph('Waiting', 6, [
          gauge('FindingsOpen', 'open or failed'),
          gauge('FindingsStuck', 'approved without a result'),
        ]),
        graph('Exemptions', 6, [
          gauge('ExemptionsLive', 'live'),
          gauge('ExemptionsExpiring', 'end within seven days'),
          count('ExemptionsEnded', 'ended'),
        ]),
      ),
      new Row(
        graph('Events', 6, [count('EventsHandled', 'looked into'), count('EventsUnreadable', 'unreadable')]),
        graph(
          'Oldest event in its queue',
          6,
          queues.map((queue) => queue.metricApproximateAgeOfOldestMessage({ period: FIVE_MINUTES })),
          'seconds',
        ),
        graph(
          'Set aside',
          6,
          setAside.map((queue) => queue.metricApproximateNumberOfMessagesVisible({ period: FIVE_MINUTES })),
        ),
        graph(
          'Behind the stream',
          6,
          STREAM_CONSUMER_NAMES.map(
            (consumer) =>
              new Metric({
                namespace: 'AWS/Lambda',
                metricName: 'IteratorAge',
                dimensionsMap: { FunctionName: functions[consumer].function.functionName },
                ...{ statistic: 'Maximum', period: FIVE_MINUTES, label: consumer },
              }),
          ),
          'milliseconds',
        ),
      ),
      new Row(
        graph(
          'Errors',
          6,
          each.map(({ functionName, lambda }) => lambda.metricErrors({ period: FIVE_MINUTES, label: functionName })),
        ),
        graph(
          'Answers to clicks',
          6,
          ['p50', 'p90', 'p99'].map((statistic) =>
            functions['decide-finding'].function.metricDuration({ statistic, period: FIVE_MINUTES, label: statistic }),
          ),
          'milliseconds',
        ),
        graph('Slack', 6, [
          count('SlackRefused', 'refused for good'),
          count('SlackRateLimited', 'put off'),
          slackApi.api.metricServerError({ statistic: 'Sum', period: HOUR, label: 'answered with 5xx' }),
        ]),
        graph('Sweep of deadlines', 6, [
          count('SweepsDone', 'runs'),
          count('DueFindingsFailed', 'findings that failed'),
          gauge('PolicyUnreadable', 'policy unreadable'),
        ]),
      ),
    );
  }
}
