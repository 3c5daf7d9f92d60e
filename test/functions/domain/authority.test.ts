import {
  type Action,
  type AuthorityQuestion,
  type AuthorityRefusal,
  authorise,
  isFullMember,
} from '../../../functions/domain/authority.ts';
import type { SlackPerson } from '../../../functions/domain/people.ts';
import { anActor, aPerson } from '../../builders.ts';

const ORGANISATION = { teamIds: ['T0123456789'], enterpriseIds: ['E0123456789', 'E0234567891'] };
const EVERY_ACTION: Record<Action, true> = {
  approve: true,
  exempt: true,
  'renew-exemption': true,
  'revoke-exemption': true,
  'shorten-exemption': true,
  'let-exemption-end': true,
  'fix-now': true,
  'back-out': true,
  're-check': true,
  'confirm-request': true,
  'withdraw-request': true,
};
const isAction = (name: string): name is Action => name in EVERY_ACTION;
const ACTIONS = Object.keys(EVERY_ACTION).filter(isAction);
const DECISIONS = ACTIONS.filter((action) => action !== 're-check');
const EXCUSES: Action[] = ['exempt', 'renew-exemption', 'back-out', 'confirm-request'];

function ask(changes: Partial<AuthorityQuestion> = {}): ReturnType<typeof authorise> {
  return authorise({
    action: 'approve',
    person: aPerson(),
    groups: { known: true, groupIds: [], gone: [] },
    organisation: ORGANISATION,
    approvers: { users: ['U0123456789'], userGroups: [] },
    causedBy: null,
    causedByUserIds: [],
    isTold: true,
    selfExemption: false,
    exemptionOwner: null,
    ...changes,
  });
}

const refused = (reason: AuthorityRefusal) => ({ allowed: false, reason });

const NEVER: { who: string; changes: Partial<SlackPerson>; reason: AuthorityRefusal }[] = [
  { who: 'somebody of another workspace', changes: { teamId: 'T9999999999' }, reason: 'outside-organisation' },
  {
    ...{ who: 'somebody of another enterprise', reason: 'outside-organisation' },
    changes: { teamId: 'T9999999999', enterpriseId: 'E9999999999' },
  },
  { who: 'a stranger in a shared channel', changes: { isStranger: true }, reason: 'outside-organisation' },
  { who: 'a deactivated person', changes: { isDeactivated: true }, reason: 'deactivated' },
  { who: 'a bot', changes: { isBot: true }, reason: 'bot' },
  { who: 'a guest', changes: { isGuest: true }, reason: 'guest' },
];

describe('people who never decide', () => {
  const cases = NEVER.flatMap((one) => ACTIONS.map((action) => ({ ...one, action })));

  test.each(cases)('$who may not $action, approver or not: $reason', ({ changes, action, reason }) => {
    expect(ask({ action, person: aPerson(changes), selfExemption: true })).toEqual(refused(reason));
  });

  test.each(NEVER)('$who is no full member', ({ changes }) => {
    expect(isFullMember(aPerson(changes), ORGANISATION)).toBe(false);
  });
});

describe('people of the organisation', () => {
  it.each([{ teamId: 'T0123456789' }, { teamId: 'T9999999999', enterpriseId: 'E0123456789' }])(
    'are known by workspace or by enterprise: %j',
    (changes) => {
      expect(ask({ person: aPerson(changes) })).toEqual({ allowed: true });
      expect(isFullMember(aPerson(changes), ORGANISATION)).toBe(true);
    },
  );

  it('may all ask for a re-check, although they approve nothing', () => {
    const approvers = { users: [], userGroups: ['S0123456789'] };
    const question = { person: aPerson({ userId: 'U9999999999' }), approvers, groups: { known: false } } as const;
    expect(ask({ ...question, action: 're-check' })).toEqual({ allowed: true });
  });
});

