import {
  type Deps,
  decideFinding,
  decideTerms,
  mayStateTerms,
  type Request,
  type RequestedTerms,
} from '../../../functions/decide-finding/decide-finding.ts';
import type { GroupMembership } from '../../../functions/domain/authority.ts';
import type { SlackPerson } from '../../../functions/domain/people.ts';
import { aKey, anActor, anOpening, aPerson, aPolicy, aTrigger, HISTORY, KEY, later } from '../../builders.ts';
import { createInMemoryFindings } from '../../fakes/in-memory-findings.ts';

const APPROVER = aPerson({ userId: 'U0APPROVER', name: 'Approver', email: 'approver@corp.example' });
const OWNER = aPerson({ userId: 'U0OWNER', name: 'Owner', email: 'owner@corp.example' });
const GUEST = aPerson({ userId: 'U0GUEST', isGuest: true });

let requests = 0;
beforeEach(() => {
  requests = 0;
});

function aWorld(known: SlackPerson[] = [APPROVER, OWNER, GUEST], groups: GroupMembership = { known: false }) {
  const policy = aPolicy();
  policy.defaultRoute.approvers = { users: [APPROVER.userId], userGroups: ['S0APPROVERS'] };
  const findings = createInMemoryFindings(policy);
  const deps: Deps = {
    ...findings,
    person: (userId) => Promise.resolve(known.find((person) => person.userId === userId) ?? null),
    groupsOf: () => Promise.resolve(groups),
    now: () => new Date(later({ hours: 2 })),
  };
  return { findings, deps };
}

function from(person: { userId: string; teamId: string }, changes: Partial<Request> = {}): Request {
  requests += 1;
  const { userId, teamId } = person;
  return { userId, teamId, finding: { key: KEY.arn, episode: 1 }, requestId: `request-${requests}`, ...changes };
}

const terms: RequestedTerms = {
  ownerId: OWNER.userId,
  reason: 'Replaced by another key in spring',
  ticket: null,
  until: later({ days: 30 }),
};

describe('a click on Approve', () => {
  it('approves with the period of the policy', async () => {
    const { findings, deps } = aWorld();
    await findings.given(HISTORY.open);
    expect(await decideFinding('approve', from(APPROVER), deps)).toEqual({ kind: 'accepted', action: 'approve' });
    expect(await findings.loadFinding(KEY.arn)).toMatchObject({
      status: 'approved',
      remedy: { id: 'enable-rotation', rotationPeriodInDays: 365 },
    });
  });

  it('does once what the same request asks twice', async () => {
    const { findings, deps } = aWorld();
    await findings.given(HISTORY.open);
    const request = from(APPROVER);
    await decideFinding('approve', request, deps);
    expect((await decideFinding('approve', request, deps)).kind).not.toBe('accepted');
    expect(findings.eventTypes(KEY.arn).filter((type) => type === 'remediation-approved')).toHaveLength(1);
  });

  it.each<[string, Request, string]>([
    ['a guest', from(GUEST), 'guest'],
    ['somebody Slack does not know', from({ userId: 'U0NOBODY', teamId: 'T0123456789' }), 'outside-organisation'],
    ['a member while the user groups cannot be read', from(OWNER), 'groups-unavailable'],
    ['a message of an earlier episode', from(APPROVER, { finding: { key: KEY.arn, episode: 7 } }), 'earlier-episode'],
  ])('of %s is refused, and the refusal is recorded', async (_, request, reason) => {
    const { findings, deps } = aWorld();
    await findings.given(HISTORY.open);
    expect(await decideFinding('approve', request, deps)).toEqual({ kind: 'refused', refusal: { reason } });
    expect(findings.eventTypes(KEY.arn)).toEqual(['finding-opened', 'command-refused']);
    expect((await findings.loadFinding(KEY.arn))?.status).toBe('open');
  });

  it('about a key without a finding is refused', async () => {
    const { deps } = aWorld();
    expect(await decideFinding('approve', from(APPROVER), deps)).toMatchObject({ refusal: { reason: 'no-finding' } });
  });

  it('of a member of the approving group is accepted', async () => {
    const { findings, deps } = aWorld([OWNER], { known: true, groupIds: ['S0APPROVERS'], gone: [] });
    await findings.given(HISTORY.open);
    expect(await decideFinding('approve', from(OWNER), deps)).toMatchObject({ kind: 'accepted' });
  });
});

