import { PATTERN_BUTTON } from '../contracts/slack-actions.ts';
import type { PatternEvent, PatternExemption } from '../domain/pattern-exemption.ts';
import type { Policy } from '../domain/policy.ts';
import { button } from './block.ts';
import type { OwnerNotice } from './owner-notice.ts';
import { patternWords } from './pattern-words.ts';
import { type Phrase, richText, spoken } from './phrase.ts';
import { plain } from './plain.ts';

type Noticed = Extract<PatternEvent, { type: 'pattern-confirmed' | 'pattern-reminded' }>;

/** Whether an event of a pattern's exemption tells its owner anything. */
export function concernsPatternOwner(event: PatternEvent): event is Noticed {
  return event.type === 'pattern-confirmed' || event.type === 'pattern-reminded';
}

/**
 * What the owner of an exemption of a pattern is told by direct message, once for all its keys: that they answer for it,
 * and that it ends soon, with what they can do. `exemption` is as the event left it; `link` leads to its message.
 */
export function renderPatternOwnerNotice(
  event: PatternEvent,
  { exemption, policy, link }: { exemption: PatternExemption; policy: Policy; link: string | null },
): OwnerNotice | null {
  const { grant, pattern, id } = exemption;
  if (!concernsPatternOwner(event) || grant === null) return null;
  const which: Phrase = ` Keys: ${patternWords(pattern, policy)}.`;
  const phrases = [...newsPhrases(event, grant), which];
  if (link !== null) phrases.push(' ', { link, label: 'To the exemption' });
  const blocks: OwnerNotice['blocks'] = [{ type: 'rich_text', elements: [richText(...phrases)] }];
  if (event.type === 'pattern-reminded') {
    const elements = [
      button(PATTERN_BUTTON.letEnd, 'Let it run out', { pattern: id }),
      button(PATTERN_BUTTON.renew, 'Renew…', { pattern: id }),
    ];
    blocks.push({ type: 'actions', elements });
  }
  return { owner: grant.owner, text: spoken(...phrases), blocks };
}

function newsPhrases(event: Noticed, grant: NonNullable<PatternExemption['grant']>): Phrase[] {
  const { grantedBy, confirmedBy, until, reason, ticket } = grant;
  switch (event.type) {
    case 'pattern-confirmed':
      return [
        ...[{ person: grantedBy }, ' and ', { person: confirmedBy }, ' named you as the owner of an exemption until '],
        ...[{ time: until }, ': you answer for all keys of a pattern, and for those made later, not being rotated. '],
        `Reason: ${plain(reason, 300)}${ticket === null ? '.' : ` (ticket ${plain(ticket, 100)}).`}`,
      ];
    case 'pattern-reminded': {
      const days = event.daysLeft === 1 ? '1 day' : `${event.daysLeft} days`;
      return [
        `Your exemption of many keys ends in ${days}; then the approvers of each key are asked. Let it run out, or have it renewed: an approver asks for that, and a second one confirms.`,
      ];
    }
  }
}
