import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as z from 'zod';

/** Calls of one kind, by one caller, as they arrived at the simulated services. */
export const watchedCalls = z.object({
  /** Slack's method with its channel left out, or KMS's operation with the role session and Region that called. */
  what: z.string(),
  calls: z.int(),
  /** How many were answered with "too many" (429). */
  limited: z.int(),
  mostInASecond: z.int(),
  mostInAMinute: z.int(),
});
export type WatchedCalls = z.infer<typeof watchedCalls>;

const finished = z.object({
  request: z.custom<IncomingMessage>((value) => typeof value === 'object' && value !== null),
  response: z.custom<ServerResponse>((value) => typeof value === 'object' && value !== null),
});

/** Counts what reaches the servers of this process, at their doors: neither the bot nor the services are asked. */
export function watchCalls(): () => WatchedCalls[] {
  const seen = new Map<string, { at: number[]; limited: number }>();
  subscribe('http.server.response.finish', (message) => {
    const { request, response } = finished.parse(message);
    const what = nameOf(request);
    if (what === null) return;
    const calls = seen.get(what) ?? { at: [], limited: 0 };
    seen.set(what, calls);
    calls.at.push(performance.now());
    if (response.statusCode === 429) calls.limited += 1;
  });
  return () =>
    [...seen].map(([what, { at, limited }]) => ({
      ...{ what, calls: at.length, limited },
      ...{ mostInASecond: most(at, 1000), mostInAMinute: most(at, 60_000) },
    }));
}

function nameOf({ url = '', headers }: IncomingMessage): string | null {
  if (url.startsWith('/api/')) return `Slack ${url.slice('/api/'.length).split('?')[0] ?? ''}`;
  const target = headers['x-amz-target']?.toString() ?? '';
  if (!target.startsWith('TrentService.')) return null;
  // One role session per account; the scope of the signature names the Region.
  const [, accessKey = '', region = ''] = /Credential=([^/]+)\/\d+\/([^/]+)/.exec(headers.authorization ?? '') ?? [];
  return `KMS ${target.slice('TrentService.'.length)} by ${accessKey} in ${region}`;
}

/** The most of these instants, in rising order, within so many milliseconds. */
function most(at: readonly number[], windowMs: number): number {
  let first = 0;
  let largest = 0;
  for (const [index, time] of at.entries()) {
    while (time - (at[first] ?? time) >= windowMs) first += 1;
    largest = Math.max(largest, index - first + 1);
  }
  return largest;
}
