import type { AwsActor } from '../../../functions/domain/people.ts';
import {
  accountName,
  culpritOf,
  deadlineRules,
  escalationChannelOf,
  graceOf,
  type Policy,
  type Route,
  type RouteMatch,
  routeFor,
  routeOf,
} from '../../../functions/domain/policy.ts';
import { aFinding, aKey, anActor, aPersonRef, aPolicy, aTrigger, DAY_ONE, KEY } from '../../builders.ts';

const ROUTE: Omit<Route, 'name'> = {
  channel: 'C0234567891',
  approvers: { users: [], userGroups: ['S0123456789'] },
  mode: 'ask',
  fourEyes: false,
  workingHours: null,
  escalationChannel: null,
};

function routed(match: RouteMatch, { facts = aKey(), key = KEY, policy = aPolicy() } = {}, unreadable = false): string {
  const routes: Policy['routes'] = [{ ...ROUTE, name: 'special', match }];
  return routeFor({ ...policy, routes }, key, unreadable ? null : facts).name;
}

describe('routes', () => {
  const hits: RouteMatch[] = [
    {},
    { accounts: ['444455556666', '111122223333'] },
    { regions: ['eu-central-1'] },
    { organizationalUnits: ['sandbox', 'production'] },
    { aliases: ['payments/*'] },
    { aliases: ['nothing', '*ledger'] },
    { tags: { team: ['ledger', 'pay*'] } },
    {
      ...{ accounts: ['111122223333'], regions: ['eu-central-1'], organizationalUnits: ['production'] },
      ...{ tags: { team: ['payments'] }, aliases: ['payments/ledger'] },
    },
  ];
  const misses: RouteMatch[] = [
    { accounts: ['444455556666'] },
    { regions: ['eu-west-1'] },
    { organizationalUnits: ['sandbox'] },
    { aliases: ['billing/*'] },
    { tags: { team: ['billing'] } },
    { tags: { owner: ['*'] } },
    { tags: { team: ['payments'], stage: ['production'] } },
    { accounts: ['111122223333'], regions: ['eu-west-1'] },
    { aliases: ['payments/*'], tags: { team: ['billing'] } },
  ];

  test.each(hits)('%j holds', (match) => {
    expect(routed(match)).toBe('special');
  });

  test.each(misses)('%j does not hold', (match) => {
    expect(routed(match)).toBe('default');
  });

  test.each<RouteMatch>([{ tags: { team: ['*'] } }, { aliases: ['*'] }])(
    'what is not known about a key fulfils nothing: %j',
    (match) => {
      expect(routed(match, {}, true)).toBe('default');
    },
  );

  it('fulfils no unit for an account that is not listed, or without one', () => {
    const organizationalUnits = ['production'];
    expect(routed({ organizationalUnits }, { policy: aPolicy({ accounts: {} }) })).toBe('default');
    const withoutUnit = aPolicy({ accounts: { '111122223333': { name: 'payments' } } });
    expect(routed({ organizationalUnits }, { policy: withoutUnit })).toBe('default');
  });

  it('still sends an unreadable key by account and Region', () => {
    expect(routed({ accounts: ['111122223333'], regions: ['eu-central-1'] }, {}, true)).toBe('special');
  });

  it.each<RouteMatch>([{ aliases: ['payments/*'] }, { tags: { team: ['payments'] } }])(
    'holds for one of several aliases and tags: %j',
    (match) => {
      const tags = [
        { key: 'stage', value: 'production' },
        { key: 'team', value: 'payments' },
      ];
      expect(routed(match, { facts: aKey({ aliases: ['ledger', 'payments/ledger'], tags }) })).toBe('special');
    },
  );

  it('takes the first that holds', () => {
    const routes: Policy['routes'] = [
      { ...ROUTE, name: 'elsewhere', match: { regions: ['eu-west-1'] } },
      { ...ROUTE, name: 'first', match: { regions: ['eu-central-1'] } },
      { ...ROUTE, name: 'second', match: { accounts: ['111122223333'] } },
    ];
    expect(routeFor(aPolicy({ routes }), KEY, aKey()).name).toBe('first');
  });
});

describe('the route of a finding', () => {
  const special: Policy['routes'][number] = { ...ROUTE, name: 'special', match: { tags: { team: ['billing'] } } };
  const policy = aPolicy({ routes: [special] });

  it.each([
    { route: 'special', of: special },
    { route: 'default', of: policy.defaultRoute },
  ])('stays $route, whatever the key is tagged with later', ({ route, of }) => {
    const tagged = aKey({ tags: [{ key: 'team', value: route === 'special' ? 'payments' : 'billing' }] });
    expect(routeOf(policy, { route, key: KEY, facts: tagged })).toEqual(of);
  });

  it('is found anew when the policy has no such route any more', () => {
    const tagged = aKey({ tags: [{ key: 'team', value: 'billing' }] });
    expect(routeOf(policy, { route: 'gone', key: KEY, facts: tagged })).toEqual(special);
  });
});

