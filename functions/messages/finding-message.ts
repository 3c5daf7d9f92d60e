import { BUTTON, type FindingRef } from '../contracts/slack-actions.ts';
import { isLive, latestEnd } from '../domain/exemption.ts';
import {
  type ExemptFinding,
  type FailedFinding,
  type Finding,
  firstExempt,
  isDriftLoop,
  isWaiting,
  type OpenFinding,
  type PendingRequest,
  type RemediatedFinding,
  requestOf,
  severityOf,
} from '../domain/finding.ts';
import type { Policy } from '../domain/policy.ts';
import { type Remedy, remedyFor } from '../domain/remedy.ts';
import { type Block, type Button, button, confirmation, header, preformatted, type RichTextPart } from './block.ts';
import { failureSentence } from './failure-sentence.ts';
import { decisiveFactLines, detailLines, keyName } from './key-facts.ts';
import { patternSource } from './pattern-words.ts';
import { decider, type Phrase, richText, secondPerson, spoken, utc } from './phrase.ts';
import { plain } from './plain.ts';
import { type Denial, policyAdditions } from './policy-statement.ts';
import { closingSentence, findingSentence } from './problem-sentence.ts';
import { proofSentence } from './proof-sentence.ts';
import { accountLabel, remedyCall, remedyExplanation } from './remedy-call.ts';
import { confirmLabel, requestSentence } from './request-sentence.ts';
import { driftFixes, infrastructureFixes, type SourceFix, sourceFixes } from './source-fix.ts';
import { termsWords } from './terms-words.ts';

export type FindingContext = { policy: Policy; now: string };

/** A message as chat.postMessage and chat.update take it. */
export type Message = { text: string; blocks: Block[] };

/**
 * The Slack message of an episode: a total function of the stored finding. What it offers is what would succeed now;
 * after a decision its state, decider and time are in the blocks and in `text`. Times in `text` are UTC. What people
 * decide by stands above the buttons, what some of them look up below.
 */
export function renderFinding(finding: Finding, context: FindingContext): Message {
  const { key, facts } = finding;
  const state = stateSentence(finding, context);
  const buttons = buttonsFor(finding, context);
  const title = `${stateWord(finding)}: ${keyName(key, facts)}`;
  const where = ` in ${accountLabel(key, context.policy)}, ${plain(key.region, 40)}. `;
  return {
    text: spoken(title, where, ...findingSentenceBefore(finding), ...state),
    blocks: [
      header(plain(title, 150)),
      { type: 'rich_text', elements: stateParagraphs(finding, context).map((paragraph) => richText(...paragraph)) },
      {
        type: 'rich_text',
        elements: [
          richText({ bold: isUnsettled(finding) ? 'Finding: ' : 'What was found: ' }, ...findingSentence(finding)),
          { type: 'rich_text_list', style: 'bullet', elements: decisiveFactLines(finding, context.policy) },
        ],
      },
      ...optional(nextSteps(finding, context)),
      ...(buttons.length === 0 ? [] : [{ type: 'actions' as const, elements: buttons }]),
      {
        type: 'rich_text',
        elements: [
          richText({ bold: 'Details' }),
          { type: 'rich_text_list', style: 'bullet', elements: detailLines(finding) },
          ...sourceParts(finding, context.policy),
        ],
      },
    ],
  };
}

/** A settled finding's `text` begins with how it was settled; what was wrong would read as if it still were. */
function findingSentenceBefore(finding: Finding): Phrase[] {
  switch (finding.status) {
    case 'open':
      return [`Severity ${severityOf(finding)}. `, ...findingSentence(finding), ' '];
    case 'failed':
    case 'approved':
    case 'exempt':
    case 'remediated':
    case 'closed':
      return [];
  }
}

