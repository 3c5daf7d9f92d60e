import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { createTopic, type Topic } from '../../../functions/adapters/topic.ts';
import type { Alert } from '../../../functions/contracts/notice.ts';
import type { AuditEvent } from '../../../functions/domain/audit.ts';
import { type Queues, startQueues } from '../../../sandbox/aws/queues.ts';
import { aKey } from '../../builders.ts';

const keyArn = 'arn:aws:kms:eu-central-1:444455556666:key/11111111-2222-3333-4444-555555555555';
const anEvent: AuditEvent = {
  schema: 1,
  id: 'event-1',
  sequence: 2,
  key: {
    arn: keyArn,
    partition: 'aws',
    region: 'eu-central-1',
    accountId: '444455556666',
    keyId: '11111111-2222-3333-4444-555555555555',
  },
  episode: 1,
  statusBefore: 'open',
  statusAfter: 'open',
  event: { type: 'reminded', at: '2026-03-02T14:00:00.000Z', reminder: 1 },
  cause: { kind: 'clock', id: 'run-1' },
  policyVersion: '1',
  previousHash: '0'.repeat(64),
  hash: 'f'.repeat(64),
};
const anAlert: Alert = {
  kind: 'alert',
  alert: 'slack-refuses',
  at: '2026-03-02T14:00:00.000Z',
  message: 'Slack refuses to show the finding.',
  keyArn,
};

const envelope = z.object({
  Message: z.string(),
  MessageAttributes: z.record(z.string(), z.object({ Type: z.literal('String'), Value: z.string() })),
});

let queues: Queues;
let sns: SNSClient;
let sqs: SQSClient;
let topic: Topic;
let queueUrl: string;
let made = 0;
beforeAll(async () => {
  queues = await startQueues();
  const config = {
    endpoint: queues.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  sns = new SNSClient(config);
  sqs = new SQSClient(config);
});
afterAll(async () => {
  sns.destroy();
  sqs.destroy();
  await queues.close();
});
beforeEach(async () => {
  made += 1;
  const { TopicArn: topicArn = '' } = await sns.send(new CreateTopicCommand({ Name: `notices-${made}` }));
  const { QueueUrl: url = '' } = await sqs.send(new CreateQueueCommand({ QueueName: `notices-${made}` }));
  const { Attributes: attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }),
  );
  await sns.send(new SubscribeCommand({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: attributes?.['QueueArn'] }));
  queueUrl = url;
  topic = createTopic({ client: sns, topicArn });
});

async function delivered(): Promise<{ body: unknown; attributes: Record<string, string> }[]> {
  const { Messages: messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }),
  );
  return messages.map(({ Body }) => {
    const { Message, MessageAttributes } = envelope.parse(JSON.parse(Body ?? ''));
    const attributes = Object.entries(MessageAttributes).map(([name, { Value }]) => [name, Value] as const);
    const body: unknown = JSON.parse(Message);
    return { body, attributes: Object.fromEntries(attributes) };
  });
}

it('publishes an audit event as stored, with attributes to filter on', async () => {
  await topic.publishAudit(anEvent);
  expect(await delivered()).toEqual([
    {
      body: { kind: 'audit', event: anEvent },
      attributes: {
        kind: 'audit',
        type: 'reminded',
        accountId: '444455556666',
        region: 'eu-central-1',
        status: 'open',
        eventId: 'event-1',
      },
    },
  ]);
});

it('publishes an alert, naming account and Region when it is about a key', async () => {
  await topic.publishAlert(anAlert);
  await topic.publishAlert({ ...anAlert, alert: 'policy-unreadable', keyArn: null });
  expect(await delivered()).toEqual([
    {
      body: anAlert,
      attributes: { kind: 'alert', type: 'slack-refuses', accountId: '444455556666', region: 'eu-central-1' },
    },
    {
      body: { ...anAlert, alert: 'policy-unreadable', keyArn: null },
      attributes: { kind: 'alert', type: 'policy-unreadable' },
    },
  ]);
});

it('does not repeat the same alert with every retry', async () => {
  await topic.publishAlert(anAlert);
  await topic.publishAlert({ ...anAlert, at: '2026-03-02T14:00:05.000Z' });
  await topic.publishAlert({ ...anAlert, message: 'Something else.' });
  expect(await delivered()).toHaveLength(2);
});

it('does not repeat an event with every retry, and repeats it when it did not get through', async () => {
  const unreachable = new SNSClient({
    endpoint: 'http://127.0.0.1:1',
    region: 'eu-central-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
  const failing = createTopic({ client: unreachable, topicArn: 'arn:aws:sns:eu-central-1:000000000000:notices' });
  await expect(failing.publishAudit(anEvent)).rejects.toThrow();
  await expect(failing.publishAudit(anEvent)).rejects.toThrow();
  unreachable.destroy();
  await topic.publishAudit(anEvent);
  await topic.publishAudit(anEvent);
  await topic.publishAudit({ ...anEvent, id: 'event-2' });
  expect(await delivered()).toHaveLength(2);
});

it('publishes the event of a key with all the text that KMS allows', async () => {
  const facts = aKey({
    aliases: Array.from({ length: 50 }, () => 'a'.repeat(256)),
    description: 'ä'.repeat(8192),
    tags: Array.from({ length: 50 }, () => ({ key: 'ä'.repeat(128), value: 'ä'.repeat(256) })),
  });
  const trigger = { kind: 'exemption-end' as const, at: '2026-03-02T10:00:00.000Z' };
  const event = {
    ...{ type: 'finding-reassessed' as const, at: '2026-03-02T10:00:00.000Z', facts, trigger },
    assessment: { verdict: 'rotation-off' as const },
  };
  await topic.publishAudit({ ...anEvent, event });
  expect((await delivered()).map(({ attributes }) => attributes['type'])).toEqual(['finding-reassessed']);
});
