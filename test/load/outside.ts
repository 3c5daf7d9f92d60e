import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetQueueAttributesCommand, ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { auditEventSchema, findingSchema } from '../../functions/contracts/records.ts';
import type { AuditEvent } from '../../functions/domain/audit.ts';
import type { Finding } from '../../functions/domain/finding.ts';

/** A top-level message of the bot in a channel. */
export type RootMessage = { channel: string; ts: string; postId: string; blocks: unknown };
/** One key's partition of the table. */
export type KeyRecords = { snapshots: { finding: Finding; sequence: number; hash: string }[]; events: AuditEvent[] };
/** Everything there is to see from outside once all has settled. */
export type World = {
  messages: RootMessage[];
  replies: number;
  rotationOf: Map<string, boolean>;
  records: Map<string, KeyRecords>;
  /** Messages in each queue: visible, in flight and delayed. */
  queues: Map<string, number>;
  onTheWay: Record<string, number>;
  givenUp: number;
};

const stateSchema = z.object({
  channels: z.array(
    z.object({
      id: z.string(),
      messages: z.array(
        z.object({
          ts: z.string(),
          blocks: z.unknown(),
          deleted: z.boolean().optional(),
          metadata: z.object({ event_payload: z.object({ post_id: z.string() }) }).optional(),
          replies: z.array(z.object({ ts: z.string() })),
        }),
      ),
    }),
  ),
  keys: z.array(z.object({ arn: z.string(), rotation: z.object({ enabled: z.boolean() }) })),
  onTheWay: z.record(z.string(), z.number()),
  givenUp: z.array(z.unknown()),
});
const snapshotRow = z.object({ pk: z.string(), sequence: z.number(), hash: z.string(), finding: findingSchema });
const eventRow = z.object({ pk: z.string(), record: auditEventSchema });
const settledSchema = z.object({
  waitedMs: z.number(),
  pending: z.union([z.literal(0), z.record(z.string(), z.number())]),
});

const ACCESS = {
  region: 'eu-central-1',
  credentials: { accessKeyId: '111122223333', secretAccessKey: 'simulated' },
};

/** Waits until nothing is on the way any more; false, with where it is, when that took longer. */
export async function untilSettled(awsUrl: string, atMostSeconds: number): Promise<z.infer<typeof settledSchema>> {
  const response = await fetch(`${awsUrl}/sandbox/settle`, { method: 'POST', body: JSON.stringify({ atMostSeconds }) });
  return settledSchema.parse(await response.json());
}

/** The bot's messages, for people who want to click them. */
export async function rootMessages(awsUrl: string): Promise<RootMessage[]> {
  return messagesOf(await stateOf(awsUrl));
}

/** Looks at everything through AWS's own APIs and the sandbox's page, at a moment when the minute's sweep does not run. */
export async function lookAtWorld(awsUrl: string): Promise<World> {
  let state = await stateOf(awsUrl);
  for (let left = 10; left > 0 && Object.keys(state.onTheWay).length > 0; left -= 1) {
    await untilSettled(awsUrl, 10);
    state = await stateOf(awsUrl);
  }
  return {
    messages: messagesOf(state),
    replies: state.channels.reduce(
      (sum, { messages }) => sum + messages.reduce((n, { replies }) => n + replies.length, 0),
      0,
    ),
    rotationOf: new Map(state.keys.map(({ arn, rotation }) => [arn, rotation.enabled])),
    ...{ onTheWay: state.onTheWay, givenUp: state.givenUp.length },
    records: await scanTable(awsUrl),
    queues: await countQueues(awsUrl),
  };
}

async function stateOf(awsUrl: string): Promise<z.infer<typeof stateSchema>> {
  return stateSchema.parse(await (await fetch(`${awsUrl}/sandbox/state`)).json());
}

function messagesOf({ channels }: z.infer<typeof stateSchema>): RootMessage[] {
  return channels.flatMap(({ id, messages }) =>
    messages.flatMap(({ ts, blocks, metadata, deleted }) =>
      metadata === undefined || deleted === true
        ? []
        : [{ channel: id, ts, blocks, postId: metadata.event_payload.post_id }],
    ),
  );
}

async function scanTable(awsUrl: string): Promise<World['records']> {
  const dynamodb = new DynamoDBClient({ ...ACCESS, endpoint: awsUrl });
  const records: World['records'] = new Map();
  const of = (pk: string) => {
    const arn = pk.slice('KEY#'.length);
    const known = records.get(arn) ?? { snapshots: [], events: [] };
    records.set(arn, known);
    return known;
  };
  try {
    const client = DynamoDBDocumentClient.from(dynamodb);
    for await (const page of paginateScan({ client }, { TableName: 'kms-rotation-bot' })) {
      for (const item of page.Items ?? []) {
        const sk: unknown = item['sk'];
        if (sk === 'FINDING') {
          const { pk, ...snapshot } = snapshotRow.parse(item);
          of(pk).snapshots.push(snapshot);
        } else if (typeof sk === 'string' && sk.startsWith('EVENT#')) {
          const { pk, record } = eventRow.parse(item);
          of(pk).events.push(record);
        }
      }
    }
  } finally {
    dynamodb.destroy();
  }
  for (const { events } of records.values()) events.sort((a, b) => a.sequence - b.sequence);
  return records;
}

async function countQueues(awsUrl: string): Promise<World['queues']> {
  const client = new SQSClient({ ...ACCESS, endpoint: awsUrl });
  try {
    const { QueueUrls: urls = [] } = await client.send(new ListQueuesCommand({}));
    const counts = urls.map(async (QueueUrl): Promise<[string, number]> => {
      const { Attributes: answered = {} } = await client.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
      );
      const places = ['', 'NotVisible', 'Delayed'].map((place) =>
        Number(new Map(Object.entries(answered)).get(`ApproximateNumberOfMessages${place}`) ?? 0),
      );
      return [QueueUrl.split('/').at(-1) ?? QueueUrl, places.reduce((a, b) => a + b, 0)];
    });
    return new Map(await Promise.all(counts));
  } finally {
    client.destroy();
  }
}
