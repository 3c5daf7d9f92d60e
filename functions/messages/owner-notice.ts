import type { AuditEvent } from '../domain/audit.ts';
import type { ExemptionTerms } from '../domain/exemption.ts';
import type { PersonRef } from '../domain/people.ts';
import type { Policy } from '../domain/policy.ts';
import type { Block } from './block.ts';
import { keyName } from './key-facts.ts';
import { type Phrase, richText, spoken } from './phrase.ts';
import { plain } from './plain.ts';
import { accountLabel } from './remedy-call.ts';
import type { ReplyContext } from './thread-reply.ts';

/** What the owner of an exemption is told by direct message. */
export type OwnerNotice = { owner: PersonRef; text: string; blocks: Block[] };

/**
 * What an event tells the owner of an exemption, or null when it tells them nothing: that they answer for one, and until
 * when; that it ends earlier; that it ends soon. `link` leads to the message of the finding, where it still stands.
 */
export function renderOwnerNotice(
  record: AuditEvent,
  context: ReplyContext & { link: string | null },
): OwnerNotice | null {
  const news = newsFor(record);
  if (news === null) return null;
  const { policy, finding, link } = context;
  const phrases = [...news.phrases, ...keyWords(record, finding.facts, policy)];
  if (link !== null) phrases.push(' ', { link, label: 'To the finding' });
  return {
    owner: news.owner,
    text: spoken(...phrases),
    blocks: [{ type: 'rich_text', elements: [richText(...phrases)] }],
  };
}

/** Whether an event tells an owner anything. */
export function concernsOwner(record: AuditEvent): boolean {
  return newsFor(record) !== null;
}

function newsFor({ event }: AuditEvent): { owner: PersonRef; phrases: Phrase[] } | null {
  switch (event.type) {
    case 'exemption-granted':
    case 'exemption-renewed':
    case 'backed-out': {
      const { exemption } = event;
      // For all keys of a pattern the owner is told once.
      if (exemption.pattern !== undefined) return null;
      return { owner: exemption.owner, phrases: answering(exemption, exemption.grantedBy) };
    }
    case 'exemption-shortened':
      return {
        owner: event.owner,
        phrases: [{ person: event.by }, ' shortened your exemption: it now ends ', { time: event.until }, '.'],
      };
    case 'exemption-reminded': {
      const days = event.daysLeft === 1 ? '1 day' : `${event.daysLeft} days`;
      const choice = 'Renew it, let it run out, or have the key fixed now: the message has the buttons.';
      return { owner: event.owner, phrases: [`Your exemption ends in ${days}. ${choice}`] };
    }
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
    case 'remediation-failed':
    case 'remediation-overdue':
    case 'confirmation-requested':
    case 'request-withdrawn':
    case 'request-lapsed':
    case 'exemption-end-accepted':
    case 'exemption-revoked':
    case 'exemption-expired':
    case 'reminded':
    case 'escalated':
    case 'command-refused':
      return null;
  }
}

function answering({ until, reason, ticket }: ExemptionTerms, grantedBy: PersonRef): Phrase[] {
  return [
    ...[{ person: grantedBy }, ' named you as the owner of an exemption until ', { time: until }],
    `: you answer for a KMS key that does not rotate. Reason: ${plain(reason, 300)}`,
    ticket === null ? '.' : ` (ticket ${plain(ticket, 100)}).`,
  ];
}

function keyWords({ key }: AuditEvent, facts: ReplyContext['finding']['facts'], policy: Policy): Phrase[] {
  return [` Key: ${keyName(key, facts)} in ${accountLabel(key, policy)}, ${plain(key.region, 40)}.`];
}
