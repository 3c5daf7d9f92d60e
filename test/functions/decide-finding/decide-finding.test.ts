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
    const { findings, deps } = aWorld([OWNER], { known: true, groupIds: ['S0APPROVERS'] });
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
    policy.routes.push({ name: 'lenient', channel: 'C0LENIENT', mode: 'ask', approvers, match });
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
