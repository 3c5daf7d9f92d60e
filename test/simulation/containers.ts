import { FUNCTION_NAMES, FUNCTIONS, type FunctionName } from '../../functions/contracts/functions.ts';
import { handlerModule } from '../../sandbox/functions.ts';
import { lambdaContext } from '../../sandbox/lambda/context.ts';
import type { LambdaHandler } from '../../sandbox/lambda/invoke.ts';
import { Killed, type Scheduler } from './scheduler.ts';

/** Enough for one function to run beside itself. */
const CONTAINERS_EACH = 2;

/** A place for a function to run; without a handler until its first invocation, and again when that has died. */
type Container = { handler: LambdaHandler | undefined; isBusy: boolean };

let coldStarts = 0;

/** Loads a handler anew: its clients, and all that it keeps from one invocation to the next, begin with this. */
async function coldStart(name: FunctionName): Promise<LambdaHandler> {
  coldStarts += 1;
  const module: unknown = await import(`../../functions/${name}/handler.ts?start=${coldStarts}`);
  return handlerModule.parse(module).handler;
}

/**
 * Lambda: a container runs one invocation at a time, and two containers share nothing but the table. They live no longer
 * than their schedule, so that nothing is left of one in the next.
 */
export class Containers {
  readonly #scheduler: Scheduler;
  readonly #containers: ReadonlyMap<FunctionName, readonly Container[]>;

  public constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
    const each = () => Array.from({ length: CONTAINERS_EACH }, () => ({ handler: undefined, isBusy: false }));
    this.#containers = new Map(FUNCTION_NAMES.map((name) => [name, each()]));
  }

  public isFree(name: FunctionName): boolean {
    return this.#free(name).length > 0;
  }

  /** Runs a function in a free container; `ended` hears its answer or error. */
  public invoke(
    name: FunctionName,
    { what, about = '', event }: { what: string; about?: string; event: unknown },
    ended: (result: { answer: unknown } | { error: unknown }) => void,
  ): void {
    const free = this.#free(name);
    const container = free[this.#scheduler.pick(free.map(() => 1))];
    if (container === undefined) throw new Error(`${name} has no free container`);
    container.isBusy = true;
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
    const run = async () => {
      container.handler ??= await coldStart(name);
      return await container.handler(copy, context);
    };
    this.#scheduler.start({ functionName: name, what, about, timeoutMs, run }, (result) => {
      container.isBusy = false;
      if ('error' in result && result.error instanceof Killed) container.handler = undefined;
      ended(result);
    });
  }

  #free(name: FunctionName): Container[] {
    return (this.#containers.get(name) ?? []).filter(({ isBusy }) => !isBusy);
  }
}
