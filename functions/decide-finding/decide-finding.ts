import type { FindingRef } from '../contracts/slack-actions.ts';
import type { Cause } from '../domain/audit.ts';
import { type Action, type AuthorityVerdict, type GroupMembership, isFullMember } from '../domain/authority.ts';
import type { Command, PersonCommand } from '../domain/commands.ts';
import { type Decision, decide } from '../domain/decide.ts';
import { checkTerms, type ExemptionRefusal, type ExemptionTerms } from '../domain/exemption.ts';
import type { Finding } from '../domain/finding.ts';
import type { PersonRef, SlackPerson } from '../domain/people.ts';
import { type Policy, routeOf } from '../domain/policy.ts';
import type { Refusal } from '../domain/refusal.ts';
import { verdictOn } from '../domain/verdict.ts';

/** Who asks, about which finding, and which request it was. */
export type Request = {
  userId: string;
  /** The person's own workspace as the payload names it, not the one the app is installed in. */
  teamId: string;
  finding: FindingRef;
  requestId: string;
};

/** The terms as they came from the form; not yet believed. */
export type RequestedTerms = { ownerId: string | null; reason: string; ticket: string | null; until: string };

export type ExemptingAction = Extract<Action, 'exempt' | 'renew-exemption' | 'back-out'>;

type Outcome = { decision: Decision | { outcome: 'ignored'; because: string }; finding: Finding | undefined };

export type Deps = {
  loadPolicy: () => Promise<{ policy: Policy }>;
  /** Null when Slack does not know the person; `teamId` is null for a person who was named and did not click. */
  person: (userId: string, teamId: string | null) => Promise<SlackPerson | null>;
  groupsOf: (userId: string, groupIds: string[]) => Promise<GroupMembership>;
  loadFinding: (keyArn: string) => Promise<Finding | undefined>;
  carryOut: (request: {
    keyArn: string;
    cause: Cause;
    onceId: string | null;
    command: (finding: Finding | undefined) => Command | null;
  }) => Promise<Outcome>;
  now: () => Date;
};

export type Reply =
  | { kind: 'accepted'; action: Action }
  | { kind: 'refused'; refusal: Refusal }
  /** The same request once more: the first time did what there was to do. */
  | { kind: 'repeated' };

export type TermsReply = Reply | { kind: 'wrong-terms'; problems: (ExemptionRefusal | OwnerProblem)[] };
type OwnerProblem = { reason: 'owner-not-a-full-member' };

/** Approve, re-check or end an exemption: one click, one command. */
export async function decideFinding(
  action: Extract<Action, 'approve' | 're-check' | 'revoke-exemption'>,
  request: Request,
  deps: Deps,
): Promise<Reply> {
  const asked = await ask(action, request, deps);
  return await settle(action, request, deps, (current) => {
    const common = { ...asked.common, verdict: asked.judge(current) };
    return action === 'approve'
      ? { type: action, ...common, rotationPeriodInDays: asked.policy.rotation.periodInDays }
      : { type: action, ...common };
  });
}

/**
 * Whether to show this person the form for an exemption's terms; asked before a form is opened, so that nobody fills
 * in one that will be refused. The refusal is recorded like any other.
 */
export async function mayStateTerms(
  action: ExemptingAction,
  request: Request,
  deps: Deps,
): Promise<Reply | { kind: 'may'; finding: Finding; policy: Policy }> {
  const { policy, common, judge } = await ask(action, request, deps);
  const rehearse = (current: Finding | undefined) =>
    withTerms(action, policy, { ...common, verdict: judge(current) }, acceptableTerms(policy, common), true);
  const { decision, finding } = await deps.carryOut({
    ...target(request),
    // Judged on the very finding the command would meet: only a refusal is ever carried out here.
    command: (current) => (decide(rehearse(current), current).outcome === 'refused' ? rehearse(current) : null),
  });
  if (decision.outcome === 'refused') return { kind: 'refused', refusal: decision.refusal };
  if (finding === undefined) return { kind: 'refused', refusal: { reason: 'no-finding' } };
  return { kind: 'may', finding, policy };
}

