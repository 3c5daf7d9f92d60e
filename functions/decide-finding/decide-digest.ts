import type { ApproveAllRef, PageRef } from '../contracts/slack-actions.ts';
import type { AuthorityRefusal } from '../domain/authority.ts';
import { type Batch, certainUntil, type DigestSummary, type JoinedMember } from '../domain/digest.ts';
import type { Finding } from '../domain/finding.ts';
import type { PersonRef } from '../domain/people.ts';
import type { Policy } from '../domain/policy.ts';
import { mayLook, verdictOnAny } from '../domain/verdict.ts';
import type { Deps as FindingDeps, Reply, Request } from './decide-finding.ts';
import { groupsAmong } from './groups-among.ts';

export type DigestDeps = Pick<FindingDeps, 'person' | 'groupsOf' | 'loadFinding' | 'carryOut' | 'now'> & {
  loadPolicy: () => Promise<{ policy: Policy; version: string }>;
  digests: {
    load: (id: string, now: string) => Promise<{ channel: string; summary?: DigestSummary | undefined } | null>;
    /** In the order in which people should see them, from the one after `after` on. */
    page: (id: string, page: { after: string; size: number }) => Promise<{ member: JoinedMember; place: string }[]>;
    batches: (id: string) => Promise<{ batch: Batch; doneAt?: string | undefined }[]>;
    /** False when this very request is stored. */
    putBatch: (batch: Batch) => Promise<boolean>;
  };
};

/** Who clicked under a digest or in its list, and which request it was. */
export type DigestRequest = Omit<Request, 'finding'>;

type Refused = Extract<Reply, { kind: 'refused' }>;
/** The digest is so old that it is not kept any more. */
type Forgotten = { kind: 'forgotten' };
export type ApproveAllReply =
  | { kind: 'accepted'; count: number }
  | { kind: 'under-way'; by: PersonRef; at: string }
  | { kind: 'repeated' }
  | Refused
  | Forgotten;

/** What a page of the list shows. */
export type ReviewedPage = {
  kind: 'page';
  policy: Policy;
  findings: Finding[];
  next: string | null;
  summary: DigestSummary | null;
};
export type ReviewReply = ReviewedPage | Refused | Forgotten;

/**
 * Takes an "Approve all": who it was and what Slack says of them is stored in one item, and the decisions are made from that,
 * key by key. Refused here is only who may approve nothing that goes to this channel; the attempt is put into the trail of
 * the first of the keys that it was for.
 */
export async function approveAll(
  { digest: id, upTo: shownUpTo, count }: ApproveAllRef,
  request: DigestRequest,
  deps: DigestDeps,
): Promise<ApproveAllReply> {
  const at = deps.now().toISOString();
  const { requestId, userId, teamId } = request;
  // Nobody can have been shown what joins from now on, whatever the button says.
  const latest = certainUntil(at);
  const upTo = shownUpTo < latest ? shownUpTo : latest;
  const { policy, version: policyVersion } = await deps.loadPolicy();
  const [digest, person] = await Promise.all([
    deps.digests.load(id, at),
    deps.person(userId, teamId, policy.identity.cacheSeconds),
  ]);
  if (digest === null) return { kind: 'forgotten' };
  if (person === null) {
    return await refuse(
      { id, request, by: { userId, teamId, name: userId, email: null } },
      'outside-organisation',
      deps,
    );
  }
  const routes = [...policy.routes, policy.defaultRoute].filter(({ channel }) => channel === digest.channel);
  const approvers = routes.map((route) => route.approvers);
  const groups = await groupsAmong(approvers, userId, policy, deps);
  const verdict = verdictOnAny(routes, { person, groups, policy });
  if (!verdict.allowed) return await refuse({ id, request, by: person }, verdict.reason, deps);

  const open = (await deps.digests.batches(id)).find(({ doneAt }) => doneAt === undefined);
  if (open !== undefined && open.batch.requestId !== requestId) {
    return { kind: 'under-way', by: open.batch.person, at: open.batch.at };
  }
  const isNew = await deps.digests.putBatch({ digest: id, requestId, at, person, groups, policyVersion, upTo, count });
  return isNew ? { kind: 'accepted', count } : { kind: 'repeated' };
}

/** One page of a digest's list, for anybody of the organisation: it only reads. */
export async function reviewDigest(
  { digest: id, after }: PageRef,
  size: number,
  request: DigestRequest,
  deps: DigestDeps,
): Promise<ReviewReply> {
  const { policy } = await deps.loadPolicy();
  const [digest, person, rows] = await Promise.all([
    deps.digests.load(id, deps.now().toISOString()),
    deps.person(request.userId, request.teamId, policy.identity.cacheSeconds),
    deps.digests.page(id, { after, size }),
  ]);
  if (person === null) return { kind: 'refused', refusal: { reason: 'outside-organisation' } };
  const verdict = mayLook(person, policy);
  if (!verdict.allowed) return { kind: 'refused', refusal: { reason: verdict.reason } };
  if (digest === null) return { kind: 'forgotten' };
  const findings = await Promise.all(rows.map(({ member }) => deps.loadFinding(member.key.arn)));
  return {
    kind: 'page',
    policy,
    // Of another episode: that is another story by now, with a message of its own.
    findings: findings.filter((finding, index) => finding?.episode === rows[index]?.member.episode).filter(isFinding),
    next: rows.length < size ? null : (rows.at(-1)?.place ?? null),
    summary: digest.summary ?? null,
  };
}

function isFinding(finding: Finding | undefined): finding is Finding {
  return finding !== undefined;
}

async function refuse(
  { id, request, by }: { id: string; request: DigestRequest; by: PersonRef },
  reason: AuthorityRefusal,
  deps: DigestDeps,
): Promise<Refused> {
  const [first] = await deps.digests.page(id, { after: '', size: 1 });
  if (first !== undefined) {
    const { key, episode } = first.member;
    const { userId, teamId, name, email } = by;
    const { rotation } = (await deps.loadPolicy()).policy;
    await deps.carryOut({
      keyArn: key.arn,
      cause: { kind: 'slack', id: request.requestId },
      onceId: `slack#${request.requestId}`,
      command: () => ({
        ...{ type: 'approve', at: deps.now().toISOString(), episode, by: { userId, teamId, name, email } },
        verdict: { allowed: false, reason },
        rotationPeriodInDays: rotation.periodInDays,
      }),
    });
  }
  return { kind: 'refused', refusal: { reason } };
}