describe('the approvers', () => {
  it('stay those who were asked, whatever the key is tagged with afterwards', async () => {
    const { findings, deps } = aWorld();
    const { policy } = await deps.loadPolicy();
    const approvers = { users: [OWNER.userId], userGroups: [] };
    const match = { tags: { team: ['lenient'] } };
    policy.routes.push({
      ...policy.defaultRoute,
      name: 'lenient',
      channel: 'C0LENIENT',
      mode: 'ask',
      approvers,
      match,
    });
    await findings.given([anOpening({ facts: aKey({ tags: [{ key: 'team', value: 'lenient' }] }) })]);
    expect(await decideFinding('approve', from(OWNER), deps)).toMatchObject({ kind: 'refused' });
    expect(await decideFinding('approve', from(APPROVER), deps)).toMatchObject({ kind: 'accepted' });
  });
});

describe('a click on Exempt', () => {
  it('opens the form for an approver and records nothing', async () => {
    const { findings, deps } = aWorld();
    await findings.given(HISTORY.open);
    expect(await mayStateTerms('exempt', from(APPROVER), deps)).toMatchObject({ kind: 'may' });
    expect(findings.eventTypes(KEY.arn)).toEqual(['finding-opened']);
  });

  it('is refused before any form when somebody has decided already', async () => {
    const { findings, deps } = aWorld();
    await findings.given(HISTORY.approved);
    expect(await mayStateTerms('exempt', from(APPROVER), deps)).toMatchObject({
      refusal: { reason: 'already-decided', status: 'approved' },
    });
  });

  it('is refused to whoever caused the finding', async () => {
    const { findings, deps } = aWorld();
    const actor = anActor({ email: 'Approver@Corp.example' });
    await findings.given([anOpening({ trigger: aTrigger({ actor }) })]);
    expect(await mayStateTerms('exempt', from(APPROVER), deps)).toMatchObject({
      refusal: { reason: 'caused-the-finding' },
    });
  });
});

describe('the form', () => {
  it('grants what it says', async () => {
    const { findings, deps } = aWorld();
    await findings.given(HISTORY.open);
    expect(await decideTerms('exempt', from(APPROVER), terms, deps)).toMatchObject({ kind: 'accepted' });
    expect(await findings.loadFinding(KEY.arn)).toMatchObject({
      status: 'exempt',
      exemption: { owner: { userId: 'U0OWNER' }, grantedBy: { userId: 'U0APPROVER' }, until: terms.until },
    });
  });

  it('shows everything that is wrong at once and records nothing', async () => {
    const { findings, deps } = aWorld();
    await findings.given(HISTORY.open);
    const wrong = { ownerId: GUEST.userId, reason: 'short', ticket: null, until: later({ days: 400 }) };
    const reply = await decideTerms('exempt', from(APPROVER), wrong, deps);
    expect(reply.kind === 'wrong-terms' && reply.problems.map(({ reason }) => reason)).toEqual([
      'owner-not-a-full-member',
      'reason-too-short',
      'until-beyond-maximum',
    ]);
    expect(findings.eventTypes(KEY.arn)).toEqual(['finding-opened']);
  });

  it('of a guest is refused whatever it says', async () => {
    const { findings, deps } = aWorld();
    await findings.given(HISTORY.open);
    const reply = await decideTerms('exempt', from(GUEST), { ...terms, reason: '' }, deps);
    expect(reply).toEqual({ kind: 'refused', refusal: { reason: 'guest' } });
    expect((await findings.loadFinding(KEY.arn))?.status).toBe('open');
  });
});

