import * as z from 'zod';

/** What the process under load is told: to collect garbage and answer, or to stop. */
export const commandSchema = z.object({ kind: z.enum(['collect', 'stop']) });
export type Command = z.infer<typeof commandSchema>;

const usage = { at: z.number(), rss: z.number(), heapUsed: z.number(), cpuMs: z.number() };

/** What it tells. Memory in bytes, CPU time since its start in milliseconds. */
export const serverMessageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready'), awsUrl: z.string(), slackUrl: z.string(), signingSecret: z.string() }),
  z.object({ kind: z.literal('sample'), ...usage }),
  z.object({ kind: z.literal('collected'), ...usage }),
]);
export type ServerMessage = z.infer<typeof serverMessageSchema>;
export type Usage = Omit<Extract<ServerMessage, { kind: 'sample' }>, 'kind'>;
