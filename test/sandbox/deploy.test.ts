import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SNSClient } from '@aws-sdk/client-sns';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { startDynamoDb } from '../../sandbox/aws/dynamodb.ts';
import { startQueues } from '../../sandbox/aws/queues.ts';
import { deploy } from '../../sandbox/deploy.ts';

it('makes everything once, and gives an existing queue the grace that is asked for now', async () => {
  const [dynamoDb, queues] = await Promise.all([startDynamoDb({}), startQueues()]);
  const access = { region: 'eu-central-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } };
  const clients = {
    dynamodb: new DynamoDBClient({ ...access, endpoint: dynamoDb.url }),
    sqs: new SQSClient({ ...access, endpoint: queues.url }),
    sns: new SNSClient({ ...access, endpoint: queues.url }),
  };
  const first = await deploy(clients, { creations: 6, changes: 2 });
  const again = await deploy(clients, { creations: 9, changes: 2 });
  const { Attributes: attributes } = await clients.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: first.creations.url, AttributeNames: ['DelaySeconds'] }),
  );
  expect([again, attributes]).toEqual([first, { DelaySeconds: '9' }]);
  for (const client of Object.values(clients)) client.destroy();
  await Promise.all([dynamoDb.close(), queues.close()]);
});
