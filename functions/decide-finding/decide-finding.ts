import type { FindingRef } from '../contracts/slack-actions.ts';
import type { Cause } from '../domain/audit.ts';
import {
  type Action,
  type Approvers,
  type AuthorityVerdict,
  type GroupMembership,
  isFullMember,
} from '../domain/authority.ts';
import type { Command, ExcuseCommand, FourEyes, PersonCommand } from '../domain/commands.ts';
import { type Decision, decide } from '../domain/decide.ts';
import { checkShortening, checkTerms, type ExemptionRefusal, type ExemptionTerms } from '../domain/exemption.ts';
import { type Finding, firstExempt, requestOf } from '../domain/finding.ts';
import { refOf, type SlackPerson } from '../domain/people.ts';
import { type Policy, routeOf } from '../domain/policy.ts';
import type { Refusal } from '../domain/refusal.ts';
import { fourEyesOn, verdictOn } from '../domain/verdict.ts';
import { groupsAmong } from './groups-among.ts';

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
  const asked = await ask(action, request, deps);
  const { policy } = asked;
  const requestedAt = request.finding.request ?? null;
  switch (action) {
    case 'approve':
    case 'fix-now': {
      const rotationPeriodInDays = policy.rotation.periodInDays;
      return await settle(action, request, deps, (current) => {
        return { type: action, ...asked.judge(current).common, rotationPeriodInDays };
      });
    }
    case 'confirm-request': {
      const standing = await standingOf(asked.finding, policy, deps);
      return await settle(action, request, deps, (current) => {
        const { common } = asked.judge(current);
        return { type: action, ...common, ...excuseRules(policy), ...standing(current), requestedAt };
      });
    }
    case 'withdraw-request':
      return await settle(action, request, deps, (current) => {
        return { type: action, ...asked.judge(current).common, requestedAt };
      });
    case 'revoke-exemption':
    case 'let-exemption-end':
    case 're-check':
      return await settle(action, request, deps, (current) => ({ type: action, ...asked.judge(current).common }));
  }
}

/**
 * Whether to show this person the form for an exemption's terms; asked before a form is opened, so that nobody fills
 * in one that will be refused. The refusal is recorded like any other.
 */
export async function mayStateTerms(action: FormAction, request: Request, deps: Deps): Promise<Reply | MayStateTerms> {
  const { policy, judge } = await ask(action, request, deps);
  const rehearse = (current: Finding | undefined) => {
    const judged = judge(current);
    return withTerms(action, policy, judged, acceptableTerms(policy, judged.common), true);
  };
  const { decision, finding } = await deps.carryOut({
    ...target(request),
    // Judged on the very finding the command would meet: only a refusal is ever carried out here.
    command: (current) => (decide(rehearse(current), current).outcome === 'refused' ? rehearse(current) : null),
  });
  if (decision.outcome === 'refused') return { kind: 'refused', refusal: decision.refusal };
  if (finding === undefined) return { kind: 'refused', refusal: { reason: 'no-finding' } };
  return { kind: 'may', finding, policy, fourEyes: judge(finding).fourEyes };
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
  const { policy, finding, judge } = await ask(action, request, deps);
  const { common } = judge(finding);
  if (action === 'shorten-exemption') {
    const { until } = requested;
    const problems =
      common.verdict.allowed && finding?.status === 'exempt'
        ? checkShortening(until, finding.exemption, common.at)
        : [];
    if (problems.length > 0) return { kind: 'wrong-terms', problems };
    return await settle(action, request, deps, (current) => ({ type: action, ...judge(current).common, until }));
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
  return await settle(action, request, deps, (current) =>
    withTerms(action, policy, judge(current), terms, ownerIsFullMember),
  );
}

type Common = Pick<PersonCommand, 'at' | 'episode' | 'by' | 'verdict'>;

/** What the domain says of a person and a finding: whether they may, and whether the word of one is enough. */
type Judged = { common: Common; fourEyes: FourEyes | null };

type Asked = {
  policy: Policy;
  finding: Finding | undefined;
  /** Of the very finding that a command meets: who caused it may have come to light since it was loaded. */
  judge: (finding: Finding | undefined) => Judged;
};

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
    const judged: Judged = { common: { ...common, by, verdict }, fourEyes: null };
    return { policy, finding, judge: () => judged };
  }
  const by = refOf(person);
  const groups = await groupsAmong(approversOf(finding, policy), person.userId, policy, deps);
  const judge = (current: Finding | undefined): Judged => {
    // Nothing to have authority over; the decider refuses with the better reason.
    if (current === undefined) return { common: { ...common, by, verdict: { allowed: true } }, fourEyes: null };
    const verdict = verdictOn(current, { action, person, groups, policy });
    return { common: { ...common, by, verdict }, fourEyes: fourEyesOn(current, { person, policy }) };
  };
  return { policy, finding, judge };
}

/** None where there is no finding to have authority over. */
function approversOf(finding: Finding | undefined, policy: Policy): Approvers[] {
  return finding === undefined ? [] : [routeOf(policy, finding).approvers];
}

type Standing = { requester: AuthorityVerdict; ownerIsFullMember: boolean };

/** Whether who asked, and the owner they named, are still who they have to be: of the very finding that is confirmed. */
async function standingOf(
  finding: Finding | undefined,
  policy: Policy,
  deps: Deps,
): Promise<(current: Finding | undefined) => Standing> {
  const pending = finding === undefined ? null : requestOf(finding);
  if (pending === null) return () => ({ requester: { allowed: true }, ownerIsFullMember: true });
  const { action } = pending;
  const [person, owner] = await Promise.all([
    deps.person(pending.by.userId, null, policy.identity.cacheSeconds),
    deps.person(pending.terms.owner.userId, null, policy.identity.cacheSeconds),
  ]);
  const ownerIsFullMember = owner !== null && isFullMember(owner, policy.organisation);
  if (person === null)
    return () => ({ requester: { allowed: false, reason: 'outside-organisation' }, ownerIsFullMember });
  const groups = await groupsAmong(approversOf(finding, policy), person.userId, policy, deps);
  return (current) => ({
    requester: current === undefined ? { allowed: true } : verdictOn(current, { action, person, groups, policy }),
    ownerIsFullMember,
  });
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
  type: FormAction,
  policy: Policy,
  { common, fourEyes }: Judged,
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
