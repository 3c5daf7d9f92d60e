import * as z from 'zod';
import { watchedCalls } from './watch-calls.ts';

/** What the process under load is told: to collect garbage and answer, to say what calls it has seen, or to stop. */
export const commandSchema = z.object({ kind: z.enum(['collect', 'count', 'stop']) });
export type Command = z.infer<typeof commandSchema>;

const usage = { at: z.number(), rss: z.number(), heapUsed: z.number(), cpuMs: z.number() };

/** What it tells. Memory in bytes, CPU time since its start in milliseconds. */
export const serverMessageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready'), awsUrl: z.string(), slackUrl: z.string(), signingSecret: z.string() }),
  z.object({ kind: z.literal('sample'), ...usage }),
  z.object({ kind: z.literal('collected'), ...usage }),
  z.object({ kind: z.literal('counted'), calls: z.array(watchedCalls) }),
]);
export type ServerMessage = z.infer<typeof serverMessageSchema>;
export type Usage = Omit<Extract<ServerMessage, { kind: 'sample' }>, 'kind'>;
