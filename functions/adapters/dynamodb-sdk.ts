import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { ConditionFailed, type DynamoDbTable, type Expression, type Item, TransactionRefused } from './dynamodb.ts';

/** A table through the AWS SDK. Retries, and the token that makes a retried transaction harmless, are the SDK's. */
export function tableOverSdk({
  client,
  tableName: TableName,
}: {
  client: DynamoDBDocumentClient;
  tableName: string;
}): DynamoDbTable {
  return {
    async get(Key) {
      const { Item: item } = await client.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
      return item;
    },

    async put(item) {
      await client.send(new PutCommand({ TableName, Item: item }));
    },

    async update(Key, change, ConditionExpression) {
      try {
        await client.send(
          new UpdateCommand({
            ...{ TableName, Key, UpdateExpression: change.expression, ConditionExpression },
            ...mentioned(change),
          }),
        );
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        throw new ConditionFailed(error.message, { cause: error });
      }
    },

    async query({ index, keyCondition, limit, newestFirst = false, consistent = false }) {
      const input = {
        ...{ TableName, KeyConditionExpression: keyCondition.expression, ConsistentRead: consistent },
        ...mentioned(keyCondition),
        ...(newestFirst ? { ScanIndexForward: false } : {}),
        ...(index === undefined ? {} : { IndexName: index }),
      };
      if (limit !== undefined) {
        const { Items = [] } = await client.send(new QueryCommand({ ...input, Limit: limit }));
        return Items;
      }
      const items: Item[] = [];
      for await (const { Items = [] } of paginateQuery({ client }, input)) items.push(...Items);
      return items;
    },

    async putTogether(puts) {
      const TransactItems = puts.map(({ item, condition }) => ({
        Put: { TableName, Item: item, ConditionExpression: condition.expression, ...mentioned(condition) },
      }));
      try {
        await client.send(new TransactWriteCommand({ TransactItems }));
      } catch (error) {
        if (!(error instanceof TransactionCanceledException)) throw error;
        const reasons = (error.CancellationReasons ?? []).map(({ Code = 'None' }) => Code);
        throw new TransactionRefused(reasons, { cause: error });
      }
    },
  };
}

function mentioned({ names, values }: Expression) {
  return {
    ...(names === undefined ? {} : { ExpressionAttributeNames: names }),
    ...(values === undefined ? {} : { ExpressionAttributeValues: values }),
  };
}
