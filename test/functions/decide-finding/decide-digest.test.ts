import {
  approveAll,
  type DigestDeps,
  type DigestRequest,
  reviewDigest,
} from '../../../functions/decide-finding/decide-digest.ts';
import type { GroupMembership } from '../../../functions/domain/authority.ts';
import { type Batch, memberOf, summarise } from '../../../functions/domain/digest.ts';
import type { SlackPerson } from '../../../functions/domain/people.ts';
import { anOpening, aPerson, aPolicy, HISTORY, KEY, later } from '../../builders.ts';
import { createInMemoryFindings } from '../../fakes/in-memory-findings.ts';

const APPROVER = aPerson({ userId: 'U0APPROVER', name: 'Approver' });
const MEMBER = aPerson({ userId: 'U0MEMBER', name: 'Member of the group' });
const VIEWER = aPerson({ userId: 'U0VIEWER', name: 'Viewer' });
const GUEST = aPerson({ userId: 'U0GUEST', isGuest: true });
const CHANNEL = 'C0STORM';
const DIGEST = `${CHANNEL}#${later({})}`;
const ALL = { digest: DIGEST, upTo: later({ minutes: 30 }), count: 12 };
const NOW = later({ hours: 2 });

async function aWorld({
  groups = { known: true, groupIds: ['S0APPROVERS'], gone: [] },
}: {
  groups?: GroupMembership;
} = {}) {
  const policy = aPolicy();
  policy.defaultRoute.channel = CHANNEL;
  policy.defaultRoute.approvers = { users: [APPROVER.userId], userGroups: ['S0APPROVERS'] };
  const findings = createInMemoryFindings(policy);
  await findings.given(HISTORY.open);
  const [opening] = HISTORY.open;
  const finding = await findings.loadFinding(KEY.arn);
  if (finding === undefined || opening.type !== 'finding-opened') throw new Error('no finding');
  const rows = [{ member: { ...memberOf(finding, policy.digest), joinedAt: later({}) }, place: '000#1' }];
  const batches: { batch: Batch; doneAt?: string }[] = [];
  const asked: string[][] = [];
  const known: SlackPerson[] = [APPROVER, MEMBER, VIEWER, GUEST];
  const deps: DigestDeps = {
    ...findings,
    person: (userId) => Promise.resolve(known.find((person) => person.userId === userId) ?? null),
    groupsOf(userId, ids) {
      asked.push(ids);
      return Promise.resolve(
        userId === MEMBER.userId || !groups.known ? groups : { known: true, groupIds: [], gone: [] },
      );
    },
    now: () => new Date(NOW),
    digests: {
      load: (id) => Promise.resolve(id === DIGEST ? { channel: CHANNEL, summary: summarise([]) } : null),
      page: (_, { after, size }) => Promise.resolve(rows.filter(({ place }) => place > after).slice(0, size)),
      batches: () => Promise.resolve(batches),
      putBatch(batch) {
        if (batches.some((stored) => stored.batch.requestId === batch.requestId)) return Promise.resolve(false);
        batches.push({ batch });
        return Promise.resolve(true);
      },
    },
  };
  return { policy, findings, deps, rows, batches, asked };
}

function from({ userId, teamId }: Pick<SlackPerson, 'userId' | 'teamId'>, requestId = 'request-1'): DigestRequest {
  return { userId, teamId, requestId };
}

