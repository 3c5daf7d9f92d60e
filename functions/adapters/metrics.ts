import { Metrics } from '@aws-lambda-powertools/metrics';
import { type Emitter, METRICS, METRICS_NAMESPACE, type MetricDatum } from '../contracts/metrics.ts';

/**
 * Emits what a function counts as lines of its log (CloudWatch embedded metric format): no call, nothing to wait for.
 * A function can emit its own metrics only.
 */
export function createMetrics<E extends Emitter>(emitter: E, environment: Record<string, string | undefined>) {
  const serviceName = environment['AWS_LAMBDA_FUNCTION_NAME'] ?? emitter;
  const metrics = new Metrics({ namespace: METRICS_NAMESPACE, serviceName });
  // Powertools' own middleware warns of every run that counted nothing, and most of them do.
  const write = () => {
    if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
  };
  return {
    /** Writes what was put, after the handler, whether it failed or not. */
    middleware: { after: write, onError: write },
    put(data: readonly MetricDatum<E>[]): void {
      for (const { name, value, dimensions } of data) {
        // Dimensions belong to a whole line, so a datum that has some gets its own.
        const line = dimensions === undefined ? metrics : metrics.singleMetric();
        if (dimensions !== undefined) line.addDimensions(dimensions);
        line.addMetric(name, METRICS[name].unit, value);
      }
    },
  };
}
