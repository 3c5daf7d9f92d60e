import type { PatternModalMetadata, PatternRef } from '../contracts/slack-actions.ts';
import type { Cause } from '../domain/audit.ts';
import { type AuthorityVerdict, isFullMember } from '../domain/authority.ts';
import { checkTerms, type ExemptionTerms } from '../domain/exemption.ts';
import type { CoveredKeys, KeyPattern } from '../domain/key-pattern.ts';
import {
  decidePattern as decide,
  isInForce,
  isWaiting,
  type PatternAction,
  type PatternCommand,
  type PatternDecision,
  type PatternExemption,
  type PatternPersonCommand,
  type PatternRefusal,
} from '../domain/pattern-exemption.ts';
import { type PersonRef, refOf } from '../domain/people.ts';
import type { Policy } from '../domain/policy.ts';
import { approversOfPatterns, verdictOnPattern } from '../domain/verdict.ts';
import type { WantedPattern } from '../messages/pattern-text.ts';
import type { Deps as FindingDeps, RequestedTerms, TermsProblem } from './decide-finding.ts';
import { groupsAmong } from './groups-among.ts';
import type { Requester } from './slack-click.ts';

export type PatternDeps = Pick<FindingDeps, 'loadPolicy' | 'person' | 'groupsOf' | 'now'> & {
  patterns: {
    load: (id: string) => Promise<{ pattern?: PatternExemption | undefined }>;
    /** Those of an account that have not ended. */
    ofAccount: (accountId: string) => Promise<PatternExemption[]>;
  };
  carryOutPattern: (request: {
    id: string;
    cause: Cause;
    onceId: string | null;
    command: (current: PatternExemption | undefined) => PatternCommand | null;
  }) => Promise<{ decision: PatternDecision; pattern: PatternExemption | undefined }>;
  /** The keys with a finding that it means, at most so many by name. */
  coverage: (pattern: KeyPattern, most: { atMost: number }) => Promise<CoveredKeys>;
};

export type PatternReply =
  | { kind: 'accepted' }
  | { kind: 'refused'; refusal: PatternRefusal }
  /** The same request once more: the first time did what there was to do. */
  | { kind: 'repeated' };

/** What a form for an exemption of a pattern shows. */
export type PatternFormReply =
  | {
      kind: 'may';
      policy: Policy;
      metadata: PatternModalMetadata;
      pattern: KeyPattern;
      covered: CoveredKeys;
      current: PatternExemption | null;
    }
  | { kind: 'refused'; refusal: PatternRefusal }
  | { kind: 'unknown-account'; account: string }
  /** There is one of the very same keys. */
  | { kind: 'there-already'; already: PatternExemption };

export type PatternTermsReply = PatternReply | { kind: 'wrong-terms'; problems: TermsProblem[] };

/** What one click says all of. */
export type PatternClick = Exclude<PatternAction, 'request-pattern'>;

/** What people can do about exemptions of patterns, in one hand. */
export type PatternUseCases = ReturnType<typeof createPatternUseCases>;

export function createPatternUseCases(deps: PatternDeps) {
  return {
    mayAsk: (wanted: WantedPattern, requester: Requester) => mayAskForPattern(wanted, requester, deps),
    mayRenew: (ref: PatternRef, requester: Requester) => mayRenewPattern(ref, requester, deps),
    decideTerms: (metadata: PatternModalMetadata, requester: Requester, terms: RequestedTerms) =>
      decidePatternTerms(metadata, requester, terms, deps),
    decide: (action: PatternClick, ref: PatternRef, requester: Requester) =>
      decidePattern(action, ref, requester, deps),
  };
}

/** As many covered keys are counted; whoever means more reads "at least". */
export const COUNTED_KEYS = 200;

/**
 * Whether to show this person the form for the exemption of a pattern, with what it covers. The form names the exemption
 * before there is one, so that the same form sent twice asks once.
 */
async function mayAskForPattern(
  wanted: WantedPattern,
  request: Requester,
  deps: PatternDeps,
): Promise<PatternFormReply> {
  const { policy } = await deps.loadPolicy();
  const accountId = accountIdOf(wanted.account, policy);
  if (accountId === null) return { kind: 'unknown-account', account: wanted.account };
  const pattern: KeyPattern =
    wanted.by === 'tag'
      ? { accountId, by: 'tag', key: wanted.key, value: wanted.value }
      : { accountId, by: 'alias', alias: wanted.alias };
  const [asked, present, covered] = await Promise.all([
    ask('request-pattern', request, deps),
    deps.patterns.ofAccount(accountId),
    deps.coverage(pattern, { atMost: COUNTED_KEYS }),
  ]);
  const id = request.requestId;
  const decision = decide(rehearsal(asked, { id, pattern })(undefined), undefined);
  if (decision.outcome === 'refused') return { kind: 'refused', refusal: decision.refusal };
  const already = present.find((other) => isSame(other.pattern, pattern) && holds(other, asked.at));
  if (already !== undefined) return { kind: 'there-already', already };
  return { kind: 'may', policy, metadata: { purpose: 'exempt', id, pattern }, pattern, covered, current: null };
}