describe('the owner of an exemption', () => {
  const question = { approvers: { users: [], userGroups: [] }, exemptionOwner: 'U0123456789' };

  it('may let it end, and nothing else', () => {
    expect(ask({ ...question, action: 'let-exemption-end' })).toEqual({ allowed: true });
    for (const action of ['renew-exemption', 'shorten-exemption', 'fix-now', 'revoke-exemption'] as const) {
      expect(ask({ ...question, action })).toEqual(refused('not-an-approver'));
    }
  });

  it('may not when they are no member any more', () => {
    expect(ask({ ...question, action: 'let-exemption-end', person: aPerson({ isDeactivated: true }) })).toEqual(
      refused('deactivated'),
    );
  });
});

describe('approvers', () => {
  const group = { users: [], userGroups: ['S0123456789', 'S0234567891'] };

  test.each(DECISIONS)('%s by a named user', (action) => {
    expect(ask({ action })).toEqual({ allowed: true });
  });

  test.each(DECISIONS)('%s by a member of a user group', (action) => {
    const groupIds = ['S9999999999', 'S0234567891'];
    expect(ask({ action, approvers: group, groups: { known: true, groupIds, gone: ['S0123456789'] } })).toEqual({
      allowed: true,
    });
  });

  test.each(DECISIONS)('%s by anybody else is refused', (action) => {
    const person = aPerson({ userId: 'U9999999999' });
    expect(ask({ action, person })).toEqual(refused('not-an-approver'));
    expect(ask({ action, person, approvers: group })).toEqual(refused('not-an-approver'));
  });

  it('are nobody in a user group that is gone, and that is said', () => {
    const groups = { known: true as const, groupIds: [], gone: ['S0234567891'] };
    expect(ask({ person: aPerson({ userId: 'U9999999999' }), approvers: group, groups })).toEqual(
      refused('group-gone'),
    );
  });

  it('are nobody while Slack does not tell the groups', () => {
    expect(ask({ approvers: group, groups: { known: false } })).toEqual(refused('groups-unavailable'));
  });

  it('by name do not depend on groups', () => {
    const approvers = { users: ['U0123456789'], userGroups: ['S0123456789'] };
    expect(ask({ approvers, groups: { known: false } })).toEqual({ allowed: true });
  });

  it('are not asked of Slack when there are no groups', () => {
    const approvers = { users: ['U9999999999'], userGroups: [] };
    expect(ask({ approvers, groups: { known: false } })).toEqual(refused('not-an-approver'));
  });
});

describe('whoever caused the finding', () => {
  const byEmail = {
    causedBy: anActor({ email: 'OWNER@corp.example' }),
    person: aPerson({ email: 'owner@Corp.example' }),
  };
  const byId = { causedBy: anActor(), causedByUserIds: ['U0123456789'] };

  test.each(EXCUSES)('may not %s: known by e-mail address in any case', (action) => {
    expect(ask({ ...byEmail, action })).toEqual(refused('caused-the-finding'));
  });

  test.each(EXCUSES)('may not %s: known by mapped id', (action) => {
    expect(ask({ ...byId, action })).toEqual(refused('caused-the-finding'));
  });

  test.each(EXCUSES)('may %s when the policy allows self-exemption', (action) => {
    expect(ask({ ...byEmail, ...byId, action, selfExemption: true })).toEqual({ allowed: true });
  });

  test.each(ACTIONS.filter((action) => !EXCUSES.includes(action)))('may %s', (action) => {
    expect(ask({ ...byEmail, ...byId, action })).toEqual({ allowed: true });
  });

  it.each([
    { causedBy: null, person: aPerson() },
    { causedBy: anActor({ email: null }), person: aPerson({ email: null }) },
    { causedBy: anActor({ email: 'owner@corp.example' }), person: aPerson({ email: null }) },
    { causedBy: anActor({ email: 'somebody@corp.example' }), person: aPerson() },
  ])('is not taken for somebody else: %j', (question) => {
    expect(ask({ ...question, action: 'exempt' })).toEqual({ allowed: true });
  });
});
