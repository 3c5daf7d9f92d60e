import * as z from 'zod';
import { FUNCTIONS, type FunctionName } from '../functions/contracts/functions.ts';
import { createInvoker, type Invoker, type LambdaHandler } from './lambda/invoke.ts';
import { HUB_ACCOUNT } from './world.ts';

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
      timeoutMs: FUNCTIONS[name].timeoutSeconds * 1000,
      memoryLimitInMB: FUNCTIONS[name].memoryMb,
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
