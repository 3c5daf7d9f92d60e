import type { FindingEvent } from '../../../functions/domain/finding-events.ts';
import { renderFinding } from '../../../functions/messages/finding-message.ts';
import { renderOwnerNotice } from '../../../functions/messages/owner-notice.ts';
import { renderReply } from '../../../functions/messages/thread-reply.ts';
import { aProof, given, later } from '../../builders.ts';
import {
  APPROVER,
  approval,
  approves,
  byEngineer,
  DISABLE,
  driftLoop,
  ENGINEER,
  exemption,
  exempts,
  facts,
  fixes,
  key,
  opens,
  POLICY,
  REQUEST_ID,
  request,
  SECOND_APPROVER,
  trailOf,
} from '../cast.ts';
import type { Picture, Reply, Section } from '../picture.ts';

type Story = [FindingEvent, ...FindingEvent[]];

/** The thread that a story leaves below its message, as it was written: each reply when its event happened. */
function thread(name: string, title: string, words: string, story: Story): Picture {
  const { records } = trailOf(story);
  const replies = records.flatMap((record, index): Reply[] => {
    const [first, ...rest] = story.slice(0, index + 1);
    if (first === undefined) return [];
    const reply = renderReply(record, { policy: POLICY, now: record.event.at, finding: given([first, ...rest]) });
    return reply === null ? [] : [{ ...reply, to: record.event.type }];
  });
  const below = renderFinding(given(story), { policy: POLICY, now: records.at(-1)?.event.at ?? later({}) });
  return { name, title, words, shows: { place: 'thread', below, replies } };
}

const exemptionEnds: Story = [
  opens(),
  { type: 'confirmation-requested', at: request().at, request: request() },
  exempts(exemption({ confirmedBy: SECOND_APPROVER })),
  { type: 'exemption-reminded', at: later({ days: 46, hours: 15 }), daysLeft: 14, owner: ENGINEER },
  {
    type: 'exemption-expired',
    at: later({ days: 60, hours: 15 }),
    facts: facts(key(1)),
    assessment: { verdict: 'rotation-off' },
  },
];

const OFF = { rotationEnabled: false, rotationPeriodInDays: null, nextRotationAt: null } as const;

/** What the owner of an exemption is told of the last event of a story. */
function toOwner(name: string, title: string, words: string, story: Story): Picture {
  const { records, finding } = trailOf(story);
  const record = records.at(-1);
  const link = 'https://sandbox.slack.com/archives/C0PAYMENTS/p1772442000000100';
  const notice =
    record === undefined ? null : renderOwnerNotice(record, { policy: POLICY, now: record.event.at, finding, link });
  if (notice === null) throw new Error(`${name} tells an owner nothing`);
  return { name, title, words, shows: { place: 'direct message', message: notice } };
}

