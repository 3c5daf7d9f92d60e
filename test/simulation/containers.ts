import { FUNCTIONS, type FunctionName } from '../../functions/contracts/functions.ts';
import { handlerModule } from '../../sandbox/functions.ts';
import { lambdaContext } from '../../sandbox/lambda/context.ts';
import type { LambdaHandler } from '../../sandbox/lambda/invoke.ts';
import type { Scheduler } from './scheduler.ts';

/** Enough for one function to run beside itself. */
const CONTAINERS_EACH = 2;

export type LoadedHandlers = Record<FunctionName, readonly LambdaHandler[]>;

/** Loads the real handlers, each twice: two containers share nothing but the table. */
export async function loadHandlers(): Promise<LoadedHandlers> {
  const load = (name: FunctionName) =>
    Promise.all(
      Array.from({ length: CONTAINERS_EACH }, async (_, index) => {
        const module: unknown = await import(`../../functions/${name}/handler.ts?container=${index}`);
        return handlerModule.parse(module).handler;
      }),
    );
  return {
    'detect-finding': await load('detect-finding'),
    'decide-finding': await load('decide-finding'),
    'remediate-key': await load('remediate-key'),
    'announce-finding': await load('announce-finding'),
    'sweep-keys': await load('sweep-keys'),
  };
}

/** Lambda: a container runs one invocation at a time. */
export class Containers {
  readonly #scheduler: Scheduler;
  readonly #handlers: LoadedHandlers;
  readonly #busy = new Set<LambdaHandler>();

  public constructor({ scheduler, handlers }: { scheduler: Scheduler; handlers: LoadedHandlers }) {
    this.#scheduler = scheduler;
    this.#handlers = handlers;
  }

  public isFree(name: FunctionName): boolean {
    return this.#handlers[name].some((handler) => !this.#busy.has(handler));
  }

  /** Runs a function in a free container; `ended` hears its answer or error. */
  public invoke(
    name: FunctionName,
    { what, about = '', event }: { what: string; about?: string; event: unknown },
    ended: (result: { answer: unknown } | { error: unknown }) => void,
  ): void {
    const free = this.#handlers[name].filter((handler) => !this.#busy.has(handler));
    const handler = free[this.#scheduler.pick(free.map(() => 1))];
    if (handler === undefined) throw new Error(`${name} has no free container`);
    this.#busy.add(handler);
    const timeoutMs = FUNCTIONS[name].timeoutSeconds * 1000;
    const deadline = this.#scheduler.now() + timeoutMs;
    // Nothing is shared with the caller, as over the wire.
    const copy: unknown = JSON.parse(JSON.stringify(event));
    const context = lambdaContext({
      functionName: name,
      functionArn: `arn:aws:lambda:eu-central-1:111122223333:function:${name}`,
      memoryLimitInMB: 512,
      awsRequestId: 'simulated',
      remainingMs: () => deadline - this.#scheduler.now(),
    });
    const run = () => handler(copy, context);
    this.#scheduler.start({ functionName: name, what, about, timeoutMs, run }, (result) => {
      this.#busy.delete(handler);
      ended(result);
    });
  }
}
