import { type Finding, severityOf } from '../domain/finding.ts';
import type { Block } from './block.ts';
import { keyName } from './key-facts.ts';
import { type Phrase, richText, spoken } from './phrase.ts';
import { plain } from './plain.ts';
import { findingSentence } from './problem-sentence.ts';
import { accountLabel } from './remedy-call.ts';
import type { ReplyContext } from './thread-reply.ts';

/** What the second channel is told of a finding that nobody answered; where it still stands, `link` leads to its message. */
export function renderEscalation(
  finding: Finding,
  { policy, link }: Pick<ReplyContext, 'policy'> & { link: string | null },
): { text: string; blocks: Block[] } {
  const { key, facts, route } = finding;
  const phrases: Phrase[] = [
    { bold: 'Nobody has decided: ' },
    `${keyName(key, facts)} in ${accountLabel(key, policy)}, ${plain(key.region, 40)}. `,
    ...[`Severity ${severityOf(finding)}. `, ...findingSentence(finding)],
    ...[' Open since ', { time: finding.openedAt }, `, route "${plain(route, 80)}".`],
  ];
  if (link !== null) phrases.push(' ', { link, label: 'To the finding' });
  return { text: spoken(...phrases), blocks: [{ type: 'rich_text', elements: [richText(...phrases)] }] };
}

/** What the second channel is told, once, of findings of a digest that nobody answered. */
export function renderDigestEscalation(link: string | null): { text: string; blocks: Block[] } {
  const phrases: Phrase[] = [
    { bold: 'Nobody has decided: ' },
    'some findings of a storm, which share one message, still wait for a decision.',
  ];
  if (link !== null) phrases.push(' ', { link, label: 'To the findings' });
  return { text: spoken(...phrases), blocks: [{ type: 'rich_text', elements: [richText(...phrases)] }] };
}
