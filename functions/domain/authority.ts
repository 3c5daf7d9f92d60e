import type { AwsActor, PersonRef, SlackPerson } from './people.ts';

export type Action =
  | 'approve'
  | 'exempt'
  | 'renew-exemption'
  | 'revoke-exemption'
  | 'shorten-exemption'
  | 'let-exemption-end'
  | 'fix-now'
  | 'back-out'
  | 're-check'
  | 'confirm-request'
  | 'withdraw-request';

/** Who counts as "us": a person must belong to one of these workspaces or enterprise organisations. */
export type Organisation = { teamIds: string[]; enterpriseIds: string[] };

/** Who may decide on the findings of a route. */
export type Approvers = { users: string[]; userGroups: string[] };

/** The user groups a person is in, and those that do not exist or are disabled; or that Slack would not say. */
export type GroupMembership = { known: true; groupIds: string[]; gone: string[] } | { known: false };

export type AuthorityRefusal =
  | 'outside-organisation'
  | 'guest'
  | 'bot'
  | 'deactivated'
  | 'not-an-approver'
  | 'groups-unavailable'
  | 'group-gone'
  | 'caused-the-finding';

/** Why a decision that a key need not rotate takes two people: the route says so, or the first may be who caused it. */
export type FourEyesReason = 'route-asks' | 'cause-not-told';

export type AuthorityVerdict = { allowed: true } | { allowed: false; reason: AuthorityRefusal };

/** Who caused a finding, as far as the trail and the policy's identities tell. */
export type Culprit = {
  /** Null when no person did (an AWS service, an expiry), or when nothing is known of who did. */
  causedBy: AwsActor | null;
  /** Slack user ids that the policy maps to the AWS identity that caused the finding. */
  causedByUserIds: string[];
  /** Whether this is enough to tell who it was, or that it was nobody. */
  isTold: boolean;
};

export type AuthorityQuestion = Culprit & {
  action: Action;
  person: SlackPerson;
  groups: GroupMembership;
  organisation: Organisation;
  approvers: Approvers;
  selfExemption: boolean;
  /** Slack user id of whoever answers for the exemption; null when the key is not exempt. */
  exemptionOwner: string | null;
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
  // It changes nothing but that nobody reminds the owner any more.
  if (action === 'let-exemption-end' && person.userId === question.exemptionOwner) return { allowed: true };
  const approver = isApprover(question);
  if (!approver.allowed) return approver;
  if (EXCUSES[action] && !question.selfExemption && isCausedBy(person, question)) return refused('caused-the-finding');
  return { allowed: true };
}

/**
 * Whether a decision that the key need not rotate takes a second person, and why. Two people cannot both be the one who
 * caused the finding, so that where nobody can tell who that was, one of them certainly is somebody else.
 */
export function fourEyesReason(
  question: Culprit & { person: Pick<SlackPerson, 'email'>; selfExemption: boolean },
  routeAsks: boolean,
): FourEyesReason | null {
  if (routeAsks) return 'route-asks';
  if (question.selfExemption) return null;
  const { person, causedBy, causedByUserIds, isTold } = question;
  const isComparable = causedBy === null || causedByUserIds.length > 0 || person.email !== null;
  return isTold && isComparable ? null : 'cause-not-told';
}

/**
 * Whether two Slack users are one person. One person may have two accounts: without both e-mail addresses nobody can tell.
 */
export function comparePeople(one: PersonRef, other: PersonRef): 'same' | 'different' | 'cannot-tell' {
  if (one.userId === other.userId) return 'same';
  if (one.email === null || other.email === null) return 'cannot-tell';
  return isSameAddress(one.email, other.email) ? 'same' : 'different';
}

/** Why somebody is no second person for what another one asked for; null when they are. */
export function notSecondPerson(
  by: PersonRef,
  first: PersonRef,
): { reason: 'own-request' } | { reason: 'second-person-not-told' } | null {
  const comparison = comparePeople(by, first);
  if (comparison === 'same') return { reason: 'own-request' };
  return comparison === 'cannot-tell' ? { reason: 'second-person-not-told' } : null;
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
  if (groups.groupIds.some((id) => approvers.userGroups.includes(id))) return { allowed: true };
  return refused(groups.gone.length === 0 ? 'not-an-approver' : 'group-gone');
}

/** Whether a person is known to have caused a finding. */
export function isCausedBy(
  person: Pick<PersonRef, 'userId' | 'email'>,
  { causedBy, causedByUserIds }: Pick<Culprit, 'causedBy' | 'causedByUserIds'>,
): boolean {
  if (causedByUserIds.includes(person.userId)) return true;
  const email = causedBy?.email ?? null;
  return email !== null && person.email !== null && isSameAddress(email, person.email);
}

/** What leaves, or makes, a key without rotation. */
const EXCUSES: Record<Exclude<Action, 're-check'>, boolean> = {
  exempt: true,
  'renew-exemption': true,
  'back-out': true,
  'confirm-request': true,
  approve: false,
  'fix-now': false,
  'revoke-exemption': false,
  'shorten-exemption': false,
  'let-exemption-end': false,
  'withdraw-request': false,
};

function isSameAddress(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function refused(reason: AuthorityRefusal): AuthorityVerdict {
  return { allowed: false, reason };
}
