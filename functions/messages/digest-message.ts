import { DIGEST_BUTTON } from '../contracts/slack-actions.ts';
import {
  approvedSince,
  type Batch,
  type Count,
  certainUntil,
  type DigestMember,
  type DigestSummary,
  inOrder,
  isMeant,
  isWaiting,
  type JoinedMember,
  type MemberState,
  summarise,
} from '../domain/digest.ts';
import { accountName, type Policy } from '../domain/policy.ts';
import {
  type Block,
  type Button,
  button,
  confirmation,
  header,
  type RichTextPart,
  type RichTextSection,
} from './block.ts';
import type { Message } from './finding-message.ts';
import { nameOfKey } from './key-facts.ts';
import { type Phrase, richText, spoken } from './phrase.ts';
import { plain } from './plain.ts';

/** All there is to know of a digest. */
export type DigestView = {
  id: string;
  beganAt: string;
  members: readonly JoinedMember[];
  /** Oldest first. `doneAt` is null while it is under way. */
  batches: readonly { batch: Batch; doneAt: string | null; refused: number }[];
};

type DigestContext = { policy: Policy; now: string };

/** So many of each kind are named; the rest are counted. */
const NAMED_GROUPS = 8;
const NAMED_CAUSES = 5;
const NAMED_KEYS = 6;
const NAMED_FAILURES = 3;
/** The last ones. */
const NAMED_BATCHES = 3;

/**
 * The one message of many findings: a total function of its members as they are. Counts by state are in the top-level
 * text; when nobody has to decide any more there is no button left.
 */
export function renderDigest(digest: DigestView, { policy, now }: DigestContext): Message {
  const { members, batches, beganAt } = digest;
  const summary = summarise(members);
  const waiting = inOrder(members.filter(isWaiting));
  const title = titleOf(summary, waiting.length);
  const states = statesPhrase(summary);
  const progress = batches.slice(-NAMED_BATCHES).map((batch) => progressPhrases(batch, members));
  const buttons = waiting.length === 0 ? [] : buttonsOf(digest, { policy, now });
  return {
    text: spoken(waiting.length === 0 ? title : findings(summary), `: ${states}. `, ...progress.flatMap(spaced)),
    blocks: [
      header(title),
      {
        type: 'rich_text',
        elements: [
          richText('Since ', { time: beganAt }, `: ${states}.${movedSentence(summary)}`),
          ...progress.map((phrases) => richText(...phrases)),
        ],
      },
      {
        type: 'rich_text',
        elements: [
          ...listed('By account', accountLines(summary, policy)),
          ...listed('What was found', reasonLines(summary)),
          ...listed(
            'Caused by',
            countLines(summary.byCause, NAMED_CAUSES, (name) => plain(name, 100) || 'unknown'),
          ),
        ],
      },
      ...keyBlocks(waiting, policy),
      ...(buttons.length === 0 ? [] : [{ type: 'actions' as const, elements: buttons }]),
    ],
  };
}

/** `37 wait for a decision, 80 remediated`: only what there is. */
export function statesPhrase({ byStatus }: Pick<DigestSummary, 'byStatus'>): string {
  const parts = STATES.filter(([status]) => byStatus[status] > 0).map(
    ([status, words]) => `${byStatus[status]} ${byStatus[status] === 1 ? words.one : words.many}`,
  );
  return parts.length === 0 ? 'nothing is left here' : parts.join(', ');
}

/** What is wrong with a key, in a word or two. */
export function reasonWords(reason: DigestMember['reason']): string {
  switch (reason) {
    case 'rotation-off':
      return 'rotation off';
    case 'period-too-long':
      return 'rotates too rarely';
    case 'manual-rotation-due':
      return 'imported key material';
    case 'unknown':
      return 'not readable';
  }
}

const STATES: [MemberState, { one: string; many: string }][] = [
  ['open', { one: 'waits for a decision', many: 'wait for a decision' }],
  ['failed', same('failed')],
  ['approved', same('approved and under way')],
  ['remediated', same('remediated')],
  ['exempt', same('exempt')],
  ['closed', same('closed')],
  ['observed', same('only observed')],
];

function same(words: string): { one: string; many: string } {
  return { one: words, many: words };
}

function titleOf(summary: DigestSummary, waiting: number): string {
  const { total } = summary;
  if (waiting > 0) return `${findings(summary)}: ${waiting} to decide`;
  return total === 1 ? '1 finding, decided' : `${total} findings, all decided`;
}

function findings({ total }: DigestSummary): string {
  return total === 1 ? '1 finding' : `${total} findings at once`;
}

