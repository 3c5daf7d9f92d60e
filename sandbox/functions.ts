import * as z from 'zod';
import { createInvoker, type Invoker, type LambdaHandler } from './lambda/invoke.ts';
import { HUB_ACCOUNT } from './world.ts';

/** The bot's functions, each with its timeout in seconds. */
export const TIMEOUT_SECONDS = {
  'detect-finding': 60,
  'decide-finding': 10,
  'remediate-key': 120,
  'announce-finding': 60,
  'sweep-keys': 60,
} as const;

export type FunctionName = keyof typeof TIMEOUT_SECONDS;
export type Functions = Record<FunctionName, Invoker>;

/** What a handler's module has to export. */
export const handlerModule = z.object({
  handler: z.custom<LambdaHandler>((value) => typeof value === 'function', 'exports no handler'),
});

let starts = 0;

/**
 * Loads the real handlers and makes each invocable as on Lambda. They read the environment while they load, so it has
 * to be set before; each call loads them anew, as a cold start does.
 */
export async function loadFunctions(region: string, log: (line: string) => void): Promise<Functions> {
  starts += 1;
  const load = async (name: FunctionName): Promise<Invoker> => {
    const module: unknown = await import(`../functions/${name}/handler.ts?start=${starts}`);
    const { handler } = handlerModule.parse(module);
    return createInvoker({
      ...{ name, handler, region },
      timeoutMs: TIMEOUT_SECONDS[name] * 1000,
      memoryLimitInMB: 512,
      accountId: HUB_ACCOUNT.id,
      onError: (error) => {
        log(`${name} failed and will be called again: ${String(error)}`);
      },
    });
  };
  return {
    'detect-finding': await load('detect-finding'),
    'decide-finding': await load('decide-finding'),
    'remediate-key': await load('remediate-key'),
    'announce-finding': await load('announce-finding'),
    'sweep-keys': await load('sweep-keys'),
  };
}
