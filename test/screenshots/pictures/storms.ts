import { type JoinedMember, memberOf, summarise } from '../../../functions/domain/digest.ts';
import type { Finding } from '../../../functions/domain/finding.ts';
import type { FindingEvent } from '../../../functions/domain/finding-events.ts';
import { type DigestView, renderDigest } from '../../../functions/messages/digest-message.ts';
import { renderDigestReply } from '../../../functions/messages/digest-reply.ts';
import { renderDigestEscalation } from '../../../functions/messages/escalation-notice.ts';
import { renderReview } from '../../../functions/messages/review-modal.ts';
import { aPerson, given, later } from '../../builders.ts';
import { APPROVER, approval, approves, exempts, facts, fixes, key, opens, POLICY, READER, trailOf } from '../cast.ts';
import type { Reply, Section } from '../picture.ts';

const ID = `C0PAYMENTS#${later({})}`;
const NAMES = ['orders', 'invoices', 'refunds', 'payouts', 'ledger', 'audit-log', 'exports', 'archive'];
const ACCOUNTS = ['444455556666', '444455556666', '123456789012'];
const NOW = later({ minutes: 3 });

/** The keys of a storm, most of them made by one run of Terraform; `then` says what happened to each since. */
function storm(size: number, then: (index: number) => FindingEvent[] = () => []): Finding[] {
  return Array.from({ length: size }, (_, index) => {
    const of = key(100 + index, ACCOUNTS[index % ACCOUNTS.length]);
    const alias = `payments/${NAMES[index % NAMES.length]}-${String(index).padStart(2, '0')}`;
    const tags = index % 9 === 0 ? [{ key: 'environment', value: 'prod' }] : [];
    const seen = facts(of, { aliases: [alias], tags, description: '' });
    const assessment =
      index === 7
        ? ({ verdict: 'manual-rotation-due', pendingKeyMaterialId: null, lastRotatedAt: null } as const)
        : index === 16
          ? ({
              verdict: 'unknown',
              reason: { because: 'access-denied', operation: 'DescribeKey', deniedBy: 'key-policy', principal: READER },
            } as const)
          : ({ verdict: 'rotation-off' } as const);
    return given([opens({ key: of, facts: seen, assessment }), ...then(index)]);
  });
}

function member(finding: Finding): JoinedMember {
  return { ...memberOf(finding, POLICY.digest), joinedAt: later({ minutes: 1 }) };
}

function digestOf(findings: readonly Finding[], batches: DigestView['batches'] = [], now = NOW) {
  const members = findings.map(member);
  return renderDigest({ id: ID, beganAt: later({}), members, batches }, { policy: POLICY, now });
}

const APPROVED_AT = later({ minutes: 3 });

function batch(count: number, doneAt: string | null): DigestView['batches'][number] {
  return {
    ...{ doneAt, refused: 0 },
    batch: {
      ...{ digest: ID, requestId: 'click', at: APPROVED_AT, person: aPerson(APPROVER), groups: { known: false } },
      ...{ policyVersion: 'b3f1c2d4', upTo: later({ minutes: 2 }), count },
    },
  };
}

const isApprovable = (index: number) => index !== 7 && index !== 16;
const approvedAndFixed = (at: string): FindingEvent[] => [approves(approval(APPROVER, at)), ...fixes(at)];

/** A page with these keys of the storm. */
function review(
  indices: readonly number[],
  then: (index: number) => FindingEvent[] = () => [],
  { notice = null, after = '' }: { notice?: string | null; after?: string } = {},
) {
  const all = storm(48, then);
  const findings = all.filter((_, index) => indices.includes(index));
  const page = { digest: ID, after };
  const next = after === '' ? '000#444455556666' : null;
  return renderReview(
    { page, findings, next, summary: summarise(all.map(member)), notice },
    { policy: POLICY, now: NOW },
  );
}

const STORY: [FindingEvent, ...FindingEvent[]] = [
  opens(),
  { type: 'reminded', at: later({ hours: 4 }), reminder: 1 },
  { type: 'escalated', at: later({ hours: 48 }) },
  exempts(),
];

