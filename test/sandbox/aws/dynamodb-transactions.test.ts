import { openDynamoDb } from './dynamodb-fixture.ts';
import { describeTransactions } from './dynamodb-transactions.contract.ts';

describeTransactions(async () => {
  const { dynamoDb, client, close } = await openDynamoDb();
  return { url: dynamoDb.url, client, close };
});
