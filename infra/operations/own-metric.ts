import type { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { METRICS, METRICS_NAMESPACE, type MetricName } from '../../functions/contracts/metrics.ts';

type Options = { statistic: 'Sum' | 'Maximum' | 'p50' | 'p90'; period: Duration; label?: string };

/** Names with further dimensions are many metrics; those are found by `searchOwnMetric`. */
export type PlainMetricName = {
  [N in MetricName]: (typeof METRICS)[N]['dimensions'] extends readonly never[] ? N : never;
}[MetricName];

/** What one of the bot's functions counts. */
export function ownMetric(deploymentName: string, metricName: PlainMetricName, options: Options): Metric {
  return new Metric({
    namespace: METRICS_NAMESPACE,
    metricName,
    dimensionsMap: { service: serviceOf(deploymentName, metricName) },
    ...options,
  });
}

/** The same over every value of the further dimensions; for charts, since an alarm takes no search. */
export function searchOwnMetric(deploymentName: string, metricName: MetricName, period: Duration): MathExpression {
  const dimensions = ['service', ...METRICS[metricName].dimensions].join(',');
  const wanted = `service="${serviceOf(deploymentName, metricName)}" MetricName="${metricName}"`;
  return new MathExpression({
    expression: `SEARCH('{${METRICS_NAMESPACE},${dimensions}} ${wanted}', 'Sum', ${period.toSeconds()})`,
    usingMetrics: {},
    label: '',
    period,
  });
}

/** Powertools writes the function's name as this dimension. */
function serviceOf(deploymentName: string, metricName: MetricName): string {
  return `${deploymentName}-${METRICS[metricName].emittedBy}`;
}