/** The replies below a digest to what happens to one of its keys. */
function replies(): Reply[] {
  const { records, finding } = trailOf(STORY);
  return records.flatMap((record): Reply[] => {
    const reply = renderDigestReply(record, { policy: POLICY, now: record.event.at, finding });
    return reply === null ? [] : [{ ...reply, to: record.event.type }];
  });
}

const digests: Section = {
  title: 'A storm: many findings at once',
  words:
    'When more findings open in a minute than the policy\'s "digest" allows, the rest share one message. It is redrawn every ten seconds at most, so its counts are those of now.',
  pictures: [
    {
      name: 'digest-growing',
      title: 'While it grows',
      words:
        'The channel sees how many there are, where, why, and who caused them, production first. "Review" opens the list; "Approve all" is for the keys that switching rotation on settles.',
      shows: { place: 'channel', message: digestOf(storm(48)) },
    },
    {
      name: 'digest-confirm',
      title: 'Approve all asks back',
      words:
        'The number in the dialog is the number of keys that were shown when the message was drawn; what joins later is not approved with them.',
      shows: { place: 'confirm', message: digestOf(storm(48)), button: 'Approve all 46' },
    },
    {
      name: 'digest-approving',
      title: 'After Approve all',
      words: 'Who approved, when, and how far it is. There is no second "Approve all" meanwhile; "Review" still opens.',
      shows: {
        place: 'channel',
        message: digestOf(
          storm(48, (index) => (isApprovable(index) && index < 20 ? approvedAndFixed(later({ minutes: 4 })) : [])),
          [batch(46, null)],
          later({ minutes: 4 }),
        ),
      },
    },
    {
      name: 'digest-done',
      title: 'What is left',
      words:
        'What "Approve all" was not for stays: here one imported key and one that the bot cannot read. They are decided in "Review".',
      shows: {
        place: 'channel',
        message: digestOf(
          storm(48, (index) => (isApprovable(index) ? approvedAndFixed(later({ minutes: 4 })) : [])),
          [batch(46, later({ minutes: 6 }))],
          later({ minutes: 8 }),
        ),
      },
    },
    {
      name: 'digest-decided',
      title: 'All decided',
      words: 'No button is left.',
      shows: {
        place: 'channel',
        message: digestOf(
          storm(30, (index) => (isApprovable(index) ? approvedAndFixed(later({ minutes: 4 })) : [exempts()])),
          [batch(28, later({ minutes: 6 }))],
          later({ minutes: 8 }),
        ),
      },
    },
    {
      name: 'digest-thread',
      title: 'In the thread of a digest',
      words: 'One reminder and one escalation for all of them. An exemption has the name of its key, and its owner.',
      shows: { place: 'thread', below: digestOf(storm(48)), replies: replies() },
    },
    {
      name: 'digest-escalation',
      title: 'In the second channel',
      words: 'Once for all of them.',
      shows: {
        place: 'channel',
        message: renderDigestEscalation('https://sandbox.slack.com/archives/C0PAYMENTS/p1772442000000100'),
      },
    },
    {
      name: 'review',
      title: 'Review',
      words:
        'The person who clicked sees the findings, twenty on a page, each with the buttons that its own message would have. What waits comes first.',
      shows: { place: 'modal', view: review([0, 1, 2, 7, 16]) },
    },
    {
      name: 'review-decided',
      title: 'Review, after a click',
      words: 'The list stays open, says what came of the click, and shows the decided finding without buttons.',
      shows: {
        place: 'modal',
        view: review([0, 1, 2], (index) => (index === 0 ? [approves()] : []), { notice: 'Done.' }),
      },
    },
    {
      name: 'review-last-page',
      title: 'Review, the last page',
      words: 'What is decided comes last.',
      shows: {
        place: 'modal',
        view: review([0, 1], (index) => (index > 1 ? [] : [approves(), ...(index === 0 ? fixes() : [])]), {
          after: '100#444455556666',
        }),
      },
    },
  ],
};

export const storms: readonly Section[] = [digests];
