import { createHash } from 'node:crypto';
import type { App, Receiver } from '@slack/bolt';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import * as z from 'zod/mini';
import { type SlackInteraction, slackInteraction } from '../contracts/slack-actions.ts';
import { type SlackCommand, type SlackEvent, slackCommand, slackEvent } from '../contracts/slack-requests.ts';
import { isSignedBySlack } from './slack-signature.ts';

type HttpResult = APIGatewayProxyStructuredResultV2;
type SlackRequest = SlackInteraction | SlackEvent | SlackCommand;

/** Slack's interaction payloads stay far below; a larger body is refused before anything else looks at it. */
const MAXIMUM_BODY_BYTES = 1_000_000;

/** What is read of an event of API Gateway (payload format 2.0). Its headers come in lower case, but need not. */
const httpRequest = z.object({
  requestContext: z.object({ http: z.object({ method: z.string() }) }),
  headers: z.record(z.string(), z.string()),
  body: z._default(z.string(), ''),
  isBase64Encoded: z._default(z.boolean(), false),
});
const slackBody = z.record(z.string(), z.unknown());

type ReceiverOptions = {
  /** Asked for each request that could be genuine, since secrets change. */
  signingSecret: () => Promise<string>;
  now: () => Date;
  /**
   * Told about authentic payloads that are not understood (400), about what went wrong in a listener (500), and when
   * there is no signing secret, so that nobody can tell what is authentic (503).
   */
  logFailure: (error: unknown, requestId: string) => void;
};

/**
 * Bolt's receiver for an HTTP API, in the order that Bolt's own does not keep: raw bytes, then the signature, then
 * parsing. `isBase64Encoded` bodies are decoded as bytes, charsets in the content type are fine, and an unsigned
 * request learns nothing but 401. Of a request Bolt sees what its schema names and nothing else.
 */
export class SlackReceiver implements Receiver {
  readonly #options: ReceiverOptions;
  #app: App | undefined;

  public constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  public init(app: App): void {
    this.#app = app;
  }
  public start(): Promise<void> {
    return Promise.resolve();
  }
  public stop(): Promise<void> {
    return Promise.resolve();
  }

  /** Answers one request of API Gateway (payload format 2.0); whatever comes in, it answers. */
  public async handle(event: unknown): Promise<HttpResult> {
    const request = httpRequest.safeParse(event).data;
    if (request === undefined) return empty(400);
    if (request.requestContext.http.method !== 'POST') return empty(405);
    const encoding = request.isBase64Encoded ? 'base64' : 'utf8';
    // Before decoding: API Gateway lets ten times as much through.
    if (Buffer.byteLength(request.body, encoding) > MAXIMUM_BODY_BYTES) return empty(413);
    const rawBody = Buffer.from(request.body, encoding);
    const header = (name: string) =>
      Object.entries(request.headers).find(([candidate]) => candidate.toLowerCase() === name)?.[1];
    const signature = header('x-slack-signature');
    const signed = { timestamp: header('x-slack-request-timestamp'), signature, rawBody };
    try {
      if (!(await isSignedBySlack(signed, this.#options.signingSecret, this.#options.now()))) return empty(401);
    } catch (error) {
      this.#options.logFailure(error, idOf(signature));
      return empty(503);
    }
    const requestId = idOf(signature);

    const body = parseBody(rawBody.toString('utf8'), header('content-type') ?? '');
    if (body === null) return empty(400);
    if (body['ssl_check'] === '1') return empty(200);
    if (body['type'] === 'url_verification' && typeof body['challenge'] === 'string') {
      return { statusCode: 200, headers: { 'content-type': 'text/plain' }, body: body['challenge'] };
    }
    const known = schemaFor(body).safeParse(body);
    if (!known.success) {
      this.#options.logFailure(known.error, requestId);
      return empty(400);
    }
    try {
      return await this.#process(known.data, requestId);
    } catch (error) {
      this.#options.logFailure(error, requestId);
      return empty(500);
    }
  }

  async #process(body: SlackRequest, requestId: string): Promise<HttpResult> {
    if (this.#app === undefined) throw new Error('the receiver has no app yet');
    let answer: HttpResult | undefined;
    await this.#app.processEvent({
      body,
      customProperties: { requestId },
      ack: (response) => {
        answer ??=
          response === undefined || response === ''
            ? empty(200)
            : {
                statusCode: 200,
                headers: { 'content-type': 'application/json' },
                body: typeof response === 'string' ? JSON.stringify({ text: response }) : JSON.stringify(response),
              };
        return Promise.resolve();
      },
    });
    return answer ?? empty(404);
  }
}

/** The signature proves a secret; its hash names the request just as well and may be written down. */
function idOf(signature = ''): string {
  return createHash('sha256').update(signature).digest('hex').slice(0, 32);
}

/** Only a command comes without a type. */
function schemaFor({ type }: Record<string, unknown>): z.ZodMiniType<SlackRequest> {
  if (type === undefined) return slackCommand;
  return type === 'event_callback' ? slackEvent : slackInteraction;
}

/** Null for what is not a Slack body. Only ever called with authentic bytes. */
function parseBody(text: string, contentType: string): Record<string, unknown> | null {
  const mediaType = contentType.split(';')[0]?.trim().toLowerCase();
  if (mediaType === 'application/json') return parseJson(text);
  if (mediaType !== 'application/x-www-form-urlencoded') return null;
  const form = new URLSearchParams(text);
  const payload = form.get('payload');
  return payload === null ? Object.fromEntries(form) : parseJson(payload);
}

function parseJson(text: string): Record<string, unknown> | null {
  try {
    return slackBody.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

function empty(statusCode: number): HttpResult {
  return { statusCode, body: '' };
}
