import { PATTERN_BUTTON, type PatternRef } from '../contracts/slack-actions.ts';
import { latestEnd } from '../domain/exemption.ts';
import type { CoveredKeys } from '../domain/key-pattern.ts';
import { isInForce, isWaiting, type PatternExemption, type PatternGrant } from '../domain/pattern-exemption.ts';
import type { Policy } from '../domain/policy.ts';
import { type Block, type Button, button, confirmation, header } from './block.ts';
import type { Message } from './finding-message.ts';
import {
  coverageSentence,
  coveredKeyParts,
  KNOWN_BY_FINDINGS,
  laterKeysPhrases,
  patternWords,
  shortPatternWords,
} from './pattern-words.ts';
import { type Phrase, richText, secondPerson, spoken, utc } from './phrase.ts';
import { plain } from './plain.ts';

/**
 * `covered`: the keys that it means, as far as the bot knows them; null when nobody looked. Then nobody can confirm it here:
 * whoever does has to see what is covered.
 */
export type PatternContext = { policy: Policy; now: string; covered: CoveredKeys | null };

/**
 * The message of an exemption of a pattern: a total function of what is stored. It says what holds, who asked and who
 * confirmed, and what is covered; what it offers is what would succeed now. An ended one has no buttons.
 */
export function renderPatternMessage(exemption: PatternExemption, context: PatternContext): Message {
  const { policy } = context;
  const { pattern } = exemption;
  const state = patternStatePhrases(exemption, context.now);
  const buttons = patternButtons(exemption, context);
  const title = plain(`${stateWord(exemption, context.now)}: ${shortPatternWords(pattern, policy)}`, 150);
  return {
    text: spoken(`${stateWord(exemption, context.now)}: ${patternWords(pattern, policy)}. `, ...state),
    blocks: [
      header(title),
      { type: 'rich_text', elements: [richText(...state)] },
      ...coverageBlocks(exemption, context),
      ...(buttons.length === 0 ? [] : [{ type: 'actions' as const, elements: buttons }]),
    ],
  };
}

/** What holds now, who decided it and when, and what waits. */
export function patternStatePhrases(exemption: PatternExemption, now: string): Phrase[] {
  const { request, grant, ended } = exemption;
  const waits = request === null || !isWaiting(request, now) ? null : request;
  if (ended !== null) return endedPhrases(ended, grant);
  if (grant !== null && !isInForce(exemption, now)) return ['It ended ', { time: grant.until }, '. ', ...terms(grant)];
  const asked = waits === null ? [] : requestPhrases(waits, grant === null ? 'exempt these keys' : 'renew it');
  if (grant === null) return asked.length > 0 ? asked : ['Nobody confirmed it in time.'];
  return ['In force until ', { time: grant.until }, '. ', ...terms(grant), ...spaced(asked)];
}

/** What can be done about it now, nothing that would be refused to everybody. */
export function patternButtons(exemption: PatternExemption, context: PatternContext): Button[] {
  const { request, grant, ended, id } = exemption;
  const { now } = context;
  const ref: PatternRef = { pattern: id };
  if (ended !== null || (grant !== null && !isInForce(exemption, now))) return [];
  const asked =
    request === null || !isWaiting(request, now)
      ? []
      : [
          ...confirmButton(exemption, { until: request.terms.until, seen: { ...ref, request: request.at } }, context),
          button(PATTERN_BUTTON.withdraw, 'Withdraw', { ...ref, request: request.at }),
        ];
  if (grant === null) return asked;
  return [
    ...(asked.length > 0 ? asked : renewButton(grant, ref, context)),
    ...letEndButton(grant, ref),
    button(PATTERN_BUTTON.revoke, 'End exemption…', ref, {
      style: 'danger',
      confirm: confirmation(
        'End this exemption?',
        'Every key that is exempt by it is looked at again, and the approvers of each are asked to decide.',
        'End exemption',
      ),
    }),
  ];
}

/** Once the owner was reminded and until somebody said so. */
function letEndButton({ remindedDays, endAcceptedBy }: PatternGrant, ref: PatternRef): Button[] {
  return remindedDays.length > 0 && endAcceptedBy === undefined
    ? [button(PATTERN_BUTTON.letEnd, 'Let it run out', ref)]
    : [];
}

/** None when all the time that the policy allows is used up, or nobody may ask any more. */
function renewButton({ since }: PatternGrant, ref: PatternRef, { policy, now }: PatternContext): Button[] {
  const latest = latestEnd(policy.exemptions, now, since);
  const isPossible = policy.exemptions.patterns !== null && Date.parse(latest) > Date.parse(now);
  return isPossible ? [button(PATTERN_BUTTON.renew, 'Renew…', ref)] : [];
}