/** The state of a finding in a word or a few, as headings have it. */
export function stateWord(finding: Finding): string {
  switch (finding.status) {
    case 'open':
      return openWord(finding);
    case 'approved':
      return finding.remedy.id === 'disable-rotation' ? 'Back-out approved' : 'Approved';
    case 'remediated':
      return 'Remediated';
    case 'failed':
      return finding.remedy.id === 'disable-rotation' ? 'Back-out failed' : 'Remediation failed';
    case 'exempt':
      return 'Exempt';
    case 'closed':
      return 'Closed';
  }
}

function openWord(finding: OpenFinding): string {
  if (isDriftLoop(finding)) return 'Rotation switched off again';
  switch (finding.assessment.verdict) {
    case 'rotation-off':
      return 'Key does not rotate';
    case 'period-too-long':
      return 'Key rotates too rarely';
    case 'manual-rotation-due':
      return 'Imported key material needs rotation';
    case 'unknown':
      return 'Key rotation cannot be checked';
  }
}

/** What holds now, who decided it, and when. */
export function stateSentence(finding: Finding, context: FindingContext): Phrase[] {
  return stateParagraphs(finding, context).flatMap((paragraph, index) =>
    index === 0 ? paragraph : [' ', ...paragraph],
  );
}

/** The same in paragraphs: what holds, what it rests on, and what somebody has asked for. */
function stateParagraphs(finding: Finding, context: FindingContext): Phrase[][] {
  const request = waitingRequest(finding, context);
  return [
    ...statusParagraphs(finding, context),
    ...(request === null ? [] : [[{ bold: 'Waiting for a second person: ' }, ...requestSentence(request)]]),
    ...(finding.mode === 'observe'
      ? [['This key is only observed: the policy lets nobody decide about it here.']]
      : []),
  ];
}

/** The request that a second person can still confirm. */
function waitingRequest(finding: Finding, { now }: FindingContext): PendingRequest | null {
  const request = requestOf(finding);
  return request === null || !isWaiting(request, now) ? null : request;
}

function statusParagraphs(finding: Finding, { policy, now }: FindingContext): Phrase[][] {
  switch (finding.status) {
    case 'open':
      return [openSentence(finding)];
    case 'approved': {
      const { remedy, key, thenExempt, overdueReports } = finding;
      const what = remedy.id === 'disable-rotation' ? 'back-out' : 'remediation';
      const call = `, ${what} under way: ${remedyCall(remedy, key, policy)}.`;
      const late = overdueReports === 0 ? '' : ` The result is overdue (reported ${overdueReports}×).`;
      const after: Phrase[] = thenExempt === null ? [] : ['Afterwards the key is exempt ', ...termsWords(thenExempt)];
      return [['Approved by ', ...approvedBy(finding), call, late], ...(after.length === 0 ? [] : [after])];
    }
    case 'remediated': {
      const { remedy, remediatedAt, proof, kmsRequestId, key } = finding;
      const done = `: ${remedyCall(remedy, key, policy)}, approved by `;
      return [
        ['Remediated ', { time: remediatedAt }, done, ...approvedBy(finding), '.'],
        proofSentence(proof, kmsRequestId),
      ];
    }
    case 'failed': {
      const { failedAt, failure, remedy, key, kmsRequestId } = finding;
      const request = kmsRequestId === null ? '' : ` KMS request id: ${plain(kmsRequestId, 80)}.`;
      return [
        ['Failed ', { time: failedAt }, '. ', ...failureSentence(failure)],
        ['Approved by ', ...approvedBy(finding), `: ${remedyCall(remedy, key, policy)}.${request}`],
      ];
    }
    case 'exempt':
      return [exemptSentence(finding, now)];
    case 'closed':
      return [['Closed ', { time: finding.closedAt }, '. ', ...closingSentence(finding.closing)]];
  }
}

/** Who approved, and when. */
function approvedBy({ approval }: Pick<RemediatedFinding, 'approval'>): Phrase[] {
  return [decider(approval.by), ...secondPerson(approval), ' ', { time: approval.at }];
}

