import type { FindingRef } from '../contracts/slack-actions.ts';
import type { Cause } from '../domain/audit.ts';
import {
  type Action,
  type AuthorityVerdict,
  authorise,
  fourEyesReason,
  type GroupMembership,
  isFullMember,
} from '../domain/authority.ts';
import type { Command, ExcuseCommand, FourEyes, PersonCommand } from '../domain/commands.ts';
import { type Decision, decide } from '../domain/decide.ts';
import { checkShortening, checkTerms, type ExemptionRefusal, type ExemptionTerms } from '../domain/exemption.ts';
import { type Finding, firstExempt, type PendingRequest, requestOf } from '../domain/finding.ts';
import type { PersonRef, SlackPerson } from '../domain/people.ts';
import { culpritOf, type Policy, routeOf } from '../domain/policy.ts';
import type { Refusal } from '../domain/refusal.ts';

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

/** What a form asks the terms of, and what a click says all of. */
export type FormAction = ExcuseCommand['type'] | 'shorten-exemption';
export type ClickAction = Exclude<Action, FormAction>;

type Outcome = { decision: Decision | { outcome: 'ignored'; because: string }; finding: Finding | undefined };

export type Deps = {
  loadPolicy: () => Promise<{ policy: Policy }>;
  /**
   * Null when Slack does not know the person; `teamId` is null for a person who was named and did not click. What Slack
   * said may be so many seconds old, and no older.
   */
  person: (userId: string, teamId: string | null, maxAgeSeconds: number) => Promise<SlackPerson | null>;
  groupsOf: (
    userId: string,
    groupIds: string[],
    question: { teamIds: string[]; maxAgeSeconds: number },
  ) => Promise<GroupMembership>;
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

export type TermsReply = Reply | { kind: 'wrong-terms'; problems: TermsProblem[] };
export type TermsProblem =
  | ExemptionRefusal
  | { reason: 'owner-not-a-full-member' }
  | { reason: 'not-shorter'; until: string };

/** What one click says all of: approve, fix now, re-check, end an exemption, confirm or withdraw a request. */
export async function decideFinding(action: ClickAction, request: Request, deps: Deps): Promise<Reply> {
  const { policy, common, finding } = await ask(action, request, deps);
  const requestedAt = request.finding.request ?? null;
  switch (action) {
    case 'approve':
    case 'fix-now': {
      const rotationPeriodInDays = policy.rotation.periodInDays;
      return await settle(request, deps, { type: action, ...common, rotationPeriodInDays });
    }
    case 'confirm-request': {
      const pending = finding === undefined ? null : requestOf(finding);
      const standing = await standingOf(pending, finding, policy, deps);
      return await settle(request, deps, { type: action, ...common, ...excuseRules(policy), ...standing, requestedAt });
    }
    case 'withdraw-request':
      return await settle(request, deps, { type: action, ...common, requestedAt });
    case 'revoke-exemption':
    case 'let-exemption-end':
    case 're-check':
      return await settle(request, deps, { type: action, ...common });
  }
}

/**
 * Whether to show this person the form for an exemption's terms; asked before a form is opened, so that nobody fills
 * in one that will be refused. The refusal is recorded like any other.
 */
export async function mayStateTerms(action: FormAction, request: Request, deps: Deps): Promise<Reply | MayStateTerms> {
  const asked = await ask(action, request, deps);
  const { policy, common, fourEyes } = asked;
  const rehearsal = withTerms(action, asked, acceptableTerms(policy, common), true);
  const { decision, finding } = await deps.carryOut({
    ...target(request),
    // Judged on the very finding the command would meet: only a refusal is ever carried out here.
    command: (current) => (decide(rehearsal, current).outcome === 'refused' ? rehearsal : null),
  });
  if (decision.outcome === 'refused') return { kind: 'refused', refusal: decision.refusal };
  if (finding === undefined) return { kind: 'refused', refusal: { reason: 'no-finding' } };
  return { kind: 'may', finding, policy, fourEyes };
}

/** `fourEyes`: somebody else has to confirm what is filled in. */
export type MayStateTerms = { kind: 'may'; finding: Finding; policy: Policy; fourEyes: FourEyes | null };

/**
 * Grants, renews or shortens an exemption, or approves a back-out, on the terms of the form; or asks for it, where it takes
 * two.
 */
export async function decideTerms(
  action: FormAction,
  request: Request,
  requested: RequestedTerms,
  deps: Deps,
): Promise<TermsReply> {
  const asked = await ask(action, request, deps);
  const { policy, common, finding } = asked;
  if (action === 'shorten-exemption') {
    const { until } = requested;
    const problems =
      common.verdict.allowed && finding?.status === 'exempt'
        ? checkShortening(until, finding.exemption, common.at)
        : [];
    if (problems.length > 0) return { kind: 'wrong-terms', problems };
    return await settle(request, deps, { type: action, ...common, until });
  }
  const owner =
    requested.ownerId === null ? null : await deps.person(requested.ownerId, null, policy.identity.cacheSeconds);
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
      ...checkTerms(terms, policy.exemptions, common.at, finding === undefined ? null : firstExempt(finding)),
    ];
    if (problems.length > 0) return { kind: 'wrong-terms', problems };
  }
  return await settle(request, deps, withTerms(action, asked, terms, ownerIsFullMember));
}

