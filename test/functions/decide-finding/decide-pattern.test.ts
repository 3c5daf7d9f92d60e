import type { RequestedTerms } from '../../../functions/decide-finding/decide-finding.ts';
import { createPatternUseCases } from '../../../functions/decide-finding/decide-pattern.ts';
import type { GroupMembership } from '../../../functions/domain/authority.ts';
import type { SlackPerson } from '../../../functions/domain/people.ts';
import { aPatternConfirmation, aPatternRequest, aPerson, aPolicy, DEV_KEYS, KEY, later } from '../../builders.ts';
import { createInMemoryPatterns, somePatternDeps } from '../../fakes/in-memory-patterns.ts';

const FIRST = aPerson({ userId: 'U0FIRST', name: 'First Approver', email: 'first@corp.example' });
const SECOND = aPerson({ userId: 'U0SECOND', name: 'Second Approver', email: 'second@corp.example' });
const ALIAS = aPerson({ userId: 'U0ALIAS', name: 'First again', email: 'FIRST@corp.example' });
const MEMBER = aPerson({ userId: 'U0MEMBER', name: 'Member of the group', email: 'member@corp.example' });
const OWNER = aPerson({ userId: 'U0OWNER', name: 'Owner', email: 'owner@corp.example' });
const GUEST = aPerson({ userId: 'U0GUEST', isGuest: true });
const WANTED = { account: KEY.accountId, by: 'alias', alias: 'dev-*' } as const;
const COVERED = { keys: [{ arn: KEY.arn, alias: 'dev-ledger', status: 'open' as const }], isAll: true };
const TERMS: RequestedTerms = {
  ownerId: 'U0OWNER',
  reason: 'Thrown away in spring',
  ticket: null,
  until: later({ days: 30 }),
};
const ASK = { purpose: 'exempt', id: 'pattern-1', pattern: DEV_KEYS } as const;

function aWorld({ nobody = false, groups = { known: false } }: { nobody?: boolean; groups?: GroupMembership } = {}) {
  const policy = aPolicy();
  const approvers = { users: ['U0FIRST', 'U0SECOND', 'U0ALIAS'], userGroups: ['S0PATTERNS'] };
  policy.exemptions.patterns = nobody ? null : { channel: 'C0PATTERNS', approvers };
  policy.accounts = { [KEY.accountId]: { name: 'payments' }, '1': { name: 'twice' }, '2': { name: 'twice' } };
  const known: SlackPerson[] = [FIRST, SECOND, ALIAS, MEMBER, OWNER, GUEST].map((person) => ({ ...person }));
  const patterns = createInMemoryPatterns(policy);
  const asked: string[][] = [];
  const time = { now: later({ minutes: 10 }) };
  let requests = 0;
  const useCases = createPatternUseCases(
    somePatternDeps({
      loadPolicy: () => Promise.resolve({ policy }),
      person: (userId) => Promise.resolve(known.find((person) => person.userId === userId) ?? null),
      groupsOf(userId, ids) {
        asked.push(ids);
        return Promise.resolve(
          userId === MEMBER.userId || !groups.known ? groups : { known: true, groupIds: [], gone: [] },
        );
      },
      now: () => new Date(time.now),
      patterns,
      carryOutPattern: patterns.carryOut,
      coverage: () => Promise.resolve(COVERED),
    }),
  );
  const from = ({ userId, teamId }: SlackPerson, requestId?: string) => {
    requests += 1;
    return { userId, teamId, requestId: requestId ?? `request-${requests}` };
  };
  const events = async (id = 'pattern-1') => (await patterns.auditOf(id)).map(({ event }) => event.type);
  return { policy, patterns, useCases, from, events, time, asked, known };
}

const REQUESTED_AT = { pattern: 'pattern-1', request: later({ minutes: 10 }) };

