import * as z from 'zod/mini';
import {
  EXEMPTION_FIELD,
  EXEMPTION_MODAL,
  type ExemptionModalMetadata,
  type ExemptionPurpose,
  type FindingRef,
} from '../contracts/slack-actions.ts';
import type { FourEyes } from '../domain/commands.ts';
import { type ExemptionRefusal, latestEnd } from '../domain/exemption.ts';
import { type Finding, firstExempt } from '../domain/finding.ts';
import type { Policy } from '../domain/policy.ts';
import { type PlainText, plainText, type RichTextBlock } from './block.ts';
import { keyName } from './key-facts.ts';
import { richText, slackUserId, utc } from './phrase.ts';
import { plain } from './plain.ts';
import { totalSentence } from './refusal-sentence.ts';
import { accountLabel, remedyCall } from './remedy-call.ts';
import { whyTwoPeople } from './request-sentence.ts';

type Field = keyof typeof EXEMPTION_FIELD;
type InputElement =
  | { type: 'users_select'; action_id: Field; initial_user?: string }
  | { type: 'datepicker'; action_id: Field; initial_date: string }
  | {
      type: 'plain_text_input';
      action_id: Field;
      multiline: boolean;
      min_length?: number;
      max_length: number;
      initial_value?: string;
    };
type InputBlock = {
  type: 'input';
  block_id: Field;
  label: PlainText;
  hint?: PlainText;
  optional: boolean;
  element: InputElement;
};

/** The modal in the shape of views.open; assignable to Slack's `ModalView`. */
export type ExemptionModal = {
  type: 'modal';
  callback_id: typeof EXEMPTION_MODAL;
  title: PlainText;
  submit: PlainText;
  close: PlainText;
  private_metadata: string;
  blocks: (RichTextBlock | InputBlock)[];
};

export type ExemptionForm = {
  finding: Finding;
  purpose: ExemptionPurpose;
  policy: Policy;
  now: string;
  /** Set when somebody else has to confirm the terms. */
  fourEyes: FourEyes | null;
  /** What the clicked button was rendered for: it travels with the modal, so that a late submission is noticed. */
  ref: FindingRef;
  fromHome?: boolean;
  /** The list that lies under the form, if it was opened from one. */
  list?: ExemptionModalMetadata['list'];
};

const DAY = 86_400_000;
const USUAL_DAYS = 30;
const LONGEST_REASON = 1000;
const LONGEST_TICKET = 200;

/** The form for an exemption's terms: new, renewed (filled with the present terms), or following a back-out. */
export function renderExemptionModal({
  finding,
  purpose,
  policy,
  now,
  fourEyes,
  ref,
  fromHome,
  list,
}: ExemptionForm): ExemptionModal {
  const { key, facts } = finding;
  const rules = policy.exemptions;
  const present = purpose === 'renew-exemption' && finding.status === 'exempt' ? finding.exemption : null;
  const owner = present === null ? null : slackUserId(present.owner.userId);
  const reason = present === null ? '' : plain(present.reason, LONGEST_REASON);
  const ticket = plain(present?.ticket ?? '', LONGEST_TICKET);
  const latest = latestDay(finding, policy, now);
  const metadata: ExemptionModalMetadata = {
    ...{ finding: ref, purpose },
    ...(fromHome === true ? { fromHome } : {}),
    ...(list === undefined ? {} : { list }),
  };
  const shortening = purpose === 'shorten-exemption' && finding.status === 'exempt' ? finding.exemption : null;
  const { title, submit } = WORDS[purpose];
  return {
    type: 'modal',
    callback_id: EXEMPTION_MODAL,
    title: plainText(title),
    submit: plainText(submit),
    close: plainText('Cancel'),
    private_metadata: JSON.stringify(metadata),
    blocks: [
      {
        type: 'rich_text',
        elements: [
          richText({ bold: 'Key: ' }, keyName(key, facts)),
          richText(plain(key.arn, 300)),
          richText(`${accountLabel(key, policy)}, ${plain(key.region, 40)}`),
          richText(consequence({ finding, purpose, policy })),
          ...(fourEyes === null ? [] : [richText({ bold: 'It takes two: ' }, twoPeople(fourEyes))]),
        ],
      },
      ...(shortening === null
        ? []
        : [untilInput(dayBefore(shortening.until), now, 'The last day, to its end in UTC.')]),
      ...(shortening !== null
        ? []
        : [
            input('owner', 'Owner', {
              hint: 'An active full member of this organisation who answers for the exemption and is reminded before it ends.',
              element: { type: 'users_select', action_id: 'owner', ...(owner === null ? {} : { initial_user: owner }) },
            }),
            input('reason', 'Reason', {
              hint: `At least ${rules.minimumReasonLength} characters.`,
              element: {
                ...{ type: 'plain_text_input', action_id: 'reason', multiline: true },
                ...{ min_length: rules.minimumReasonLength, max_length: LONGEST_REASON },
                ...(reason === '' ? {} : { initial_value: reason }),
              },
            }),
            input('ticket', 'Ticket', {
              optional: !rules.ticketRequired,
              element: {
                ...{ type: 'plain_text_input', action_id: 'ticket', multiline: false, max_length: LONGEST_TICKET },
                ...(ticket === '' ? {} : { initial_value: ticket }),
              },
            }),
            untilInput(
              latest,
              // A renewal goes on from the present end, or its form would begin with an earlier one.
              present !== null && Date.parse(present.until) > Date.parse(now) ? present.until : now,
              `The last day, to its end in UTC; at the latest ${latest}, as the policy allows ${allowed(rules)}.`,
            ),
          ]),
    ],
  };
}

