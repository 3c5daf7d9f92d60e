import { type MessageAttributeValue, PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { Alert, Notice, NoticeAttributes } from '../contracts/notice.ts';
import type { AuditEvent } from '../domain/audit.ts';
import { parseKeyArn } from '../domain/key.ts';

/** An alert that is still true a moment later is not news; retries of the same record would repeat it for hours. */
const SAME_ALERT_MS = 10 * 60_000;

export type Topic = ReturnType<typeof createTopic>;

/**
 * Publishes notices to SNS. Delivery is at least once: a record that is retried is published again, and subscribers
 * drop what they have by the attribute `eventId`. Bodies stay far below SNS's 256 KB: a key has at most 50 tags of
 * 384 characters, 50 aliases of 256 and a description of 8192 (KMS quotas).
 */
export function createTopic({ client, topicArn }: { client: SNSClient; topicArn: string }) {
  const alerted = new Map<string, number>();

  async function publish(notice: Notice, attributes: NoticeAttributes): Promise<void> {
    await client.send(
      new PublishCommand({
        TopicArn: topicArn,
        Message: JSON.stringify(notice),
        MessageAttributes: messageAttributes(attributes),
      }),
    );
  }

  return {
    /** Publishes an audit event as it is stored. */
    async publishAudit(event: AuditEvent): Promise<void> {
      await publish(
        { kind: 'audit', event },
        {
          kind: 'audit',
          type: event.event.type,
          accountId: event.key.accountId,
          region: event.key.region,
          status: event.statusAfter,
          eventId: event.id,
        },
      );
    },

    /** Publishes an alert, the same one (kind, key and sentence) at most once in 10 minutes per container. */
    async publishAlert(alert: Alert): Promise<void> {
      const subject = JSON.stringify([alert.alert, alert.keyArn, alert.message]);
      for (const [other, at] of alerted) if (Math.abs(Date.now() - at) >= SAME_ALERT_MS) alerted.delete(other);
      if (alerted.has(subject)) return;
      const key = alert.keyArn === null ? null : parseKeyArn(alert.keyArn);
      await publish(alert, {
        kind: 'alert',
        type: alert.alert,
        ...(key === null ? {} : { accountId: key.accountId, region: key.region }),
      });
      alerted.set(subject, Date.now());
    },
  };
}

function messageAttributes(attributes: NoticeAttributes): Record<string, MessageAttributeValue> {
  return Object.fromEntries(
    Object.entries(attributes)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
  );
}
