import * as z from 'zod';

/** What a template says of an alarm over one metric. */
export const alarmResource = z.object({
  Properties: z.object({
    AlarmName: z.string(),
    AlarmDescription: z.string(),
    Namespace: z.string(),
    MetricName: z.string(),
    Dimensions: z.array(z.object({ Name: z.string(), Value: z.unknown() })),
    Statistic: z.enum(['Sum', 'Maximum']).optional(),
    ExtendedStatistic: z.string().optional(),
    Period: z.number(),
    EvaluationPeriods: z.number(),
    DatapointsToAlarm: z.number(),
    Threshold: z.number(),
    ComparisonOperator: z.enum(['GreaterThanThreshold', 'LessThanThreshold']),
    TreatMissingData: z.enum(['breaching', 'notBreaching', 'ignore', 'missing']),
    AlarmActions: z.array(z.unknown()),
    OKActions: z.array(z.unknown()),
  }),
});
export type AlarmProperties = z.infer<typeof alarmResource>['Properties'];
type Settings = Pick<
  AlarmProperties,
  'Period' | 'EvaluationPeriods' | 'DatapointsToAlarm' | 'Threshold' | 'ComparisonOperator' | 'TreatMissingData'
> & { Statistic?: 'Sum' | 'Maximum' | undefined };

/** A value that was emitted so many minutes after the beginning. */
export type Emitted = { minute: number; value: number };
export type State = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

/**
 * CloudWatch looks back for more periods than it is asked to; how many is not documented, its example has two more.
 * CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data".
 */
const LOOKS_BACK_FURTHER = 2;

/** The states of an alarm at the end of each of its periods; it begins as OK. */
export function statesOf(alarm: Settings, emitted: readonly Emitted[], minutes: number): State[] {
  const length = alarm.Period / 60;
  const values = Array.from({ length: Math.floor(minutes / length) }, (_, index) => {
    const inPeriod = emitted.filter(({ minute }) => Math.floor(minute / length) === index).map(({ value }) => value);
    if (inPeriod.length === 0) return null;
    // A percentile of few values is taken for their maximum here.
    return alarm.Statistic === 'Sum' ? inPeriod.reduce((sum, value) => sum + value) : Math.max(...inPeriod);
  });
  const states: State[] = [];
  for (const index of values.keys()) {
    const range = values.slice(Math.max(0, index + 1 - alarm.EvaluationPeriods - LOOKS_BACK_FURTHER), index + 1);
    states.push(evaluate(alarm, range, states.at(-1) ?? 'OK'));
  }
  return states;
}

/** One evaluation over the periods that were retrieved, the oldest first; null is a period without data. */
export function evaluate(alarm: Settings, range: readonly (number | null)[], before: State): State {
  const { EvaluationPeriods: n, DatapointsToAlarm: m, Threshold, ComparisonOperator, TreatMissingData } = alarm;
  const isBreaching = (value: number) =>
    ComparisonOperator === 'GreaterThanThreshold' ? value > Threshold : value < Threshold;
  const real = range.filter((value) => value !== null).slice(-n);
  const breaching = real.filter(isBreaching).length;
  const filled = n - real.length;
  if (breaching >= m) return 'ALARM';
  if (filled === 0 || TreatMissingData === 'notBreaching') return 'OK';
  if (TreatMissingData === 'breaching') return breaching + filled >= m ? 'ALARM' : 'OK';
  if (breaching < real.length) return 'OK';
  if (TreatMissingData === 'ignore') return before;
  return real.length === 0 ? 'INSUFFICIENT_DATA' : 'ALARM';
}