function spaced(phrases: readonly Phrase[]): Phrase[] {
  return [...phrases, ' '];
}

function movedSentence({ moved }: DigestSummary): string {
  if (moved === 0) return '';
  return ` ${moved} more ${moved === 1 ? 'has a message of its own' : 'have messages of their own'}.`;
}

function progressPhrases(
  { batch, doneAt, refused }: DigestView['batches'][number],
  members: readonly DigestMember[],
): Phrase[] {
  const approved = Math.min(approvedSince(members, batch), batch.count);
  const which = batch.count === 1 ? '1 key' : `all ${batch.count} keys`;
  const who: Phrase[] = [{ person: batch.person }, ` decided to approve ${which} `, { time: batch.at }];
  if (doneAt === null) return [...who, `: ${approved} of ${batch.count} approved so far.`];
  const others = batch.count - approved - refused;
  return [
    ...[...who, `: ${approved} of ${batch.count} approved`],
    refused === 0 ? '' : `, ${refused} refused (each key's audit trail says why)`,
    others > 0 ? `, ${others} settled in another way meanwhile.` : '.',
  ];
}

function buttonsOf({ id, members, batches }: DigestView, { policy, now }: DigestContext): Button[] {
  const review = button(DIGEST_BUTTON.review, 'Review', { digest: id, after: '' });
  const upTo = certainUntil(now);
  const count = members.filter((member) => isMeant(member, { upTo })).length;
  const isUnderWay = batches.some(({ doneAt }) => doneAt === null);
  if (count === 0 || isUnderWay) return [review];
  const label = count === 1 ? 'Approve 1 key' : `Approve all ${count}`;
  const call = `EnableKeyRotation with RotationPeriodInDays=${policy.rotation.periodInDays}`;
  const which = count === 1 ? 'one key. Its' : `${count} keys, one after the other. Each key's`;
  const what = `The bot calls ${call} for ${which} audit trail names you. Imported, unreadable, drifting and failed keys are not among them: decide those in "Review".`;
  const confirm = confirmation(`${label}?`, plain(what, 300), label);
  return [review, button(DIGEST_BUTTON.approveAll, label, { digest: id, upTo, count }, { style: 'primary', confirm })];
}

function accountLines({ byAccount }: DigestSummary, policy: Policy): RichTextSection[] {
  return countLines(byAccount, NAMED_GROUPS, (id) => {
    const name = accountName(policy, id);
    return name === id ? id : `${plain(name, 80)} (${id})`;
  });
}

function reasonLines({ byReason }: DigestSummary): RichTextSection[] {
  return byReason.map(({ of, count }) => richText(`${count} × ${reasonWords(of)}`));
}

function countLines(counts: readonly Count[], most: number, label: (of: string) => string): RichTextSection[] {
  const rest = counts.slice(most).reduce((sum, { count }) => sum + count, 0);
  return [
    ...counts.slice(0, most).map(({ of, count }) => richText(`${count} × ${label(of)}`)),
    ...(rest === 0 ? [] : [richText(`${rest} × ${counts.length - most} others`)]),
  ];
}

function listed(title: string, lines: RichTextSection[]): RichTextPart[] {
  if (lines.length === 0) return [];
  return [richText({ bold: title }), { type: 'rich_text_list', style: 'bullet', elements: lines }];
}

function keyBlocks(waiting: readonly DigestMember[], policy: Policy): Block[] {
  const failed = waiting.filter(({ status }) => status === 'failed');
  const open = waiting.filter(({ status }) => status === 'open');
  const first = open.filter(({ comesFirst }) => comesFirst).length;
  const elements = [
    ...listed('Remediation failed', keyLines(failed, NAMED_FAILURES, policy)),
    ...listed(
      first === 0 ? 'First to decide' : `First to decide (${first} by their tags)`,
      keyLines(open, NAMED_KEYS, policy),
    ),
  ];
  return elements.length === 0 ? [] : [{ type: 'rich_text', elements }];
}

function keyLines(members: readonly DigestMember[], most: number, policy: Policy): RichTextSection[] {
  const more = members.length - most;
  return [
    ...members
      .slice(0, most)
      .map((member) => richText({ bold: nameOfKey(member.key, member.alias) }, ` ${memberWords(member, policy)}`)),
    ...(more > 0 ? [richText(`and ${more} more`)] : []),
  ];
}

function memberWords({ key, reason, severity }: DigestMember, policy: Policy): string {
  const account = plain(accountName(policy, key.accountId), 80);
  const grave = severity === 'HIGH' ? ', severity HIGH' : '';
  return `in ${account}, ${plain(key.region, 40)}: ${reasonWords(reason)}${grave}`;
}