describe('who asks for an exemption of a pattern', () => {
  it('sees what it covers, and has asked for nothing by that', async () => {
    const { useCases, from, patterns, policy } = aWorld();
    expect(await useCases.mayAsk(WANTED, from(FIRST, 'request-9'))).toEqual({
      ...{ kind: 'may', policy, pattern: DEV_KEYS, covered: COVERED, current: null },
      metadata: { purpose: 'exempt', id: 'request-9', pattern: DEV_KEYS },
    });
    expect(await patterns.current(10)).toEqual([]);
  });

  it('may give the account by the name that the policy gives it, if it is one', async () => {
    const { useCases, from } = aWorld();
    const ask = (account: string) => useCases.mayAsk({ ...WANTED, account }, from(FIRST));
    expect(await ask('payments')).toMatchObject({ kind: 'may', pattern: DEV_KEYS });
    for (const account of ['nowhere', 'twice', '11112222333', '__proto__']) {
      expect(await ask(account)).toEqual({ kind: 'unknown-account', account });
    }
  });

  it.each([
    [OWNER, 'groups-unavailable'],
    [GUEST, 'guest'],
    [aPerson({ userId: 'U0NOBODY' }), 'outside-organisation'],
  ])('has to be one of those whom the policy names: %#', async (person, reason) => {
    const { useCases, from, patterns } = aWorld();
    const refused = { kind: 'refused', refusal: { reason } };
    expect(await useCases.mayAsk(WANTED, from(person))).toEqual(refused);
    expect(await useCases.decideTerms(ASK, from(person), TERMS)).toEqual(refused);
    expect(await patterns.current(10)).toEqual([]);
  });

  it('is nobody where the policy names nobody, and no group is looked up', async () => {
    const { useCases, from, asked } = aWorld({ nobody: true });
    expect(await useCases.mayAsk(WANTED, from(FIRST))).toEqual({
      kind: 'refused',
      refusal: { reason: 'not-an-approver' },
    });
    expect(asked).toEqual([]);
  });

  it('may be so by a group; who is named by id is not looked up', async () => {
    const { useCases, from, asked } = aWorld({ groups: { known: true, groupIds: ['S0PATTERNS'], gone: [] } });
    expect(await useCases.mayAsk(WANTED, from(FIRST))).toMatchObject({ kind: 'may' });
    expect(asked).toEqual([]);
    expect(await useCases.mayAsk(WANTED, from(MEMBER))).toMatchObject({ kind: 'may' });
    expect(asked).toEqual([['S0PATTERNS']]);
    expect(await useCases.mayAsk(WANTED, from(OWNER))).toMatchObject({ refusal: { reason: 'not-an-approver' } });
  });

  it('is told before filling in the form that it would mean the whole account, or that there is one already', async () => {
    const { useCases, from, patterns, time } = aWorld();
    expect(await useCases.mayAsk({ ...WANTED, alias: 'd*' }, from(FIRST))).toEqual({
      ...{ kind: 'refused', refusal: { reason: 'pattern-too-broad' } },
    });
    await patterns.given('pattern-1', [aPatternRequest()]);
    expect(await useCases.mayAsk(WANTED, from(SECOND))).toMatchObject({
      kind: 'there-already',
      already: { id: 'pattern-1' },
    });
    expect(await useCases.mayAsk({ ...WANTED, alias: 'dev-a*' }, from(SECOND))).toMatchObject({ kind: 'may' });
    // Nobody confirmed it in time: that one is not in the way any more.
    time.now = later({ days: 2 });
    expect(await useCases.mayAsk(WANTED, from(SECOND))).toMatchObject({ kind: 'may' });
  });

  it('asks by the form, and once however often it is sent', async () => {
    const { useCases, from, events, patterns } = aWorld();
    expect(await useCases.decideTerms(ASK, from(FIRST, 'one'), TERMS)).toEqual({ kind: 'accepted' });
    expect(await useCases.decideTerms(ASK, from(FIRST, 'one'), TERMS)).toEqual({ kind: 'repeated' });
    expect(await useCases.decideTerms(ASK, from(FIRST, 'two'), TERMS)).toMatchObject({
      refusal: { reason: 'request-pending' },
    });
    expect(await events()).toEqual(['pattern-requested', 'pattern-refused']);
    const [stored] = await patterns.current(10);
    expect(stored?.request).toMatchObject({
      by: { userId: 'U0FIRST' },
      terms: { owner: { userId: 'U0OWNER', name: 'Owner' }, reason: TERMS.reason },
      lapsesAt: later({ days: 1, minutes: 10 }),
    });
    expect(stored?.grant).toBeNull();
  });

  it.each([
    [{ ownerId: null }, 'owner-not-a-full-member'],
    [{ ownerId: 'U0GUEST' }, 'owner-not-a-full-member'],
    [{ reason: 'short' }, 'reason-too-short'],
    [{ until: '' }, 'until-not-in-future'],
    [{ until: later({ days: 400 }) }, 'until-beyond-maximum'],
  ])('is told in the form what is wrong with the terms: %j', async (changes, reason) => {
    const { useCases, from, patterns } = aWorld();
    expect(await useCases.decideTerms(ASK, from(FIRST), { ...TERMS, ...changes })).toMatchObject({
      ...{ kind: 'wrong-terms', problems: [{ reason }] },
    });
    expect(await patterns.current(10)).toEqual([]);
  });
});

