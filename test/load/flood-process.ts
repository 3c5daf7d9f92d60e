import { fork } from 'node:child_process';
import * as z from 'zod';

const resultSchema = z.object({
  sent: z.number(),
  /** How long it took to send them and get them answered; longer than planned when the server could not keep up. */
  seconds: z.number(),
  statuses: z.array(z.tuple([z.number(), z.number()])),
});
export type FloodResult = z.infer<typeof resultSchema>;

/** Floods the bot's address from another process; resolves when all forgeries have been answered. */
export function flood(
  awsUrl: string,
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<FloodResult> {
  const child = fork(new URL('./flood.ts', import.meta.url), [awsUrl, String(perSecond), String(seconds)]);
  return new Promise((resolve, reject) => {
    child.once('message', (message) => {
      resolve(resultSchema.parse(message));
    });
    child.once('exit', (code) => {
      reject(new Error(`the flood ended with ${String(code)} before it was over`));
    });
  });
}
