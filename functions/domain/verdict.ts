import {
  type Action,
  type Approvers,
  type AuthorityVerdict,
  authorise,
  type Culprit,
  fourEyesReason,
  type GroupMembership,
} from './authority.ts';
import type { FourEyes } from './commands.ts';
import type { Finding } from './finding.ts';
import type { PatternAction, PatternExemption } from './pattern-exemption.ts';
import type { SlackPerson } from './people.ts';
import { culpritOf, type Policy, type Route, routeOf } from './policy.ts';

type Asking = { person: SlackPerson; groups: GroupMembership; policy: Policy };

/** What authority says of a person who wants to do this to this finding, by the finding's own route. */
export function verdictOn(finding: Finding, { action, ...asking }: Asking & { action: Action }): AuthorityVerdict {
  const { policy } = asking;
  const exemptionOwner = finding.status === 'exempt' ? finding.exemption.owner.userId : null;
  const rules = rulesFor(asking, routeOf(policy, finding));
  return authorise({ ...rules, ...culpritOf(policy, finding.trigger), action, exemptionOwner });
}

/** Whether it takes a second person when this one decides that the key of this finding need not rotate, and why. */
export function fourEyesOn(finding: Finding, { person, policy }: Omit<Asking, 'groups'>): FourEyes | null {
  const { selfExemption } = policy.exemptions;
  const question = { ...culpritOf(policy, finding.trigger), person, selfExemption };
  const because = fourEyesReason(question, routeOf(policy, finding).fourEyes);
  return because === null ? null : { because, confirmWithinHours: policy.fourEyes.confirmWithinHours };
}

/** Whether a person may approve what goes to at least one of these routes. Each finding is judged by itself later. */
export function verdictOnAny(routes: readonly Route[], asking: Asking): AuthorityVerdict {
  const verdicts = routes.map((route) => authorise({ ...rulesFor(asking, route), action: 'approve', ...NO_FINDING }));
  const isReason = (reason: string) => (verdict: AuthorityVerdict) => !verdict.allowed && verdict.reason === reason;
  return (
    verdicts.find(({ allowed }) => allowed) ??
    // That may pass, so it is the better answer.
    verdicts.find(isReason('groups-unavailable')) ??
    verdicts[0] ?? { allowed: false, reason: 'not-an-approver' }
  );
}

/**
 * Who may do this to the exemption of a pattern: those whom the policy names for it. Where it names nobody any more, one
 * that is still in force must not outlive that: those of the default route may end it.
 */
export function approversOfPatterns(action: PatternAction, { exemptions, defaultRoute }: Policy): Approvers {
  const named = exemptions.patterns?.approvers;
  if (named !== undefined) return named;
  const ends = action === 'revoke-pattern' || action === 'withdraw-pattern';
  return ends ? defaultRoute.approvers : { users: [], userGroups: [] };
}

/** What authority says of a person who wants to do this to the exemption of a pattern. Its owner may let it run out. */
export function verdictOnPattern(
  action: PatternAction,
  { grant }: Pick<PatternExemption, 'grant'>,
  asking: Asking,
): AuthorityVerdict {
  const approvers = approversOfPatterns(action, asking.policy);
  const exemptionOwner = grant?.owner.userId ?? null;
  // Who caused a finding is judged of each key, when the exemption reaches it.
  return authorise({ ...rulesFor(asking, { approvers }), ...NO_FINDING, action: KIND_OF[action], exemptionOwner });
}

/** What each is when it is done to a single finding. */
const KIND_OF: Record<PatternAction, Action> = {
  'request-pattern': 'exempt',
  'confirm-pattern': 'confirm-request',
  'withdraw-pattern': 'withdraw-request',
  'revoke-pattern': 'revoke-exemption',
  'let-pattern-end': 'let-exemption-end',
};

/** Whether a person may look at findings: anybody of the organisation, as for a re-check. */
export function mayLook(person: SlackPerson, policy: Policy): AuthorityVerdict {
  const rules = rulesFor({ person, groups: { known: false }, policy }, policy.defaultRoute);
  return authorise({ ...rules, action: 're-check', ...NO_FINDING });
}

const NO_FINDING: Culprit & { exemptionOwner: null } = {
  causedBy: null,
  causedByUserIds: [],
  isTold: true,
  exemptionOwner: null,
};

function rulesFor({ person, groups, policy }: Asking, { approvers }: Pick<Route, 'approvers'>) {
  const { organisation, exemptions } = policy;
  return { person, groups, approvers, organisation, selfExemption: exemptions.selfExemption };
}