describe('a click on "Approve all"', () => {
  it('stores who it was, as Slack tells it now, and what was shown; and decides nothing yet', async () => {
    const { deps, batches, findings } = await aWorld();
    expect(await approveAll(ALL, from(APPROVER), deps)).toEqual({ kind: 'accepted', count: 12 });
    expect(batches).toEqual([
      {
        batch: {
          ...{ ...ALL, requestId: 'request-1', at: NOW, policyVersion: 'policy-1', person: APPROVER },
          groups: { known: true, groupIds: [], gone: [] },
        },
      },
    ]);
    expect(findings.eventTypes(KEY.arn)).toEqual(['finding-opened']);
  });

  it('means nothing that joins afterwards, whatever the button says', async () => {
    const { deps, batches } = await aWorld();
    await approveAll({ ...ALL, upTo: later({ days: 400 }) }, from(APPROVER), deps);
    expect(batches[0]?.batch.upTo).toBe(later({ hours: 2, milliseconds: -10_000 }));
  });

  it('asks for the groups of all routes of the channel, unless the person is named by each', async () => {
    const { deps, batches, asked, policy } = await aWorld();
    await approveAll(ALL, from(APPROVER), deps);
    expect(asked).toEqual([]);
    policy.routes.push(
      { ...policy.defaultRoute, name: 'payments', match: {}, approvers: { users: [], userGroups: ['S0PAYMENTS'] } },
      {
        ...policy.defaultRoute,
        name: 'far',
        channel: 'C0FAR',
        match: {},
        approvers: { users: [], userGroups: ['S0FAR'] },
      },
    );
    batches.length = 0;
    expect(await approveAll(ALL, from(MEMBER, 'request-2'), deps)).toMatchObject({ kind: 'accepted' });
    expect(asked).toEqual([['S0PAYMENTS', 'S0APPROVERS']]);
    expect(batches[0]?.batch.groups).toEqual({ known: true, groupIds: ['S0APPROVERS'], gone: [] });
  });

  it.each([
    [VIEWER, 'not-an-approver'],
    [GUEST, 'guest'],
    [{ userId: 'U0UNKNOWN', teamId: 'T0OTHER' }, 'outside-organisation'],
  ])(
    'is refused to those who may approve nothing there, and the attempt is in a trail: $userId',
    async (person, reason) => {
      const { deps, batches, findings } = await aWorld();
      expect(await approveAll(ALL, from(person), deps)).toEqual({ kind: 'refused', refusal: { reason } });
      expect(batches).toEqual([]);
      const last = findings.auditOf(KEY.arn).at(-1);
      expect(last?.event).toMatchObject({ type: 'command-refused', command: 'approve', refusal: { reason } });
      expect(last?.cause).toEqual({ kind: 'slack', id: 'request-1' });
      await approveAll(ALL, from(person), deps);
      expect(findings.eventTypes(KEY.arn)).toEqual(['finding-opened', 'command-refused']);
    },
  );

  it('is refused when Slack does not say who is in the groups', async () => {
    const { deps } = await aWorld({ groups: { known: false } });
    expect(await approveAll(ALL, from(MEMBER), deps)).toMatchObject({ refusal: { reason: 'groups-unavailable' } });
  });

  it('does once what the same request asks twice', async () => {
    const { deps, batches } = await aWorld();
    await approveAll(ALL, from(APPROVER), deps);
    expect(await approveAll(ALL, from(APPROVER), deps)).toEqual({ kind: 'repeated' });
    expect(batches).toHaveLength(1);
  });

  it('waits for one that is under way, and says whose', async () => {
    const { deps, batches } = await aWorld();
    await approveAll(ALL, from(APPROVER), deps);
    expect(await approveAll(ALL, from(MEMBER, 'request-2'), deps)).toEqual({
      kind: 'under-way',
      by: APPROVER,
      at: NOW,
    });
    const [first] = batches;
    if (first !== undefined) first.doneAt = NOW;
    expect(await approveAll(ALL, from(MEMBER, 'request-3'), deps)).toMatchObject({ kind: 'accepted' });
  });

  it('says that a digest is not kept any more', async () => {
    const { deps } = await aWorld();
    expect(await approveAll({ ...ALL, digest: 'C0STORM#long-ago' }, from(APPROVER), deps)).toEqual({
      kind: 'forgotten',
    });
  });
});

describe('the list', () => {
  const PAGE = { digest: DIGEST, after: '' };

  it('has the findings as they are now, and where the next page begins', async () => {
    const { deps, rows, findings } = await aWorld();
    const [row] = rows;
    if (row === undefined) throw new Error('no row');
    const key = { ...KEY, arn: `${KEY.arn}-2` };
    await findings.given([anOpening({ key })]);
    rows.push({ member: { ...row.member, key }, place: '000#2' });
    const first = await reviewDigest(PAGE, 1, from(VIEWER), deps);
    expect(first).toMatchObject({ kind: 'page', next: '000#1', findings: [{ key: KEY, status: 'open' }] });
    const rest = await reviewDigest({ ...PAGE, after: '000#1' }, 2, from(VIEWER), deps);
    expect(rest).toMatchObject({ kind: 'page', next: null, findings: [{ key }] });
  });

  it('leaves out a finding whose story has ended and begun anew elsewhere', async () => {
    const { deps, rows } = await aWorld();
    const [row] = rows;
    if (row !== undefined) row.member.episode = 7;
    expect(await reviewDigest(PAGE, 20, from(APPROVER), deps)).toMatchObject({ findings: [] });
  });

  it.each([
    [GUEST, 'guest'],
    [{ userId: 'U0UNKNOWN', teamId: 'T0OTHER' }, 'outside-organisation'],
  ])('is not for $userId', async (person, reason) => {
    const { deps } = await aWorld();
    expect(await reviewDigest(PAGE, 20, from(person), deps)).toEqual({ kind: 'refused', refusal: { reason } });
  });

  it('is gone with its digest', async () => {
    const { deps } = await aWorld();
    expect(await reviewDigest({ ...PAGE, digest: 'C0STORM#long-ago' }, 20, from(VIEWER), deps)).toEqual({
      kind: 'forgotten',
    });
  });
});
