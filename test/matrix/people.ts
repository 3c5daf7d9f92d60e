import type { GroupMembership } from '../../functions/domain/authority.ts';
import type { SlackPerson } from '../../functions/domain/people.ts';
import { OUTSIDE_WORKSPACE, PEOPLE, USER_GROUPS, WORKSPACE } from '../../sandbox/world.ts';

/** Every kind of person that the rules tell apart, each played by somebody of the simulated Slack. */
export type Kind = {
  name: string;
  userId: string;
  /** What a reader of the matrix has to know. */
  who: string;
  /** Who asked, where a request waits: somebody else, unless the kind is about that. */
  requestedBy: 'U0APPROVER' | 'U0APPROVER2';
  ownsExemption: boolean;
  groupsFail: boolean;
};

const somebody = { requestedBy: 'U0APPROVER', ownsExemption: false, groupsFail: false } as const;

export const APPROVERS = { users: ['U0APPROVER', 'U0ENGINEER'], userGroups: USER_GROUPS.map(({ id }) => id) };
/** Whose session made the finding of every situation. */
export const CAUSER = 'U0ENGINEER';

export const KINDS: readonly Kind[] = [
  {
    ...{ ...somebody, name: 'approver', userId: 'U0APPROVER', requestedBy: 'U0APPROVER2' },
    who: 'named as an approver of the route',
  },
  { ...somebody, name: 'by group', userId: 'U0APPROVER2', who: 'an approver as a member of a user group' },
  { ...somebody, name: 'asked', userId: 'U0APPROVER', who: 'an approver who made the request that waits' },
  { ...somebody, name: 'causer', userId: CAUSER, who: 'an approver who caused the finding' },
  {
    ...somebody,
    name: 'owner',
    userId: 'U0VIEWER',
    ownsExemption: true,
    who: 'the owner of the exemption, no approver',
  },
  { ...somebody, name: 'member', userId: 'U0VIEWER', who: 'a full member, no approver' },
  { ...somebody, name: 'guest', userId: 'U0GUEST', who: 'a guest of the workspace' },
  { ...somebody, name: 'outsider', userId: 'U0OUTSIDER', who: 'somebody of a connected workspace' },
  { ...somebody, name: 'left', userId: 'U0LEFT', who: 'a deactivated account' },
  { ...somebody, name: 'bot', userId: WORKSPACE.botUserId, who: 'a bot' },
  {
    ...{ ...somebody, name: 'unsure', userId: 'U0APPROVER2', groupsFail: true },
    who: 'a member of an approving group while Slack does not say who is in it',
  },
];

/** What the bot learns of a person from Slack. */
export function slackPerson(userId: string): SlackPerson {
  const bot = { id: WORKSPACE.botUserId, displayName: 'bot', email: null, teamId: WORKSPACE.teamId };
  const person = PEOPLE.find(({ id }) => id === userId);
  const { displayName, email, teamId } = person ?? bot;
  return {
    ...{ userId, teamId, name: displayName, enterpriseId: null },
    email: teamId === OUTSIDE_WORKSPACE.teamId ? null : email,
    isBot: userId === WORKSPACE.botUserId,
    isGuest: person?.guest === true,
    isStranger: false,
    isDeactivated: person?.deactivated === true,
  };
}

/** What Slack says of their user groups. */
export function groupsOf({ userId, groupsFail }: Kind): GroupMembership {
  if (groupsFail) return { known: false };
  const groupIds = USER_GROUPS.filter(({ users }) => users.some((id) => id === userId)).map(({ id }) => id);
  return { known: true, groupIds, gone: [] };
}
