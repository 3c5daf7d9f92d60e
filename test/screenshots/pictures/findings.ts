import type { Problem } from '../../../functions/domain/assessment.ts';
import type { FindingEvent } from '../../../functions/domain/finding-events.ts';
import { renderEscalation } from '../../../functions/messages/escalation-notice.ts';
import { type Message, renderFinding } from '../../../functions/messages/finding-message.ts';
import { given, later } from '../../builders.ts';
import {
  APPROVER,
  approval,
  approves,
  DISABLE,
  driftLoop,
  ENABLE,
  exemption,
  exempts,
  facts,
  fixes,
  key,
  MATERIAL,
  opens,
  POLICY,
  READER,
  REMEDIATOR,
  REQUEST_ID,
  request,
} from '../cast.ts';
import type { Picture, Section } from '../picture.ts';

const NOW = later({ minutes: 30 });

/** The message of a finding with this history. */
function message(events: readonly [FindingEvent, ...FindingEvent[]], now = NOW): Message {
  return renderFinding(given(events), { policy: POLICY, now });
}

function inChannel(
  name: string,
  title: string,
  words: string,
  events: readonly [FindingEvent, ...FindingEvent[]],
  now = NOW,
): Picture {
  return { name, title, words, shows: { place: 'channel', message: message(events, now) } };
}

function opensWith(assessment: Problem, index: number, alias: string): FindingEvent {
  const of = key(index);
  const imported = assessment.verdict === 'manual-rotation-due' ? { origin: 'EXTERNAL' } : {};
  return opens({ key: of, assessment, facts: facts(of, { aliases: [alias], ...imported }) });
}

const UNREADABLE = key(5);
const unreadable = opens({
  key: UNREADABLE,
  facts: null,
  assessment: {
    verdict: 'unknown',
    reason: { because: 'access-denied', operation: 'DescribeKey', deniedBy: 'key-policy', principal: READER },
  },
});

const asksForDecision: Section = {
  title: 'A question',
  words:
    'One message for each finding, in the channel of its route. It is the same message from the question to the end: every change redraws it, and only buttons that would succeed are on it.',
  pictures: [
    inChannel(
      'open-rotation-off',
      'Rotation is off',
      'The channel sees it seconds after the key was made or rotation was switched off. An approver approves, exempts with a reason and an end, or has the key looked at again.',
      [opens()],
    ),
    {
      name: 'confirm-approve',
      title: 'Approve asks back',
      words: 'Whoever clicks Approve sees the exact call first. Cancel changes nothing.',
      shows: { place: 'confirm', message: message([opens()]), button: 'Approve' },
    },
    inChannel(
      'open-period-too-long',
      'It rotates too rarely',
      'Rotation is on, but its period is longer than the policy allows. Approve sets the period.',
      [opensWith({ verdict: 'period-too-long', periodInDays: 1095, maximumPeriodInDays: 365 }, 2, 'payments/archive')],
    ),
    inChannel(
      'open-imported',
      'Imported key material',
      'KMS never rotates imported material by itself, and the bot has none to import: there is no Approve. The owner of the key sees what to do; Re-check looks again afterwards.',
      [
        opensWith(
          { verdict: 'manual-rotation-due', pendingKeyMaterialId: null, lastRotatedAt: null },
          3,
          'payments/hsm-export',
        ),
      ],
    ),
    inChannel(
      'open-imported-ready',
      'New key material is waiting',
      'The owner has imported new material. An approver rotates the key on demand with it.',
      [
        opensWith(
          { verdict: 'manual-rotation-due', pendingKeyMaterialId: MATERIAL, lastRotatedAt: null },
          4,
          'payments/hsm-export',
        ),
      ],
    ),
    inChannel(
      'open-unreadable',
      'A key that the bot cannot read',
      'Nobody can say whether it rotates, so there is nothing to approve. The message has the lines that the key policy lacks; Re-check looks again once they are there.',
      [unreadable],
    ),
    inChannel(
      'open-drift-loop',
      'Switched off again',
      'The bot had switched rotation on, and something switched it off. The message names what did it and the line of code to change; approving alone is likely to be undone again.',
      driftLoop(),
      later({ days: 1, minutes: 10 }),
    ),
    inChannel(
      'open-after-exemption',
      'Asked again after an exemption',
      'The exemption has ended and the key still does not rotate: the approvers are asked as before.',
      [
        opens(),
        exempts(),
        {
          ...{ type: 'exemption-expired', at: later({ days: 60, hours: 15 }), facts: facts(key(1)) },
          assessment: { verdict: 'rotation-off' },
        },
      ],
      later({ days: 60, hours: 16 }),
    ),
    inChannel(
      'open-escalated',
      'Nobody has answered',
      'After the hours that the policy names, the approvers were reminded in the thread, and the finding was escalated. The buttons are still there.',
      [
        opens(),
        { type: 'reminded', at: later({ hours: 4 }), reminder: 1 },
        { type: 'reminded', at: later({ hours: 24 }), reminder: 2 },
        { type: 'escalated', at: later({ hours: 48 }) },
      ],
      later({ hours: 49 }),
    ),
    {
      name: 'escalation',
      title: 'In the second channel',
      words:
        'If the policy names an escalation channel, its members see this once, with a link to the message. Who decides is still the route.',
      shows: {
        place: 'channel',
        message: renderEscalation(given([opens(), { type: 'escalated', at: later({ hours: 48 }) }]), {
          ...{ policy: POLICY, link: 'https://sandbox.slack.com/archives/C0PAYMENTS/p1772442000000100' },
        }),
      },
    },
    inChannel(
      'open-request',
      'A second person has to confirm',
      'An approver asked for an exemption where it takes two. Another approver confirms it or withdraws it; the one who asked can withdraw it. Until then nothing changes, and approving is still possible.',
      [opens(), { type: 'confirmation-requested', at: request().at, request: request() }],
    ),
  ],
};