/** Grants or renews an exemption, or approves a back-out, on the terms of the form. */
export async function decideTerms(
  action: ExemptingAction,
  request: Request,
  requested: RequestedTerms,
  deps: Deps,
): Promise<TermsReply> {
  const { policy, common, judge } = await ask(action, request, deps);
  const owner = requested.ownerId === null ? null : await deps.person(requested.ownerId, null);
  const ownerIsFullMember = owner !== null && isFullMember(owner, policy.organisation);
  const terms: ExemptionTerms = {
    owner: owner === null ? common.by : refOf(owner),
    reason: requested.reason.trim(),
    ticket: requested.ticket,
    until: requested.until,
  };
  if (common.verdict.allowed) {
    const problems = [
      ...(ownerIsFullMember ? [] : [{ reason: 'owner-not-a-full-member' as const }]),
      ...checkTerms(terms, policy.exemptions, common.at),
    ];
    if (problems.length > 0) return { kind: 'wrong-terms', problems };
  }
  return await settle(action, request, deps, (current) =>
    withTerms(action, policy, { ...common, verdict: judge(current) }, terms, ownerIsFullMember),
  );
}

type Common = Pick<PersonCommand, 'at' | 'episode' | 'by' | 'verdict'>;

type Asked = {
  policy: Policy;
  common: Common;
  /** The verdict on the very finding that a command meets: who caused it may have come to light since it was loaded. */
  judge: (finding: Finding | undefined) => AuthorityVerdict;
};

/** Resolves the person to one identity and asks the domain what they may do to the finding as it is now. */
async function ask(action: Action, request: Request, deps: Deps): Promise<Asked> {
  const { policy } = await deps.loadPolicy();
  const [person, finding] = await Promise.all([
    deps.person(request.userId, request.teamId),
    deps.loadFinding(request.finding.key),
  ]);
  const common = { at: deps.now().toISOString(), episode: request.finding.episode };
  if (person === null) {
    const by = { userId: request.userId, teamId: request.teamId, name: request.userId, email: null };
    const verdict: AuthorityVerdict = { allowed: false, reason: 'outside-organisation' };
    return { policy, common: { ...common, by, verdict }, judge: () => verdict };
  }
  const approvers = finding === undefined ? null : routeOf(policy, finding).approvers;
  const isListed = approvers === null || approvers.users.includes(person.userId);
  const groups = isListed
    ? { known: true as const, groupIds: [] }
    : await deps.groupsOf(person.userId, approvers.userGroups);
  const judge = (current: Finding | undefined): AuthorityVerdict =>
    // Without a finding there is nothing to have authority over; the decider refuses with the better reason.
    current === undefined ? { allowed: true } : verdictOn(current, { action, person, groups, policy });
  return { policy, common: { ...common, by: refOf(person), verdict: judge(finding) }, judge };
}

async function settle(
  action: Action,
  request: Request,
  deps: Deps,
  command: (current: Finding | undefined) => PersonCommand,
): Promise<Reply> {
  const { decision } = await deps.carryOut({ ...target(request), command });
  switch (decision.outcome) {
    case 'accepted':
      return { kind: 'accepted', action };
    case 'refused':
      return { kind: 'refused', refusal: decision.refusal };
    case 'ignored':
      return { kind: 'repeated' };
  }
}

function target({ finding, requestId }: Request) {
  return {
    keyArn: finding.key,
    cause: { kind: 'slack' as const, id: requestId },
    onceId: `slack#${requestId}`,
  };
}

function withTerms(
  type: ExemptingAction,
  policy: Policy,
  common: Common,
  terms: ExemptionTerms,
  ownerIsFullMember: boolean,
): PersonCommand {
  const command = { ...common, terms, ownerIsFullMember, rules: policy.exemptions };
  return type === 'back-out' ? { type, ...command, windowDays: policy.backOut.windowDays } : { type, ...command };
}

/** Terms nobody would refuse, so that a rehearsal fails only for what the person cannot change in the form. */
function acceptableTerms(policy: Policy, { at, by }: Common): ExemptionTerms {
  const until = new Date(Date.parse(at) + 3_600_000).toISOString();
  return { owner: by, reason: '.'.repeat(policy.exemptions.minimumReasonLength), ticket: '-', until };
}

function refOf({ userId, teamId, name, email }: SlackPerson): PersonRef {
  return { userId, teamId, name, email };
}
