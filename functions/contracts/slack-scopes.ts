/**
 * The methods of Slack's Web API that the bot calls, each with the bot scopes that it needs (Slack, "Methods", the page of
 * each). Where channels are read, the bot is in public and in private ones.
 */
export const SLACK_METHODS = {
  'auth.test': [],
  'chat.getPermalink': [],
  'chat.postMessage': ['chat:write'],
  'chat.update': ['chat:write'],
  'conversations.history': ['channels:history', 'groups:history'],
  'conversations.replies': ['channels:history', 'groups:history'],
  'usergroups.users.list': ['usergroups:read'],
  // The second one for the e-mail address, by which whoever caused a finding is recognised.
  'users.info': ['users:read', 'users:read.email'],
  'views.open': [],
  'views.publish': [],
  'views.push': [],
  'views.update': [],
} as const satisfies Record<string, readonly string[]>;

export type SlackMethod = keyof typeof SLACK_METHODS;

/** Without it Slack does not let the app have a slash command (Slack, "Implementing slash commands"). */
const FOR_COMMANDS = 'commands';

export type SlackScope = (typeof SLACK_METHODS)[SlackMethod][number] | typeof FOR_COMMANDS;

/** What the app has to be granted in a workspace: no more, no less. */
export const BOT_SCOPES: readonly SlackScope[] = [
  ...new Set<SlackScope>([...Object.values(SLACK_METHODS).flat(), FOR_COMMANDS]),
].sort();
