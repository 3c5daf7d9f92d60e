import type { AuditEvent } from '../../../functions/domain/audit.ts';
import type { FindingEvent } from '../../../functions/domain/finding-events.ts';
import type { CoveredKeys, KeyPattern } from '../../../functions/domain/key-pattern.ts';
import type { PatternEvent, PatternExemption, PatternRefusal } from '../../../functions/domain/pattern-exemption.ts';
import { auditLine } from '../../../functions/messages/audit-line.ts';
import { renderFinding } from '../../../functions/messages/finding-message.ts';
import { renderFindingRow } from '../../../functions/messages/finding-row.ts';
import { patternEventPhrases, patternRefusalSentence } from '../../../functions/messages/pattern-event.ts';
import { type PatternContext, renderPatternMessage } from '../../../functions/messages/pattern-message.ts';
import { renderPatternOwnerNotice } from '../../../functions/messages/pattern-owner-notice.ts';
import { spoken } from '../../../functions/messages/phrase.ts';
import { renderReply } from '../../../functions/messages/thread-reply.ts';
import {
  aFinding,
  anExemption,
  aPattern,
  aPatternConfirmation,
  aPatternRequest,
  aPersonRef,
  aPolicy,
  DEV_KEYS,
  KEY,
  later,
  someRules,
  someTerms,
} from '../../builders.ts';
import { expectSlackTakes, wordsOf } from './slack-limits.ts';
import { trailOf } from './trail.ts';

const APPROVERS = { channel: 'C0SECURITY', approvers: { users: ['U0FIRST', 'U0SECOND'], userGroups: [] } };
const POLICY = aPolicy({ exemptions: { ...someRules(), selfExemption: false, patterns: APPROVERS } });
const NOW = later({ hours: 1 });
const BY = aPersonRef({ userId: 'U0SECOND', name: 'Second Approver' });
const RENEWAL = aPatternRequest({ at: later({ days: 20 }), terms: someTerms({ until: later({ days: 60 }) }) });
const COVERED: CoveredKeys = {
  isAll: true,
  keys: [
    { arn: KEY.arn, alias: 'dev-ledger', status: 'open' },
    { arn: KEY.arn, alias: null, status: 'failed' },
    { arn: KEY.arn, alias: 'dev-mail', status: 'exempt' },
  ],
};

function shown(
  exemption: PatternExemption,
  { now = NOW, covered = COVERED, policy = POLICY }: Partial<PatternContext> = {},
) {
  const message = renderPatternMessage(exemption, { policy, now, covered });
  expectSlackTakes(message);
  const buttons = message.blocks.flatMap((block) => (block.type === 'actions' ? block.elements : []));
  return {
    text: message.text,
    words: wordsOf(message.blocks),
    buttons: buttons.map(({ text, value, confirm }) => ({ label: text.text, value, confirm: confirm?.text.text })),
  };
}
const labels = (exemption: PatternExemption, now?: string, policy = POLICY) =>
  shown(exemption, { ...(now === undefined ? {} : { now }), policy }).buttons.map(({ label }) => label);

const requested = () => aPattern([aPatternRequest()]);
const reminded = () =>
  aPattern([
    aPatternRequest(),
    aPatternConfirmation(),
    { type: 'remind-pattern-owner', at: later({ days: 16 }), daysLeft: 14 },
  ]);
const revoked = () =>
  aPattern([
    ...[aPatternRequest(), aPatternConfirmation()],
    { type: 'revoke-pattern', at: later({ days: 3 }), by: BY, verdict: { allowed: true } },
  ]);