describe('who confirms it', () => {
  async function asked(world = aWorld()) {
    await world.useCases.decideTerms(ASK, world.from(FIRST), TERMS);
    return world;
  }

  it('is a second person, and then it holds', async () => {
    const { useCases, from, patterns } = await asked();
    expect(await useCases.decide('confirm-pattern', REQUESTED_AT, from(SECOND))).toEqual({ kind: 'accepted' });
    const [stored] = await patterns.current(10);
    expect(stored?.grant).toMatchObject({ grantedBy: { userId: 'U0FIRST' }, confirmedBy: { userId: 'U0SECOND' } });
  });

  it.each([
    [FIRST, 'own-request'],
    [ALIAS, 'own-request'],
    [GUEST, 'guest'],
    [OWNER, 'groups-unavailable'],
  ])('is never the first, by another account either, nor somebody else: %#', async (person, reason) => {
    const { useCases, from, events } = await asked();
    expect(await useCases.decide('confirm-pattern', REQUESTED_AT, from(person))).toEqual({
      kind: 'refused',
      refusal: { reason },
    });
    expect(await events()).toEqual(['pattern-requested', 'pattern-refused']);
  });

  it('confirms what the message showed, of somebody who still may, for an owner who still can', async () => {
    const world = await asked();
    const { useCases, from, known } = world;
    const confirm = (ref: { pattern: string; request?: string }) =>
      useCases.decide('confirm-pattern', ref, from(SECOND));
    expect(await confirm({ pattern: 'pattern-1' })).toMatchObject({ refusal: { reason: 'request-changed' } });
    expect(await confirm({ ...REQUESTED_AT, request: later({}) })).toMatchObject({
      refusal: { reason: 'request-changed' },
    });
    const change = (userId: string, changes: Partial<SlackPerson>) =>
      Object.assign(known.find((person) => person.userId === userId) ?? {}, changes);
    change('U0FIRST', { isDeactivated: true });
    expect(await confirm(REQUESTED_AT)).toMatchObject({ refusal: { reason: 'requester-may-not' } });
    change('U0FIRST', { isDeactivated: false });
    change('U0OWNER', { isGuest: true });
    expect(await confirm(REQUESTED_AT)).toMatchObject({ refusal: { reason: 'owner-not-a-full-member' } });
    change('U0OWNER', { isGuest: false });
    expect(await confirm(REQUESTED_AT)).toEqual({ kind: 'accepted' });
    expect(await confirm(REQUESTED_AT)).toMatchObject({ refusal: { reason: 'no-request' } });
    expect(await confirm({ ...REQUESTED_AT, pattern: 'another' })).toMatchObject({
      refusal: { reason: 'pattern-ended' },
    });
  });

  it('may not be so late', async () => {
    const { useCases, from, time } = await asked();
    time.now = later({ days: 1, minutes: 10 });
    expect(await useCases.decide('confirm-pattern', REQUESTED_AT, from(SECOND))).toMatchObject({
      ...{ refusal: { reason: 'request-lapsed' } },
    });
  });

  it('may withdraw it instead', async () => {
    const { useCases, from, events, patterns } = await asked();
    expect(await useCases.decide('withdraw-pattern', REQUESTED_AT, from(SECOND))).toEqual({ kind: 'accepted' });
    expect(await events()).toEqual(['pattern-requested', 'pattern-withdrawn']);
    expect(await patterns.current(10)).toEqual([]);
  });
});