function openSentence(finding: OpenFinding): Phrase[] {
  if (finding.mode === 'observe') return ['Open since ', { time: finding.openedAt }, '.'];
  const waiting: Phrase[] = ['Waiting for a decision since ', { time: finding.askedAt }, '.'];
  const exempted: Phrase[] =
    finding.exemptSince === undefined
      ? []
      : [' It was exempt from ', { time: finding.exemptSince }, ' on; that has ended.'];
  const reminders = finding.remindersSent === 0 ? [] : [` Reminder ${finding.remindersSent} sent.`];
  const escalated: Phrase[] = finding.escalatedAt === null ? [] : [' Escalated ', { time: finding.escalatedAt }, '.'];
  return [...waiting, ...exempted, ...reminders, ...escalated];
}

function exemptSentence({ exemption }: ExemptFinding, now: string): Phrase[] {
  const { owner, reason, ticket, until, grantedBy, grantedAt, endAcceptedBy } = exemption;
  const accepted: Phrase[] = endAcceptedBy === undefined ? [] : [' ', { person: endAcceptedBy }, ' lets it run out.'];
  const ends = isLive(exemption, now) ? 'Exempt until ' : 'The exemption ended ';
  return [
    ...[ends, { time: until }, `${patternSource(exemption)}. Owner: `, { person: owner }],
    ...['. Granted by ', { person: grantedBy }, ...secondPerson(exemption), ' ', { time: grantedAt }],
    `. Reason: ${plain(reason, 500)}`,
    ...(ticket === null ? [] : [` (ticket ${plain(ticket, 100)})`]),
    ...['.', ...accepted],
  ];
}

/** What a click would do, or what somebody else has to do first. */
function nextSteps(finding: Finding, context: FindingContext): RichTextPart[] {
  return isUnsettled(finding) ? [...policySteps(finding), ...remedySteps(finding, context)] : [];
}

function remedySteps(finding: OpenFinding | FailedFinding, context: FindingContext): RichTextPart[] {
  const remedy = remedyOf(finding, context.policy);
  if (remedy !== null) {
    const button = `What "${approveLabel(finding, remedy, context)}" does`;
    const label = finding.mode === 'observe' ? 'What the remedy would do' : button;
    return [richText({ bold: `${label}: ` }, remedyExplanation(remedy, finding.key, context.policy))];
  }
  if (finding.assessment.verdict !== 'manual-rotation-due') return [];
  if (isUsedUp(finding)) {
    return [richText({ bold: 'What the owner has to do: ' }, 'make a new key, and let its users change over to it.')];
  }
  return [
    richText(
      { bold: 'What the owner has to do: ' },
      'import new key material with ImportType NEW_KEY_MATERIAL, then rotate the key on demand. As soon as new key material is waiting, a re-check offers the rotation here.',
    ),
  ];
}

/** For a refused read or remediation: which policy, and the exact lines. */
function policySteps(finding: OpenFinding | FailedFinding): RichTextPart[] {
  const denial = denialOf(finding);
  if (denial === null) return [];
  const what = finding.status === 'failed' ? 'change' : 'read';
  return [
    richText({ bold: 'What somebody has to do: ' }, `let the bot ${what} the key.`),
    ...policyAdditions(denial).flatMap(({ where, json }, index) => [
      richText({ bold: index === 0 ? where : `Or, if that is not what refuses: ${where}` }),
      preformatted(json),
    ]),
  ];
}

function isUnsettled(finding: Finding): finding is OpenFinding | FailedFinding {
  return finding.status === 'open' || finding.status === 'failed';
}

function denialOf(finding: OpenFinding | FailedFinding): Denial | null {
  const keyArn = finding.key.arn;
  if (finding.status === 'failed') {
    return finding.failure.because === 'policy-denies' ? { ...finding.failure, keyArn } : null;
  }
  if (finding.assessment.verdict !== 'unknown') return null;
  const { reason } = finding.assessment;
  return reason.because === 'access-denied' ? { ...reason, keyArn } : null;
}

