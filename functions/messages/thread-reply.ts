import type { Assessment } from '../domain/assessment.ts';
import { isProblem } from '../domain/assessment.ts';
import type { AuditEvent } from '../domain/audit.ts';
import type { Exemption } from '../domain/exemption.ts';
import { type Finding, isDriftLoop, type Mode } from '../domain/finding.ts';
import { type Policy, routeOf } from '../domain/policy.ts';
import { remedyFor } from '../domain/remedy.ts';
import type { Block } from './block.ts';
import { failureSentence } from './failure-sentence.ts';
import { decider, type Phrase, richText, secondPerson, spoken } from './phrase.ts';
import { plain } from './plain.ts';
import { closingSentence, driftSentence, notApplicableSentence, problemSentence } from './problem-sentence.ts';
import { proofSentence } from './proof-sentence.ts';
import { remedyCall } from './remedy-call.ts';
import { requestSentence } from './request-sentence.ts';
import { termsWords } from './terms-words.ts';

/** `finding` is the present state of the record's episode. */
export type ReplyContext = { policy: Policy; now: string; finding: Finding };

/** `broadcast`: also show it in the channel, because somebody has to act. */
export type Reply = { text: string; blocks: Block[]; broadcast: boolean };

/** The reply in the finding's thread to an event, or null for events that the message itself tells well enough. */
export function renderReply(record: AuditEvent, context: ReplyContext): Reply | null {
  const { event } = record;
  switch (event.type) {
    case 'finding-opened': {
      // As it was when it opened; only a drift loop has something to say beyond the message.
      if (!isDriftLoop(context.finding)) return null;
      const approvedBy = context.finding.history.switchedOnByBot.at(-1);
      const before: Phrase[] =
        approvedBy === undefined
          ? []
          : [' ', decider(approvedBy.approvedBy), ' had approved it ', { time: approvedBy.at }, '.'];
      return reply([...driftSentence(context.finding), ...before]);
    }
    case 'finding-reassessed':
      // While it is open the message shows the news; after a failure people are asked anew.
      return record.statusBefore === 'failed'
        ? reply([
            'The key was looked at again. ',
            ...problemSentence(event.assessment),
            ' Please decide. ',
            ...approvers(context),
          ])
        : null;
    case 'finding-closed':
      return reply(['Closed. ', ...closingSentence(event.closing)]);
    case 'mode-changed':
      return reply([
        `The policy of this route has changed. From now on ${NOW[event.to]}; before, ${BEFORE[event.from]}.`,
      ]);
    case 'rechecked':
      return reply([
        'Looked at again for ',
        { person: event.by },
        '. ',
        ...assessmentSentence(event.assessment),
        ' Nothing changed.',
      ]);
    case 'remediation-approved':
      return reply([
        record.statusBefore === 'exempt' ? 'Exemption ended, and remediation approved, by ' : 'Approved by ',
        decider(event.approval.by),
        ': ',
        `${remedyCall(event.remedy, record.key, context.policy)}.`,
      ]);
    case 'back-out-approved':
      return reply([
        ...['Back-out approved by ', decider(event.approval.by), ...secondPerson(event.approval), ': '],
        `${remedyCall(event.remedy, record.key, context.policy)}, then exempt `,
        ...termsWords(event.thenExempt),
      ]);
    case 'remediated':
      return reply(['Remediated. ', ...proofSentence(event.proof, event.kmsRequestId)]);
    case 'backed-out':
      return reply([
        ...['Backed out. ', ...proofSentence(event.proof, event.kmsRequestId), ' Now exempt '],
        ...termsWords(event.exemption),
      ]);
    case 'remediation-failed':
      return reply(['Remediation failed. ', ...failureSentence(event.failure), ' ', ...approvers(context)], true);
    case 'remediation-overdue':
      return reply([`The remediation has no result yet (report ${event.report}); it is being tried again.`]);
    case 'confirmation-requested':
      return reply([...requestSentence(event.request), ' ', ...approvers(context)]);
    case 'request-withdrawn':
      return reply([{ person: event.by }, ' withdrew the request that waited for a second person.']);
    case 'request-lapsed':
      return reply(['Nobody confirmed the request in time, so it is void. Whoever still wants it has to ask again.']);
    case 'exemption-granted':
      return reply([...granted(event.exemption), exempted, ...termsWords(event.exemption)]);
    case 'exemption-renewed': {
      const { exemption, by } = event;
      return reply([{ person: by }, ...secondPerson(exemption), ' renewed the exemption ', ...termsWords(exemption)]);
    }
    case 'exemption-shortened':
      return reply([{ person: event.by }, ' shortened the exemption: it now ends ', { time: event.until }, '.']);
    case 'exemption-end-accepted':
      return reply([{ person: event.by }, ' lets the exemption run out; nobody is reminded of it any more.']);
    case 'exemption-revoked':
      return reply([
        { person: event.by },
        event.withPattern === true ? ' ended the exemption of all keys of its pattern. ' : ' ended the exemption. ',
        ...callForDecision(context),
      ]);
    case 'exemption-expired':
      return isProblem(event.assessment)
        ? reply(
            ['The exemption has ended. ', ...problemSentence(event.assessment), ' ', ...callForDecision(context)],
            true,
          )
        : reply(['The exemption has ended. ', ...assessmentSentence(event.assessment)]);
    case 'exemption-reminded':
      return reply([
        { person: event.owner },
        `, the exemption ends in ${days(event.daysLeft)}. Renew it, let it run out, or have the key fixed now: the message above has the buttons.`,
      ]);
    case 'reminded':
      return reply([`Still waiting for a decision (reminder ${event.reminder}). `, ...approvers(context)]);
    case 'escalated':
      return reply(['Escalated: nobody has decided about this key yet. ', ...approvers(context)], true);
    case 'recheck-requested':
    case 'remediation-started':
    case 'command-refused':
      return null;
  }
}

