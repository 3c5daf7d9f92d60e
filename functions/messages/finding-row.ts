import { type Finding, severityOf } from '../domain/finding.ts';
import type { Block } from './block.ts';
import { failureSentence } from './failure-sentence.ts';
import { buttonsFor, type FindingContext, stateWord } from './finding-message.ts';
import { keyName } from './key-facts.ts';
import { patternSource } from './pattern-words.ts';
import { decider, type Phrase, richText } from './phrase.ts';
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
      return ['By ', decider(finding.approval.by), ' ', { time: finding.approval.at }, '; it is under way.'];
    case 'remediated':
      return [
        'Read back from KMS ',
        { time: finding.proof.readAt },
        ', approved by ',
        decider(finding.approval.by),
        '.',
      ];
    case 'failed':
      return [...failureSentence(finding.failure), ' Failed ', { time: finding.failedAt }, '.'];
    case 'exempt': {
      const { until, owner, grantedBy, reason } = finding.exemption;
      const who: Phrase[] = [', owner ', { person: owner }, ', granted by ', { person: grantedBy }];
      return ['Until ', { time: until }, patternSource(finding.exemption), ...who, `, reason: ${plain(reason, 150)}.`];
    }
    case 'closed':
      return ['Settled ', { time: finding.closedAt }, '.'];
  }
}
