import type { AuditEvent } from '../domain/audit.ts';
import type { Finding } from '../domain/finding.ts';
import type { Policy } from '../domain/policy.ts';
import type { Block } from './block.ts';
import { failureSentence } from './failure-sentence.ts';
import { keyName } from './key-facts.ts';
import { type Phrase, richText, spoken } from './phrase.ts';
import { approvers } from './thread-reply.ts';

/** A reply below a digest. `part` names it: what would say the same again has the same one. */
export type DigestReply = { part: string; text: string; blocks: Block[]; broadcast: boolean };

/** The reply below a digest to an event of one of its members, or null for what the digest itself tells well enough. */
export function renderDigestReply(
  { event }: AuditEvent,
  context: { policy: Policy; now: string; finding: Finding },
): DigestReply | null {
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
    case 'finding-opened':
    case 'finding-reassessed':
    case 'finding-closed':
    case 'recheck-requested':
    case 'rechecked':
    case 'remediation-approved':
    case 'back-out-approved':
    case 'remediation-started':
    case 'remediated':
    case 'backed-out':
    case 'remediation-overdue':
    case 'exemption-granted':
    case 'exemption-renewed':
    case 'exemption-revoked':
    case 'exemption-expired':
    case 'exemption-reminded':
    case 'command-refused':
      return null;
  }
}

function reply(part: string, phrases: Phrase[], broadcast = false): DigestReply {
  const blocks: Block[] = [{ type: 'rich_text', elements: [richText(...phrases)] }];
  return { part, text: spoken(...phrases), blocks, broadcast };
}
