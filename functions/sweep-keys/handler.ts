import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SNSClient } from '@aws-sdk/client-sns';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import * as z from 'zod/mini';
import { createCarryOut } from '../adapters/carry-out.ts';
import { digest } from '../adapters/digest.ts';
import { createDigestUpkeep, parseDigestOrder } from '../adapters/digest-upkeep.ts';
import { tableOverSdk } from '../adapters/dynamodb-sdk.ts';
import { createFindingsTable } from '../adapters/findings-table.ts';
import { createKeyReader } from '../adapters/kms.ts';
import { createPolicyStore } from '../adapters/policy-store.ts';
import { createTopic } from '../adapters/topic.ts';
import { parseEnv, sweepKeysEnv } from '../contracts/env.ts';
import type { Alert } from '../contracts/notice.ts';
import { approveBatch } from './approve-batch.ts';
import { keepDigests } from './keep-digests.ts';
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
  digests: createDigestUpkeep(table),
  now: () => new Date().toISOString(),
  pause: (milliseconds: number) => sleep(milliseconds),
};

/** The stream's records of new batches, and orders to go on with one. */
const streamEvent = z.object({ Records: z.array(z.object({ dynamodb: z.object({ Keys: z.unknown() }) })) });

/** Enough for the finding that is being worked on. */
const RESERVE_MS = 20_000;

/** What EventBridge Scheduler calls every minute, and the table's stream for "Approve all". */
export const handler = middy()
  .use(injectLambdaContext(logger, { logEvent: false }))
  .handler(async (event: unknown, context: Context) => {
    const withTime = { ...deps, hasTime: () => context.getRemainingTimeInMillis() > RESERVE_MS };
    const batches = streamEvent.safeParse(event).data;
    if (batches !== undefined) {
      for (const { dynamodb } of batches.Records) {
        const order = parseDigestOrder(dynamodb.Keys);
        logger.info('batch', { ...order, run: await approveBatch(order, withTime) });
      }
      return null;
    }
    try {
      const counts = await sweepFindings(deps.now(), withTime);
      if (counts.due > 0) logger.info('swept', { counts });
      return counts;
    } finally {
      // A finding that cannot be brought forward must not keep the digests from being current.
      await keepDigests(withTime);
    }
  });
