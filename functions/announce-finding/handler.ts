import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SNSClient } from '@aws-sdk/client-sns';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import middy from '@middy/core';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import { createDigestUpkeep, parseDigestOrder } from '../adapters/digest-upkeep.ts';
import { createDigests } from '../adapters/digests-table.ts';
import { tableOverSdk } from '../adapters/dynamodb-sdk.ts';
import { createFindingsTable, parseEventImage } from '../adapters/findings-table.ts';
import { createMessageClaims } from '../adapters/message-claims.ts';
import { createMetrics } from '../adapters/metrics.ts';
import { createPatternCoverage } from '../adapters/pattern-coverage.ts';
import { createPatternsTable, parsePatternImage } from '../adapters/patterns-table.ts';
import { createPolicyStore } from '../adapters/policy-store.ts';
import { createSlack } from '../adapters/slack.ts';
import { createSlackSecret } from '../adapters/slack-secret.ts';
import { createTopic } from '../adapters/topic.ts';
import { announceFindingEnv, parseEnv } from '../contracts/env.ts';
import { keysOfRecord } from '../contracts/log-keys.ts';
import { PATTERN_RECORD_SORT_KEY_PREFIX, REFRESH_SORT_KEY_PREFIX } from '../contracts/table.ts';
import type { PatternRecord } from '../domain/pattern-audit.ts';
import { type AnnounceFindingDeps, announceDigest, announceFinding } from './announce-finding.ts';
import { type AnnouncePatternDeps, announcePattern } from './announce-pattern.ts';
import { measure } from './measure.ts';
import { isNamed } from './post-once.ts';

const env = parseEnv(announceFindingEnv, process.env);
const logger = new Logger({ serviceName: 'announce-finding', logLevel: env.LOG_LEVEL });
const metrics = createMetrics('announce-finding', process.env);
const table = tableOverSdk({ client: DynamoDBDocumentClient.from(new DynamoDBClient({})), tableName: env.TABLE_NAME });
const now = () => new Date();
const policies = createPolicyStore({ table, now });
const loadSecret = createSlackSecret({ secretId: env.SLACK_SECRET_ID, environment: process.env, now });
const deps: AnnounceFindingDeps & AnnouncePatternDeps = {
  now: () => now().toISOString(),
  topic: createTopic({ client: new SNSClient(), topicArn: env.TOPIC_ARN }),
  findings: createFindingsTable(table),
  loadPolicy: () => policies.loadPolicy(),
  slack: createSlack({ token: async () => (await loadSecret()).botToken, apiUrl: env.SLACK_API_URL }),
  claims: createMessageClaims(table),
  patterns: createPatternsTable(table),
  coverage: createPatternCoverage({ table, now }),
  digests: { ...createDigests(table), ...createDigestUpkeep(table) },
};

/**
 * Takes new audit events, of keys and of patterns, and orders to render a digest, from the table's stream: one per batch and in order per key and
 * digest; a throw brings it again.
 */
export const handler = middy(async (event: DynamoDBStreamEvent): Promise<void> => {
  for (const { dynamodb } of event.Records) {
    const sortKey = dynamodb?.Keys?.['sk']?.S ?? '';
    if (sortKey.startsWith(REFRESH_SORT_KEY_PREFIX)) {
      const { digest } = parseDigestOrder(dynamodb?.Keys);
      await announceDigest(digest, deps);
      logger.info('announced', { digest });
      continue;
    }
    if (sortKey.startsWith(PATTERN_RECORD_SORT_KEY_PREFIX)) {
      await tellPattern(parsePatternImage(dynamodb?.NewImage));
      continue;
    }
    const record = parseEventImage(dynamodb?.NewImage);
    logger.appendKeys(keysOfRecord(record));
    const { finding, slackRefused } = await announceFinding(record, deps);
    metrics.put(measure(record, finding));
    if (slackRefused === null) {
      logger.info('announced', { type: record.event.type });
    } else {
      metrics.put([{ name: 'SlackRefused', value: 1 }]);
      logger.warn('Slack refuses to show it', { type: record.event.type, slackRefused });
    }
  }
})
  .use(injectLambdaContext(logger, { logEvent: false, resetKeys: true }))
  .use(metrics.middleware)
  .onError(({ error }) => {
    if (isNamed(error, 'SlackRateLimited')) metrics.put([{ name: 'SlackRateLimited', value: 1 }]);
    logger.error('not announced; the stream brings it again', { error });
  });

async function tellPattern(record: PatternRecord): Promise<void> {
  const { patternId, sequence, event } = record;
  const slackRefused = await announcePattern(record, deps);
  if (slackRefused === null) {
    logger.info('announced', { patternId, sequence, type: event.type });
  } else {
    metrics.put([{ name: 'SlackRefused', value: 1 }]);
    logger.warn('Slack refuses to show it', { patternId, sequence, type: event.type, slackRefused });
  }
}
