/**
 * Bot scopes that a method demands, from its page in Slack's documentation ("Scopes"); where there are several, any of
 * them opens the method, for its kind of channel. Methods that are not here demand none.
 */
const DEMANDED: Record<string, readonly string[]> = {
  'bots.info': ['users:read'],
  'chat.delete': ['chat:write'],
  'chat.postEphemeral': ['chat:write'],
  'chat.postMessage': ['chat:write'],
  'chat.update': ['chat:write'],
  'conversations.history': ['channels:history', 'groups:history', 'im:history', 'mpim:history'],
  'conversations.info': ['channels:read', 'groups:read', 'im:read', 'mpim:read'],
  'conversations.list': ['channels:read', 'groups:read', 'im:read', 'mpim:read'],
  'conversations.members': ['channels:read', 'groups:read', 'im:read', 'mpim:read'],
  'conversations.open': ['channels:manage', 'groups:write', 'im:write', 'mpim:write'],
  'conversations.replies': ['channels:history', 'groups:history', 'im:history', 'mpim:history'],
  'reactions.add': ['reactions:write'],
  'team.info': ['team:read'],
  'usergroups.list': ['usergroups:read'],
  'usergroups.users.list': ['usergroups:read'],
  'users.info': ['users:read'],
  'users.list': ['users:read'],
  'users.lookupByEmail': ['users:read.email'],
};

/** Every scope that a method demands: what an app has that was granted all it could ask for. */
export const ALL_SCOPES: readonly string[] = [...new Set([...Object.values(DEMANDED).flat(), 'commands'])].sort();

/** What is missing for a method, in the words of Slack's `needed`; undefined when nothing is. */
export function missingScope(method: string, granted: readonly string[]): string | undefined {
  const demanded = DEMANDED[method] ?? [];
  return demanded.length === 0 || demanded.some((scope) => granted.includes(scope)) ? undefined : demanded.join(',');
}
