import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import * as z from 'zod/mini';
import { SLACK_BOT_SCOPES } from '../../functions/contracts/slack-scopes.ts';
import { type Check, Missing, type Verdict } from './check.ts';
import { once } from './once.ts';
import { connectSlack, type SlackSelf, type SlackWeb } from './slack-web.ts';

const CONNECT = 'npm run slack:connect';
const YET_TO_COME = `There is no secret yet: the hub stack makes it, then ${CONNECT} fills it.`;

const credential = z.string().check(z.regex(/^[\x21-\x7e]{16,}$/));
const slackSecret = z.object({
  signingSecret: credential,
  botToken: credential,
  botId: z.string().check(z.regex(/^B[A-Z0-9]+$/)),
  botUserId: z.string().check(z.regex(/^[UW][A-Z0-9]+$/)),
});
export type SlackSecret = z.infer<typeof slackSecret>;

/** The checks of the secret and its token, and Slack itself for the checks that need it. */
export function slackCredentialChecks(
  client: SecretsManagerClient,
  secretId: string,
  isDeployed: () => Promise<boolean>,
): { checks: Check[]; slack: () => Promise<SlackWeb> } {
  const content = once(() => readSecret(client, secretId));
  const secret = once(async (): Promise<SlackSecret> => {
    const text = await content();
    const parsed = text === null ? null : parseSecret(text);
    if (parsed?.success === true) return parsed.data;
    const isYetToCome = text === null && !(await isDeployed());
    throw new Missing('slack-secret', isYetToCome ? YET_TO_COME : `Secret ${secretId} is of no use.`, { isYetToCome });
  });
  const connected = once(async () => {
    const web = connectSlack((await secret()).botToken);
    return { web, self: await web.self() };
  });
  const accepted = async () => {
    const { web, self } = await connected();
    if ('refused' in self) throw new Missing('slack-token', `Slack refuses the token: ${self.refused}.`);
    return { web, self };
  };

  const checks: Check[] = [
    {
      id: 'slack-secret',
      title: `Secret ${secretId}`,
      look: async () => judgeSecret(await content(), await isDeployed()),
    },
    {
      id: 'slack-token',
      title: "The token is the bot's",
      look: async () => judgeSelf((await connected()).self, await secret()),
    },
    {
      id: 'slack-scopes',
      title: 'The token has every scope that the bot uses',
      look: async () => judgeScopes((await accepted()).self.scopes),
    },
  ];
  return { checks, slack: async () => (await accepted()).web };
}

/** Names fields, never what they hold. `content` is null when there is no secret. */
export function judgeSecret(content: string | null, isDeployed: boolean): Verdict {
  if (content === null) {
    if (!isDeployed) return { outcome: 'not-applicable', seen: YET_TO_COME };
    return { outcome: 'failed', seen: 'There is no such secret.', todo: `npx cdk deploy, then: ${CONNECT}` };
  }
  const parsed = parseSecret(content);
  if (parsed.success) return { outcome: 'ok', seen: 'It holds what it should.' };
  const fields = parsed.error.issues.map(({ path }) => path.join('.') || 'the whole');
  return {
    outcome: 'failed',
    seen: content.includes('"not connected"')
      ? 'It holds only the placeholder of the deployment.'
      : `It does not hold what it should: ${fields.join(', ')}.`,
    todo: CONNECT,
  };
}

export function judgeSelf(
  self: SlackSelf | { refused: string },
  { botId, botUserId }: Pick<SlackSecret, 'botId' | 'botUserId'>,
): Verdict {
  if ('refused' in self) {
    return {
      outcome: 'failed',
      seen: `Slack refuses the token: ${self.refused}.`,
      todo: `Install the app again (https://api.slack.com/apps, "Install App"), then: ${CONNECT}`,
    };
  }
  if (self.botId === botId && self.userId === botUserId) {
    return { outcome: 'ok', seen: `${self.team} (${self.teamId}), bot ${self.botId}.` };
  }
  return {
    outcome: 'failed',
    seen: `The token belongs to bot ${self.botId} (${self.userId}), the secret names ${botId} (${botUserId}).`,
    todo: CONNECT,
  };
}

/** `scopes` is null when Slack does not tell them. */
export function judgeScopes(scopes: readonly string[] | null): Verdict {
  const wanted = Object.entries(SLACK_BOT_SCOPES);
  if (scopes === null) {
    return {
      outcome: 'unchecked',
      seen: 'Slack did not say which scopes the token has.',
      todo: 'Look at them: https://api.slack.com/apps, "OAuth & Permissions".',
    };
  }
  const missing = wanted.filter(([scope]) => !scopes.includes(scope));
  if (missing.length === 0) return { outcome: 'ok', seen: `${wanted.length} scopes.` };
  return {
    outcome: 'failed',
    seen: missing.map(([scope, purpose]) => `${scope} is missing: ${purpose}`).join('\n'),
    todo: 'Add it under https://api.slack.com/apps, "OAuth & Permissions", "Bot Token Scopes", and install the app again.',
  };
}

function parseSecret(content: string) {
  let document: unknown;
  try {
    document = JSON.parse(content);
  } catch {
    // What the parser says about it would quote it.
    document = undefined;
  }
  return slackSecret.safeParse(document);
}

async function readSecret(client: SecretsManagerClient, secretId: string): Promise<string | null> {
  try {
    return (await client.send(new GetSecretValueCommand({ SecretId: secretId }))).SecretString ?? '';
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return null;
    throw error;
  }
}
