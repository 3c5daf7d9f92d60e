import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createFindingsTable, type FindingsTable } from '../../../functions/adapters/findings-table.ts';
import { createMessageClaims, type MessageClaims } from '../../../functions/adapters/message-claims.ts';
import { createPolicyStore } from '../../../functions/adapters/policy-store.ts';
import { startDynamoDb } from '../../../sandbox/aws/dynamodb.ts';
import { makeFindingsTable } from '../../../sandbox/deploy.ts';
import { createInMemoryFindings } from '../../fakes/in-memory-findings.ts';

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

/** Makes the findings table in the DynamoDB at `endpoint`, as `deploy` makes it. `stop` ends that DynamoDB. */
export async function openStore(endpoint: string, stop: () => Promise<void>): Promise<Store> {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const plain = new DynamoDBClient({ endpoint, region: 'eu-central-1', credentials, maxAttempts: 1 });
  const client = DynamoDBDocumentClient.from(plain, { marshallOptions: { removeUndefinedValues: true } });
  const tableName = `findings-${randomUUID()}`;
  const streamArn = await makeFindingsTable(plain, tableName);
  return {
    ...{ client, tableName, streamArn },
    table: createFindingsTable({ client, tableName }),
    claims: createMessageClaims({ client, tableName }),
    policiesAt: (now) => createPolicyStore({ client, tableName, now }),
    async close() {
      plain.destroy();
      await stop();
    },
  };
}

/** The store on the sandbox's DynamoDB. */
export async function openSandboxStore(): Promise<Store> {
  const dynamoDb = await startDynamoDb({});
  return openStore(dynamoDb.url, () => dynamoDb.close());
}

/** The fake of the use cases' tests. */
export function openInMemoryFindings(): Findings {
  const findings = createInMemoryFindings();
  return { ...findings, auditOf: (keyArn) => Promise.resolve(findings.auditOf(keyArn)) };
}
