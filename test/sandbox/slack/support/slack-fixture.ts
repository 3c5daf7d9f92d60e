import { LogLevel, WebAPIPlatformError, WebClient } from '@slack/web-api';
import type { ControlHandler } from '../../../../sandbox/control-handler.ts';
import { simulatedSecret } from '../../../../sandbox/simulated-secret.ts';
import { type EmbeddedSlack, startSlack } from '../../../../sandbox/slack/slack.ts';
import { type StubApp, startStubApp } from './stub-app.ts';

export const SIGNING_SECRET = simulatedSecret();
export const BOT_TOKEN = `xoxb-${simulatedSecret()}`;
export const CHANNEL = 'C0SECURITY';

export type SlackFixture = { slack: EmbeddedSlack; app: StubApp; client: WebClient; close: () => Promise<void> };

/** An embedded Slack, an app that takes its interactions, and a stock client of that app. */
export async function startFixture(
  options: { rateLimits?: 'slack' | 'off'; control?: ControlHandler; appToken?: string } = {},
): Promise<SlackFixture> {
  const app = await startStubApp(SIGNING_SECRET);
  const slack = await startSlack({
    port: 0,
    signingSecret: SIGNING_SECRET,
    botToken: BOT_TOKEN,
    interactionUrl: app.url,
    control: options.control ?? (() => Promise.resolve({ status: 404, body: { error: 'There is no such call.' } })),
    rateLimits: options.rateLimits ?? 'off',
    ...(options.appToken === undefined ? {} : { appToken: options.appToken }),
  });
  return {
    slack,
    app,
    client: clientFor(slack, BOT_TOKEN),
    async close() {
      await slack.close();
      await app.close();
    },
  };
}

/** A stock client that does not retry and says nothing. */
export function clientFor(slack: EmbeddedSlack, token: string | undefined): WebClient {
  return new WebClient(token, {
    slackApiUrl: `${slack.url}/api/`,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logLevel: LogLevel.ERROR,
    logger: {
      debug() {},
      info() {},
      warn() {},
      error() {},
      setLevel() {},
      getLevel: () => LogLevel.ERROR,
      setName() {},
    },
  });
}

/** The error name and the complaints with which a call is refused; `ok` if it is not refused. */
export async function refusal(call: Promise<unknown>): Promise<{ error: string; messages: string[] }> {
  try {
    await call;
    return { error: 'ok', messages: [] };
  } catch (error) {
    if (!(error instanceof WebAPIPlatformError)) throw error;
    return { error: error.data.error, messages: error.data.response_metadata?.messages ?? [] };
  }
}

/** A button of an actions block. */
export function aButton(actionId: string, extra: Record<string, unknown> = {}) {
  return {
    type: 'button' as const,
    action_id: actionId,
    text: { type: 'plain_text' as const, text: actionId },
    ...extra,
  };
}

/** A modal with one of each input. */
export function aModal(extra: Record<string, unknown> = {}) {
  const words = (text: string) => ({ type: 'plain_text' as const, text });
  return {
    type: 'modal' as const,
    callback_id: 'exempt',
    private_metadata: 'finding-1',
    title: words('Exempt a key'),
    submit: words('Exempt'),
    close: words('Cancel'),
    blocks: [
      {
        type: 'input' as const,
        block_id: 'reason',
        label: words('Reason'),
        element: {
          type: 'plain_text_input' as const,
          action_id: 'text',
          multiline: true,
          min_length: 5,
          max_length: 20,
        },
      },
      {
        type: 'input' as const,
        block_id: 'owner',
        label: words('Owner'),
        element: { type: 'users_select' as const, action_id: 'user' },
      },
      {
        type: 'input' as const,
        block_id: 'until',
        label: words('Until'),
        element: { type: 'datepicker' as const, action_id: 'date', initial_date: '2027-01-31' },
      },
      {
        type: 'input' as const,
        block_id: 'kind',
        optional: true,
        label: words('Kind'),
        element: {
          type: 'static_select' as const,
          action_id: 'choice',
          options: [
            { text: words('Legacy system'), value: 'legacy' },
            { text: words('Short-lived key'), value: 'short' },
          ],
        },
      },
    ],
    ...extra,
  };
}
