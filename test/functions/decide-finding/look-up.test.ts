import { expect } from '@jest/globals';
import { digest } from '../../../functions/adapters/digest.ts';
import { parseSubcommand } from '../../../functions/contracts/slack-requests.ts';
import { answerCommand, type CommandDeps } from '../../../functions/decide-finding/answer-command.ts';
import { type HomeDeps, type News, showHome } from '../../../functions/decide-finding/home.ts';
import { viewerOf } from '../../../functions/decide-finding/look-up.ts';
import { verifyChain } from '../../../functions/domain/audit.ts';
import type { GroupMembership } from '../../../functions/domain/authority.ts';
import type { FindingEvent } from '../../../functions/domain/finding-events.ts';
import type { SlackPerson } from '../../../functions/domain/people.ts';
import type { HomeView } from '../../../functions/messages/home-view.ts';
import {
  aKey,
  aPatternConfirmation,
  aPatternRequest,
  aPerson,
  aPersonRef,
  aPolicy,
  HISTORY,
  KEY,
  later,
  someTerms,
} from '../../builders.ts';
import { createInMemoryFindings } from '../../fakes/in-memory-findings.ts';
import { createInMemoryPatterns } from '../../fakes/in-memory-patterns.ts';
import { wordsOf } from '../messages/slack-limits.ts';

const TEAM = aPerson().teamId;
const GROUP = 'S0SECURITY';
const START = { search: null, after: null };
const NO_NEWS = { notice: null, decided: null };

const keyOf = (index: number, accountId = KEY.accountId) => {
  const keyId = `${String(index).padStart(8, '0')}-12ab-34cd-56ef-1234567890ab`;
  return { ...KEY, keyId, accountId, arn: `arn:aws:kms:${KEY.region}:${accountId}:key/${keyId}` };
};

function eventsOf(
  status: 'open' | 'exempt' | 'remediated',
  key: ReturnType<typeof keyOf>,
  alias: string,
): FindingEvent[] {
  return HISTORY[status].map((event) =>
    event.type === 'finding-opened' ? { ...event, key, facts: aKey({ ...key, aliases: [alias] }) } : event,
  );
}

const policy = aPolicy({
  routes: [
    {
      ...{ ...aPolicy().defaultRoute, name: 'payments', channel: 'C0PAYMENTS', match: { accounts: ['444455556666'] } },
      approvers: { users: [], userGroups: [GROUP] },
    },
  ],
  defaultRoute: {
    ...aPolicy().defaultRoute,
    name: 'default',
    channel: 'C0DEFAULT',
    approvers: { users: ['U0APPROVER'], userGroups: [] },
  },
});

policy.exemptions.patterns = {
  channel: 'C0PATTERNS',
  approvers: { users: ['U0FIRST', 'U0SECOND'], userGroups: ['S0PATTERNS'] },
};

type Options = { person?: Partial<SlackPerson>; groups?: GroupMembership };

function world({ person = {}, groups = { known: true, groupIds: [], gone: [] } }: Options = {}) {
  const findings = createInMemoryFindings(policy);
  const patterns = createInMemoryPatterns(policy);
  const views: HomeView[] = [];
  const deps: HomeDeps & CommandDeps = {
    loadPolicy: findings.loadPolicy,
    person: (userId) => Promise.resolve(userId === 'U0NOBODY' ? null : aPerson({ userId, ...person })),
    groupsOf: () => Promise.resolve(groups),
    loadChain: findings.load,
    auditOf: (keyArn) => Promise.resolve(findings.auditOf(keyArn)),
    findingsPage: findings.findingsPage,
    newestOfDay: findings.newestOfDay,
    now: () => new Date(later({ hours: 2 })),
    currentPatterns: patterns.current,
    coverage: () => Promise.resolve({ keys: [{ arn: KEY.arn, alias: 'dev-a', status: 'open' as const }], isAll: true }),
    publishHome: (_, view) => Promise.resolve(void views.push(view)),
    verify: (records, head) => verifyChain(records, digest, head),
  };
  return {
    findings,
    patterns,
    deps,
    home: async (userId: string, metadata: Parameters<typeof showHome>[1] = START, news: News = NO_NEWS) => {
      await showHome({ userId, teamId: TEAM }, metadata, news, deps);
      return views.at(-1)?.blocks.map(wordsOf).join('') ?? '';
    },
    command: async (userId: string, text: string) => {
      const asked = parseSubcommand(text);
      if (asked.name === 'exempt') throw new Error('that opens a form');
      const answer = await answerCommand({ userId, teamId: TEAM }, asked, deps);
      return answer.blocks.map(wordsOf).join('');
    },
  };
}