function sourceParts(finding: Finding, policy: Policy): RichTextPart[] {
  switch (finding.status) {
    case 'open':
    case 'failed': {
      if (isUsedUp(finding)) return [];
      // A fix elsewhere would be undone like the bot's.
      if (isDriftLoop(finding)) {
        return fixParts('Change this at the source to end the drift', driftFixes(lastDriftTool(finding)));
      }
      const title =
        finding.assessment.verdict === 'manual-rotation-due' ? 'How the owner does it' : 'Fix it at the source';
      return fixParts(title, sourceFixes(finding.assessment, finding.key, policy.rotation.periodInDays));
    }
    case 'remediated':
      return finding.remedy.id === 'enable-rotation'
        ? fixParts(
            'If infrastructure as code manages this key, change its line, or the next run will undo the remediation',
            finding.assessment.verdict === 'period-too-long'
              ? infrastructureFixes(policy.rotation.periodInDays)
              : driftFixes(causingTool(finding)),
          )
        : [];
    case 'approved':
    case 'exempt':
    case 'closed':
      return [];
  }
}

function lastDriftTool({ history }: Finding): string | undefined {
  return history.switchedOffAgain.at(-1)?.tool;
}

function causingTool(finding: RemediatedFinding): string | undefined {
  return lastDriftTool(finding) ?? (finding.trigger.kind === 'cloudtrail' ? finding.trigger.tool : undefined);
}

function fixParts(title: string, fixes: readonly SourceFix[]): RichTextPart[] {
  if (fixes.length === 0) return [];
  return [richText({ bold: title }), ...fixes.flatMap((fix) => [richText(fix.title), preformatted(fix.code)])];
}

/** What can be done about the finding now, nothing that would be refused to everybody; nothing for a key only observed. */
export function buttonsFor(finding: Finding, context: FindingContext): Button[] {
  if (finding.mode === 'observe') return [];
  const ref: FindingRef = { key: finding.key.arn, episode: finding.episode };
  switch (finding.status) {
    case 'open':
    case 'failed': {
      const recheck = button(BUTTON.recheck, 'Re-check', ref);
      const remedy = remedyOf(finding, context.policy);
      const approve = remedy === null ? [] : [approveButton(finding, remedy, ref, context)];
      const request = requestButtons(finding, ref, context);
      if (request !== null) return [...request, ...approve, recheck];
      const exempt = timeLeft(finding, context, [button(BUTTON.exempt, 'Exempt…', ref)]);
      return remedy === null ? [recheck, ...exempt] : [...approve, ...exempt, recheck];
    }
    case 'approved':
    case 'closed':
      return [];
    case 'remediated':
      if (!canBackOut(finding, context)) return [];
      return (
        requestButtons(finding, ref, context) ??
        timeLeft(finding, context, [button(BUTTON.backOut, 'Back out…', ref, { style: 'danger' })])
      );
    case 'exempt':
      return [
        ...(requestButtons(finding, ref, context) ?? timeLeft(finding, context, [button(BUTTON.renew, 'Renew…', ref)])),
        ...letEndButton(finding, ref),
        ...fixNowButton(finding, ref, context),
        button(BUTTON.shorten, 'Shorten…', ref),
        button(BUTTON.revoke, 'End exemption now', ref, {
          style: 'danger',
          confirm: confirmation(
            'End this exemption?',
            named(finding, 'the finding opens again at once, and the approvers are asked to decide.'),
            'End exemption now',
          ),
        }),
      ];
  }
}

/** In place of the button that asked for it: what a second person can do. Null when nothing waits for one. */
function requestButtons(finding: Finding, ref: FindingRef, context: FindingContext): Button[] | null {
  const request = waitingRequest(finding, context);
  if (request === null) return null;
  const seen = { ...ref, request: request.at };
  const label = confirmLabel(request.action);
  const terms = named(finding, `until ${utc(request.terms.until)}, reason: ${plain(request.terms.reason, 150)}`);
  return [
    button(BUTTON.confirm, label, seen, { confirm: confirmation(`${label}?`, terms, label) }),
    button(BUTTON.withdraw, 'Withdraw', seen),
  ];
}

