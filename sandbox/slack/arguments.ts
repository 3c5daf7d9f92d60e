/**
 * The arguments of a Web API call. Slack takes form-encoded bodies, in which objects are JSON strings and booleans are
 * words, and JSON bodies, in which they are themselves; both read the same here.
 */
import { SlackApiError } from './api-error.ts';

export type Arguments = ReadonlyMap<string, unknown>;

/** Reads the body of a call by its content type; an unreadable JSON body is `invalid_json`, as Slack answers. */
export function readArguments(contentType: string, body: string, query: URLSearchParams): Arguments {
  const args = new Map<string, unknown>(query);
  if (contentType.startsWith('application/json')) {
    let parsed: unknown;
    try {
      parsed = body === '' ? {} : JSON.parse(body);
    } catch {
      throw new SlackApiError('invalid_json');
    }
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
      throw new SlackApiError('json_not_object');
    }
    for (const [name, value] of Object.entries(parsed)) args.set(name, value);
  } else {
    for (const [name, value] of new URLSearchParams(body)) args.set(name, value);
  }
  return args;
}

/** A text argument, undefined if it was not given or is empty. */
export function text(args: Arguments, name: string): string | undefined {
  const value = args.get(name);
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new SlackApiError('invalid_arguments', [`must provide a string [json-pointer:/${name}]`]);
}

/** A text argument without which the call is refused. */
export function requiredText(args: Arguments, name: string): string {
  const value = text(args, name);
  if (value === undefined) throw new SlackApiError('invalid_arguments', [`missing required field: ${name}`]);
  return value;
}

/** A yes-or-no argument; Slack takes `true` and `1`. */
export function flag(args: Arguments, name: string): boolean {
  const value = text(args, name);
  return value === 'true' || value === '1';
}

/** A whole number of at least 1 and at most `max`, or `fallback` if it was not given. */
export function count(args: Arguments, name: string, fallback: number, max: number): number {
  const value = text(args, name);
  if (value === undefined) return fallback;
  const parsed = Number(value);
  if (!Number.isInteger(parsed) || parsed < 1) throw new SlackApiError('invalid_limit');
  return Math.min(parsed, max);
}

/** An argument that is an object or a list; `malformed` is the error when its JSON cannot be read. */
export function json(args: Arguments, name: string, malformed: string): unknown {
  const value = args.get(name);
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    throw new SlackApiError(malformed);
  }
}
