import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { describeTransactions, type TransactingDynamoDb } from '../sandbox/aws/dynamodb-transactions.contract.ts';
import { startMoto } from './moto.ts';

async function openMoto(): Promise<TransactingDynamoDb> {
  const moto = await startMoto();
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const plain = new DynamoDBClient({ endpoint: moto.url, region: 'eu-central-1', credentials, maxAttempts: 1 });
  return {
    url: moto.url,
    client: DynamoDBDocumentClient.from(plain, { marshallOptions: { removeUndefinedValues: true } }),
    async close() {
      plain.destroy();
      await moto.stop();
    },
  };
}

/** Why AWS and the sandbox are right in each of these is in the README of this folder. */
const MOTO_DEVIATIONS = {
  'calls what only the stored data makes impossible a validation error of that action': /^ValidationException: /,
  'names no action': /no error was thrown/,
  'names an expression with a syntax error': /Expected: "ValidationException"\nReceived: "SyntaxError"/,
  'names a condition check without a condition': /no error was thrown/,
  'makes a repeated transaction do nothing, for ten minutes': /- +"n": 1,\n\+ +"n": 2,/,
  'may not be used for another transaction': /no error was thrown/,
  'answers in order, with projections, and leaves absent items empty': /\+ +"m": 2,/,
};

describe('transactions of moto’s DynamoDB', () => {
  describeTransactions(openMoto, MOTO_DEVIATIONS);
});
