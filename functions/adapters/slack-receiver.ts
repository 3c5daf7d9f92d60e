import { createHash } from 'node:crypto';
import type { App, Receiver } from '@slack/bolt';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import * as z from 'zod/mini';
import { isSignedBySlack } from './slack-signature.ts';

type HttpResult = APIGatewayProxyStructuredResultV2;

/** Slack's interaction payloads stay far below; a larger body is refused before anything else looks at it. */
const MAXIMUM_BODY_BYTES = 1_000_000;

const slackBody = z.record(z.string(), z.unknown());

/**
 * Bolt's receiver for an HTTP API, in the order that Bolt's own does not keep: raw bytes, then the signature, then
 * parsing. `isBase64Encoded` bodies are decoded as bytes, charsets in the content type are fine, and an unsigned
 * request learns nothing but 401.
 */
export class SlackReceiver implements Receiver {
  readonly #signingSecret: string;
  readonly #now: () => Date;
  #app: App | undefined;

  public constructor({ signingSecret, now }: { signingSecret: string; now: () => Date }) {
    this.#signingSecret = signingSecret;
    this.#now = now;
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

  /** Answers one request of API Gateway (payload format 2.0). */
  public async handle(event: APIGatewayProxyEventV2): Promise<HttpResult> {
    if (event.requestContext.http.method !== 'POST') return empty(405);
    const rawBody = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
    if (rawBody.length > MAXIMUM_BODY_BYTES) return empty(413);
    const header = (name: string) =>
      Object.entries(event.headers).find(([candidate]) => candidate.toLowerCase() === name)?.[1];
    const signature = header('x-slack-signature');
    const signed = { timestamp: header('x-slack-request-timestamp'), signature, rawBody };
    if (!isSignedBySlack(signed, this.#signingSecret, this.#now())) return empty(401);

    const body = parseBody(rawBody.toString('utf8'), header('content-type') ?? '');
    if (body === null) return empty(400);
    if (body['ssl_check'] === '1') return empty(200);
    if (body['type'] === 'url_verification' && typeof body['challenge'] === 'string') {
      return { statusCode: 200, headers: { 'content-type': 'text/plain' }, body: body['challenge'] };
    }
    // The signature proves a secret; its hash names the request just as well and may be written down.
    const requestId = createHash('sha256')
      .update(signature ?? '')
      .digest('hex')
      .slice(0, 32);
    return await this.#process(body, requestId);
  }

  async #process(body: Record<string, unknown>, requestId: string): Promise<HttpResult> {
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