const decided: Section = {
  title: 'After the decision',
  words:
    'The message says who decided, when, and what came of it. A button is left only where there is something left to decide.',
  pictures: [
    inChannel(
      'approved',
      'Approved, under way',
      'Everybody in the channel sees who approved and that KMS is being asked. It takes seconds.',
      [opens(), approves()],
    ),
    inChannel(
      'remediated',
      'Remediated',
      'KMS said several times in a row that rotation is on. For the days that the policy allows, an approver can take it back.',
      [opens(), approves(), ...fixes()],
    ),
    inChannel(
      'remediated-auto',
      'Remediated without asking',
      'The route is in mode "auto": the policy decided, and the message appears with the result. It can be taken back like any other.',
      [
        opens({ mode: 'auto' }),
        approves({ by: { kind: 'policy', route: 'payments' }, at: later({ minutes: 1 }) }),
        ...fixes(),
      ],
    ),
    inChannel(
      'failed-policy',
      'Refused by AWS',
      'A policy does not let the bot change the key. The message has the lines to add; then an approver tries again, or exempts.',
      [
        opens(),
        approves(),
        { type: 'remediation-started', at: later({ minutes: 6 }), remedy: ENABLE },
        {
          ...{ type: 'remediation-failed', at: later({ minutes: 6 }), kmsRequestId: REQUEST_ID },
          failure: {
            ...{ because: 'policy-denies', operation: 'EnableKeyRotation', deniedBy: 'service-control-policy' },
            principal: REMEDIATOR,
          },
        },
      ],
    ),
    inChannel(
      'failed-not-confirmed',
      'Not confirmed',
      'KMS took the call, but the key did not read back as expected. Nothing is claimed: an approver tries again or has the key looked at.',
      [
        opens(),
        approves(),
        { type: 'remediation-started', at: later({ minutes: 6 }), remedy: ENABLE },
        {
          ...{ type: 'remediation-failed', at: later({ minutes: 8 }), kmsRequestId: REQUEST_ID },
          failure: { because: 'not-confirmed', expected: 'rotation on, every 365 days', lastRead: 'rotation off' },
        },
      ],
    ),
    inChannel(
      'failed-limit',
      'Cannot be rotated any more',
      'Imported key material after 25 rotations on demand, the most that KMS allows. The owner replaces the key; meanwhile an approver can exempt it.',
      [
        opensWith(
          { verdict: 'manual-rotation-due', pendingKeyMaterialId: MATERIAL, lastRotatedAt: later({ days: -200 }) },
          4,
          'payments/hsm-export',
        ),
        {
          ...approves(),
          type: 'remediation-approved',
          approval: approval(),
          remedy: { id: 'rotate-on-demand', keyMaterialId: MATERIAL },
        },
        {
          ...{ type: 'remediation-failed', at: later({ minutes: 6 }), kmsRequestId: REQUEST_ID },
          failure: { because: 'rotation-limit-reached' },
        },
      ],
    ),
    inChannel(
      'closed',
      'Closed',
      'Somebody settled it without the bot, here by switching rotation on in the console. Nothing is left to do.',
      [
        opens(),
        {
          ...{
            type: 'finding-closed',
            at: later({ minutes: 20 }),
            closing: { because: 'compliant', by: 'payments-admin' },
          },
          trigger: { kind: 'second-look', at: later({ minutes: 20 }) },
        },
      ],
    ),
  ],
};

const exempted: Section = {
  title: 'Exemptions',
  words: 'An exemption has an owner, a reason and an end, all three in the message.',
  pictures: [
    inChannel(
      'exempt',
      'Exempt',
      'Everybody sees who answers for it, why, and until when. Approvers renew, shorten or end it; "Fix now" ends it and switches rotation on.',
      [opens(), exempts()],
    ),
    inChannel(
      'exempt-ends-soon',
      'Exempt, and soon at its end',
      'The owner has been reminded. "Let it run out" says that nobody need be reminded any more; the approvers are asked when it ends.',
      [
        opens(),
        exempts(),
        { type: 'exemption-reminded', at: later({ days: 46, hours: 15 }), daysLeft: 14, owner: exemption().owner },
      ],
      later({ days: 46, hours: 16 }),
    ),
    inChannel('exempt-after-two', 'Exempt by two people', 'Where it took two, both are named.', [
      opens(),
      exempts(exemption({ confirmedBy: { ...APPROVER, userId: 'U0APPROVER2', name: 'Second approver' } })),
    ]),
    inChannel(
      'back-out',
      'Being backed out',
      'An approver takes a remediation back: rotation is switched off again, and then the key is exempt on the terms of the form.',
      [
        opens(),
        approves(),
        ...fixes(),
        {
          ...{ type: 'back-out-approved', at: later({ minutes: 20 }), remedy: DISABLE },
          ...{
            approval: approval(APPROVER, later({ minutes: 20 })),
            thenExempt: exemption({ grantedAt: later({ minutes: 20 }) }),
          },
        },
      ],
    ),
  ],
};

export const findings: readonly Section[] = [asksForDecision, decided, exempted];