/** Buttons that lead to an exemption, unless all the time that the policy allows is used up. */
function timeLeft(finding: Finding, { policy, now }: FindingContext, buttons: Button[]): Button[] {
  const latest = latestEnd(policy.exemptions, now, firstExempt(finding));
  return Date.parse(latest) > Date.parse(now) ? buttons : [];
}

/** Once the owner was reminded, and until somebody said that it may end. */
function letEndButton({ exemption }: ExemptFinding, ref: FindingRef): Button[] {
  const isAsked = exemption.remindedDays.length > 0 && exemption.endAcceptedBy === undefined;
  return isAsked ? [button(BUTTON.letEnd, 'Let it run out', ref)] : [];
}

function fixNowButton(finding: ExemptFinding, ref: FindingRef, { policy }: FindingContext): Button[] {
  const remedy = remedyOf(finding, policy);
  if (remedy === null) return [];
  const what = `the exemption ends, and the bot calls ${remedyCall(remedy, finding.key, policy)}.`;
  return [
    button(BUTTON.fixNow, 'Fix now', ref, { confirm: confirmation('Fix it now?', named(finding, what), 'Fix now') }),
  ];
}

/** What a dialog says, and of which key: in a list one click is like another. */
function named({ key, facts }: Finding, what: string): string {
  return plain(`${keyName(key, facts)}: ${what}`, 300);
}

function approveButton(
  finding: OpenFinding | FailedFinding,
  remedy: Remedy,
  ref: FindingRef,
  context: FindingContext,
): Button {
  const label = approveLabel(finding, remedy, context);
  const call = named(finding, `${remedyCall(remedy, finding.key, context.policy)}.`);
  // Not the obvious choice where it is likely to be undone, or where something else was asked for.
  const isObvious = !isDriftLoop(finding) && waitingRequest(finding, context) === null;
  const style = isObvious ? { style: 'primary' as const } : {};
  return button(BUTTON.approve, label, ref, { ...style, confirm: confirmation(`${label}?`, call, label) });
}

/**
 * After a failed back-out approving means the opposite of trying again, so it is not called that; next to a request for an
 * exemption "Approve" alone would read as if it were about that.
 */
function approveLabel(finding: OpenFinding | FailedFinding, remedy: Remedy, context: FindingContext): string {
  if (waitingRequest(finding, context) !== null) return 'Rotate instead';
  if (finding.status === 'failed' && finding.remedy.id === remedy.id) return 'Try again';
  return remedy.id === 'rotate-on-demand' ? 'Rotate now' : 'Approve';
}

/** Null also where KMS has said that it will never do it. */
function remedyOf(finding: Finding, { rotation }: Policy): Remedy | null {
  return isUsedUp(finding) ? null : remedyFor(finding.assessment, rotation.periodInDays);
}

/** Whether the key has had all the on-demand rotations that KMS allows: trying again would fail again. */
function isUsedUp(finding: Finding): boolean {
  const isOnDemand = finding.assessment.verdict === 'manual-rotation-due';
  return finding.status === 'failed' && finding.failure.because === 'rotation-limit-reached' && isOnDemand;
}

/** The same conditions as the decision's: the bot switched it on just now, and the window is open. */
function canBackOut({ history, remediatedAt }: RemediatedFinding, { policy, now }: FindingContext): boolean {
  const switchedOnNow = history.switchedOnByBot.some(({ at }) => at === remediatedAt);
  return switchedOnNow && Date.parse(now) - Date.parse(remediatedAt) <= policy.backOut.windowDays * 86_400_000;
}

function optional(elements: RichTextPart[]): Block[] {
  return elements.length === 0 ? [] : [{ type: 'rich_text', elements }];
}