describe('who may look', () => {
  it.each([
    ['a guest', { isGuest: true }],
    ['a stranger', { isStranger: true }],
    ['a bot', { isBot: true }],
    ['a deactivated person', { isDeactivated: true }],
  ])('%s is shown nothing', async (_, person) => {
    const { findings, home, command } = world({ person });
    await findings.given(eventsOf('open', keyOf(1), 'orders'));
    expect((await home('U0APPROVER')).trim()).toBe('Only full members of this organisation can see findings.');
    for (const text of ['status', 'open', 'show orders', 'audit orders', 'exemptions', 'help']) {
      expect((await command('U0APPROVER', text)).trim()).toBe(
        'Only full members of this organisation can see findings.',
      );
    }
  });

  it('nobody whom Slack does not know', async () => {
    await expect(viewerOf({ userId: 'U0NOBODY', teamId: TEAM }, world().deps)).resolves.toEqual({
      refused: 'outside-organisation',
    });
  });
});

describe('what waits for whom', () => {
  const twoRoutes = async (options: Options = {}) => {
    const made = world(options);
    await made.findings.given(eventsOf('open', keyOf(1), 'orders'));
    const payments = eventsOf('open', keyOf(2, '444455556666'), 'ledger').map((event) =>
      event.type === 'finding-opened' ? { ...event, route: 'payments' } : event,
    );
    await made.findings.given(payments);
    return made;
  };

  it('shows an approver of one route the findings of that route', async () => {
    const { home, command } = await twoRoutes();
    for (const text of [await home('U0APPROVER'), await command('U0APPROVER', 'open')]) {
      expect(text).toContain('alias/orders');
      expect(text).not.toContain('alias/ledger in');
    }
  });

  it('shows a member of a group the findings of the route with that group', async () => {
    const { command } = await twoRoutes({ groups: { known: true, groupIds: [GROUP], gone: [] } });
    const text = await command('U0ENGINEER', 'open');
    expect(text).toContain('alias/ledger');
    expect(text).not.toContain('alias/orders');
  });

  it('shows other members that nothing waits for them', async () => {
    const { command } = await twoRoutes();
    expect((await command('U0MEMBER', 'open')).trim()).toBe('Nothing waits for you.');
  });

  it('says that something may be missing when Slack would not name the groups', async () => {
    const { home } = await twoRoutes({ groups: { known: false } });
    const text = await home('U0APPROVER');
    expect(text).toContain('alias/orders');
    expect(text).toContain('findings that you may decide about may be missing');
  });

  it('turns pages without showing anything twice or leaving anything out', async () => {
    const { findings, deps } = world();
    const made = Array.from({ length: 37 }, (_, index) => keyOf(index + 1));
    for (const key of made) await findings.given(eventsOf('open', key, `alias-${key.keyId}`));
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const views: HomeView[] = [];
      const publishHome = (_: string, view: HomeView) => Promise.resolve(void views.push(view));
      await showHome({ userId: 'U0APPROVER', teamId: TEAM }, { search: null, after }, NO_NEWS, {
        ...deps,
        publishHome,
      });
      const json = JSON.stringify(views);
      const buttons = json.matchAll(/"action_id":"re-check".*?:key\/([\w-]+)/g);
      seen.push(...[...buttons].map(([, keyId = '']) => keyId));
      after = /"action_id":"home-more".*?"value":"([^"]+)"/.exec(json)?.[1] ?? null;
    } while (after !== null);
    expect(seen.toSorted()).toEqual(made.map(({ keyId }) => keyId));
  });

  it('leaves out what was decided a moment ago', async () => {
    const { findings, home } = world();
    await findings.given(eventsOf('open', keyOf(1), 'orders'));
    expect(await home('U0APPROVER', START, { notice: null, decided: keyOf(1).arn })).toContain(
      'Nothing waits for you.',
    );
  });
});

