import { BOT_SCOPES } from '../../functions/contracts/slack-scopes.ts';
import { createFaults } from '../../sandbox/slack/faults.ts';
import type { InteractionContext } from '../../sandbox/slack/interactions.ts';
import { createRateLimits } from '../../sandbox/slack/rate-limits.ts';
import { respond } from '../../sandbox/slack/response-url.ts';
import { createTriggers } from '../../sandbox/slack/triggers.ts';
import { callWebApi, type WebApi } from '../../sandbox/slack/web-api.ts';
import { emptyWorkspace, type Workspace } from '../../sandbox/slack/workspace.ts';
import type { HttpCall } from './interception.ts';
import type { Scheduler } from './scheduler.ts';

export const URL_OF_SLACK = 'http://slack.simulated';
export const SLACK_API_URL = `${URL_OF_SLACK}/api/`;
export const INTERACTION_URL = 'http://bot.simulated/slack/events';

/** Slack says "not now". */
class Limited extends Error {
  public override readonly name = 'Limited';
}

export type SlackParts = {
  scheduler: Scheduler;
  botToken: string;
  signingSecret: string;
  /** Told what a person read in answer to a request. */
  onTold: (requestId: string, words: string) => void;
};

export type SimulatedSlack = {
  workspace: Workspace;
  /** For people who click. */
  context: InteractionContext;
  /** Answers what a function asks of Slack. */
  http: (call: HttpCall) => Promise<Response>;
};

/** The embedded Slack of the sandbox, without its server. */
export function createSlack({ scheduler, botToken, signingSecret, onTold }: SlackParts): SimulatedSlack {
  const workspace = emptyWorkspace();
  const triggers = createTriggers(() => scheduler.now());
  const api: WebApi = {
    ...{ workspace, triggers, faults: createFaults(), url: URL_OF_SLACK, scopes: BOT_SCOPES },
    // Its windows run in real time; the simulation refuses calls by itself.
    rateLimits: createRateLimits('off'),
  };

  async function http({ url, headers, body }: HttpCall): Promise<Response> {
    const target = new URL(url);
    const isApi = url.startsWith(SLACK_API_URL);
    const method = isApi ? target.pathname.slice('/api/'.length) : 'response_url';
    try {
      return await scheduler.call({
        what: () => `calls Slack's ${method}`,
        refusal: () => new Limited(method),
        ...(/^(chat\.|views\.|response_url)/.test(method)
          ? { lostAnswer: () => new TypeError('fetch failed: the connection broke') }
          : {}),
        effect: () => {
          if (!isApi) {
            onTold(scheduler.acting()?.about ?? '', body);
            const { status, body: answer } = respond(workspace, target.pathname.slice('/response/'.length), body);
            return json(status, answer);
          }
          const answer = callWebApi(
            {
              method,
              authorization: headers.get('authorization') ?? undefined,
              contentType: headers.get('content-type') ?? '',
              body,
              query: target.searchParams,
            },
            botToken,
            api,
          );
          if (answer === 'hang-up') throw new TypeError('fetch failed');
          scheduler.tell(() => `    Slack says ${JSON.stringify(answer.body).slice(0, 160)}`);
          return json(answer.status, answer.body, answer.headers);
        },
      });
    } catch (error) {
      if (!(error instanceof Limited)) throw error;
      return json(429, { ok: false, error: 'ratelimited' }, { 'retry-after': '1' });
    }
  }

  const context = { workspace, triggers, interactionUrl: INTERACTION_URL, signingSecret, url: URL_OF_SLACK };
  return { workspace, context, http };
}

function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } });
}