describe('a decision that takes two people', () => {
  const SECOND = aPerson({ userId: 'U0SECOND', name: 'Second', email: 'second@corp.example' });
  const EVERYBODY = [APPROVER, SECOND, OWNER, GUEST];

  async function requested(known = EVERYBODY, actor = anActor({ arn: 'arn:aws:iam::111122223333:user/somebody' })) {
    const world = aWorld(known);
    const { policy } = await world.deps.loadPolicy();
    policy.defaultRoute.approvers.users.push(SECOND.userId);
    await world.findings.given([anOpening({ trigger: aTrigger({ actor }) })]);
    await decideTerms('exempt', from(APPROVER), terms, world.deps);
    const finding = { key: KEY.arn, episode: 1, request: later({ hours: 2 }) };
    return { ...world, policy, finding, status: async () => (await world.findings.loadFinding(KEY.arn))?.status };
  }

  it('because nobody can tell who caused it waits for the second, and then takes effect', async () => {
    const { findings, deps, finding, status } = await requested();
    expect(await status()).toBe('open');
    expect(await mayStateTerms('exempt', from(SECOND), deps)).toMatchObject({ refusal: { reason: 'request-pending' } });
    const own = await decideFinding('confirm-request', from(APPROVER, { finding }), deps);
    expect(own).toMatchObject({ refusal: { reason: 'own-request' } });
    const done = await decideFinding('confirm-request', from(SECOND, { finding }), deps);
    expect(done).toEqual({ kind: 'accepted', action: 'confirm-request' });
    expect(await findings.loadFinding(KEY.arn)).toMatchObject({
      status: 'exempt',
      exemption: { grantedBy: { userId: 'U0APPROVER' }, confirmedBy: { userId: 'U0SECOND' } },
    });
  });

  it('because the route asks for it says so in the form', async () => {
    const { findings, deps } = aWorld();
    (await deps.loadPolicy()).policy.defaultRoute.fourEyes = true;
    await findings.given(HISTORY.open);
    expect(await mayStateTerms('exempt', from(APPROVER), deps)).toMatchObject({
      fourEyes: { because: 'route-asks', confirmWithinHours: 24 },
    });
  });

  it('is not confirmed by whoever caused the finding', async () => {
    const { deps, policy, finding } = await requested(EVERYBODY, anActor({ email: SECOND.email }));
    policy.defaultRoute.fourEyes = true;
    expect(await decideFinding('confirm-request', from(SECOND, { finding }), deps)).toMatchObject({
      refusal: { reason: 'caused-the-finding' },
    });
  });

  it('is not confirmed once who asked is no approver, or is known to have caused it', async () => {
    for (const change of ['left', 'caused'] as const) {
      const known = [...EVERYBODY];
      const { deps, policy, finding, status } = await requested(known);
      if (change === 'left') known[0] = { ...APPROVER, isDeactivated: true };
      else policy.identities = [{ awsArn: '*', slackUserId: APPROVER.userId }];
      expect(await decideFinding('confirm-request', from(SECOND, { finding }), deps)).toMatchObject({
        refusal: { reason: 'requester-may-not' },
      });
      expect(await status()).toBe('open');
    }
  });

  it('is not confirmed when the owner has left', async () => {
    const known = [APPROVER, SECOND, OWNER];
    const { deps, finding } = await requested(known);
    known.pop();
    expect(await decideFinding('confirm-request', from(SECOND, { finding }), deps)).toMatchObject({
      refusal: { reason: 'owner-not-a-full-member' },
    });
  });

  it('is withdrawn by any approver', async () => {
    const { findings, deps, finding } = await requested();
    expect(await decideFinding('withdraw-request', from(OWNER, { finding }), deps)).toMatchObject({ kind: 'refused' });
    expect(await decideFinding('withdraw-request', from(SECOND, { finding }), deps)).toMatchObject({
      kind: 'accepted',
    });
    expect(findings.eventTypes(KEY.arn).at(-1)).toBe('request-withdrawn');
  });
});

describe('the form that shortens', () => {
  const shorter = { ownerId: null, reason: '', ticket: null, until: later({ days: 20 }) };

  it('asks for the end only, and moves it', async () => {
    const { findings, deps } = aWorld();
    await findings.given(HISTORY.exempt);
    expect(await mayStateTerms('shorten-exemption', from(APPROVER), deps)).toMatchObject({ kind: 'may' });
    expect(await decideTerms('shorten-exemption', from(APPROVER), shorter, deps)).toMatchObject({ kind: 'accepted' });
    expect(await findings.loadFinding(KEY.arn)).toMatchObject({ exemption: { until: later({ days: 20 }) } });
  });

  it('shows what is wrong with the end', async () => {
    const { findings, deps } = aWorld();
    await findings.given(HISTORY.exempt);
    const late = { ...shorter, until: later({ days: 40 }) };
    expect(await decideTerms('shorten-exemption', from(APPROVER), late, deps)).toEqual({
      ...{ kind: 'wrong-terms', problems: [{ reason: 'not-shorter', until: later({ days: 30 }) }] },
    });
  });

  it('is open to whoever caused the finding, because it excuses nothing', async () => {
    const { findings, deps } = aWorld();
    const actor = anActor({ email: APPROVER.email });
    const [, granted] = HISTORY.exempt;
    if (granted === undefined) throw new Error('no exemption');
    await findings.given([anOpening({ trigger: aTrigger({ actor }) }), granted]);
    expect(await mayStateTerms('renew-exemption', from(APPROVER), deps)).toMatchObject({ kind: 'refused' });
    expect(await decideTerms('shorten-exemption', from(APPROVER), shorter, deps)).toMatchObject({ kind: 'accepted' });
  });
});

it('judges who caused a finding by the finding that the decision meets, not by how it was a moment before', async () => {
  const { findings, deps } = aWorld();
  const causedBy = (email: string) => aTrigger({ actor: anActor({ email }) });
  await findings.given([anOpening({ trigger: causedBy(APPROVER.email ?? '') })]);
  const now = await findings.loadFinding(KEY.arn);
  const loadFinding = () => Promise.resolve(now && { ...now, trigger: causedBy('deployer@corp.example') });
  expect(await decideTerms('exempt', from(APPROVER), terms, { ...deps, loadFinding })).toEqual({
    kind: 'refused',
    refusal: { reason: 'caused-the-finding' },
  });
});
