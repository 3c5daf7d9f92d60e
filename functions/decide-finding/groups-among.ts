import type { Approvers, GroupMembership } from '../domain/authority.ts';
import type { Policy } from '../domain/policy.ts';

type GroupDeps = {
  groupsOf: (
    userId: string,
    groupIds: string[],
    question: { teamIds: string[]; maxAgeSeconds: number },
  ) => Promise<GroupMembership>;
};

/**
 * Which of the user groups among these approvers a person is in. Slack is not asked where no answer could change
 * anything: about approvers who name the person, or nobody by a group.
 */
export async function groupsAmong(
  approvers: readonly Approvers[],
  userId: string,
  { organisation, identity }: Pick<Policy, 'organisation' | 'identity'>,
  { groupsOf }: GroupDeps,
): Promise<GroupMembership> {
  const others = approvers.filter(({ users }) => !users.includes(userId));
  const groupIds = [...new Set(others.flatMap(({ userGroups }) => userGroups))];
  if (groupIds.length === 0) return { known: true, groupIds: [], gone: [] };
  return await groupsOf(userId, groupIds, { teamIds: organisation.teamIds, maxAgeSeconds: identity.cacheSeconds });
}
