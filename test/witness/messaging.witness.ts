import { randomUUID } from 'node:crypto';
import { DescribeTableCommand, DescribeTimeToLiveCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { digest } from '../../functions/adapters/digest.ts';
import { createTopic } from '../../functions/adapters/topic.ts';
import { EMPTY_CHAIN, seal } from '../../functions/domain/audit.ts';
import { startDynamoDb } from '../../sandbox/aws/dynamodb.ts';
import { startQueues } from '../../sandbox/aws/queues.ts';
import { type Deployed, deploy, TABLE_NAME } from '../../sandbox/deploy.ts';
import { anOpening } from '../builders.ts';
import { type Deviations, rulesFor } from '../rule.ts';
import { startMoto } from './moto.ts';

type BackEnd = { dynamodb: string; queues: string; stop: () => Promise<unknown> };

const BACK_ENDS = {
  sandbox: async (): Promise<BackEnd> => {
    const [dynamoDb, queues] = await Promise.all([startDynamoDb({ region: 'eu-central-1' }), startQueues()]);
    return { dynamodb: dynamoDb.url, queues: queues.url, stop: () => Promise.all([dynamoDb.close(), queues.close()]) };
  },
  moto: async (): Promise<BackEnd> => {
    const { url, stop } = await startMoto();
    return { dynamodb: url, queues: url, stop };
  },
};

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Who is right in each of these is in the README of this folder. */
const DEVIATIONS: Record<string, Deviations> = {
  sandbox: {
    'does not hide a message for more than twelve hours since it was received': /Received: "no error"/,
    'does not know a receipt that it never gave': /Received: "MessageNotInflight"/,
  },
  moto: {},
};

describe.each(Object.entries(BACK_ENDS))('what deploy makes on %s', (name, start) => {
  let backEnd: BackEnd;
  let clients: { dynamodb: DynamoDBClient; sqs: SQSClient; sns: SNSClient };
  let deployed: Deployed;
  const rule = rulesFor(DEVIATIONS[name] ?? {});
  beforeAll(async () => {
    backEnd = await start();
    const common = {
      region: 'eu-central-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
    };
    clients = {
      dynamodb: new DynamoDBClient({ ...common, endpoint: backEnd.dynamodb }),
      sqs: new SQSClient({ ...common, endpoint: backEnd.queues }),
      sns: new SNSClient({ ...common, endpoint: backEnd.queues }),
    };
    deployed = await deploy(clients, { creations: 180, changes: 2 });
  });
  afterAll(async () => {
    for (const client of Object.values(clients)) client.destroy();
    await backEnd.stop();
  });

  async function newQueue(Attributes: Record<string, string> = {}): Promise<string> {
    const { QueueUrl: url = '' } = await clients.sqs.send(
      new CreateQueueCommand({ QueueName: `queue-${randomUUID()}`, Attributes }),
    );
    return url;
  }
  const attributesOf = async (QueueUrl: string) =>
    (await clients.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))).Attributes ?? {};
  const send = (QueueUrl: string, MessageBody: string, DelaySeconds?: number) =>
    clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, DelaySeconds }));
  async function receive(QueueUrl: string, VisibilityTimeout?: number): Promise<Message[]> {
    const { Messages: messages = [] } = await clients.sqs.send(
      new ReceiveMessageCommand({
        ...{ QueueUrl, VisibilityTimeout, MaxNumberOfMessages: 10 },
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
    );
    return messages;
  }
  const bodies = (messages: Message[]) => messages.map(({ Body }) => Body);
  const setVisibility = (QueueUrl: string, message: Message | undefined, VisibilityTimeout: number) =>
    clients.sqs.send(
      new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout }),
    );
  const codeOf = (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => 'no error',
      (error: unknown) => (error instanceof Error ? error.name : String(error)),
    );

  describe('the table', () => {
    rule('has the keys, the indexes, the stream and the time to live', async () => {
      const { Table: table } = await clients.dynamodb.send(new DescribeTableCommand({ TableName: TABLE_NAME }));
      const ttl = await clients.dynamodb.send(new DescribeTimeToLiveCommand({ TableName: TABLE_NAME }));
      const keys = (schema: { AttributeName: string | undefined; KeyType: string | undefined }[] | undefined) =>
        schema?.map(({ AttributeName, KeyType }) => `${AttributeName ?? ''} ${KeyType ?? ''}`);
      expect({
        billing: table?.BillingModeSummary?.BillingMode,
        status: table?.TableStatus,
        keys: keys(table?.KeySchema),
        indexes: table?.GlobalSecondaryIndexes?.map((index) => [
          index.IndexName,
          index.IndexStatus,
          keys(index.KeySchema),
          index.Projection?.ProjectionType,
        ]).sort(),
        stream: table?.StreamSpecification,
        streamArn: table?.LatestStreamArn === deployed.streamArn,
        timeToLive: ttl.TimeToLiveDescription,
      }).toEqual({
        billing: 'PAY_PER_REQUEST',
        status: 'ACTIVE',
        keys: ['pk HASH', 'sk RANGE'],
        indexes: [
          ['byGroup', 'ACTIVE', ['groupKey HASH', 'groupSort RANGE'], 'ALL'],
          ['byTime', 'ACTIVE', ['timeKey HASH', 'timeSort RANGE'], 'ALL'],
        ],
        stream: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
        streamArn: true,
        timeToLive: { TimeToLiveStatus: 'ENABLED', AttributeName: 'ttl' },
      });
    });
    rule('is made once', async () => {
      expect(await deploy(clients, { creations: 180, changes: 2 })).toEqual(deployed);
    });
  });

  describe('a queue', () => {
    rule('has the grace as delay, and gives up after twenty receives', async () => {
      const { DelaySeconds, VisibilityTimeout, RedrivePolicy } = await attributesOf(deployed.creations.url);
      expect({ DelaySeconds, VisibilityTimeout, redrive: JSON.parse(RedrivePolicy ?? '') as unknown }).toEqual({
        DelaySeconds: '180',
        VisibilityTimeout: '10',
        redrive: { deadLetterTargetArn: deployed.deadLetters[0]?.arn, maxReceiveCount: 20 },
      });
    });
    rule('takes another delay when it is deployed with another grace', async () => {
      const again = await deploy(clients, { creations: 240, changes: 2 });
      expect(again).toEqual(deployed);
      expect((await attributesOf(deployed.creations.url))['DelaySeconds']).toBe('240');
    });
    rule('holds a message back for its delay', async () => {
      await send(deployed.changes.url, 'delayed');
      expect(await receive(deployed.changes.url)).toEqual([]);
      await pause(2300);
      expect(bodies(await receive(deployed.changes.url))).toEqual(['delayed']);
    });
    rule('prefers the delay of the message to its own', async () => {
      const url = await newQueue({ DelaySeconds: '900' });
      await send(url, 'at once', 0);
      await send(url, 'later', 2);
      expect(bodies(await receive(url))).toEqual(['at once']);
      await pause(2300);
      expect(bodies(await receive(url))).toEqual(['later']);
    });
    rule('hides what was received, counts receives, and keeps the first receive’s time', async () => {
      const url = await newQueue();
      await send(url, 'seen');
      const [first] = await receive(url, 2);
      expect(await receive(url)).toEqual([]);
      await pause(2300);
      const [second] = await receive(url, 2);
      expect([first, second].map((message) => message?.Attributes?.ApproximateReceiveCount)).toEqual(['1', '2']);
      expect(second?.MessageId).toBe(first?.MessageId);
      expect(second?.ReceiptHandle).not.toBe(first?.ReceiptHandle);
      const since = (message: Message | undefined) => message?.Attributes?.ApproximateFirstReceiveTimestamp;
      expect(since(second)).toBe(since(first));
      expect(since(first)).toMatch(/^\d{13}$/);
      expect(first?.Attributes?.SentTimestamp).toMatch(/^\d{13}$/);
    });
    rule('gives a message back when its visibility is set to zero, and later when it is made longer', async () => {
      const url = await newQueue();
      await send(url, 'again');
      const [message] = await receive(url, 2);
      await setVisibility(url, message, 30);
      await pause(2300);
      expect(await receive(url)).toEqual([]);
      await setVisibility(url, message, 0);
      expect(bodies(await receive(url))).toEqual(['again']);
    });
    rule('takes the longest wait of detect-finding', async () => {
      const url = await newQueue();
      await send(url, 'long');
      const [message] = await receive(url);
      await setVisibility(url, message, 43_000);
      expect(await receive(url)).toEqual([]);
    });
    rule('does not hide a message for more than twelve hours since it was received', async () => {
      const url = await newQueue();
      await send(url, 'too long');
      const [message] = await receive(url);
      await pause(1100);
      expect(await codeOf(setVisibility(url, message, 43_200))).toBe('InvalidParameterValue');
    });
    rule('does not take a visibility of more than twelve hours', async () => {
      const url = await newQueue();
      await send(url, 'much too long');
      const [message] = await receive(url);
      expect(await codeOf(setVisibility(url, message, 43_201))).toMatch(/InvalidParameterValue$/);
    });
    rule('moves a message to the dead letters after its last receive, with the same id and text', async () => {
      const url = deployed.changes.url;
      await send(url, 'poison', 0);
      let last: Message | undefined;
      for (let count = 0; count < 20; count += 1) [last] = await receive(url, 0);
      expect([last?.Body, last?.Attributes?.ApproximateReceiveCount]).toEqual(['poison', '20']);
      expect(await receive(url, 0)).toEqual([]);
      const [dead] = await receive(deployed.deadLetters[1]?.url ?? '');
      expect([dead?.Body, dead?.MessageId]).toEqual(['poison', last?.MessageId]);
    });
    rule('forgets what is deleted', async () => {
      const url = await newQueue();
      await send(url, 'done');
      const [message] = await receive(url, 0);
      await clients.sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: message?.ReceiptHandle }));
      expect(await receive(url)).toEqual([]);
    });
    rule('does not know a receipt that it never gave', async () => {
      const url = await newQueue();
      const stranger = { ReceiptHandle: 'none' };
      expect(await codeOf(setVisibility(url, stranger, 5))).toBe('ReceiptHandleIsInvalid');
    });
    rule('has to exist', async () => {
      const url = (await newQueue()).replace(/[^/]+$/, 'absent');
      expect(await codeOf(send(url, 'lost'))).toBe('QueueDoesNotExist');
    });
  });

  describe('the topic', () => {
    const context = { cause: { kind: 'slack', id: 'test' }, policyVersion: 'policy-1', newId: randomUUID } as const;
    const { records } = seal(EMPTY_CHAIN, [anOpening()], context, digest);
    const [record] = records;
    if (record === undefined) throw new Error('no record');
    const publish = () => createTopic({ client: clients.sns, topicArn: deployed.topicArn }).publishAudit(record);
    const attributes = {
      kind: 'audit',
      type: 'finding-opened',
      accountId: '111122223333',
      region: 'eu-central-1',
      status: 'open',
      eventId: record.id,
    };
    const shown = (message: Message | undefined) =>
      Object.fromEntries(
        Object.entries(message?.MessageAttributes ?? {}).map(([key, { DataType, StringValue }]) => [
          key,
          `${DataType ?? ''} ${StringValue ?? ''}`,
        ]),
      );
    async function subscribe(more: Record<string, string>): Promise<string> {
      const url = await newQueue();
      const { QueueArn: arn } = await attributesOf(url);
      await clients.sns.send(
        new SubscribeCommand({ TopicArn: deployed.topicArn, Protocol: 'sqs', Endpoint: arn, Attributes: more }),
      );
      return url;
    }

    rule('delivers the notice itself, with its attributes as those of the message', async () => {
      await publish();
      const [message] = await receive(deployed.notices.url, 0);
      expect(JSON.parse(message?.Body ?? '')).toEqual({
        kind: 'audit',
        event: JSON.parse(JSON.stringify(record)) as unknown,
      });
      expect(shown(message)).toEqual(
        Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, `String ${value}`])),
      );
    });
    rule('delivers an envelope to a subscriber who did not ask for the message itself', async () => {
      const url = await subscribe({});
      await publish();
      const [message] = await receive(url);
      expect(JSON.parse(message?.Body ?? '')).toMatchObject({
        Type: 'Notification',
        TopicArn: deployed.topicArn,
        Message: JSON.stringify({ kind: 'audit', event: record }),
        MessageAttributes: Object.fromEntries(
          Object.entries(attributes).map(([key, Value]) => [key, { Type: 'String', Value }]),
        ),
      });
    });
    const policies: [string, Record<string, unknown>, boolean][] = [
      ['one of its values', { type: ['finding-opened', 'remediated'] }, true],
      ['none of its values', { type: ['remediated'] }, false],
      ['all attributes', { kind: ['audit'], accountId: ['111122223333'] }, true],
      ['one attribute and not the other', { kind: ['audit'], accountId: ['444455556666'] }, false],
      ['a prefix', { region: [{ prefix: 'eu-' }] }, true],
      ['another prefix', { region: [{ prefix: 'us-' }] }, false],
      ['anything but its value', { status: [{ 'anything-but': ['open'] }] }, false],
      ['anything but another', { status: [{ 'anything-but': ['closed'] }] }, true],
      ['an attribute that is there', { eventId: [{ exists: true }] }, true],
      ['an attribute that should not be there', { eventId: [{ exists: false }] }, false],
    ];
    for (const [what, policy, delivered] of policies) {
      rule(`${delivered ? 'delivers' : 'does not deliver'} to a filter policy that asks for ${what}`, async () => {
        const url = await subscribe({ RawMessageDelivery: 'true', FilterPolicy: JSON.stringify(policy) });
        await publish();
        expect(await receive(url)).toHaveLength(delivered ? 1 : 0);
      });
    }
    rule('is the same when it is made again', async () => {
      const { TopicArn: again } = await clients.sns.send(new CreateTopicCommand({ Name: 'kms-rotation-notices' }));
      expect(again).toBe(deployed.topicArn);
    });
  });
});
