import { PATTERN_MODAL, type PatternModalMetadata } from '../contracts/slack-actions.ts';
import type { CoveredKeys, KeyPattern } from '../domain/key-pattern.ts';
import type { PatternGrant } from '../domain/pattern-exemption.ts';
import type { Policy } from '../domain/policy.ts';
import { type PlainText, plainText, type RichTextBlock } from './block.ts';
import { type InputBlock, latestDay, termInputs } from './exemption-modal.ts';
import { coverageSentence, coveredKeyParts, KNOWN_BY_FINDINGS, patternWords } from './pattern-words.ts';
import { richText } from './phrase.ts';
import { accountLabel } from './remedy-call.ts';

/** The form in the shape of views.open; assignable to Slack's `ModalView`. */
export type PatternModal = {
  type: 'modal';
  callback_id: typeof PATTERN_MODAL;
  title: PlainText;
  submit: PlainText;
  close: PlainText;
  private_metadata: string;
  blocks: (RichTextBlock | InputBlock)[];
};

export type PatternForm = {
  metadata: PatternModalMetadata;
  pattern: KeyPattern;
  covered: CoveredKeys;
  /** What holds, when it is to be renewed. */
  grant: PatternGrant | null;
};

/** The form for the exemption of a pattern. What it covers comes first, so that nobody asks for it without seeing that. */
export function renderPatternModal(
  { metadata, pattern, covered, grant }: PatternForm,
  { policy, now }: { policy: Policy; now: string },
): PatternModal {
  const rules = policy.exemptions;
  const { confirmWithinHours } = policy.fourEyes;
  const present = grant === null ? '' : ' What is in force stays so until then.';
  return {
    type: 'modal',
    callback_id: PATTERN_MODAL,
    title: plainText(metadata.purpose === 'renew' ? 'Renew exemption' : 'Exempt keys'),
    submit: plainText('Ask for it'),
    close: plainText('Cancel'),
    private_metadata: JSON.stringify(metadata),
    blocks: [
      {
        type: 'rich_text',
        elements: [
          richText({ bold: 'Keys: ' }, `${patternWords(pattern, policy)}.`),
          richText(coverageSentence(covered)),
          ...coveredKeyParts(covered),
          richText(
            { bold: `And every key in ${accountLabel(pattern, policy)} made later that it means` },
            `, until the exemption ends: nobody is asked about it. ${KNOWN_BY_FINDINGS}`,
          ),
          richText(
            { bold: 'It always takes two: ' },
            `another of those whom the policy names for this has to confirm within ${confirmWithinHours} hours; until then nothing changes.${present}`,
          ),
        ],
      },
      ...termInputs({ present: grant, rules, latest: latestDay(rules, now, grant?.since ?? null), now }),
    ],
  };
}
