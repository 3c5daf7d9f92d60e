import { findingEventSchema, findingSchema } from '../../../functions/contracts/records.ts';
import { type JoinedMember, memberOf, summarise } from '../../../functions/domain/digest.ts';
import type { Finding, Status } from '../../../functions/domain/finding.ts';
import { renderDigest } from '../../../functions/messages/digest-message.ts';
import { renderDigestReply } from '../../../functions/messages/digest-reply.ts';
import { renderDigestEscalation } from '../../../functions/messages/escalation-notice.ts';
import { renderFinding } from '../../../functions/messages/finding-message.ts';
import { PAGE_SIZE, renderReview } from '../../../functions/messages/review-modal.ts';
import { checkedView } from '../../../sandbox/slack/views.ts';
import { aFinding, aKey, anOpening, aPerson, aPolicy, aRequest, given, HISTORY, KEY, later } from '../../builders.ts';
import { EVENTS, record } from './events.ts';
import { expectSlackTakes } from './slack-limits.ts';

/** What Slack would read as calls, links and formatting, written from right to left, and not ended. */
const ATTACK = '<!channel> <@U0123456789> *b* `c` & <https://evil.example|ok> \u202egnp\u2066\u0000\u0007\u200b\n> ';
const LONGEST_ALIAS = ATTACK.repeat(9).slice(0, 256);
const NOW = later({ hours: 2 });
const POLICY = aPolicy({ accounts: Object.fromEntries(accounts().map((id) => [id, { name: ATTACK.repeat(5) }])) });
const CONTEXT = { policy: POLICY, now: NOW };
const STATUSES = Object.keys(HISTORY).filter((status): status is Status => status in HISTORY);

/** Fields that somebody outside fills with what they like. */
const FREE = new Set([
  ...['name', 'email', 'ticket', 'description', 'key', 'value', 'tool', 'sourceIp', 'eventName', 'invokedBy'],
  ...['principal', 'operation', 'code', 'expected', 'lastRead', 'by', 'kmsRequestId'],
]);

function accounts(): string[] {
  return Array.from({ length: 40 }, (_, index) => String(100_000_000_000 + index));
}

/** The same with the attack wherever somebody else chooses the words; for a schema to read again. */
function attacked(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (field, inner: unknown) => {
    // A reason is one of the code's own words, or a sentence of somebody's.
    const isFree = FREE.has(field) || (field === 'reason' && String(inner).includes(' '));
    return isFree && typeof inner === 'string' ? ATTACK.repeat(20) : inner;
  });
}

const facts = aKey({
  aliases: Array.from({ length: 50 }, () => LONGEST_ALIAS),
  description: ATTACK.repeat(90),
  tags: Array.from({ length: 50 }, () => ({
    key: ATTACK.repeat(2).slice(0, 128),
    value: ATTACK.repeat(3).slice(0, 256),
  })),
});

/** A finding in this status with the worst words everywhere, as one of many. */
function worst(status: Status, index = 0): Finding {
  return asOne(findingSchema.parse(attacked(aFinding(status))), index);
}

function asOne(finding: Finding, index: number): Finding {
  const key = { ...KEY, arn: `${KEY.arn.slice(0, -4)}${String(index).padStart(4, '0')}` };
  return { ...finding, key, facts };
}

function member(index: number, status: Status): JoinedMember {
  const accountId = accounts()[index % 40] ?? '';
  const seen = memberOf(worst(status, index), POLICY.digest);
  return { ...seen, key: { ...seen.key, accountId }, causedBy: `${ATTACK}${index}`, joinedAt: later({ minutes: 1 }) };
}