function confirmButton(
  { pattern, grant }: PatternExemption,
  { until, seen }: { until: string; seen: PatternRef },
  { policy, covered }: PatternContext,
): Button[] {
  if (covered === null || policy.exemptions.patterns === null) return [];
  const label = grant === null ? 'Confirm exemption' : 'Confirm renewal';
  const later = `Every key in ${pattern.accountId} made later that it means is exempt too, until ${utc(until)}.`;
  const text = `${plain(patternWords(pattern, policy), 100)}. ${later} ${coverageSentence(covered)}`;
  return [button(PATTERN_BUTTON.confirm, label, seen, { confirm: confirmation(`${label}?`, plain(text, 300), label) })];
}

function stateWord(exemption: PatternExemption, now: string): string {
  const { request, grant, ended } = exemption;
  if (ended?.because === 'withdrawn' || ended?.because === 'never-confirmed') return 'Not exempt';
  if (ended !== null) return 'Exemption ended';
  if (grant === null) return request !== null && isWaiting(request, now) ? 'Exemption asked for' : 'Not exempt';
  return isInForce(exemption, now) ? 'Exempt' : 'Exemption ended';
}

function endedPhrases(
  { at, by, because }: NonNullable<PatternExemption['ended']>,
  grant: PatternGrant | null,
): Phrase[] {
  const who: Phrase[] = by === null ? [] : [' by ', { person: by }];
  switch (because) {
    case 'revoked':
      return ['Ended', ...who, ' ', { time: at }, '. ', ...(grant === null ? [] : terms(grant))];
    case 'expired':
      return ['It ran out ', { time: at }, '. ', ...(grant === null ? [] : terms(grant))];
    case 'withdrawn':
      return ['Withdrawn', ...who, ' ', { time: at }, '. Nothing was exempt by it.'];
    case 'never-confirmed':
      return ['Nobody confirmed it in time; it lapsed ', { time: at }, '. Nothing was exempt by it.'];
  }
}

function terms({ owner, reason, ticket, grantedBy, confirmedBy, grantedAt, endAcceptedBy }: PatternGrant): Phrase[] {
  return [
    ...['Owner: ', { person: owner }, '. Granted by ', { person: grantedBy }, ...secondPerson({ confirmedBy })],
    ...[' ', { time: grantedAt }, `. Reason: ${plain(reason, 500)}`],
    ticket === null ? '.' : ` (ticket ${plain(ticket, 100)}).`,
    ...(endAcceptedBy === undefined ? [] : [' ', { person: endAcceptedBy }, ' lets it run out.']),
  ];
}

function requestPhrases(
  { by, at, terms: { owner, reason, ticket, until }, lapsesAt }: NonNullable<PatternExemption['request']>,
  wish: string,
): Phrase[] {
  return [
    ...[{ person: by }, ' asked ', { time: at }, ` to ${wish} until `, { time: until }, ', owner ', { person: owner }],
    `, reason: ${plain(reason, 500)}${ticket === null ? '' : ` (ticket ${plain(ticket, 100)})`}. `,
    ...['It always takes two: another approver has to confirm it before ', { time: lapsesAt }],
    '; until then nothing changes.',
  ];
}

function coverageBlocks(exemption: PatternExemption, { policy, now, covered }: PatternContext): Block[] {
  const { pattern, request, grant, ended, coverage } = exemption;
  const until = (request !== null && isWaiting(request, now) ? request.terms : grant)?.until ?? null;
  if (ended !== null || until === null || Date.parse(until) <= Date.parse(now)) return [];
  const applied = grant === null || coverage === null ? [] : [richText(appliedSentence(coverage))];
  const known = covered === null ? [] : [richText(coverageSentence(covered)), ...coveredKeyParts(covered)];
  return [
    {
      type: 'rich_text',
      elements: [
        richText({ bold: 'What it means: ' }, `keys with ${patternWords(pattern, policy)}.`),
        ...applied,
        ...known,
        richText(...laterKeysPhrases(pattern, until, policy), ` ${KNOWN_BY_FINDINGS}`),
      ],
    },
  ];
}

/** What the last look over the account's findings came to. */
function appliedSentence({ exempt, leftOut }: NonNullable<PatternExemption['coverage']>): string {
  const left =
    leftOut === 0
      ? ''
      : ` ${leftOut} left out: one of the two caused the finding, or it cannot be exempt for another reason.`;
  return `${exempt} ${exempt === 1 ? 'key is' : 'keys are'} exempt by it.${left}`;
}

function spaced(phrases: readonly Phrase[]): Phrase[] {
  return phrases.length === 0 ? [] : [' ', ...phrases];
}