const WORDS: Record<ExemptionPurpose, { title: string; submit: string }> = {
  exempt: { title: 'Exempt key', submit: 'Exempt' },
  'renew-exemption': { title: 'Renew exemption', submit: 'Renew' },
  'back-out': { title: 'Back out remediation', submit: 'Back out' },
  'shorten-exemption': { title: 'Shorten exemption', submit: 'Shorten' },
};

function consequence({ finding, purpose, policy }: Pick<ExemptionForm, 'finding' | 'purpose' | 'policy'>): string {
  switch (purpose) {
    case 'exempt':
      return 'The key stays as it is and nobody is asked about it until the exemption ends.';
    case 'renew-exemption':
      return finding.status === 'exempt'
        ? `The present exemption ends ${utc(finding.exemption.until)}; these terms replace it.`
        : 'These terms replace the present exemption.';
    case 'shorten-exemption':
      return finding.status === 'exempt'
        ? `The exemption ends ${utc(finding.exemption.until)} at present. It will end earlier, all else stays; at its end the key is looked at, and the approvers are asked.`
        : 'The exemption ends earlier, all else stays.';
    case 'back-out':
      return `The bot calls ${remedyCall({ id: 'disable-rotation' }, finding.key, policy)}: the key keeps its present material and no longer rotates by itself. Then the key is exempt on these terms.`;
  }
}

function twoPeople({ because, confirmWithinHours }: FourEyes): string {
  return `${whyTwoPeople(because)} Another approver has to confirm these terms within ${confirmWithinHours} hours; until then nothing changes.`;
}

function input(
  field: Field,
  label: string,
  { hint, optional = false, element }: { hint?: string; optional?: boolean; element: InputElement },
): InputBlock {
  const help = hint === undefined ? {} : { hint: plainText(hint) };
  return { type: 'input', block_id: EXEMPTION_FIELD[field], label: plainText(label), ...help, optional, element };
}

/** The last day whose end is still within the policy's maximum. */
function latestDay(finding: Finding, policy: Policy, now: string): string {
  return dayOf(Date.parse(latestEnd(policy.exemptions, now, firstExempt(finding))) - DAY);
}

/** The last day whose end is before this instant's day is over. */
function dayBefore(at: string): string {
  return dayOf(Date.parse(at) - 1 - DAY);
}

function allowed({ maximumDays, maximumTotalDays }: Policy['exemptions']): string {
  return `${maximumDays} days at a time and ${maximumTotalDays} in all`;
}

/** Filled in with the usual time after `from`, or the latest day. */
function untilInput(latest: string, from: string, hint: string): InputBlock {
  const element = { type: 'datepicker' as const, action_id: 'until' as const, initial_date: usualDay(latest, from) };
  return input('until', 'Until', { hint, element });
}

function usualDay(latest: string, from: string): string {
  const usual = dayOf(Date.parse(from) + USUAL_DAYS * DAY);
  return usual < latest ? usual : latest;
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** The instant at which a day (`YYYY-MM-DD`, UTC) is over: the next midnight. @throws RangeError when it is no day */
export function endOfDay(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00.000Z`) + DAY).toISOString();
}

const value = z.object({ value: z.nullish(z.string()) });
const stateValues = z.object({
  owner: z.optional(z.object({ owner: z.object({ selected_user: z.nullish(z.string()) }) })),
  reason: z.optional(z.object({ reason: value })),
  ticket: z.optional(z.object({ ticket: value })),
  until: z.object({ until: z.object({ selected_date: z.nullish(z.iso.date()) }) }),
} satisfies Record<Field, z.ZodMiniType>);

/** What somebody filled in; `until` is a day, `YYYY-MM-DD`. */
export type ExemptionValues = { ownerId: string | null; reason: string; ticket: string | null; until: string | null };

/**
 * Reads `view.state.values` of the modal.
 * @throws ZodError when it is not this modal's
 */
export function readExemptionValues(values: unknown): ExemptionValues {
  const { owner, reason, ticket, until } = stateValues.parse(values);
  const ticketText = ticket?.ticket.value?.trim() ?? '';
  return {
    ownerId: owner?.owner.selected_user ?? null,
    reason: reason?.reason.value?.trim() ?? '',
    ticket: ticketText === '' ? null : ticketText,
    until: until.until.selected_date ?? null,
  };
}

/** What can be wrong with the filled form. */
export type ModalProblem =
  | ExemptionRefusal
  | { reason: 'owner-not-a-full-member' }
  | { reason: 'not-shorter'; until: string };

/** The `errors` of a `response_action`: one sentence under each field that is wrong. */
export function modalErrors(problems: readonly ModalProblem[]): Record<string, string> {
  return Object.fromEntries(problems.map(errorUnderField));
}

function errorUnderField(problem: ModalProblem): [Field, string] {
  switch (problem.reason) {
    case 'owner-not-a-full-member':
      return ['owner', 'Choose an active full member of this organisation, not a guest or a bot.'];
    case 'reason-too-short':
      return ['reason', `Write at least ${problem.minimumLength} characters.`];
    case 'ticket-missing':
      return ['ticket', 'The policy asks for a ticket.'];
    case 'until-not-in-future':
      return ['until', 'Choose a day in the future.'];
    case 'until-beyond-maximum':
      return ['until', `An exemption may last at most ${problem.maximumDays} days.`];
    case 'until-beyond-total':
      return ['until', totalSentence(problem)];
    case 'not-shorter':
      return ['until', `Choose a day before the present end, ${utc(problem.until)}.`];
  }
}
