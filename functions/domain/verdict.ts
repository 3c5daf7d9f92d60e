import { type Action, type AuthorityVerdict, authorise, type GroupMembership } from './authority.ts';
import type { Finding } from './finding.ts';
import type { SlackPerson } from './people.ts';
import { type Policy, type Route, routeOf, slackUsersOf } from './policy.ts';

type Asking = { person: SlackPerson; groups: GroupMembership; policy: Policy };

/** What authority says of a person who wants to do this to this finding, by the finding's own route. */
export function verdictOn(finding: Finding, { action, ...asking }: Asking & { action: Action }): AuthorityVerdict {
  const causedBy = finding.trigger.kind === 'cloudtrail' ? finding.trigger.actor : null;
  const causedByUserIds = slackUsersOf(asking.policy, causedBy);
  return authorise({ ...rulesFor(asking, routeOf(asking.policy, finding)), action, causedBy, causedByUserIds });
}

/** Whether a person may approve what goes to at least one of these routes. Each finding is judged by itself later. */
export function verdictOnAny(routes: readonly Route[], asking: Asking): AuthorityVerdict {
  const verdicts = routes.map((route) => authorise({ ...rulesFor(asking, route), action: 'approve', ...NOBODY }));
  const isReason = (reason: string) => (verdict: AuthorityVerdict) => !verdict.allowed && verdict.reason === reason;
  return (
    verdicts.find(({ allowed }) => allowed) ??
    // That may pass, so it is the better answer.
    verdicts.find(isReason('groups-unavailable')) ??
    verdicts[0] ?? { allowed: false, reason: 'not-an-approver' }
  );
}

/** Whether a person may look at findings: anybody of the organisation, as for a re-check. */
export function mayLook(person: SlackPerson, policy: Policy): AuthorityVerdict {
  const rules = rulesFor({ person, groups: { known: false }, policy }, policy.defaultRoute);
  return authorise({ ...rules, action: 're-check', ...NOBODY });
}

const NOBODY = { causedBy: null, causedByUserIds: [] };

function rulesFor({ person, groups, policy }: Asking, { approvers }: Route) {
  const { organisation, exemptions } = policy;
  return { person, groups, approvers, organisation, selfExemption: exemptions.selfExemption };
}
