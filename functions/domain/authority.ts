import type { AwsActor, SlackPerson } from './people.ts';

export type Action = 'approve' | 'exempt' | 'renew-exemption' | 'revoke-exemption' | 'back-out' | 're-check';

/** Who counts as "us": a person must belong to one of these workspaces or enterprise organisations. */
export type Organisation = { teamIds: string[]; enterpriseIds: string[] };

/** Who may decide on the findings of a route. */
export type Approvers = { users: string[]; userGroups: string[] };

/** The user groups a person is in, or that Slack would not say. */
export type GroupMembership = { known: true; groupIds: string[] } | { known: false };

export type AuthorityRefusal =
  | 'outside-organisation'
  | 'guest'
  | 'bot'
  | 'deactivated'
  | 'not-an-approver'
  | 'groups-unavailable'
  | 'caused-the-finding';

export type AuthorityVerdict = { allowed: true } | { allowed: false; reason: AuthorityRefusal };

export type AuthorityQuestion = {
  action: Action;
  person: SlackPerson;
  groups: GroupMembership;
  organisation: Organisation;
  approvers: Approvers;
  /** Who caused the finding; null when nobody in AWS did (a sweep, an expiry). */
  causedBy: AwsActor | null;
  /** Slack user ids that the policy maps to the AWS identity that caused the finding. */
  causedByUserIds: string[];
  selfExemption: boolean;
};

/**
 * Whether this person may do this to this finding. Guests, bots, deactivated and outside people: never, whatever
 * the policy says. A failed group look-up denies. Anybody of the organisation may ask for a re-check: it only reads.
 */
export function authorise(question: AuthorityQuestion): AuthorityVerdict {
  const { person, action } = question;
  if (!belongsTo(person, question.organisation)) return refused('outside-organisation');
  if (person.isDeactivated) return refused('deactivated');
  if (person.isBot) return refused('bot');
  if (person.isGuest) return refused('guest');
  if (action === 're-check') return { allowed: true };
  const approver = isApprover(question);
  if (!approver.allowed) return approver;
  const excuses = action === 'exempt' || action === 'renew-exemption' || action === 'back-out';
  if (excuses && !question.selfExemption && causedIt(question)) return refused('caused-the-finding');
  return { allowed: true };
}

/** Whether a person is a full, active member of the organisation: what an exemption's owner has to be. */
export function isFullMember(person: SlackPerson, organisation: Organisation): boolean {
  return belongsTo(person, organisation) && !person.isDeactivated && !person.isBot && !person.isGuest;
}

function belongsTo(person: SlackPerson, organisation: Organisation): boolean {
  if (person.isStranger) return false;
  if (organisation.teamIds.includes(person.teamId)) return true;
  return organisation.enterpriseIds.some((id) => id === person.enterpriseId);
}

function isApprover({ person, approvers, groups }: AuthorityQuestion): AuthorityVerdict {
  if (approvers.users.includes(person.userId)) return { allowed: true };
  if (approvers.userGroups.length === 0) return refused('not-an-approver');
  if (!groups.known) return refused('groups-unavailable');
  return groups.groupIds.some((id) => approvers.userGroups.includes(id))
    ? { allowed: true }
    : refused('not-an-approver');
}

function causedIt({ person, causedBy, causedByUserIds }: AuthorityQuestion): boolean {
  if (causedByUserIds.includes(person.userId)) return true;
  const email = causedBy?.email ?? null;
  return email !== null && person.email !== null && email.toLowerCase() === person.email.toLowerCase();
}

function refused(reason: AuthorityRefusal): AuthorityVerdict {
  return { allowed: false, reason };
}