type Common = Pick<PersonCommand, 'at' | 'episode' | 'by' | 'verdict'>;

type Asked = { policy: Policy; common: Common; fourEyes: FourEyes | null; finding: Finding | undefined };

/** Resolves the person to one identity and asks the domain what they may do to the finding as it is now. */
async function ask(action: Action, request: Request, deps: Deps): Promise<Asked> {
  const { policy } = await deps.loadPolicy();
  const [person, finding] = await Promise.all([
    deps.person(request.userId, request.teamId, policy.identity.cacheSeconds),
    deps.loadFinding(request.finding.key),
  ]);
  const common = { at: deps.now().toISOString(), episode: request.finding.episode };
  if (person === null) {
    const by = { userId: request.userId, teamId: request.teamId, name: request.userId, email: null };
    const verdict: AuthorityVerdict = { allowed: false, reason: 'outside-organisation' };
    return { policy, finding, common: { ...common, by, verdict }, fourEyes: null };
  }
  const by = refOf(person);
  // Nothing to have authority over; the decider refuses with the better reason.
  if (finding === undefined)
    return { policy, finding, common: { ...common, by, verdict: { allowed: true } }, fourEyes: null };
  const { verdict, fourEyes } = await judge(action, person, finding, policy, deps);
  return { policy, finding, common: { ...common, by, verdict }, fourEyes };
}

/** What the domain says of this person, and whether the word of one is enough. */
async function judge(
  action: Action,
  person: SlackPerson,
  finding: Finding,
  policy: Policy,
  deps: Deps,
): Promise<{ verdict: AuthorityVerdict; fourEyes: FourEyes | null }> {
  const { approvers, fourEyes: routeAsks } = routeOf(policy, finding);
  const listed = approvers.users.includes(person.userId);
  const groups = listed
    ? { known: true as const, groupIds: [], gone: [] }
    : await deps.groupsOf(person.userId, approvers.userGroups, {
        teamIds: policy.organisation.teamIds,
        maxAgeSeconds: policy.identity.cacheSeconds,
      });
  const question = {
    ...{ action, person, groups, approvers, ...culpritOf(policy, finding.trigger) },
    organisation: policy.organisation,
    selfExemption: policy.exemptions.selfExemption,
    exemptionOwner: finding.status === 'exempt' ? finding.exemption.owner.userId : null,
  };
  const because = fourEyesReason(question, routeAsks);
  const { confirmWithinHours } = policy.fourEyes;
  return { verdict: authorise(question), fourEyes: because === null ? null : { because, confirmWithinHours } };
}

/** Whether who asked, and the owner they named, are still who they have to be. */
async function standingOf(
  pending: PendingRequest | null,
  finding: Finding | undefined,
  policy: Policy,
  deps: Deps,
): Promise<{ requester: AuthorityVerdict; ownerIsFullMember: boolean }> {
  if (pending === null || finding === undefined) return { requester: { allowed: true }, ownerIsFullMember: true };
  const [requester, owner] = await Promise.all([
    deps.person(pending.by.userId, null, policy.identity.cacheSeconds),
    deps.person(pending.terms.owner.userId, null, policy.identity.cacheSeconds),
  ]);
  return {
    requester:
      requester === null
        ? { allowed: false, reason: 'outside-organisation' }
        : (await judge(pending.action, requester, finding, policy, deps)).verdict,
    ownerIsFullMember: owner !== null && isFullMember(owner, policy.organisation),
  };
}

async function settle(request: Request, deps: Deps, command: PersonCommand): Promise<Reply> {
  const { decision } = await deps.carryOut({ ...target(request), command: () => command });
  switch (decision.outcome) {
    case 'accepted':
      return { kind: 'accepted', action: command.type };
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
  type: FormAction,
  { policy, common, fourEyes }: Asked,
  terms: ExemptionTerms,
  ownerIsFullMember: boolean,
): PersonCommand {
  if (type === 'shorten-exemption') return { type, ...common, until: terms.until };
  return { type, ...common, ...excuseRules(policy), terms, ownerIsFullMember, fourEyes };
}

function excuseRules(policy: Policy) {
  return { rules: policy.exemptions, backOutWindowDays: policy.backOut.windowDays };
}

/** Terms nobody would refuse, so that a rehearsal fails only for what the person cannot change in the form. */
function acceptableTerms(policy: Policy, { at, by }: Common): ExemptionTerms {
  // Sooner than any exemption could end that is worth shortening.
  const until = new Date(Date.parse(at) + 1).toISOString();
  return { owner: by, reason: '.'.repeat(policy.exemptions.minimumReasonLength), ticket: '-', until };
}

function refOf({ userId, teamId, name, email }: SlackPerson): PersonRef {
  return { userId, teamId, name, email };
}
