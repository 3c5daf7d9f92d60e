import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SNSClient } from '@aws-sdk/client-sns';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import middy from '@middy/core';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import { tableOverSdk } from '../adapters/dynamodb-sdk.ts';
import { createFindingsTable, parseEventImage } from '../adapters/findings-table.ts';
import { createMessageClaims } from '../adapters/message-claims.ts';
import { createPolicyStore } from '../adapters/policy-store.ts';
import { createSlack } from '../adapters/slack.ts';
import { createSlackSecret } from '../adapters/slack-secret.ts';
import { createTopic } from '../adapters/topic.ts';
import { announceFindingEnv, parseEnv } from '../contracts/env.ts';
import { type AnnounceFindingDeps, announceFinding } from './announce-finding.ts';

const env = parseEnv(announceFindingEnv, process.env);
const logger = new Logger({ serviceName: 'announce-finding', logLevel: env.LOG_LEVEL });
const table = tableOverSdk({ client: DynamoDBDocumentClient.from(new DynamoDBClient({})), tableName: env.TABLE_NAME });
const now = () => new Date();
const policies = createPolicyStore({ table, now });
const loadSecret = createSlackSecret({ secretId: env.SLACK_SECRET_ID, environment: process.env, now });
const deps: AnnounceFindingDeps = {
  now: () => now().toISOString(),
  topic: createTopic({ client: new SNSClient(), topicArn: env.TOPIC_ARN }),
  findings: createFindingsTable(table),
  loadPolicy: () => policies.loadPolicy(),
  slack: createSlack({ token: async () => (await loadSecret()).botToken, apiUrl: env.SLACK_API_URL }),
  claims: createMessageClaims(table),
};

/** Takes new audit events from the table's stream, one per batch and in order per key; a throw brings it again. */
export const handler = middy(async (event: DynamoDBStreamEvent): Promise<void> => {
  for (const { dynamodb } of event.Records) {
    const record = parseEventImage(dynamodb?.NewImage);
    await announceFinding(record, deps);
    logger.info('announced', { keyArn: record.key.arn, sequence: record.sequence, type: record.event.type });
  }
})
  .use(injectLambdaContext(logger, { logEvent: false }))
  .onError(({ error }) => {
    logger.error('not announced; the stream brings it again', { error });
  });
