import * as z from 'zod/mini';
import type { AuditEvent } from '../domain/audit.ts';
import type { PatternRecord } from '../domain/pattern-audit.ts';

/** What goes wrong without anybody having decided anything; subscribers are people who run the bot. */
export type Alert = {
  kind: 'alert';
  /** A stable word to filter on. */
  alert: 'slack-refuses' | 'policy-unreadable' | 'finding-unanswered' | 'remediation-overdue' | 'account-unreachable';
  at: string;
  /** One plain sentence. */
  message: string;
  keyArn: string | null;
};

/** The body of an SNS message: an audit event of a key or of a pattern as stored, or an alert. */
export type Notice = { kind: 'audit'; event: AuditEvent } | { kind: 'pattern-audit'; event: PatternRecord } | Alert;

/**
 * Message attributes for subscription filters; all of type String. `eventId` lets subscribers drop the duplicates
 * that at-least-once delivery may bring.
 */
export const noticeAttributes = z.object({
  kind: z.enum(['audit', 'pattern-audit', 'alert']),
  type: z.string(),
  accountId: z.optional(z.string()),
  region: z.optional(z.string()),
  status: z.optional(z.string()),
  eventId: z.optional(z.string()),
});
export type NoticeAttributes = z.infer<typeof noticeAttributes>;
