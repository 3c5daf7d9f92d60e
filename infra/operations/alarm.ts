import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { Deployment } from '../deployment.ts';

export type AlarmDefinition = {
  /** Kebab case; the deployment's name goes before it. */
  name: string;
  /** With its statistic and the length of a period. */
  metric: IMetric;
  /** A period breaches when the value is strictly above, or strictly below. */
  breach: { above: number } | { below: number };
  /** Periods that are looked at, and how many of them have to breach; one of one by default. */
  periods?: { of: number; breaching: number };
  /**
   * A period without data: `ok` for what is only counted when it happens, `bad` for what has to happen all the time, `same` for
   * gauges, whose absence says nothing and has an alarm of its own.
   */
  noData: 'ok' | 'bad' | 'same';
  /** What it means for the people who rely on the bot. A sentence. */
  errorImpact: string;
  /** Heading of the section in docs/runbook.md, as in a link: lower case, hyphens. */
  runbook: string;
};

const TREAT_MISSING = {
  ok: TreatMissingData.NOT_BREACHING,
  bad: TreatMissingData.BREACHING,
  same: TreatMissingData.IGNORE,
} as const;

/** An alarm that says what it means and where it is written what to do, and that tells the topic when it is over. */
export class RunbookAlarm extends Alarm {
  public constructor(
    scope: Construct,
    { name, metric, breach, periods = { of: 1, breaching: 1 }, noData, errorImpact, runbook }: AlarmDefinition,
    { deployment, topic }: { deployment: Deployment; topic: ITopic },
  ) {
    super(scope, name, {
      alarmName: `${deployment.name}-${name}`,
      alarmDescription: `${errorImpact} What to do: ${deployment.operations.runbookUrl}#${runbook}`,
      metric,
      ...('above' in breach
        ? { threshold: breach.above, comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD }
        : { threshold: breach.below, comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD }),
      evaluationPeriods: periods.of,
      datapointsToAlarm: periods.breaching,
      treatMissingData: TREAT_MISSING[noData],
    });
    const tell = new SnsAction(topic);
    this.addAlarmAction(tell);
    this.addOkAction(tell);
  }
}