describe('the message of an exemption of a pattern', () => {
  it.each<[string, PatternExemption, string]>([
    ['asks for a second person, with what is covered', requested(), NOW],
    ['says what holds, and who decided it', aPattern(), NOW],
    ['counts what became exempt, and what was left out', { ...aPattern(), coverage: { exempt: 1, leftOut: 2 } }, NOW],
    [
      'asks to renew it, and says what holds meanwhile',
      aPattern([aPatternRequest(), aPatternConfirmation(), RENEWAL]),
      later({ days: 20, hours: 1 }),
    ],
    ['offers the owner to let it end once reminded', reminded(), later({ days: 17 })],
    ['says who ended it', revoked(), later({ days: 4 })],
    [
      'says that it ran out',
      aPattern([aPatternRequest(), aPatternConfirmation(), { type: 'expire-pattern', at: later({ days: 30 }) }]),
      later({ days: 31 }),
    ],
    [
      'says that nobody confirmed it',
      aPattern([aPatternRequest(), { type: 'lapse-pattern', at: later({ days: 2 }) }]),
      later({ days: 3 }),
    ],
    [
      'says who withdrew it',
      aPattern([
        aPatternRequest(),
        { type: 'withdraw-pattern', at: NOW, by: BY, verdict: { allowed: true }, requestedAt: later({ minutes: 10 }) },
      ]),
      NOW,
    ],
    [
      'names a tag',
      aPattern([aPatternRequest({ pattern: { accountId: KEY.accountId, by: 'tag', key: 'Stage', value: 'dev*' } })]),
      NOW,
    ],
  ])('%s', (_, exemption, now) => {
    expect(shown(exemption, { now })).toMatchSnapshot();
  });

  it('offers only what would succeed', () => {
    expect(labels(requested())).toEqual(['Confirm exemption', 'Withdraw']);
    expect(labels(aPattern())).toEqual(['Renew…', 'End exemption…']);
    expect(
      labels(aPattern([aPatternRequest(), aPatternConfirmation(), RENEWAL]), later({ days: 20, hours: 1 })),
    ).toEqual([...['Confirm renewal', 'Withdraw', 'End exemption…']]);
    expect(labels(reminded(), later({ days: 17 }))).toEqual(['Renew…', 'Let it run out', 'End exemption…']);
    expect(labels(revoked())).toEqual([]);
    // Over by the clock, though nothing has said so yet.
    expect(labels(requested(), later({ days: 2 }))).toEqual([]);
    expect(labels(aPattern(), later({ days: 30 }))).toEqual([]);
    const nobody = aPolicy({ exemptions: { ...someRules(), selfExemption: false, patterns: null } });
    expect(labels(aPattern(), NOW, nobody)).toEqual(['End exemption…']);
    expect(labels(requested(), NOW, nobody)).toEqual(['Withdraw']);
  });

  it('says before a confirmation what is covered, in the dialog too', () => {
    const [confirm] = shown(requested()).buttons;
    expect(confirm?.confirm).toBe(
      'alias dev-* in payments-production (111122223333). Every key in 111122223333 made later that it means is exempt too, until 2026-04-01 09:00 UTC. The bot knows 3 keys with a finding: 2 without an exemption, 1 exempt already.',
    );
  });

  it('cannot be confirmed where nobody looked what is covered', () => {
    expect(shown(requested(), { covered: null }).buttons.map(({ label }) => label)).toEqual(['Withdraw']);
  });

  it('names ten covered keys and counts the others', () => {
    const keys = Array.from({ length: 40 }, (_, index) => ({
      arn: KEY.arn,
      alias: `dev-${index}`,
      status: 'open' as const,
    }));
    const { words } = shown(requested(), { covered: { keys, isAll: false } });
    expect(words).toContain('at least 40 keys with a finding');
    expect(words).toContain('alias/dev-9, waits for a decision');
    expect(words).not.toContain('alias/dev-10');
    expect(words).toContain('and at least 30 more');
  });

  it('is one that Slack takes with the longest and worst that can come in', () => {
    const nasty = '<!channel>\u202e*_~`&'.repeat(200);
    const terms = someTerms({ reason: nasty, ticket: nasty, owner: aPersonRef({ name: nasty, userId: '<!here>' }) });
    const keys = Array.from({ length: 5000 }, () => ({
      arn: `${KEY.arn}${nasty}`,
      alias: nasty,
      status: 'open' as const,
    }));
    const patterns: KeyPattern[] = [
      { accountId: KEY.accountId, by: 'alias', alias: 'a'.repeat(256) },
      { accountId: KEY.accountId, by: 'tag', key: nasty, value: nasty },
    ];
    const accounts = { [KEY.accountId]: { name: nasty } };
    for (const pattern of patterns) {
      const asked = aPatternRequest({ pattern, terms, by: aPersonRef({ name: nasty, userId: '<@U1>' }) });
      const { text, buttons } = shown(aPattern([asked]), {
        policy: { ...POLICY, accounts },
        covered: { keys, isAll: false },
      });
      expect(text).not.toMatch(/<!|<@|\u202e/);
      expect(buttons[0]?.confirm).toContain('The bot knows at least 5000 keys');
      const granted = { ...aPattern([asked, aPatternConfirmation()]), coverage: { exempt: 5000, leftOut: 5000 } };
      shown(granted, { policy: { ...POLICY, accounts }, covered: { keys, isAll: false } });
    }
  });
});

