import { DIGEST_BUTTON, type PageRef, REVIEW_MODAL } from '../contracts/slack-actions.ts';
import type { DigestSummary } from '../domain/digest.ts';
import { type Finding, severityOf } from '../domain/finding.ts';
import type { Policy } from '../domain/policy.ts';
import { type ActionsBlock, type Button, button, type PlainText, plainText, type RichTextBlock } from './block.ts';
import { statesPhrase } from './digest-message.ts';
import { buttonsFor, stateSentence, stateWord } from './finding-message.ts';
import { keyName } from './key-facts.ts';
import { type Phrase, richText } from './phrase.ts';
import { plain } from './plain.ts';
import { findingSentence } from './problem-sentence.ts';
import { accountLabel } from './remedy-call.ts';

/** The list in the shape of views.open; assignable to Slack's `ModalView`. */
export type ReviewModal = {
  type: 'modal';
  callback_id: typeof REVIEW_MODAL;
  title: PlainText;
  close: PlainText;
  private_metadata: string;
  blocks: (RichTextBlock | ActionsBlock)[];
};

export type ReviewPage = {
  page: PageRef;
  /** The page's findings as they are now, in order. */
  findings: readonly Finding[];
  /** Where the next page begins; null on the last. */
  next: string | null;
  /** Counts of the whole digest as it was last rendered; null before that. */
  summary: DigestSummary | null;
  /** What came of the last click, for the person who clicked. */
  notice: string | null;
};

/** Findings on a page: two blocks each, and Slack takes a hundred in a view. */
export const PAGE_SIZE = 20;

/** One page of a digest's findings, each with the buttons that its own message would have. */
export function renderReview(review: ReviewPage, context: { policy: Policy; now: string }): ReviewModal {
  const { page, findings, next, summary, notice } = review;
  const pages: Button[] = [
    button(DIGEST_BUTTON.samePage, 'Refresh', page),
    ...(page.after === '' ? [] : [button(DIGEST_BUTTON.firstPage, 'Back to the first', { ...page, after: '' })]),
    ...(next === null ? [] : [button(DIGEST_BUTTON.nextPage, 'Next page', { ...page, after: next })]),
  ];
  const counts =
    summary === null
      ? ''
      : `${summary.total === 1 ? '1 finding' : `${summary.total} findings`}: ${statesPhrase(summary)}. `;
  return {
    type: 'modal',
    callback_id: REVIEW_MODAL,
    title: plainText('Review findings'),
    close: plainText('Close'),
    private_metadata: JSON.stringify(page),
    blocks: [
      ...(notice === null ? [] : [paragraph({ bold: plain(notice, 500) })]),
      paragraph(counts, findings.length === 0 ? 'There is nothing on this page.' : 'What waits comes first.'),
      ...findings.flatMap((finding) => rowOf(finding, context)),
      { type: 'actions', block_id: 'pages', elements: pages },
    ],
  };
}

function rowOf(finding: Finding, context: { policy: Policy; now: string }): (RichTextBlock | ActionsBlock)[] {
  const { key, facts, episode } = finding;
  const buttons = buttonsFor(finding, context);
  return [
    {
      type: 'rich_text',
      elements: [
        richText({ bold: `${keyName(key, facts)}: ` }, stateWord(finding)),
        richText(
          `${accountLabel(key, context.policy)}, ${plain(key.region, 40)}. `,
          finding.status === 'open' ? `Severity ${severityOf(finding)}. ` : '',
          ...(finding.status === 'open' ? findingSentence(finding) : stateSentence(finding, context)),
        ),
      ],
    },
    ...(buttons.length === 0
      ? []
      : [{ type: 'actions' as const, block_id: `${key.arn}#${episode}`.slice(-255), elements: buttons }]),
  ];
}

function paragraph(...phrases: Phrase[]): RichTextBlock {
  return { type: 'rich_text', elements: [richText(...phrases)] };
}
