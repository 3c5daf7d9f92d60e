import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { tableOverFetch } from '../../../functions/adapters/dynamodb-fetch.ts';
import { tableOverSdk } from '../../../functions/adapters/dynamodb-sdk.ts';
import { createFindingsTable, type FindingsTable } from '../../../functions/adapters/findings-table.ts';
import { createMessageClaims, type MessageClaims } from '../../../functions/adapters/message-claims.ts';
import { createPolicyStore } from '../../../functions/adapters/policy-store.ts';
import { startDynamoDb } from '../../../sandbox/aws/dynamodb.ts';
import { makeFindingsTable } from '../../../sandbox/deploy.ts';
import { createInMemoryFindings } from '../../fakes/in-memory-findings.ts';
import type { Way } from './support/dynamodb-tables.ts';

/** As much of the findings table as the use cases need; the fake has no more. */
export type Findings = Pick<FindingsTable, 'load' | 'append' | 'auditOf' | 'findingsDueBefore'>;

/** A findings table on a DynamoDB, and everything of the bot that works on it. */
export type Store = {
  client: DynamoDBDocumentClient;
  tableName: string;
  streamArn: string;
  table: FindingsTable;
  claims: MessageClaims;
  policiesAt: (now: () => Date) => ReturnType<typeof createPolicyStore>;
  close: () => Promise<void>;
};

/** A DynamoDB that somebody has started. */
export type RunningDynamoDb = { url: string; stop: () => Promise<void> };

/** Makes the findings table as `deploy` makes it; the bot's code reaches it in that way. */
export async function openStore({ url: endpoint, stop }: RunningDynamoDb, way: Way = 'the AWS SDK'): Promise<Store> {
  const region = 'eu-central-1';
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const plain = new DynamoDBClient({ endpoint, region, credentials, maxAttempts: 1 });
  const client = DynamoDBDocumentClient.from(plain, { marshallOptions: { removeUndefinedValues: true } });
  const tableName = `findings-${randomUUID()}`;
  const streamArn = await makeFindingsTable(plain, tableName);
  const environment = {
    ...{ AWS_REGION: region, AWS_ENDPOINT_URL_DYNAMODB: endpoint },
    ...{ AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey },
  };
  const table = way === 'fetch' ? tableOverFetch({ tableName, environment }) : tableOverSdk({ client, tableName });
  return {
    ...{ client, tableName, streamArn },
    table: createFindingsTable(table),
    claims: createMessageClaims(table),
    policiesAt: (now) => createPolicyStore({ table, now }),
    async close() {
      plain.destroy();
      await stop();
    },
  };
}

/** The store on the sandbox's DynamoDB. */
export async function openSandboxStore(way?: Way): Promise<Store> {
  const dynamoDb = await startDynamoDb({});
  return openStore({ url: dynamoDb.url, stop: () => dynamoDb.close() }, way);
}

/** The fake of the use cases' tests. */
export function openInMemoryFindings(): Findings {
  const findings = createInMemoryFindings();
  return { ...findings, auditOf: (keyArn) => Promise.resolve(findings.auditOf(keyArn)) };
}