/** The same for a renewal; a refusal is in the exemption's trail, like any other. */
async function mayRenewPattern(
  { pattern: id }: PatternRef,
  request: Requester,
  deps: PatternDeps,
): Promise<PatternFormReply> {
  const [asked, stored] = await Promise.all([ask('request-pattern', request, deps), deps.patterns.load(id)]);
  if (stored.pattern === undefined) return { kind: 'refused', refusal: { reason: 'pattern-ended' } };
  const { pattern } = stored.pattern;
  const command = rehearsal(asked, { id, pattern });
  const [{ decision, pattern: current }, covered] = await Promise.all([
    deps.carryOutPattern({
      ...target(id, request),
      // Judged on the very exemption the command would meet: only a refusal is ever carried out here.
      command: (now) => (decide(command(now), now).outcome === 'refused' ? command(now) : null),
    }),
    deps.coverage(pattern, { atMost: COUNTED_KEYS }),
  ]);
  if (decision.outcome === 'refused') return { kind: 'refused', refusal: decision.refusal };
  const metadata = { purpose: 'renew', id } as const;
  return { kind: 'may', policy: asked.policy, metadata, pattern, covered, current: current ?? null };
}

/** Asks for the exemption of a pattern, or for its renewal, on the terms of the form. Nothing holds before a second person. */
async function decidePatternTerms(
  metadata: PatternModalMetadata,
  request: Requester,
  requested: RequestedTerms,
  deps: PatternDeps,
): Promise<PatternTermsReply> {
  const { id } = metadata;
  const [asked, stored] = await Promise.all([ask('request-pattern', request, deps), deps.patterns.load(id)]);
  const { policy, at, by } = asked;
  const pattern = metadata.purpose === 'exempt' ? metadata.pattern : stored.pattern?.pattern;
  if (pattern === undefined) return { kind: 'refused', refusal: { reason: 'pattern-ended' } };
  const owner =
    requested.ownerId === null ? null : await deps.person(requested.ownerId, null, policy.identity.cacheSeconds);
  const ownerIsFullMember = owner !== null && isFullMember(owner, policy.organisation);
  const terms: ExemptionTerms = {
    owner: owner === null ? by : refOf(owner),
    reason: requested.reason.trim(),
    ticket: requested.ticket,
    until: requested.until,
  };
  if (asked.judge(stored.pattern).allowed) {
    const problems = [
      ...(ownerIsFullMember ? [] : [{ reason: 'owner-not-a-full-member' as const }]),
      ...checkTerms(terms, policy.exemptions, at, stored.pattern?.grant?.since ?? null),
    ];
    if (problems.length > 0) return { kind: 'wrong-terms', problems };
  }
  return await settle(id, request, deps, (current) => ({
    ...requestOf(asked, current, { id, pattern, terms, ownerIsFullMember }),
  }));
}

/** Confirms or withdraws a request, ends an exemption, or lets it run out. */
async function decidePattern(
  action: PatternClick,
  ref: PatternRef,
  request: Requester,
  deps: PatternDeps,
): Promise<PatternReply> {
  const asked = await ask(action, request, deps);
  const common = (current: PatternExemption | undefined) => ({
    at: asked.at,
    by: asked.by,
    verdict: asked.judge(current),
  });
  // A button without it confirms nothing: no request was made at no time.
  const requestedAt = ref.request ?? '';
  switch (action) {
    case 'confirm-pattern': {
      const { pattern } = await deps.patterns.load(ref.pattern);
      const standing = await standingOf(pattern, asked.policy, deps);
      const rules = asked.policy.exemptions;
      return await settle(ref.pattern, request, deps, (current) => ({
        ...{ type: action, ...common(current), ...standing(current), rules, requestedAt },
      }));
    }
    case 'withdraw-pattern':
      return await settle(ref.pattern, request, deps, (current) => ({ type: action, ...common(current), requestedAt }));
    case 'revoke-pattern':
    case 'let-pattern-end':
      return await settle(ref.pattern, request, deps, (current) => ({ type: action, ...common(current) }));
  }
}

