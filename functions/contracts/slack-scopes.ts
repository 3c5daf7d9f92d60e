/**
 * What the bot's token has to be allowed, and which call needs it (docs.slack.dev, "Scopes" of each method). auth.test
 * and views.open need none. The app's manifest asks for exactly these, and `npm run doctor` compares.
 */
export const SLACK_BOT_SCOPES = {
  'chat:write': 'posts messages and keeps them up to date (chat.postMessage, chat.update)',
  'channels:history': 'finds its own message in a public channel again (conversations.history, conversations.replies)',
  'groups:history': 'finds its own message in a private channel again',
  'users:read': 'reads whether whoever decides is a full, active member (users.info)',
  'users:read.email': 'tells whether whoever decides caused the finding: AWS sessions are named by e-mail address',
  'usergroups:read': 'reads who is in the user groups that the policy names (usergroups.users.list)',
} as const;
