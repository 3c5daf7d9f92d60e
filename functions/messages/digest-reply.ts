import type { AuditEvent } from '../domain/audit.ts';
import type { Finding } from '../domain/finding.ts';
import type { Policy } from '../domain/policy.ts';
import type { Block } from './block.ts';
import { failureSentence } from './failure-sentence.ts';
import { keyName } from './key-facts.ts';
import { type Phrase, richText, spoken } from './phrase.ts';
import { approvers, renderReply } from './thread-reply.ts';

/** A reply below a digest. `part` names it: what would say the same again has the same one. */
export type DigestReply = { part: string; text: string; blocks: Block[]; broadcast: boolean };

/** The reply below a digest to an event of one of its members, or null for what the digest itself tells well enough. */
export function renderDigestReply(
  record: AuditEvent,
  context: { policy: Policy; now: string; finding: Finding },
): DigestReply | null {
  const { event } = record;
  const { finding } = context;
  switch (event.type) {
    case 'reminded':
      return reply(`reminder-${event.reminder}`, [
        `Some of these findings still wait for a decision (reminder ${event.reminder}). `,
        ...approvers(context),
      ]);
    case 'escalated':
      return reply(
        'escalated',
        ['Escalated: nobody has decided about some of these keys yet. ', ...approvers(context)],
        true,
      );
    case 'remediation-failed':
      return reply(
        `failed-${event.at.slice(0, 16)}`,
        [
          `Remediation of ${keyName(finding.key, finding.facts)} failed. `,
          ...failureSentence(event.failure),
          ' If more failed in the same minute, "Review" lists them. ',
          ...approvers(context),
        ],
        true,
      );
    case 'exemption-granted':
    case 'exemption-renewed':
      // Of all keys of a pattern the pattern's own message tells, once.
      return event.exemption.pattern === undefined ? aboutOneKey(record, context) : null;
    case 'exemption-shortened':
    case 'exemption-end-accepted':
    case 'confirmation-requested':
    case 'request-withdrawn':
    case 'request-lapsed':
      // One key, and an owner, or a second person, who has to hear of it.
      return aboutOneKey(record, context);
    case 'finding-opened':
    case 'finding-reassessed':
    case 'finding-closed':
    case 'mode-changed':
    case 'recheck-requested':
    case 'rechecked':
    case 'remediation-approved':
    case 'back-out-approved':
    case 'remediation-started':
    case 'remediated':
    case 'backed-out':
    case 'remediation-overdue':
    case 'exemption-revoked':
    case 'exemption-expired':
    case 'exemption-reminded':
    case 'command-refused':
      return null;
  }
}

/** What the thread of the finding's own message would say, under the name of the key. */
function aboutOneKey(
  record: AuditEvent,
  context: { policy: Policy; now: string; finding: Finding },
): DigestReply | null {
  const told = renderReply(record, context);
  if (told === null) return null;
  const name = `${keyName(context.finding.key, context.finding.facts)}:`;
  return {
    part: `${record.key.arn}#${record.sequence}`,
    text: `${spoken(name)} ${told.text}`,
    blocks: [{ type: 'rich_text', elements: [richText({ bold: name })] }, ...told.blocks],
    broadcast: false,
  };
}

function reply(part: string, phrases: Phrase[], broadcast = false): DigestReply {
  const blocks: Block[] = [{ type: 'rich_text', elements: [richText(...phrases)] }];
  return { part, text: spoken(...phrases), blocks, broadcast };
}
