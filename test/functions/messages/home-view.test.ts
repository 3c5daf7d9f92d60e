import { expect } from '@jest/globals';
import type { HomeView } from '@slack/types';
import type { HomeMetadata } from '../../../functions/contracts/slack-requests.ts';
import type { ExemptFinding, Finding, Status } from '../../../functions/domain/finding.ts';
import { type HomeModel, LONGEST_SEARCH, renderClosedHome, renderHome } from '../../../functions/messages/home-view.ts';
import { homeInput } from '../../../sandbox/slack/view-schema.ts';
import { aFinding, aKey, aPattern, aPatternRequest, aPolicy, KEY, later } from '../../builders.ts';
import { wordsOf } from './slack-limits.ts';
import { trailOf } from './trail.ts';

const POLICY = aPolicy();
POLICY.exemptions.patterns = { channel: 'C0PATTERNS', approvers: { users: ['U0FIRST', 'U0SECOND'], userGroups: [] } };
const CONTEXT = { policy: POLICY, now: later({ days: 1 }) };
const EMPTY: HomeModel = {
  ...{
    notice: null,
    caution: null,
    search: null,
    exemptions: [],
    today: [],
    failed: [],
    patterns: [],
    patternRequests: [],
  },
  open: { findings: [], isFirstPage: true, next: null },
};
const START: HomeMetadata = { search: null, after: null };

function shown(model: Partial<HomeModel>, metadata = START) {
  const view = renderHome({ ...EMPTY, ...model }, metadata, CONTEXT);
  // What Slack's server and what its client's types take.
  homeInput.parse(view);
  view satisfies HomeView;
  return { words: view.blocks.map(wordsOf).join(''), view };
}

function exempt(days: number): ExemptFinding {
  const finding = aFinding('exempt');
  return { ...finding, exemption: { ...finding.exemption, until: later({ days }) } };
}

const news = (status: Status) => trailOf(status).map((record) => ({ record, facts: aKey() }));

describe('the Home tab', () => {
  it('says when nothing waits', () => {
    const { words } = shown({});
    expect(words).toContain('Nothing waits for you.');
    expect(words).toContain('Nothing has happened yet.');
  });

  it('offers for every waiting finding what its own message offers', () => {
    const { words } = shown({ open: { findings: [aFinding('open')], isFirstPage: true, next: null } });
    expect(words).toContain('alias/payments/ledger in ');
    expect(words).toContain('[Approve] [Exempt…] [Re-check]');
  });

  it('shows failed remediations first', () => {
    const { words } = shown({ failed: [aFinding('failed')] });
    expect(words).toContain('Failed, and waiting for you again');
    expect(words).toContain('[Try again] [Exempt…] [Re-check]');
  });

  it('shows requests for exemptions of patterns with what they cover, and those that the person owns', () => {
    const covered = { keys: [{ arn: KEY.arn, alias: 'dev-a', status: 'open' as const }], isAll: true };
    const exemption = aPattern([aPatternRequest({ at: later({ hours: 20 }) })]);
    const { words } = shown({ patternRequests: [{ exemption, covered }], patterns: [aPattern()] });
    expect(words).toContain('Exemptions of many keys, waiting for a second person');
    expect(words).toContain('The bot knows 1 key with a finding');
    expect(words).toContain('[Confirm exemption] [Withdraw]');
    expect(words).toContain('Exemptions of many keys that you own');
    expect(words).toContain('[Renew…] [End exemption…]');
  });

  it('turns pages', () => {
    const open = { findings: [aFinding('open')], isFirstPage: false, next: 'where the next page begins' };
    const { view, words } = shown({ open });
    expect(words).toContain('[Back to the first] [Next]');
    expect(JSON.stringify(view)).toContain('"value":"where the next page begins"');
  });

  it('remembers what it shows', () => {
    const metadata = { search: 'ledger', after: 'here' };
    const { view } = shown({ search: { words: 'ledger', findings: [], isComplete: false } }, metadata);
    expect(JSON.parse(view.private_metadata)).toEqual(metadata);
    expect(wordsOf(view.blocks)).toContain('an ARN finds any');
  });

  it('tells the exemptions that somebody owns, and what happened today', () => {
    const { words } = shown({ exemptions: [exempt(3)], today: news('remediated').reverse() });
    expect(words).toContain('Exemptions that you own');
    expect(words).toContain('[Renew…] [Fix now] [Shorten…] [End exemption now]');
    expect(words).toContain('alias/payments/ledger 2026');
    expect(words).toContain('Remediated, read back from KMS.');
  });

  it('stays below the limits of a view with the most that it can show, all of it hostile', () => {
    const attack = '<!channel> *x* `y`\n\u202e<@U0EVIL>'.repeat(40);
    const many = (finding: Finding) => Array.from({ length: 60 }, () => finding);
    const facts = aKey({ aliases: [attack.slice(0, 256)] });
    const finding: Finding = { ...aFinding('open'), facts };
    const { view } = shown(
      {
        ...{ notice: attack, exemptions: Array.from({ length: 60 }, () => ({ ...exempt(3), facts })) },
        open: { findings: many(finding), isFirstPage: false, next: 'x'.repeat(400) },
        search: { words: attack.slice(0, LONGEST_SEARCH), findings: many(finding), isComplete: false },
        failed: many({ ...aFinding('failed'), facts }),
        today: Array.from({ length: 60 }, () => news('exempt')).flat(),
      },
      { search: attack.slice(0, LONGEST_SEARCH), after: 'x'.repeat(400) },
    );
    expect(view.blocks.length).toBeLessThanOrEqual(100);
    expect(/mrkdwn|\u202e/.exec(JSON.stringify(view.blocks))).toBeNull();
  });

  it('shows nothing but the reason to whoever may not look', () => {
    const view = renderClosedHome('Only full members of this organisation can see findings.');
    homeInput.parse(view);
    expect(wordsOf(view.blocks).trim()).toBe('Only full members of this organisation can see findings.');
  });
});
