import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { tableOverSdk } from '../../../functions/adapters/dynamodb-sdk.ts';
import { createPolicyStore, PolicyUnreadable } from '../../../functions/adapters/policy-store.ts';
import { DAY_ONE } from '../../builders.ts';

/** A store whose table holds this row; nothing is sent. */
function storeWith(row: unknown) {
  const client = DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'eu-central-1' }));
  client.middlewareStack.add(() => () => Promise.resolve({ output: { $metadata: {}, Item: row }, response: {} }), {
    step: 'initialize',
    priority: 'high',
  });
  return createPolicyStore({ table: tableOverSdk({ client, tableName: 'findings' }), now: () => new Date(DAY_ONE) });
}

it.each<[string, unknown]>([
  ['no row', undefined],
  ['a row without a document', { pk: 'POLICY', sk: 'CURRENT' }],
  ['a document that is no policy', { document: { version: 2 } }],
  ['a document that is a word', { document: 'policy' }],
])('a policy is unreadable when there is %s', async (_, row) => {
  await expect(storeWith(row).loadPolicy()).rejects.toThrow(PolicyUnreadable);
});
