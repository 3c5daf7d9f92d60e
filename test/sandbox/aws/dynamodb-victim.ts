// Writes transactions and single items into the folder named in its argument until it is killed.
import { PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { openDynamoDb } from './dynamodb-fixture.ts';

const [, , folder] = process.argv;
const { client } = await openDynamoDb(folder);
const TableName = 'ledger';
process.stdout.write('ready\n');
for (let round = 1; ; round += 1) {
  await client.send(
    new TransactWriteCommand({
      TransactItems: ['left', 'middle', 'right'].map((sk) => ({ Put: { TableName, Item: { pk: 'p', sk, round } } })),
    }),
  );
  await client.send(new PutCommand({ TableName, Item: { pk: 'p', sk: 'single', round } }));
}