const inThreads: Section = {
  title: 'In the thread',
  words:
    'What happens is told below the message. Only what somebody has to act on is shown in the channel too: a failure, an escalation, the end of an exemption.',
  pictures: [
    thread(
      'thread-remediation',
      'An approval and its result',
      'Whoever follows the thread reads who approved which call, and what KMS said when it was read back.',
      [opens(), approves(), ...fixes()],
    ),
    thread(
      'thread-reminders',
      'Reminders and escalation',
      'The approvers are mentioned, so that Slack notifies them.',
      [
        opens(),
        { type: 'reminded', at: later({ hours: 4 }), reminder: 1 },
        { type: 'escalated', at: later({ hours: 48 }) },
      ],
    ),
    thread(
      'thread-exemption',
      'An exemption from the request to its end',
      'A second approver confirms what the first asked for; the owner is mentioned before it ends; at its end the approvers are asked again.',
      exemptionEnds,
    ),
    thread(
      'thread-failure',
      'A failure and what follows',
      'The approvers are mentioned when a remediation failed. A re-check answers in the thread; when it finds something else, they are asked anew.',
      [
        opens(),
        approves(),
        { type: 'remediation-overdue', at: later({ minutes: 20 }), report: 1 },
        {
          ...{ type: 'remediation-failed', at: later({ minutes: 30 }), kmsRequestId: null },
          failure: { because: 'kms-refused', operation: 'EnableKeyRotation', code: 'KMSInvalidStateException' },
        },
        { type: 'rechecked', at: later({ minutes: 40 }), by: APPROVER, assessment: { verdict: 'rotation-off' } },
        {
          ...{
            type: 'finding-reassessed',
            at: later({ minutes: 50 }),
            facts: null,
            trigger: byEngineer('EnableKeyRotation'),
          },
          assessment: { verdict: 'period-too-long', periodInDays: 1095, maximumPeriodInDays: 365 },
        },
        {
          ...{
            type: 'finding-closed',
            at: later({ hours: 1 }),
            closing: { because: 'compliant', by: 'payments-admin' },
          },
          trigger: byEngineer('EnableKeyRotation'),
        },
      ],
    ),
    thread(
      'thread-drift',
      'Switched off again, and a change of mode',
      'A drift loop is told with its history. When the policy of the route changes its mode, the thread says what holds from then on.',
      [...driftLoop(), { type: 'mode-changed', at: later({ days: 1, minutes: 5 }), from: 'auto', to: 'ask' }],
    ),
    thread(
      'thread-back-out',
      'A back-out',
      'Who took the remediation back, what was called, what KMS said, and on which terms the key is exempt since.',
      [
        opens(),
        approves(),
        ...fixes(),
        {
          ...{ type: 'back-out-approved', at: later({ minutes: 20 }), remedy: DISABLE, thenExempt: exemption() },
          approval: approval(APPROVER, later({ minutes: 20 })),
        },
        {
          ...{ type: 'backed-out', at: later({ minutes: 21 }), exemption: exemption(), kmsRequestId: REQUEST_ID },
          proof: aProof({ ...{ readAt: later({ minutes: 21 }), agreeingReads: 3 }, ...OFF }),
        },
      ],
    ),
    thread(
      'thread-terms',
      'What can be done with an exemption and with a request',
      'Renewed, shortened, left to end, ended; a request withdrawn, and one that nobody confirmed in time.',
      [
        opens(),
        { type: 'confirmation-requested', at: request().at, request: request() },
        { type: 'request-withdrawn', at: later({ minutes: 8 }), by: APPROVER },
        { type: 'confirmation-requested', at: later({ minutes: 9 }), request: request({ at: later({ minutes: 9 }) }) },
        { type: 'request-lapsed', at: later({ days: 1, minutes: 9 }) },
        exempts(exemption({ grantedAt: later({ days: 2 }) })),
        {
          ...{ type: 'exemption-renewed', at: later({ days: 3 }), by: APPROVER },
          exemption: exemption({ grantedAt: later({ days: 3 }), until: later({ days: 80, hours: 15 }) }),
        },
        {
          ...{ type: 'exemption-shortened', at: later({ days: 4 }), by: APPROVER, owner: ENGINEER },
          until: later({ days: 20, hours: 15 }),
        },
        { type: 'exemption-end-accepted', at: later({ days: 5 }), by: ENGINEER },
        { type: 'exemption-revoked', at: later({ days: 6 }), by: SECOND_APPROVER },
      ],
    ),
  ],
};

const directly: Section = {
  title: 'To the owner of an exemption, directly',
  words: 'The bot writes to the owner by direct message, because an owner need not be in the channel.',
  pictures: [
    toOwner(
      'owner-named',
      'You answer for an exemption',
      'The owner hears of it at once: who named them, for which key, why, and until when.',
      [opens(), exempts()],
    ),
    toOwner(
      'owner-reminded',
      'It ends soon',
      'On the days before the end that the policy names. The link leads to the message with the buttons.',
      [
        opens(),
        exempts(),
        { type: 'exemption-reminded', at: later({ days: 46, hours: 15 }), daysLeft: 14, owner: ENGINEER },
      ],
    ),
    toOwner(
      'owner-shortened',
      'It ends earlier',
      'When somebody shortens an exemption, its owner is told the new end.',
      [
        opens(),
        exempts(),
        {
          type: 'exemption-shortened',
          at: later({ days: 3 }),
          by: APPROVER,
          owner: ENGINEER,
          until: later({ days: 20, hours: 15 }),
        },
      ],
    ),
  ],
};

export const threads: readonly Section[] = [inThreads, directly];