/** The id of an account that is called so, or null when nobody knows one. */
function accountIdOf(account: string, { accounts }: Policy): string | null {
  if (/^\d{12}$/.test(account)) return account;
  const named = Object.entries(accounts).filter(([, { name }]) => name === account);
  const [only, ...others] = named;
  return only === undefined || others.length > 0 ? null : only[0];
}

type Asked = {
  policy: Policy;
  at: string;
  by: PersonRef;
  judge: (current: PatternExemption | undefined) => AuthorityVerdict;
};

/** Resolves the person to one identity, and asks the domain what they may do to the exemption as it is now. */
async function ask(action: PatternAction, request: Requester, deps: PatternDeps): Promise<Asked> {
  const { policy } = await deps.loadPolicy();
  const person = await deps.person(request.userId, request.teamId, policy.identity.cacheSeconds);
  const at = deps.now().toISOString();
  if (person === null) {
    const by = { userId: request.userId, teamId: request.teamId, name: request.userId, email: null };
    return { policy, at, by, judge: () => ({ allowed: false, reason: 'outside-organisation' }) };
  }
  const groups = await groupsAmong([approversOfPatterns(action, policy)], person.userId, policy, deps);
  const judge = (current: PatternExemption | undefined) =>
    verdictOnPattern(action, { grant: current?.grant ?? null }, { person, groups, policy });
  return { policy, at, by: refOf(person), judge };
}

type Standing = { requester: AuthorityVerdict; ownerIsFullMember: boolean };

/** Whether who asked, and the owner they named, are still who they have to be. */
async function standingOf(
  seen: PatternExemption | undefined,
  policy: Policy,
  deps: PatternDeps,
): Promise<(current: PatternExemption | undefined) => Standing> {
  const request = seen?.request ?? null;
  // The decider refuses with the better reason: nothing waits here.
  if (request === null)
    return () => ({ requester: { allowed: false, reason: 'not-an-approver' }, ownerIsFullMember: false });
  const [person, owner] = await Promise.all([
    deps.person(request.by.userId, null, policy.identity.cacheSeconds),
    deps.person(request.terms.owner.userId, null, policy.identity.cacheSeconds),
  ]);
  const ownerIsFullMember = owner !== null && isFullMember(owner, policy.organisation);
  if (person === null)
    return () => ({ requester: { allowed: false, reason: 'outside-organisation' }, ownerIsFullMember });
  const groups = await groupsAmong([approversOfPatterns('request-pattern', policy)], person.userId, policy, deps);
  return (current) => ({
    requester: verdictOnPattern('request-pattern', { grant: current?.grant ?? null }, { person, groups, policy }),
    ownerIsFullMember,
  });
}

async function settle(
  id: string,
  request: Requester,
  deps: PatternDeps,
  command: (current: PatternExemption | undefined) => PatternPersonCommand,
): Promise<PatternReply> {
  const { decision } = await deps.carryOutPattern({ ...target(id, request), command });
  switch (decision.outcome) {
    case 'accepted':
      return { kind: 'accepted' };
    case 'refused':
      return { kind: 'refused', refusal: decision.refusal };
    case 'ignored':
      return { kind: 'repeated' };
  }
}

function target(id: string, { requestId }: Requester) {
  return { id, cause: { kind: 'slack' as const, id: requestId }, onceId: `slack#${requestId}` };
}

type Wish = { id: string; pattern: KeyPattern; terms: ExemptionTerms; ownerIsFullMember: boolean };

function requestOf(asked: Asked, current: PatternExemption | undefined, wish: Wish): PatternPersonCommand {
  const { policy, at, by, judge } = asked;
  const { confirmWithinHours } = policy.fourEyes;
  const rules = policy.exemptions;
  return { type: 'request-pattern', at, by, verdict: judge(current), ...wish, rules, confirmWithinHours };
}

/** On terms nobody would refuse, so that it fails only for what the person cannot change in the form. */
function rehearsal(asked: Asked, which: Pick<Wish, 'id' | 'pattern'>) {
  const { policy, at, by } = asked;
  const until = new Date(Date.parse(at) + 1).toISOString();
  const reason = '.'.repeat(policy.exemptions.minimumReasonLength);
  const terms: ExemptionTerms = { owner: by, reason, ticket: '-', until };
  return (current: PatternExemption | undefined) =>
    requestOf(asked, current, { ...which, terms, ownerIsFullMember: true });
}

function isSame(one: KeyPattern, other: KeyPattern): boolean {
  if (one.by === 'tag') return other.by === 'tag' && one.key === other.key && one.value === other.value;
  return other.by === 'alias' && one.alias === other.alias;
}

function holds(exemption: PatternExemption, now: string): boolean {
  const { request, grant } = exemption;
  return grant === null ? request !== null && isWaiting(request, now) : isInForce(exemption, now);
}
