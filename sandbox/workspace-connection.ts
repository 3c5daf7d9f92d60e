/**
 * A real Slack workspace in place of the embedded one, by Socket Mode: nothing has to be reachable from the internet. What comes
 * through the socket is signed and posted to the same address as Slack's own requests would be, so decide-finding runs
 * unchanged. Slack's pages "Using Socket Mode" and "Comparing HTTP & Socket Mode".
 */
import { SocketModeClient } from '@slack/socket-mode';
import { SlackError, WebAPIPlatformError, WebClient } from '@slack/web-api';
import * as z from 'zod';
import { SILENT_LOGGER } from '../functions/adapters/silent-logger.ts';
import { type Outgoing, postSigned } from './slack/signed-post.ts';

/** Slack's own Web API. */
export const SLACK_API_URL = 'https://slack.com/api/';

export type WorkspaceTokens = {
  /** `xapp-…`, with the scope connections:write. */
  appToken: string;
  /** `xoxb-…` */
  botToken: string;
  /** Slack's own when undefined; must end with a slash. */
  apiUrl?: string | undefined;
};

/** The workspace and what the bot is called there. */
export type Workspace = {
  teamId: string;
  teamName: string;
  enterpriseId: string | null;
  botId: string;
  botUserId: string;
};

/** The workspace cannot be used; the message says what to do about it. */
export class WorkspaceUnusable extends Error {
  public override readonly name = 'WorkspaceUnusable';
}

const identity = z.object({
  team_id: z.string(),
  team: z.string(),
  enterprise_id: z.string().nullish(),
  user_id: z.string(),
  bot_id: z.string(),
});
const envelope = z.object({
  type: z.enum(['interactive', 'events_api', 'slash_commands']),
  body: z.unknown(),
  ack: z.custom<(payload?: Record<string, unknown>) => Promise<void>>((value) => typeof value === 'function'),
});
const answerSchema = z.record(z.string(), z.unknown());

/** Whose token it is. @throws WorkspaceUnusable */
export async function readWorkspace({ botToken, apiUrl }: WorkspaceTokens): Promise<Workspace> {
  const client = new WebClient(botToken, {
    ...(apiUrl === undefined ? {} : { slackApiUrl: apiUrl }),
    ...{ logger: SILENT_LOGGER, retryConfig: { retries: 2 } },
  });
  try {
    const { team_id, team, enterprise_id, user_id, bot_id } = identity.parse(await client.auth.test());
    return {
      ...{ teamId: team_id, teamName: team, enterpriseId: enterprise_id ?? null },
      ...{ botId: bot_id, botUserId: user_id },
    };
  } catch (error) {
    throw unusable('SLACK_BOT_TOKEN', error);
  }
}

/**
 * Takes the workspace's interactions from now on; resolves once Slack has said hello. What the app does not answer with 2xx is not
 * acknowledged, and Slack shows its warning. @throws WorkspaceUnusable
 */
export async function listenToWorkspace(
  { appToken, apiUrl }: WorkspaceTokens,
  {
    interactionUrl,
    signingSecret,
    log,
  }: { interactionUrl: string; signingSecret: string; log: (line: string) => void },
): Promise<{ close: () => Promise<void> }> {
  const client = new SocketModeClient({
    appToken,
    logger: SILENT_LOGGER,
    clientOptions: {
      ...(apiUrl === undefined ? {} : { slackApiUrl: apiUrl }),
      // The first answer decides whether the token is good; reconnecting is the socket client's own business.
      retryConfig: { retries: 2 },
    },
  });
  client.on('slack_event', (message: unknown) => {
    const { type, body, ack } = envelope.parse(message);
    passOn({ type, payload: body }, ack).catch((error: unknown) => {
      log(`${type} could not be answered: ${String(error)}`);
    });
  });

  async function passOn(outgoing: Outgoing, ack: (answer?: Record<string, unknown>) => Promise<void>): Promise<void> {
    const delivery = await postSigned(interactionUrl, signingSecret, outgoing);
    if (delivery.status < 200 || delivery.status >= 300) {
      throw new Error(delivery.error ?? `the app answered with HTTP ${delivery.status}`);
    }
    await ack(delivery.body === '' ? undefined : answerSchema.parse(JSON.parse(delivery.body)));
  }

  try {
    await client.start();
  } catch (error) {
    throw unusable('SLACK_APP_TOKEN', error);
  }
  return { close: () => client.disconnect() };
}

function unusable(token: string, cause: unknown): WorkspaceUnusable {
  if (cause instanceof WebAPIPlatformError) {
    return new WorkspaceUnusable(`Slack refuses ${token}: ${cause.data.error}.`, { cause });
  }
  const reason = cause instanceof SlackError || cause instanceof Error ? cause.message : String(cause);
  return new WorkspaceUnusable(`Slack cannot be asked with ${token}: ${reason}`, { cause });
}
