/** The Web API: token, faults, rate limits, the method, and the answer in Slack's envelope. */
import { SlackApiError } from './api-error.ts';
import { type Arguments, readArguments, text } from './arguments.ts';
import type { Faults } from './faults.ts';
import type { Method } from './method.ts';
import { chatMethods } from './methods/chat.ts';
import { conversationMethods } from './methods/conversations.ts';
import { directoryMethods } from './methods/directory.ts';
import { viewMethods } from './methods/views.ts';
import type { RateLimits } from './rate-limits.ts';
import { missingScope } from './scopes.ts';
import type { Triggers } from './triggers.ts';
import type { Workspace } from './workspace.ts';

/** A call as it came over HTTP. */
export type ApiCall = {
  method: string;
  authorization: string | undefined;
  contentType: string;
  body: string;
  query: URLSearchParams;
};
/** `hang-up` ends the connection without an answer. */
export type ApiAnswer = { status: number; headers: Record<string, string>; body: unknown } | 'hang-up';

export type WebApi = {
  workspace: Workspace;
  triggers: Triggers;
  faults: Faults;
  rateLimits: RateLimits;
  url: string;
  /** What the bot's token is allowed now. */
  scopes: readonly string[];
};

const METHODS: Record<string, Method> = {
  ...chatMethods,
  ...conversationMethods,
  ...directoryMethods,
  ...viewMethods,
};

const answer = (body: unknown): ApiAnswer => ({ status: 200, headers: {}, body });
const refused = (code: string, extra: Record<string, unknown> = {}) => answer({ ok: false, error: code, ...extra });
const rateLimited = (seconds: number): ApiAnswer => ({
  status: 429,
  headers: { 'retry-after': String(seconds) },
  body: { ok: false, error: 'ratelimited' },
});

function errorAnswer(error: unknown): ApiAnswer {
  if (!(error instanceof SlackApiError)) throw error;
  if (error.complaints.length === 0) return refused(error.code);
  return refused(error.code, {
    errors: [...error.complaints],
    response_metadata: { messages: error.complaints.map((complaint) => `[ERROR] ${complaint}`) },
  });
}

function run(method: Method, args: Arguments, { workspace, triggers, url, scopes }: WebApi): ApiAnswer {
  try {
    return answer({ ok: true, ...method.run({ args, workspace, triggers, url, scopes }) });
  } catch (error) {
    return errorAnswer(error);
  }
}

/** Answers one call of `/api/<method>` for the bot that holds `botToken`. */
export function callWebApi(call: ApiCall, botToken: string, api: WebApi): ApiAnswer {
  const answered = answerCall(call, botToken, api);
  if (answered === 'hang-up') return answered;
  return { ...answered, headers: { ...answered.headers, 'x-oauth-scopes': api.scopes.join(',') } };
}

function answerCall(call: ApiCall, botToken: string, api: WebApi): ApiAnswer {
  const method = METHODS[call.method];
  if (method === undefined) return refused('unknown_method', { req_method: call.method });

  let args: Arguments;
  try {
    args = readArguments(call.contentType, call.body, call.query);
  } catch (error) {
    return errorAnswer(error);
  }
  const token = call.authorization?.replace(/^Bearer /i, '') ?? text(args, 'token');
  if (token === undefined) return refused('not_authed');
  if (token !== botToken) return refused('invalid_auth');

  const needed = missingScope(call.method, api.scopes);
  if (needed !== undefined) return refused('missing_scope', { needed, provided: api.scopes.join(',') });

  const fault = api.faults.take(call.method);
  if (fault === 'timeout') return 'hang-up';
  if (fault === 'ratelimited') return rateLimited(1);
  if (fault === 'http_500') return { status: 500, headers: {}, body: 'Internal Server Error' };
  if (fault !== undefined && fault !== 'timeout_after_accept') return refused(fault);

  const wait = api.rateLimits.retryAfter(call.method, method.tier, text(args, 'channel') ?? '');
  if (wait !== undefined) return rateLimited(wait);
  const result = run(method, args, api);
  return fault === 'timeout_after_accept' ? 'hang-up' : result;
}
