import { type MessageAttributeValue, PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { Alert, Notice, NoticeAttributes } from '../contracts/notice.ts';
import type { AuditEvent } from '../domain/audit.ts';
import { parseKeyArn } from '../domain/key.ts';
import type { PatternRecord } from '../domain/pattern-audit.ts';
import type { PatternExemption } from '../domain/pattern-exemption.ts';

/** An alert that is still true a moment later is not news; retries of the same record would repeat it for hours. */
const SAME_ALERT_MS = 10 * 60_000;
/** Far more events than can wait for Slack at the same time in one container. */
const REMEMBERED_EVENTS = 1000;

export type Topic = ReturnType<typeof createTopic>;

/**
 * Publishes notices to SNS. Delivery is at least once: a record that is retried in another container is published
 * again, and subscribers drop what they have by the attribute `eventId`. Bodies stay far below SNS's 256 KB: a key has at most 50 tags of
 * 384 characters, 50 aliases of 256 and a description of 8192 (KMS quotas).
 */
export function createTopic({ client, topicArn }: { client: SNSClient; topicArn: string }) {
  const alerted = new Map<string, number>();
  const published = new Set<string>();

  async function publish(notice: Notice, attributes: NoticeAttributes): Promise<void> {
    await client.send(
      new PublishCommand({
        TopicArn: topicArn,
        Message: JSON.stringify(notice),
        MessageAttributes: messageAttributes(attributes),
      }),
    );
  }

  async function publishOnce(notice: Notice, attributes: NoticeAttributes & { eventId: string }): Promise<void> {
    if (published.has(attributes.eventId)) return;
    await publish(notice, attributes);
    published.add(attributes.eventId);
    const [oldest] = published;
    if (published.size > REMEMBERED_EVENTS && oldest !== undefined) published.delete(oldest);
  }

  return {
    /**
     * Publishes an audit event as it is stored, once per container: behind Slack's rate limit a record is retried every
     * few seconds, perhaps for hours.
     */
    publishAudit: (event: AuditEvent): Promise<void> =>
      publishOnce(
        { kind: 'audit', event },
        {
          kind: 'audit',
          type: event.event.type,
          accountId: event.key.accountId,
          region: event.key.region,
          status: event.statusAfter,
          eventId: event.id,
        },
      ),

    /** The same for an event of an exemption of a pattern. */
    publishPattern: (event: PatternRecord, { pattern }: PatternExemption): Promise<void> =>
      publishOnce(
        { kind: 'pattern-audit', event },
        { kind: 'pattern-audit', type: event.event.type, accountId: pattern.accountId, eventId: event.id },
      ),

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
