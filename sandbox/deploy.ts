import {
  CreateTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  type KeySchemaElement,
  ResourceNotFoundException,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { CreateTopicCommand, type SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  QueueDoesNotExist,
  SetQueueAttributesCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { INDEX_BY_GROUP, INDEX_BY_TIME, TABLE_ATTRIBUTES } from '../functions/contracts/table.ts';
import type { Grace } from './sandbox-policy.ts';

export const TABLE_NAME = 'kms-rotation-bot';

/** A queue that exists. */
export type DeployedQueue = { name: string; url: string; arn: string };

/** What the functions need to exist before they start; in AWS the hub stack makes it. */
export type Deployed = {
  streamArn: string;
  topicArn: string;
  creations: DeployedQueue;
  changes: DeployedQueue;
  /** Dead-letter queues of the two. */
  deadLetters: DeployedQueue[];
  /** Takes what is published to the topic, so that it can be looked at. */
  notices: DeployedQueue;
};

/** Longer than any look at a key takes; what fails comes again after it. */
const VISIBILITY_SECONDS = 10;
/** Waiting for the end of a grace period counts as a receive too. */
const MAX_RECEIVES = 20;

/** Makes what is not there yet: the table with its indexes and stream, the topic, and the queues. */
export async function deploy(
  { dynamodb, sqs, sns }: { dynamodb: DynamoDBClient; sqs: SQSClient; sns: SNSClient },
  grace: Grace,
): Promise<Deployed> {
  const streamArn = await makeFindingsTable(dynamodb, TABLE_NAME);
  const { TopicArn: topicArn } = await sns.send(new CreateTopicCommand({ Name: 'kms-rotation-notices' }));
  const eventQueue = async (name: string, delaySeconds: number) => {
    const deadLetters = await makeQueue(sqs, `${name}-dead-letters`, {});
    const queue = await makeQueue(sqs, name, {
      DelaySeconds: String(delaySeconds),
      VisibilityTimeout: String(VISIBILITY_SECONDS),
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetters.arn, maxReceiveCount: MAX_RECEIVES }),
    });
    return { queue, deadLetters };
  };
  const creations = await eventQueue('kms-key-creations', grace.creations);
  const changes = await eventQueue('kms-key-changes', grace.changes);
  const notices = await makeQueue(sqs, 'kms-rotation-notices', {});
  await sns.send(
    new SubscribeCommand({
      TopicArn: topicArn,
      Protocol: 'sqs',
      Endpoint: notices.arn,
      Attributes: { RawMessageDelivery: 'true' },
    }),
  );
  return {
    streamArn,
    topicArn: topicArn ?? '',
    creations: creations.queue,
    changes: changes.queue,
    deadLetters: [creations.deadLetters, changes.deadLetters],
    notices,
  };
}

/** Makes the findings table unless it is there; answers the ARN of its stream once the table is active. */
export async function makeFindingsTable(client: DynamoDBClient, tableName: string): Promise<string> {
  const existing = await streamOf(client, tableName);
  if (existing !== undefined) return existing;
  const { partitionKey, sortKey, groupKey, groupSort, timeKey, timeSort, timeToLive } = TABLE_ATTRIBUTES;
  const index = (IndexName: string, hash: string, range: string) => ({
    IndexName,
    KeySchema: keySchema(hash, range),
    Projection: { ProjectionType: 'ALL' as const },
  });
  await client.send(
    new CreateTableCommand({
      TableName: tableName,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: keySchema(partitionKey, sortKey),
      AttributeDefinitions: [partitionKey, sortKey, groupKey, groupSort, timeKey, timeSort].map((AttributeName) => ({
        AttributeName,
        AttributeType: 'S',
      })),
      GlobalSecondaryIndexes: [index(INDEX_BY_GROUP, groupKey, groupSort), index(INDEX_BY_TIME, timeKey, timeSort)],
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
    }),
  );
  // The table is CREATING for a moment, as on AWS.
  const made = await streamOf(client, tableName);
  if (made === undefined) throw new Error('the findings table has no stream');
  await client.send(
    new UpdateTimeToLiveCommand({
      TableName: tableName,
      TimeToLiveSpecification: { Enabled: true, AttributeName: timeToLive },
    }),
  );
  return made;
}

function keySchema(hash: string, range: string): KeySchemaElement[] {
  return [
    { AttributeName: hash, KeyType: 'HASH' },
    { AttributeName: range, KeyType: 'RANGE' },
  ];
}

/** The stream of the table once the table is active; undefined when there is no such table. */
async function streamOf(client: DynamoDBClient, tableName: string): Promise<string | undefined> {
  const ATTEMPTS = 100;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    try {
      const { Table: table } = await client.send(new DescribeTableCommand({ TableName: tableName }));
      if (table?.TableStatus === 'ACTIVE') return table.LatestStreamArn;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the findings table does not become active');
}

/** A queue that is there gets the attributes that are asked for now: CreateQueue refuses others than it was made with. */
async function makeQueue(client: SQSClient, name: string, Attributes: Record<string, string>): Promise<DeployedQueue> {
  const existing = await urlOf(client, name);
  if (existing !== undefined && Object.keys(Attributes).length > 0) {
    await client.send(new SetQueueAttributesCommand({ QueueUrl: existing, Attributes }));
  }
  const { QueueUrl: url = '' } =
    existing === undefined
      ? await client.send(new CreateQueueCommand({ QueueName: name, Attributes }))
      : { QueueUrl: existing };
  const { Attributes: answered } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }),
  );
  return { name, url, arn: answered?.QueueArn ?? '' };
}

async function urlOf(client: SQSClient, QueueName: string): Promise<string | undefined> {
  try {
    return (await client.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl;
  } catch (error) {
    if (error instanceof QueueDoesNotExist) return undefined;
    throw error;
  }
}
