import { randomUUID } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SNSClient } from '@aws-sdk/client-sns';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { createCarryOut } from '../adapters/carry-out.ts';
import { digest } from '../adapters/digest.ts';
import { tableOverSdk } from '../adapters/dynamodb-sdk.ts';
import { createFindingsTable } from '../adapters/findings-table.ts';
import { createKeyReader } from '../adapters/kms.ts';
import { createMetrics } from '../adapters/metrics.ts';
import { createPolicyStore } from '../adapters/policy-store.ts';
import { createTopic } from '../adapters/topic.ts';
import { parseEnv, sweepKeysEnv } from '../contracts/env.ts';
import type { Alert } from '../contracts/notice.ts';
import { countFindings, countStuck } from './gauges.ts';
import { SweepIncomplete, sweepFindings } from './sweep-keys.ts';

const env = parseEnv(sweepKeysEnv, process.env);
const logger = new Logger({ serviceName: 'sweep-keys', logLevel: env.LOG_LEVEL });
const metrics = createMetrics('sweep-keys', process.env);
const table = tableOverSdk({ client: DynamoDBDocumentClient.from(new DynamoDBClient({})), tableName: env.TABLE_NAME });
const findings = createFindingsTable(table);
const policies = createPolicyStore({ table, now: () => new Date() });
const loadPolicy = () => policies.loadPolicy();
const topic = createTopic({ client: new SNSClient({}), topicArn: env.TOPIC_ARN });
const reader = createKeyReader({
  roleName: env.READ_ROLE_NAME,
  externalId: env.EXTERNAL_ID,
  sessionName: 'sweep-keys',
  stsRegion: process.env['AWS_REGION'],
});
const deps = {
  loadPolicy,
  findingsDueBefore: (now: string, limit: number) => findings.findingsDueBefore(now, limit),
  observeKey: reader.observeKey,
  carryOut: createCarryOut({ table: findings, loadPolicy, newId: randomUUID, digest }),
  alert: (alert: Alert) => topic.publishAlert(alert),
};

/** Enough for the finding that is being worked on. */
const RESERVE_MS = 20_000;

/** How long counts of findings stay good enough for a chart. */
const COUNT_EVERY_MS = 15 * 60_000;
let countedAt = 0;

/** What EventBridge Scheduler calls every minute. */
export const handler = middy()
  .use(injectLambdaContext(logger, { logEvent: false, resetKeys: true }))
  .use(metrics.middleware)
  .onError(({ error }) => {
    if (error instanceof SweepIncomplete) {
      metrics.put([...done, { name: 'DueFindingsFailed', value: error.counts.failed }]);
    } else if (error?.name === 'PolicyUnreadable') {
      metrics.put([{ name: 'PolicyUnreadable', value: 1 }]);
    }
    logger.error('the sweep is not complete; the next run tries again', { error });
  })
  .handler(async (_event: unknown, context: Context) => {
    const now = new Date();
    const hasTime = () => context.getRemainingTimeInMillis() > RESERVE_MS;
    const counts = await sweepFindings(now.toISOString(), { ...deps, hasTime });
    metrics.put(done);
    if (counts.due > 0) logger.info('swept', { counts });
    metrics.put(await gauges(now));
    return counts;
  });

const done = [
  { name: 'SweepsDone', value: 1 },
  { name: 'PolicyUnreadable', value: 0 },
] as const;

async function gauges(now: Date) {
  const at = now.toISOString();
  const stuck = await countStuck(at, findings);
  // A clock that went back must not end the counting.
  if (Math.abs(now.getTime() - countedAt) < COUNT_EVERY_MS) return stuck;
  const counted = await countFindings(at, findings);
  countedAt = now.getTime();
  return [...stuck, ...counted];
}
