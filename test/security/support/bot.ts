import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { TABLE_NAME } from '../../../sandbox/deploy.ts';
import { startSandbox } from '../../../sandbox/sandbox.ts';
import { createVisitor } from '../../../sandbox/scenarios/visitor.ts';
import { signature } from '../../../sandbox/slack/signed-post.ts';
import { HUB_ACCOUNT, WORKSPACE } from '../../../sandbox/world.ts';
import { readSlackSecret } from '../../support/slack-secret.ts';

/** What somebody who can sign claims in a click. Nothing of it is what the sandbox would say by itself. */
export type ForgedClick = {
  user: string;
  /** The person's own workspace, as the payload tells it. */
  teamId?: string;
  /** The payload's `team`. */
  team?: string;
  actionId: string;
  /** The button's value. */
  ref: unknown;
};

export type SlackRequest = { body: string; timestamp: number; secret: string };

export type Bot = Awaited<ReturnType<typeof startBot>>;

const FORGED_RESPONSE = '/response/forged';

/**
 * The real functions on the simulated AWS and Slack, and the doors at which an attacker stands. Each finding has a message
 * of its own unless `digest` says otherwise.
 */
export async function startBot(digest: { threshold: number | null } = { threshold: null }) {
  // A forged click has no message behind it that Slack could answer below: its answers are taken on their way.
  const answers: string[] = [];
  const realFetch = globalThis.fetch;
  globalThis.fetch = (target, init) => {
    if (!(typeof target === 'string' && target.endsWith(FORGED_RESPONSE))) return realFetch(target, init);
    answers.push(z.string().parse(init?.body));
    return Promise.resolve(new Response('ok'));
  };
  const sandbox = await startSandbox({ awsPort: 0, slackPort: 0, graceSeconds: 0, rateLimits: 'off', digest });
  const visitor = createVisitor(sandbox, () => undefined);
  const { signingSecret, botToken } = await readSlackSecret(sandbox.awsUrl);
  const dynamodb = new DynamoDBClient({
    ...{ endpoint: sandbox.awsUrl, region: 'eu-central-1' },
    credentials: { accessKeyId: HUB_ACCOUNT.id, secretAccessKey: 'any' },
  });

  let clicks = 0;
  async function send(
    body: string,
    headers: Record<string, string>,
    method = 'POST',
  ): Promise<{ status: number; body: string }> {
    const response = await fetch(`${sandbox.awsUrl}/slack/events`, {
      method,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      ...(method === 'GET' ? {} : { body }),
    });
    return { status: response.status, body: await response.text() };
  }

  function headersOf({ body, timestamp, secret }: SlackRequest): Record<string, string> {
    return {
      'x-slack-request-timestamp': String(timestamp),
      'x-slack-signature': signature(secret, timestamp, body),
    };
  }
  const signed = (request: SlackRequest) => send(request.body, headersOf(request));

  function form(payload: object): string {
    return new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  }

  function clickBody({ user, teamId = WORKSPACE.teamId, team = WORKSPACE.teamId, actionId, ref }: ForgedClick): string {
    clicks += 1;
    return form({
      type: 'block_actions',
      user: { id: user, team_id: teamId },
      team: { id: team, domain: 'sandbox' },
      api_app_id: WORKSPACE.appId,
      trigger_id: 'none',
      container: { type: 'message' },
      response_url: `${sandbox.slackUrl}${FORGED_RESPONSE}`,
      actions: [
        {
          type: 'button',
          action_id: actionId,
          block_id: 'b',
          value: JSON.stringify(ref),
          action_ts: String(clicks),
        },
      ],
    });
  }

  const now = () => Math.floor(Date.now() / 1000);

  return {
    sandbox,
    visitor,
    signingSecret,
    botToken,
    now,
    send,
    signed,
    /** The signature of a request, for whoever sends something else with it. */
    headersOf,
    form,
    clickBody,
    table: DynamoDBDocumentClient.from(dynamodb),
    /** Delivers a click that is signed as Slack signs; answers what only the person is told. */
    async click(forged: ForgedClick): Promise<string[]> {
      const before = answers.length;
      await signed({ body: clickBody(forged), timestamp: now(), secret: signingSecret });
      return answers.slice(before);
    },
    /** A key that people were asked about. */
    async openFinding(): Promise<string> {
      const arn = await visitor.makeKey();
      await visitor.settle();
      return arn;
    },
    /** Reasons of all refusals in a key's trail, oldest first. */
    async refusals(arn: string): Promise<string[]> {
      const { events } = await visitor.audit(arn);
      return events.flatMap(({ event }) => {
        const refused = refusedEvent.safeParse(event);
        return refused.success ? [refused.data.refusal.reason] : [];
      });
    },
    /** Every row of the findings table. */
    async rows(): Promise<Record<string, unknown>[]> {
      const { Items = [] } = await DynamoDBDocumentClient.from(dynamodb).send(
        new ScanCommand({ TableName: TABLE_NAME, ConsistentRead: true }),
      );
      return Items;
    },
    async stop(): Promise<void> {
      visitor.close();
      dynamodb.destroy();
      globalThis.fetch = realFetch;
      await sandbox.close();
    },
  };
}

const refusedEvent = z.object({ type: z.literal('command-refused'), refusal: z.object({ reason: z.string() }) });