describe('patterns', () => {
  test.each([
    ['*', '', true],
    ['*', 'anything', true],
    ['payments', 'payments', true],
    ['payments', 'payments-2', false],
    ['pay*', 'pay', true],
    ['pay*', 'ppay', false],
    ['*ledger', 'ledger', true],
    ['*ledger', 'ledgers', false],
    ['a*b*c', 'a-b-c', true],
    ['a*b*c', 'a-c', false],
    ['a*b*c', 'abc', true],
    ['ab*ba', 'aba', false],
    ['a*bb*b', 'abb', false],
    ['a**c', 'abc', true],
    ['aa', 'aaa', false],
    ['a.c', 'abc', false],
    ['a+*', 'a+b', true],
  ])('%s on "%s": %s', (pattern, text, expected) => {
    expect(routed({ aliases: [pattern] }, { facts: aKey({ aliases: [text] }) })).toBe(expected ? 'special' : 'default');
  });
});

describe('what else the policy says', () => {
  it('has a grace by event name', () => {
    expect([graceOf(aPolicy(), 'CreateKey'), graceOf(aPolicy(), 'DisableKeyRotation')]).toEqual([180, 30]);
  });

  it('names accounts, by their id if need be', () => {
    expect(accountName(aPolicy(), '111122223333')).toBe('payments-production');
    expect(accountName(aPolicy(), '444455556666')).toBe('444455556666');
  });

  it('knows the Slack users of an AWS identity by pattern', () => {
    const policy = aPolicy({
      identities: [
        { awsArn: 'arn:aws:iam::111122223333:user/deployer', slackUserId: 'U0123456789' },
        { awsArn: 'arn:aws:iam::*:user/deployer', slackUserId: 'U0234567891' },
        { awsArn: 'arn:aws:iam::111122223333:user/other', slackUserId: 'U0345678912' },
      ],
    });
    const mapped = (changes: Partial<AwsActor> = {}) =>
      culpritOf(policy, aTrigger({ actor: anActor(changes) })).causedByUserIds;
    expect(mapped()).toEqual(['U0123456789', 'U0234567891']);
    expect(mapped({ arn: null })).toEqual([]);
  });

  it('tells who caused a finding, that nobody did, or that nobody knows', () => {
    const arn = 'arn:aws:sts::111122223333:assumed-role/deploy/run-17';
    const pattern = 'arn:aws:sts::*:assumed-role/deploy/*';
    const machine = { awsArn: pattern, slackUserId: null };
    const behind = (changes: Partial<AwsActor>, identities: Policy['identities'] = []) =>
      culpritOf(aPolicy({ identities }), aTrigger({ actor: anActor({ arn, ...changes }) }));
    const nobody = { causedBy: null, causedByUserIds: [], isTold: true };
    expect(behind({ email: 'a@corp.example' })).toMatchObject({ isTold: true, causedBy: { email: 'a@corp.example' } });
    expect(behind({})).toMatchObject({ isTold: false, causedBy: { arn } });
    expect(behind({}, [machine])).toEqual(nobody);
    // Where a pattern names a person too, that person counts.
    expect(behind({}, [machine, { awsArn: pattern, slackUserId: 'U0123456789' }])).toMatchObject({
      ...{ isTold: true, causedByUserIds: ['U0123456789'] },
    });
    expect(behind({ type: 'AWSService', arn: null, invokedBy: 'backup.amazonaws.com' })).toEqual(nobody);
    // CloudTrail names the service; a record that names nothing tells nothing.
    expect(behind({ type: 'AWSService', arn: null, invokedBy: null }).isTold).toBe(false);
    const at = '2026-03-02T09:00:00.000Z';
    expect(culpritOf(aPolicy(), { kind: 'exemption-end', at })).toEqual(nobody);
    expect(culpritOf(aPolicy(), { kind: 'kms-event', eventId: '1', eventName: 'KMS CMK Rotation', at })).toEqual(
      nobody,
    );
    // What only a look brought up was done by somebody.
    expect(culpritOf(aPolicy(), { kind: 'second-look', at }).isTold).toBe(false);
    expect(culpritOf(aPolicy(), { kind: 'recheck', at, by: aPersonRef() }).isTold).toBe(false);
  });

  it('has the deadlines in one place', () => {
    const policy = aPolicy();
    const rules = deadlineRules(policy, aFinding('open'), () => 0);
    expect(rules).toMatchObject({
      remindAfterHours: [4, 24, 72],
      escalateAfterHours: 48,
      exemption: policy.exemptions,
    });
    expect(rules.opening(12_345)).toBe(12_345);
  });

  it('disturbs nobody outside the working hours of the route of the finding', () => {
    const policy = aPolicy();
    policy.defaultRoute.workingHours = { timeZone: 'Etc/UTC', days: ['monday'], from: '08:00', to: '09:00' };
    const { opening } = deadlineRules(policy, aFinding('open'), () => 0);
    expect(new Date(opening(Date.parse(DAY_ONE))).toISOString()).toBe('2026-03-09T08:00:00.000Z');
  });

  it('escalates to the channel of the route, else to that of the policy', () => {
    const policy = aPolicy();
    const where = () => escalationChannelOf(policy, aFinding('open'));
    expect(where()).toBeNull();
    policy.unanswered.escalationChannel = 'C0ALL';
    expect(where()).toBe('C0ALL');
    policy.defaultRoute.escalationChannel = 'C0ROUTE';
    expect(where()).toBe('C0ROUTE');
  });
});
