import { randomUUID } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ChangeMessageVisibilityCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import middy from '@middy/core';
import type { DynamoDBStreamEvent, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { createCarryOut } from '../adapters/carry-out.ts';
import { digest } from '../adapters/digest.ts';
import { tableOverSdk } from '../adapters/dynamodb-sdk.ts';
import { createFindingsTable, parseEventImage } from '../adapters/findings-table.ts';
import { createKeyReader } from '../adapters/kms.ts';
import { createMetrics } from '../adapters/metrics.ts';
import { createPatternsTable } from '../adapters/patterns-table.ts';
import { createPolicyStore } from '../adapters/policy-store.ts';
import { detectFindingEnv, parseEnv } from '../contracts/env.ts';
import { type KeyEvent, parseKeyEvent } from '../contracts/kms-event.ts';
import { keysOfEvent, keysOfRecord } from '../contracts/log-keys.ts';
import { type DetectDeps, detectFinding, lookAgain } from './detect-finding.ts';

const env = parseEnv(detectFindingEnv, process.env);
const logger = new Logger({ serviceName: 'detect-finding', logLevel: env.LOG_LEVEL });
const metrics = createMetrics('detect-finding', process.env);
const table = tableOverSdk({ client: DynamoDBDocumentClient.from(new DynamoDBClient({})), tableName: env.TABLE_NAME });
const sqs = new SQSClient({});
const findings = createFindingsTable(table);
const patterns = createPatternsTable(table);
const policies = createPolicyStore({ table, now: () => new Date() });
const loadPolicy = () => policies.loadPolicy();
const reader = createKeyReader({
  roleName: env.READ_ROLE_NAME,
  externalId: env.EXTERNAL_ID,
  sessionName: 'detect-finding',
  stsRegion: process.env['AWS_REGION'],
});
const deps: DetectDeps = {
  now: () => new Date(),
  loadPolicy,
  loadFinding: async (keyArn) => (await findings.load(keyArn)).finding,
  observeKey: reader.observeKey,
  patternsOf: (accountId) => patterns.ofAccount(accountId),
  carryOut: createCarryOut({ table: findings, loadPolicy, newId: randomUUID, digest }),
};

/**
 * Seconds. SQS refuses what would keep a message invisible for more than 12 hours since it was received, and some of
 * that time has passed by now; so a little less, and what is left is waited for next time.
 */
const LONGEST_WAIT = 43_000;

/** What the two event queues and the table's stream call. A message that waits is reported as failed, so that SQS keeps it. */
export const handler = middy<SQSEvent | DynamoDBStreamEvent, SQSBatchResponse>()
  .use(injectLambdaContext(logger, { logEvent: false, resetKeys: true }))
  .use(metrics.middleware)
  .onError(({ error }) => {
    logger.error('not looked into; it comes again', { error });
  })
  .handler(async (event: SQSEvent | DynamoDBStreamEvent): Promise<SQSBatchResponse> => {
    const waiting: string[] = [];
    for (const record of event.Records) {
      if ('messageId' in record) {
        if ((await detect(record)) === 'waiting') waiting.push(record.messageId);
      } else {
        const audit = parseEventImage(record.dynamodb?.NewImage);
        logger.appendKeys(keysOfRecord(audit));
        await lookAgain(audit, deps);
        logger.info('looked again', { type: audit.event.type });
      }
    }
    return { batchItemFailures: waiting.map((itemIdentifier) => ({ itemIdentifier })) };
  });

async function detect({ body, messageId, receiptHandle, eventSourceARN }: SQSRecord): Promise<'done' | 'waiting'> {
  logger.appendKeys({ messageId });
  const { message, event } = read(body);
  logger.appendKeys(keysOfEvent(event));
  const result = await detectFinding(message, deps);
  if (result === 'done') {
    metrics.put([{ name: 'EventsHandled', value: 1 }]);
    logger.info('looked into', { eventName: event.eventName });
    return 'done';
  }
  const { waitSeconds } = result;
  logger.debug('waiting', { waitSeconds });
  await sqs.send(
    new ChangeMessageVisibilityCommand({
      QueueUrl: queueUrlOf(eventSourceARN),
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: Math.min(waitSeconds, LONGEST_WAIT),
    }),
  );
  return 'waiting';
}

/** Counts what cannot be read; what else goes wrong may pass. */
function read(body: string): { message: unknown; event: KeyEvent } {
  try {
    const message: unknown = JSON.parse(body);
    return { message, event: parseKeyEvent(message) };
  } catch (error) {
    metrics.put([{ name: 'EventsUnreadable', value: 1 }]);
    throw error;
  }
}

function queueUrlOf(arn: string): string {
  const name = arn.split(':').at(-1);
  const url = [env.CREATIONS_QUEUE_URL, env.CHANGES_QUEUE_URL].find((known) => known.split('/').at(-1) === name);
  if (url === undefined) throw new RangeError(`no queue of this function is called ${name ?? arn}`);
  return url;
}