describe('one in force', () => {
  async function inForce(world = aWorld()) {
    await world.patterns.given('pattern-1', [
      aPatternRequest({ terms: { ...TERMS, owner: OWNER } }),
      aPatternConfirmation(),
    ]);
    world.time.now = later({ days: 20 });
    return world;
  }
  const REF = { pattern: 'pattern-1' };

  it('is let end by its owner, whom the policy need not name, and ended by an approver only', async () => {
    const { useCases, from, events } = await inForce(aWorld({ groups: { known: true, groupIds: [], gone: [] } }));
    expect(await useCases.decide('let-pattern-end', REF, from(OWNER))).toEqual({ kind: 'accepted' });
    expect(await useCases.decide('revoke-pattern', REF, from(OWNER))).toMatchObject({
      refusal: { reason: 'not-an-approver' },
    });
    expect(await useCases.decide('revoke-pattern', REF, from(SECOND))).toEqual({ kind: 'accepted' });
    expect((await events()).slice(2)).toEqual(['pattern-end-accepted', 'pattern-refused', 'pattern-revoked']);
  });

  it('can still be ended where the policy names nobody any more, by those of the default route', async () => {
    const world = await inForce(aWorld({ nobody: true, groups: { known: true, groupIds: ['S0DEFAULT'], gone: [] } }));
    const { useCases, from, policy, events } = world;
    policy.defaultRoute.approvers = { users: [], userGroups: ['S0DEFAULT'] };
    expect(await useCases.mayRenew(REF, from(MEMBER))).toMatchObject({ refusal: { reason: 'not-an-approver' } });
    expect(await useCases.decide('revoke-pattern', REF, from(FIRST))).toMatchObject({
      ...{ refusal: { reason: 'not-an-approver' } },
    });
    expect(await useCases.decide('revoke-pattern', REF, from(MEMBER))).toEqual({ kind: 'accepted' });
    expect((await events()).at(-1)).toBe('pattern-revoked');
  });

  it('is renewed with the same keys, by two again', async () => {
    const { useCases, from, patterns, time } = await inForce();
    const reply = await useCases.mayRenew(REF, from(FIRST));
    expect(reply).toMatchObject({ kind: 'may', metadata: { purpose: 'renew', id: 'pattern-1' }, covered: COVERED });
    const renewal = { purpose: 'renew', id: 'pattern-1' } as const;
    expect(await useCases.decideTerms(renewal, from(FIRST), { ...TERMS, until: later({ days: 60 }) })).toEqual({
      kind: 'accepted',
    });
    const [waiting] = await patterns.current(10);
    expect(waiting).toMatchObject({ pattern: DEV_KEYS, grant: { until: TERMS.until } });
    const ref = { ...REF, request: time.now };
    expect(await useCases.decide('confirm-pattern', ref, from(SECOND))).toEqual({ kind: 'accepted' });
    expect((await patterns.current(10))[0]?.grant).toMatchObject({
      until: later({ days: 60 }),
      since: later({ minutes: 20 }),
    });
  });

  it('cannot be renewed by others, nor beyond all that the policy allows, nor after its end', async () => {
    const world = await inForce();
    const { useCases, from, events, time, policy } = world;
    expect(await useCases.mayRenew(REF, from(OWNER))).toMatchObject({ refusal: { reason: 'groups-unavailable' } });
    expect((await events()).at(-1)).toBe('pattern-refused');
    expect(await useCases.mayRenew({ pattern: 'another' }, from(FIRST))).toMatchObject({
      refusal: { reason: 'pattern-ended' },
    });
    policy.exemptions.maximumTotalDays = 40;
    const renewal = { purpose: 'renew', id: 'pattern-1' } as const;
    expect(await useCases.decideTerms(renewal, from(FIRST), { ...TERMS, until: later({ days: 45 }) })).toMatchObject({
      ...{ kind: 'wrong-terms', problems: [{ reason: 'until-beyond-total' }] },
    });
    time.now = later({ days: 30 });
    expect(await useCases.mayRenew(REF, from(FIRST))).toMatchObject({ refusal: { reason: 'pattern-ended' } });
    expect(await useCases.decideTerms({ ...renewal, id: 'another' }, from(FIRST), TERMS)).toMatchObject({
      ...{ refusal: { reason: 'pattern-ended' } },
    });
  });
});