describe('finding a key', () => {
  async function twoKeys() {
    const made = world();
    await made.findings.given(eventsOf('open', keyOf(1), 'orders/one'));
    await made.findings.given(eventsOf('exempt', keyOf(2, '444455556666'), 'orders/two'));
    return made;
  }

  it.each([
    ['a part of the alias', 'ORDERS/', ['orders/one', 'orders/two']],
    ['the account', '444455556666', ['orders/two']],
    ['the ARN', keyOf(1).arn, ['orders/one']],
    ['the key id', keyOf(2).keyId, ['orders/two']],
    ['nothing', 'invoices', []],
  ])('searches by %s', async (_, words, found) => {
    const { home } = await twoKeys();
    const text = await home('U0MEMBER', { search: words, after: null });
    for (const alias of ['orders/one', 'orders/two'])
      expect(text.includes(`alias/${alias} in`)).toBe(found.includes(alias));
    expect(text.includes('No finding is about such a key.')).toBe(found.length === 0);
  });

  it('shows and audits the one key that is called so', async () => {
    const { command } = await twoKeys();
    expect(await command('U0MEMBER', 'show alias/orders/one')).toContain('Key does not rotate');
    expect(await command('U0MEMBER', 'audit orders/two')).toContain('unaltered');
  });

  it('does not guess: a part of a name shows nothing', async () => {
    const { command } = await twoKeys();
    expect(await command('U0MEMBER', 'show orders')).toContain('There is no finding about such a key.');
  });

  it('asks for the ARN when several keys are called so', async () => {
    const { findings, command } = await twoKeys();
    await findings.given(eventsOf('open', keyOf(3, '123456789012'), 'orders/one'));
    expect(await command('U0MEMBER', 'show orders/one')).toContain('2 keys are called so');
  });
});

describe('exemptions of patterns', () => {
  const asked = () =>
    aPatternRequest({ at: later({ hours: 1 }), terms: someTerms({ owner: aPersonRef({ userId: 'U0OWNER' }) }) });

  it('wait in the Home tab of those who may be the second person, and of nobody else', async () => {
    const { patterns, home } = world();
    await patterns.given('pattern-1', [asked()]);
    expect(await home('U0SECOND')).toMatch(
      /waiting for a second person.*1 key with a finding.*\[Confirm exemption\] \[Withdraw\]/s,
    );
    for (const person of ['U0FIRST', 'U0APPROVER']) expect(await home(person)).not.toContain('second person');
  });

  it('do not wait for who cannot be told from the first, or when the time is over', async () => {
    const nameless = world({ person: { email: null } });
    await nameless.patterns.given('pattern-1', [asked()]);
    expect(await nameless.home('U0SECOND')).not.toContain('second person');
    const late = world();
    await late.patterns.given('pattern-1', [aPatternRequest({ at: later({ days: -1 }) })]);
    expect(await late.home('U0SECOND')).not.toContain('second person');
  });

  it('are shown to their owner, and listed for everybody', async () => {
    const { patterns, home, command } = world();
    const confirmed = aPatternConfirmation({ at: later({ hours: 1 }), requestedAt: later({ hours: 1 }) });
    await patterns.given('pattern-1', [asked(), confirmed]);
    expect(await home('U0OWNER')).toContain('Exemptions of many keys that you own');
    expect(await home('U0APPROVER')).not.toContain('that you own');
    expect(await command('U0MEMBER', 'exemptions')).toContain('Keys with alias dev-*');
    // It ends in thirty days: later than any reminder.
    expect(await command('U0MEMBER', 'exemptions expiring')).not.toContain('Keys with');
  });

  it('are found by the groups of those whom the policy names', async () => {
    const { patterns, home } = world({ groups: { known: true, groupIds: ['S0PATTERNS'], gone: [] } });
    await patterns.given('pattern-1', [asked()]);
    expect(await home('U0MEMBER')).toContain('second person');
  });
});

it('lists exemptions, the next to end first, and those that end soon', async () => {
  const { findings, command } = world();
  for (const [index, days] of [40, 5, 20].entries()) {
    const events = eventsOf('exempt', keyOf(index + 1), `until-${days}`).map((event) =>
      event.type === 'exemption-granted'
        ? { ...event, exemption: { ...event.exemption, until: later({ days }) } }
        : event,
    );
    await findings.given(events);
  }
  const all = await command('U0MEMBER', 'exemptions');
  const order = [5, 20, 40].map((days) => all.indexOf(`until-${days}`));
  expect(order).toEqual([...order].sort((a, b) => a - b));
  const soon = await command('U0MEMBER', 'exemptions expiring');
  expect(soon).toContain('until-5');
  expect(soon).not.toContain('until-20');
});
