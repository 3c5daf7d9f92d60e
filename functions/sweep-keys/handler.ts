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
import { createPolicyStore } from '../adapters/policy-store.ts';
import { offsetAt } from '../adapters/time-zone.ts';
import { createTopic } from '../adapters/topic.ts';
import { parseEnv, sweepKeysEnv } from '../contracts/env.ts';
import type { Alert } from '../contracts/notice.ts';
import { sweepFindings } from './sweep-keys.ts';

const env = parseEnv(sweepKeysEnv, process.env);
const logger = new Logger({ serviceName: 'sweep-keys', logLevel: env.LOG_LEVEL });
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
  offsetAt,
};

/** Enough for the finding that is being worked on. */
const RESERVE_MS = 20_000;

/** What EventBridge Scheduler calls every minute. */
export const handler = middy()
  .use(injectLambdaContext(logger, { logEvent: false }))
  .handler(async (_event: unknown, context: Context) => {
    const hasTime = () => context.getRemainingTimeInMillis() > RESERVE_MS;
    const counts = await sweepFindings(new Date().toISOString(), { ...deps, hasTime });
    if (counts.due > 0) logger.info('swept', { counts });
    return counts;
  });
