import { randomUUID } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod/mini';
import { AwsRefused, type AwsService, createAwsCall, type Environment } from './aws-fetch.ts';
import { ConditionFailed, type DynamoDbTable, type Expression, type Item, TransactionRefused } from './dynamodb.ts';

type Operation = 'GetItem' | 'PutItem' | 'UpdateItem' | 'Query' | 'TransactWriteItems';

const DYNAMODB: AwsService = {
  name: 'DynamoDB',
  signingName: 'dynamodb',
  target: 'DynamoDB_20120810',
  protocol: 'json-1.0',
  endpointVariable: 'AWS_ENDPOINT_URL_DYNAMODB',
  triedAgain: new Set([
    'ProvisionedThroughputExceededException',
    'RequestLimitExceeded',
    'ThrottlingException',
    'TransactionInProgressException',
  ]),
};

/** `{ name: { S: … } }` */
const attributeMap = z.record(
  z.string(),
  z.custom<AttributeValue>((value: unknown) => typeof value === 'object' && value !== null),
);
const itemAnswer = z.object({ Item: z.optional(attributeMap) });
const pageAnswer = z.object({ Items: z.array(attributeMap), LastEvaluatedKey: z.optional(attributeMap) });
const cancelledAnswer = z.object({
  CancellationReasons: z._default(z.array(z.object({ Code: z._default(z.string(), 'None') })), []),
});

/** A table over fetch instead of the AWS SDK, see aws-fetch.ts. */
export function tableOverFetch({
  tableName: TableName,
  environment,
}: {
  tableName: string;
  environment: Environment;
}): DynamoDbTable {
  const callDynamoDb = createAwsCall(DYNAMODB, environment);
  const call = async (operation: Operation, input: Item): Promise<unknown> => {
    try {
      return await callDynamoDb(operation, input);
    } catch (error) {
      throw translated(error);
    }
  };

  return {
    async get(key) {
      const { Item: item } = itemAnswer.parse(
        await call('GetItem', { TableName, Key: marshall(key), ConsistentRead: true }),
      );
      return item === undefined ? undefined : unmarshall(item);
    },

    async put(item) {
      await call('PutItem', { TableName, Item: marshall(item) });
    },

    async update(key, change, ConditionExpression) {
      await call('UpdateItem', {
        ...{ TableName, Key: marshall(key), UpdateExpression: change.expression, ConditionExpression },
        ...mentioned(change),
      });
    },

    async query({ index, keyCondition, limit, newestFirst = false, consistent = false }) {
      const input = {
        ...{ TableName, KeyConditionExpression: keyCondition.expression, ConsistentRead: consistent },
        ...mentioned(keyCondition),
        ...(newestFirst ? { ScanIndexForward: false } : {}),
        ...(index === undefined ? {} : { IndexName: index }),
        ...(limit === undefined ? {} : { Limit: limit }),
      };
      const items: Item[] = [];
      let next: Item | undefined;
      do {
        const start = next === undefined ? {} : { ExclusiveStartKey: next };
        const page = pageAnswer.parse(await call('Query', { ...input, ...start }));
        items.push(...page.Items.map((item) => unmarshall(item)));
        next = page.LastEvaluatedKey;
      } while (limit === undefined && next !== undefined);
      return items;
    },

    async putTogether(puts) {
      await call('TransactWriteItems', {
        // The same for every attempt: when an answer was lost, DynamoDB recognises the transaction it has done.
        ClientRequestToken: randomUUID(),
        TransactItems: puts.map(({ item, condition }) => ({
          Put: {
            ...{ TableName, Item: marshall(item), ConditionExpression: condition.expression },
            ...mentioned(condition),
          },
        })),
      });
    },
  };
}

function mentioned({ names, values }: Expression) {
  return {
    ...(names === undefined ? {} : { ExpressionAttributeNames: names }),
    ...(values === undefined ? {} : { ExpressionAttributeValues: marshall(values) }),
  };
}

function translated(error: unknown): unknown {
  if (!(error instanceof AwsRefused)) return error;
  switch (error.code) {
    case 'ConditionalCheckFailedException':
      return new ConditionFailed(error.message);
    case 'TransactionCanceledException':
      return new TransactionRefused(cancelledAnswer.parse(error.answer).CancellationReasons.map(({ Code }) => Code));
    default:
      return error;
  }
}