const NOW: Record<Mode, string> = {
  ask: 'people are asked',
  auto: 'the bot remediates without asking',
  observe: 'findings are only recorded, and nobody can decide about them here',
};
const BEFORE: Record<Mode, string> = {
  ask: 'people were asked',
  auto: 'the bot remediated without asking',
  observe: 'findings were only recorded',
};

/** Whom an ended exemption concerns: nobody where the policy has the key fixed by itself. */
function callForDecision(context: ReplyContext): Phrase[] {
  const { finding, policy } = context;
  const remedy = remedyFor(finding.assessment, policy.rotation.periodInDays);
  return finding.mode === 'auto' && remedy !== null && !isDriftLoop(finding)
    ? ['The policy has it fixed without asking.']
    : ['Please decide. ', ...approvers(context)];
}

const exempted = ' exempted the key ';

function reply(phrases: Phrase[], broadcast = false): Reply {
  return { text: spoken(...phrases), blocks: [{ type: 'rich_text', elements: [richText(...phrases)] }], broadcast };
}

function granted(exemption: Exemption): Phrase[] {
  return [{ person: exemption.grantedBy }, ...secondPerson(exemption)];
}

function assessmentSentence(assessment: Assessment): Phrase[] {
  switch (assessment.verdict) {
    case 'compliant':
      return ['The key rotates as the policy asks.'];
    case 'not-applicable':
      return [`${notApplicableSentence(assessment.reason)}.`];
    case 'rotation-off':
    case 'period-too-long':
    case 'manual-rotation-due':
    case 'unknown':
      return problemSentence(assessment);
  }
}

const MOST_MENTIONS = 20;

/** Calls the approvers of the finding's route; of the route it would have today when that one is gone. */
export function approvers({ policy, finding }: Pick<ReplyContext, 'policy' | 'finding'>): Phrase[] {
  const { approvers: who, name } = routeOf(policy, finding);
  const mentions: Phrase[] = [
    ...who.userGroups.map((id) => ({ mention: 'userGroup' as const, id })),
    ...who.users.map((id) => ({ mention: 'user' as const, id })),
  ];
  return [
    `Approvers of route "${plain(name, 80)}"`,
    ...mentions.slice(0, MOST_MENTIONS).flatMap((mention, index) => [{ silent: index === 0 ? ': ' : ' ' }, mention]),
    '.',
  ];
}

function days(count: number): string {
  return count === 1 ? '1 day' : `${count} days`;
}
