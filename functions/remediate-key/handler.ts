import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import middy from '@middy/core';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import { createCarryOut } from '../adapters/carry-out.ts';
import { digest } from '../adapters/digest.ts';
import { tableOverSdk } from '../adapters/dynamodb-sdk.ts';
import { createFindingsTable, parseEventImage } from '../adapters/findings-table.ts';
import { createKeyReader } from '../adapters/kms.ts';
import { createKeyChanges } from '../adapters/kms-changes.ts';
import { createPolicyStore } from '../adapters/policy-store.ts';
import { parseEnv, remediateKeyEnv } from '../contracts/env.ts';
import { keysOfRecord } from '../contracts/log-keys.ts';
import { bindRemedies } from '../remedies/remedies.ts';
import { type RemediateDeps, remediateKey } from './remediate-key.ts';

const env = parseEnv(remediateKeyEnv, process.env);
const logger = new Logger({ serviceName: 'remediate-key', logLevel: env.LOG_LEVEL });
const table = tableOverSdk({ client: DynamoDBDocumentClient.from(new DynamoDBClient({})), tableName: env.TABLE_NAME });
const findings = createFindingsTable(table);
const policies = createPolicyStore({ table, now: () => new Date() });
const loadPolicy = () => policies.loadPolicy();
const access = { externalId: env.EXTERNAL_ID, sessionName: 'remediate-key', stsRegion: process.env['AWS_REGION'] };
const reader = createKeyReader({ ...access, roleName: env.READ_ROLE_NAME });
const changes = createKeyChanges({ ...access, roleName: env.REMEDIATE_ROLE_NAME });
const deps: RemediateDeps = {
  now: () => new Date(),
  sleep: (milliseconds) => sleep(milliseconds),
  loadPolicy,
  loadFinding: async (keyArn) => (await findings.load(keyArn)).finding,
  observeKey: reader.observeKey,
  readBack: reader.readBack,
  remedyOf: bindRemedies(changes),
  carryOut: createCarryOut({ table: findings, loadPolicy, newId: randomUUID, digest }),
};

/** What the table's stream calls, one record at a time; an error makes it deliver the record again. */
export const handler = middy<DynamoDBStreamEvent>()
  .use(injectLambdaContext(logger, { logEvent: false, resetKeys: true }))
  .onError(({ error }) => {
    logger.error('not remediated; the stream brings it again', { error });
  })
  .handler(async (event: DynamoDBStreamEvent) => {
    for (const { dynamodb } of event.Records) {
      const record = parseEventImage(dynamodb?.NewImage);
      logger.appendKeys(keysOfRecord(record));
      logger.info('remediation', { outcome: await remediateKey(record, deps) });
    }
  });
