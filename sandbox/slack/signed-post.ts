/** Sends an interaction to the app the way Slack does: a signed form POST that must be answered within three seconds. */
import { createHmac } from 'node:crypto';
import * as z from 'zod';

/** Slack's limit for an answer, over HTTP and through a socket. */
export const ANSWER_WITHIN_MS = 3000;

/** What the app answered. `status` is 0, and `error` says why, if there was no answer in time. */
export type Delivery = { status: number; durationMs: number; body: string; error?: string };

/** `v0` signature of a raw body (Slack's page "Verifying requests from Slack"); `timestamp` is in seconds. */
export function signature(signingSecret: string, timestamp: number, body: string): string {
  return `v0=${createHmac('sha256', signingSecret).update(`v0:${timestamp}:${body}`).digest('hex')}`;
}

/** What Slack tells an app, by the word that Socket Mode has for its kind. */
export type Outgoing = { type: 'interactive' | 'events_api' | 'slash_commands'; payload: unknown };

/** How each kind comes over HTTP (Slack's pages "Handling user interaction", "The Events API", "Implementing slash commands"). */
function encoded({ type, payload }: Outgoing): { contentType: string; body: string } {
  const form = 'application/x-www-form-urlencoded';
  switch (type) {
    case 'interactive':
      return { contentType: form, body: new URLSearchParams({ payload: JSON.stringify(payload) }).toString() };
    case 'slash_commands':
      return { contentType: form, body: new URLSearchParams(commandFields.parse(payload)).toString() };
    case 'events_api':
      return { contentType: 'application/json', body: JSON.stringify(payload) };
  }
}

const commandFields = z.record(z.string(), z.string());

/** Sends it and waits at most three real seconds. The timestamp is simulated time, like everything in the payload. */
export async function postSigned(url: string, signingSecret: string, outgoing: Outgoing): Promise<Delivery> {
  const { contentType, body } = encoded(outgoing);
  const timestamp = Math.floor(Date.now() / 1000);
  const started = performance.now();
  const elapsed = () => Math.round(performance.now() - started);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': contentType,
        'user-agent': 'Slackbot 1.0',
        'x-slack-request-timestamp': String(timestamp),
        'x-slack-signature': signature(signingSecret, timestamp, body),
      },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    return { status: response.status, body: await response.text(), durationMs: elapsed() };
  } catch (error) {
    const late = error instanceof DOMException && error.name === 'TimeoutError';
    return {
      status: 0,
      body: '',
      durationMs: elapsed(),
      error: late
        ? 'The app did not answer within 3 seconds (operation_timeout).'
        : 'The app could not be reached, or ended the connection without an answer.',
    };
  }
}
