import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { BOT_SCOPES, SLACK_METHODS, type SlackScope } from '../../functions/contracts/slack-scopes.ts';
import { InvalidSlackSecret, parseSlackSecret, type SlackSecret } from '../../functions/contracts/slack-secret.ts';
import { type Check, Missing, type Verdict } from './check.ts';
import { once } from './once.ts';
import { connectSlack, type SlackSelf, type SlackWeb } from './slack-web.ts';

const CONNECT = 'npm run slack:connect';
const YET_TO_COME = `There is no secret yet: the hub stack makes it, then ${CONNECT} fills it.`;

/** The checks of the secret and its token, and Slack itself for the checks that need it. */
export function slackCredentialChecks(
  client: SecretsManagerClient,
  secretId: string,
  isDeployed: () => Promise<boolean>,
): { checks: Check[]; slack: () => Promise<SlackWeb> } {
  const content = once(() => readSecret(client, secretId));
  const secret = once(async (): Promise<SlackSecret> => {
    const text = await content();
    const parsed = text === null ? null : parsedSecret(text);
    if (parsed !== null && !(parsed instanceof InvalidSlackSecret)) return parsed;
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
  const parsed = parsedSecret(content);
  return parsed instanceof InvalidSlackSecret
    ? { outcome: 'failed', seen: `It is of no use: ${parsed.message}.`, todo: CONNECT }
    : { outcome: 'ok', seen: 'It holds what it should.' };
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
  if (scopes === null) {
    return {
      outcome: 'unchecked',
      seen: 'Slack did not say which scopes the token has.',
      todo: 'Look at them: https://api.slack.com/apps, "OAuth & Permissions".',
    };
  }
  const missing = BOT_SCOPES.filter((scope) => !scopes.includes(scope));
  if (missing.length === 0) return { outcome: 'ok', seen: `${BOT_SCOPES.length} scopes.` };
  return {
    outcome: 'failed',
    seen: missing.map((scope) => `${scope} is missing, for ${methodsWith(scope).join(', ')}.`).join('\n'),
    todo: 'Add it under https://api.slack.com/apps, "OAuth & Permissions", "Bot Token Scopes", and install the app again.',
  };
}

function methodsWith(scope: SlackScope): string[] {
  const methods = Object.entries<readonly SlackScope[]>(SLACK_METHODS);
  return methods.filter(([, scopes]) => scopes.includes(scope)).map(([method]) => method);
}

function parsedSecret(content: string): SlackSecret | InvalidSlackSecret {
  try {
    return parseSlackSecret(content);
  } catch (error) {
    if (error instanceof InvalidSlackSecret) return error;
    throw error;
  }
}

async function readSecret(client: SecretsManagerClient, secretId: string): Promise<string | null> {
  try {
    return (await client.send(new GetSecretValueCommand({ SecretId: secretId }))).SecretString ?? '';
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return null;
    throw error;
  }
}