/** Nothing that Slack would act on, and nothing that turns or hides text. */
function expectDisarmed(text: string, shown: unknown): void {
  expect(text).not.toMatch(/<[!@#]|<https:\/\/evil/);
  const words = JSON.stringify(shown);
  expect(words).not.toMatch(/\\u0000|\\u0007|[\u202e\u2066\u200b]/);
  expect(words).not.toContain('"mrkdwn"');
}

describe('a digest of the worst', () => {
  const members = Array.from({ length: 5000 }, (_, index) => member(index, STATUSES[index % 6] ?? 'open'));
  const batch = {
    ...{ digest: 'C0SECURITY#storm', requestId: 'click', at: later({ minutes: 5 }), person: aPerson({ name: ATTACK }) },
    ...{ groups: { known: false as const }, policyVersion: '1', upTo: later({ minutes: 4 }), count: 5000 },
  };

  it.each([
    ['while it grows', members.filter(({ status }) => status === 'open'), []],
    ['while all are being approved', members, [{ batch, doneAt: null, refused: 0 }]],
    ['with what is left', members, Array.from({ length: 20 }, () => ({ batch, doneAt: NOW, refused: 5000 }))],
    ['when all are decided', members.filter(({ status }) => status === 'exempt'), []],
    ['that all have left', members.map((each) => ({ ...each, status: 'moved' as const })), []],
    ['of nothing', [], []],
  ])('is a message that Slack takes %s', (_, of, batches) => {
    const message = renderDigest({ id: 'C0SECURITY#storm', beganAt: later({}), members: of, batches }, CONTEXT);
    expectSlackTakes(message);
    expectDisarmed(message.text, message.blocks);
  });

  it.each(Object.entries(EVENTS))('has replies that Slack takes: %s', (_, event) => {
    for (const status of STATUSES) {
      const told = record(findingEventSchema.parse(attacked(event)));
      const reply = renderDigestReply(told, { ...CONTEXT, finding: worst(status) });
      if (reply === null) continue;
      expectSlackTakes(reply);
      expectDisarmed(reply.text, reply.blocks);
    }
  });

  it('is escalated in a message that Slack takes', () => {
    expectSlackTakes(renderDigestEscalation(null));
    expectSlackTakes(renderDigestEscalation('https://sandbox.slack.com/archives/C0SECURITY/p1772442000000100'));
  });
});

describe('the list that "Review" opens, of the worst', () => {
  const summary = summarise(Array.from({ length: 5000 }, (_, index) => member(index, 'open')));
  const place = { digest: 'C0SECURITY#storm', after: `000#${'9'.repeat(12)}#${KEY.arn}#1` };

  it.each(STATUSES)('is a view that Slack takes with a page of findings in status %s', (status) => {
    const findings = Array.from({ length: PAGE_SIZE }, (_, index) => worst(status, index));
    const view = renderReview(
      { page: place, findings, next: place.after, summary, notice: ATTACK.repeat(50) },
      CONTEXT,
    );
    checkedView(view, 'modal');
    expectDisarmed('', view);
  });

  it('is a view that Slack takes with requests, refused reads and drift loops', () => {
    const denied = {
      verdict: 'unknown',
      reason: { because: 'access-denied', operation: ATTACK, deniedBy: 'unspecified', principal: ATTACK.repeat(20) },
    } as const;
    const again = { at: NOW, by: ATTACK.repeat(20), tool: ATTACK.repeat(20) };
    const drift = { ...aFinding('open'), history: { switchedOnByBot: [], switchedOffAgain: [again] } };
    const { terms } = aRequest();
    const request = aRequest({ terms: { ...terms, reason: ATTACK.repeat(30), ticket: ATTACK.repeat(30) } });
    const findings = [drift, { ...aFinding('open'), request }, given([anOpening({ assessment: denied })])].map(asOne);
    const view = renderReview({ page: place, findings, next: null, summary: null, notice: null }, CONTEXT);
    checkedView(view, 'modal');
    expectDisarmed('', view);
  });

  it('is a view that Slack takes when nothing is on the page', () => {
    checkedView(
      renderReview({ page: { ...place, after: '' }, findings: [], next: null, summary: null, notice: null }, CONTEXT),
      'modal',
    );
  });
});

describe('the message of a finding, of the worst', () => {
  it.each(STATUSES)('is one that Slack takes in status %s', (status) => {
    const message = renderFinding(worst(status), CONTEXT);
    expectSlackTakes(message);
    expectDisarmed(message.text, message.blocks);
  });
});
