import { GetQueueUrlCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';

const HUB_ACCOUNT = '111122223333';

/** Sends a message to one of the bot's queues, as anybody with access to the hub account could. */
export async function sendToQueue(awsUrl: string, queue: string, body: object): Promise<void> {
  const client = new SQSClient({
    ...{ endpoint: awsUrl, region: 'eu-central-1' },
    credentials: { accessKeyId: HUB_ACCOUNT, secretAccessKey: 'simulated' },
  });
  try {
    const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: queue }));
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(body), DelaySeconds: 0 }));
  } finally {
    client.destroy();
  }
}
