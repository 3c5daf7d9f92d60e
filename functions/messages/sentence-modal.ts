import { type PlainText, plainText } from './block.ts';

/** Titles of a modal that has one sentence and nothing to fill in; Slack allows 24 characters. */
type SentenceTitle = 'Nothing was changed' | 'Not finished' | 'Review findings';

/** The modal in the shape of views.open; assignable to Slack's `ModalView`. */
export type SentenceModal = {
  type: 'modal';
  title: PlainText;
  close: PlainText;
  blocks: { type: 'section'; text: PlainText }[];
};

/** A modal that says why a form or a list is not shown any more. */
export function renderSentence(title: SentenceTitle, text: string): SentenceModal {
  return {
    type: 'modal',
    title: plainText(title),
    close: plainText('Close'),
    blocks: [{ type: 'section', text: plainText(text) }],
  };
}
