import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  type MessageAttributeValue,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSEvent, SQSMessageAttribute, SQSRecord, SQSRecordAttributes } from 'aws-lambda';
import * as z from 'zod';
import type { Invoke } from './invoke.ts';

/** Where a queue's messages are. */
export type QueueCounts = { visible: number; inFlight: number; delayed: number };

export type QueueEventSource = {
  counts: () => Promise<QueueCounts>;
  /** All messages that are not deleted: visible, in flight and delayed. */
  pending: () => Promise<number>;
  /** How many batches are with the function at this moment. */
  running: () => number;
  /** Receives no more; resolves when the last batch has ended, at the latest a second after that. */
  stop: () => Promise<void>;
};

const partialResponseSchema = z
  .object({ batchItemFailures: z.array(z.object({ itemIdentifier: z.string().min(1) })).nullish() })
  .nullish();

/** A poll ends after a second, so that stop() need not abandon one: a message it has just taken would stay hidden. */
const POLL_SECONDS = 1;
const RETRY_DELAY_MS = 200;
/** The most that SQS hands out at once (API_ReceiveMessage). */
const MAX_MESSAGES = 10;
/** Lambda starts with five concurrent batches (Lambda Developer Guide, "Using Lambda with Amazon SQS"). */
const MAX_CONCURRENT_BATCHES = 5;

/**
 * Lambda's event source mapping for SQS. A batch is deleted when the function succeeds; when it throws, every message
 * of it reappears after its visibility timeout. With `reportBatchItemFailures` the messages that the function names
 * stay, and an answer that cannot be understood keeps them all (Developer Guide, "Handling errors for an SQS event
 * source"). `batchSize` is at most 10. `onError` is told when SQS does not answer; the source then tries again.
 */
export function pollQueue({
  client,
  queueUrl,
  queueArn,
  invoke,
  batchSize,
  reportBatchItemFailures,
  onError = (error) => {
    console.error(`queue ${queueArn}:`, error);
  },
}: {
  client: SQSClient;
  queueUrl: string;
  queueArn: string;
  invoke: Invoke;
  batchSize: number;
  reportBatchItemFailures: boolean;
  onError?: (error: unknown) => void;
}): QueueEventSource {
  const batches = new Set<Promise<void>>();
  let stopped = false;

  /** Takes no more than what can be handed over at once: a message that waits here would use up its visibility. */
  async function receive(): Promise<Message[]> {
    const free = (MAX_CONCURRENT_BATCHES - batches.size) * batchSize;
    const { Messages: messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: Math.min(free, MAX_MESSAGES),
        WaitTimeSeconds: POLL_SECONDS,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
    );
    return messages;
  }

  async function handle(messages: readonly Message[]): Promise<void> {
    const event: SQSEvent = { Records: messages.map((message) => toRecord(message, queueArn)) };
    let answer: unknown;
    try {
      answer = await invoke(event);
    } catch {
      // The function's log has the error. The messages come back when their visibility timeout ends.
      return;
    }
    const failed = reportBatchItemFailures ? failedMessageIds(answer, messages) : [];
    await remove(messages.filter(({ MessageId }) => !failed.includes(MessageId ?? '')));
  }

  async function remove(messages: readonly Message[]): Promise<void> {
    if (messages.length === 0) return;
    const Entries = messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
  }

  function start(messages: readonly Message[]): void {
    const batch = handle(messages)
      .catch(onError)
      .finally(() => batches.delete(batch));
    batches.add(batch);
  }

  async function poll(): Promise<void> {
    while (!stopped) {
      try {
        const messages = await receive();
        for (let from = 0; from < messages.length; from += batchSize) start(messages.slice(from, from + batchSize));
      } catch (error) {
        onError(error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS));
      }
      if (batches.size >= MAX_CONCURRENT_BATCHES) await Promise.race(batches);
    }
    await Promise.all(batches);
  }

  async function counts(): Promise<QueueCounts> {
    const { Attributes: attributes } = await client.send(
      new GetQueueAttributesCommand({
        QueueUrl: queueUrl,
        AttributeNames: [
          'ApproximateNumberOfMessages',
          'ApproximateNumberOfMessagesNotVisible',
          'ApproximateNumberOfMessagesDelayed',
        ],
      }),
    );
    return {
      visible: Number(attributes?.ApproximateNumberOfMessages ?? 0),
      inFlight: Number(attributes?.ApproximateNumberOfMessagesNotVisible ?? 0),
      delayed: Number(attributes?.ApproximateNumberOfMessagesDelayed ?? 0),
    };
  }

  const polling = poll();
  return {
    counts,
    async pending() {
      const { visible, inFlight, delayed } = await counts();
      return visible + inFlight + delayed;
    },
    running: () => batches.size,
    async stop() {
      stopped = true;
      await polling;
    },
  };
}

/** The ids that the function named; all of them when its answer makes no sense, as Lambda decides it. */
function failedMessageIds(answer: unknown, messages: readonly Message[]): string[] {
  const all = messages.map(({ MessageId }) => MessageId ?? '');
  if (answer === '') return [];
  const parsed = partialResponseSchema.safeParse(answer);
  if (!parsed.success) return all;
  const named = (parsed.data?.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier);
  return named.every((id) => all.includes(id)) ? named : all;
}

function toRecord(message: Message, queueArn: string): SQSRecord {
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes: toAttributes(message.Attributes ?? {}),
    messageAttributes: Object.fromEntries(
      Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [name, toMessageAttribute(value)]),
    ),
    md5OfBody: message.MD5OfBody ?? '',
    ...(message.MD5OfMessageAttributes === undefined ? {} : { md5OfMessageAttributes: message.MD5OfMessageAttributes }),
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: queueArn.split(':')[3] ?? '',
  };
}

function toAttributes(attributes: Record<string, string>): SQSRecordAttributes {
  return {
    ...attributes,
    ApproximateReceiveCount: attributes['ApproximateReceiveCount'] ?? '1',
    SentTimestamp: attributes['SentTimestamp'] ?? '0',
    SenderId: attributes['SenderId'] ?? '',
    ApproximateFirstReceiveTimestamp: attributes['ApproximateFirstReceiveTimestamp'] ?? '0',
  };
}

function toMessageAttribute({ DataType, StringValue, BinaryValue }: MessageAttributeValue): SQSMessageAttribute {
  return {
    ...(StringValue === undefined ? {} : { stringValue: StringValue }),
    ...(BinaryValue === undefined ? {} : { binaryValue: Buffer.from(BinaryValue).toString('base64') }),
    stringListValues: [],
    binaryListValues: [],
    dataType: DataType ?? 'String',
  };
}
