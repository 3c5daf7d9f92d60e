import { type Finding, severityOf } from '../domain/finding.ts';
import type { Block } from './block.ts';
import { buttonsFor, type FindingContext, stateWord } from './finding-message.ts';
import { keyName } from './key-facts.ts';
import { type Phrase, richText } from './phrase.ts';
import { plain } from './plain.ts';
import { findingSentence } from './problem-sentence.ts';
import { accountLabel } from './remedy-call.ts';

/**
 * One finding among many: what it is, where, and what can be decided about it, with the same buttons as its own
 * message. At most two blocks.
 */
export function renderFindingRow(finding: Finding, context: FindingContext): Block[] {
  const { key, facts } = finding;
  const buttons = finding.mode === 'observe' ? [] : buttonsFor(finding, context);
  const where = `${accountLabel(key, context.policy)}, ${plain(key.region, 40)}`;
  return [
    {
      type: 'rich_text',
      elements: [
        richText({ bold: keyName(key, facts) }, ` in ${where}`),
        richText(`${stateWord(finding)}. `, ...sinceWhen(finding)),
      ],
    },
    ...(buttons.length === 0 ? [] : [{ type: 'actions' as const, elements: buttons }]),
  ];
}

function sinceWhen(finding: Finding): Phrase[] {
  switch (finding.status) {
    case 'open':
      return [...findingSentence(finding), ` Severity ${severityOf(finding)}, asked `, { time: finding.askedAt }, '.'];
    case 'approved':
      return ['Approved ', { time: finding.approval.at }, '; remediation under way.'];
    case 'remediated':
      return ['Read back from KMS ', { time: finding.proof.readAt }, '.'];
    case 'failed':
      return ['Failed ', { time: finding.failedAt }, '; it waits for a decision.'];
    case 'exempt':
      return ['Until ', { time: finding.exemption.until }, ', owner ', { person: finding.exemption.owner }, '.'];
    case 'closed':
      return ['Settled ', { time: finding.closedAt }, '.'];
  }
}
