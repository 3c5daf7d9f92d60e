import type { ApproveAllRef, ButtonId, FindingRef, PageRef, PatternRef } from '../contracts/slack-actions.ts';

/**
 * The part of Slack's Block Kit that the bot writes. Nothing here is mrkdwn, so nothing that somebody else chose can
 * become formatting, a link or a mention. Narrower than, and assignable to, Slack's own `KnownBlock`.
 */
export type Block = HeaderBlock | RichTextBlock | ActionsBlock;

export type PlainText = { type: 'plain_text'; text: string; emoji: false };
export type Leaf =
  | { type: 'text'; text: string; style?: { bold: true } }
  | { type: 'link'; url: string; text: string }
  | { type: 'user'; user_id: string }
  | { type: 'usergroup'; usergroup_id: string }
  | { type: 'date'; timestamp: number; format: string; fallback: string };
export type RichTextSection = { type: 'rich_text_section'; elements: Leaf[] };
export type RichTextPart =
  | RichTextSection
  | { type: 'rich_text_list'; style: 'bullet'; elements: RichTextSection[] }
  | { type: 'rich_text_preformatted'; elements: { type: 'text'; text: string }[] };
export type HeaderBlock = { type: 'header'; text: PlainText };
export type RichTextBlock = { type: 'rich_text'; elements: RichTextPart[] };
export type Confirm = { title: PlainText; text: PlainText; confirm: PlainText; deny: PlainText };
export type Button = {
  type: 'button';
  action_id: ButtonId;
  text: PlainText;
  value: string;
  style?: 'primary' | 'danger';
  confirm?: Confirm;
};
export type ActionsBlock = { type: 'actions'; block_id?: string; elements: Button[] };

export function plainText(text: string): PlainText {
  return { type: 'plain_text', text, emoji: false };
}

export function header(text: string): HeaderBlock {
  return { type: 'header', text: plainText(text) };
}

export function preformatted(text: string): RichTextPart {
  return { type: 'rich_text_preformatted', elements: [{ type: 'text', text }] };
}

/** A button; its value says only which finding, digest or exemption it was drawn for, never in what state. */
export function button(
  id: ButtonId,
  label: string,
  subject: FindingRef | ApproveAllRef | PageRef | PatternRef,
  extra: Pick<Button, 'style' | 'confirm'> = {},
): Button {
  return { type: 'button', action_id: id, text: plainText(label), value: JSON.stringify(subject), ...extra };
}

/** The dialog that Slack shows before a click counts. `text` has at most 300 characters. */
export function confirmation(title: string, text: string, confirm: string): Confirm {
  return { title: plainText(title), text: plainText(text), confirm: plainText(confirm), deny: plainText('Cancel') };
}