describe('what the owner of an exemption of a pattern is told', () => {
  const LINK = 'https://corp.slack.com/archives/C0SECURITY/p1';
  const notice = (event: PatternEvent, exemption = reminded()) =>
    renderPatternOwnerNotice(event, { exemption, policy: POLICY, link: LINK });

  it.each<PatternEvent>([
    { type: 'pattern-confirmed', at: NOW, by: BY, until: later({ days: 30 }) },
    { type: 'pattern-reminded', at: NOW, daysLeft: 14, owner: aPersonRef() },
    { type: 'pattern-reminded', at: NOW, daysLeft: 1, owner: aPersonRef() },
  ])('$type', (event) => {
    const told = notice(event);
    if (told === null) throw new Error('nothing');
    expectSlackTakes(told);
    expect({ text: told.text, words: wordsOf(told.blocks) }).toMatchSnapshot();
  });

  it('is nothing for the rest', () => {
    expect(notice({ type: 'pattern-expired', at: NOW })).toBeNull();
    expect(notice({ type: 'pattern-revoked', at: NOW, by: BY })).toBeNull();
  });
});

describe('the lines of its trail, and why something was refused', () => {
  const request = { by: BY, at: NOW, terms: someTerms(), lapsesAt: later({ days: 1 }) };
  const events: PatternEvent[] = [
    { type: 'pattern-requested', at: NOW, id: 'pattern-1', pattern: DEV_KEYS, request },
    { type: 'pattern-confirmed', at: NOW, by: BY, until: later({ days: 30 }) },
    { type: 'pattern-withdrawn', at: NOW, by: BY },
    { type: 'pattern-lapsed', at: NOW },
    { type: 'pattern-applied', at: NOW, coverage: { exempt: 1, leftOut: 0 }, isLast: false },
    { type: 'pattern-reminded', at: NOW, daysLeft: 1, owner: BY },
    { type: 'pattern-end-accepted', at: NOW, by: BY },
    { type: 'pattern-revoked', at: NOW, by: BY },
    { type: 'pattern-expired', at: NOW },
    { type: 'pattern-refused', at: NOW, command: 'confirm-pattern', by: BY, refusal: { reason: 'own-request' } },
  ];
  it.each(events)('$type', (event) => {
    expect(spoken(...patternEventPhrases(event))).toMatchSnapshot();
  });

  it.each<PatternRefusal>([
    { reason: 'pattern-too-broad' },
    { reason: 'pattern-ended' },
    { reason: 'pattern-not-granted' },
    { reason: 'not-an-approver' },
    { reason: 'group-gone' },
    { reason: 'requester-may-not', by: '<!channel> `First`' },
    { reason: 'second-person-not-told' },
  ])('$reason', (refusal) => {
    expect(patternRefusalSentence(refusal)).toMatchSnapshot();
  });
});

describe('a key that is exempt by a pattern', () => {
  const byPattern = { ...anExemption(), pattern: { id: 'pattern-1', means: DEV_KEYS } };
  const finding = { ...aFinding('exempt'), exemption: byPattern };
  const [granted] = trailOf('exempt').filter(({ event }) => event.type === 'exemption-granted');
  const record = (event: FindingEvent): AuditEvent => {
    if (granted === undefined) throw new Error('no record');
    return { ...granted, event };
  };
  const context = { policy: POLICY, now: NOW };

  it('says by which, for people, in its message, its row and its trail', () => {
    const said = [
      renderFinding(finding, context).text,
      wordsOf(renderFindingRow(finding, context)),
      spoken(...auditLine(record({ type: 'exemption-granted', at: NOW, exemption: byPattern }))),
      renderReply(record({ type: 'exemption-granted', at: NOW, exemption: byPattern }), { ...context, finding })?.text,
    ];
    for (const text of said) expect(text).toContain(' by the exemption of all keys with alias dev-*');
    expect(said.join()).not.toContain('pattern-1');
  });

  it('says that it ended with the pattern', () => {
    const ended = record({ type: 'exemption-revoked', at: NOW, by: BY, withPattern: true });
    expect(spoken(...auditLine(ended))).toContain('Exemption ended by Second Approver, for all keys of its pattern.');
    expect(renderReply(ended, { ...context, finding })?.text).toContain(
      'ended the exemption of all keys of its pattern.',
    );
  });

  it('says nothing of a pattern when it has none', () => {
    expect(renderFinding(aFinding('exempt'), context).text).not.toContain('all keys with');
  });
});
