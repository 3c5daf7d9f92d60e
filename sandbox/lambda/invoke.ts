import { randomUUID } from 'node:crypto';
import type { Context } from 'aws-lambda';
import { lambdaContext } from './context.ts';

/** A Lambda handler as Node.js 24 on Lambda takes it: two arguments, no callback. */
export type LambdaHandler = (event: unknown, context: Context) => Promise<unknown>;

/** Calls a function synchronously: resolves with its answer, rejects with its error. */
export type Invoke = (event: unknown) => Promise<unknown>;

export type Invoker = {
  functionArn: string;
  /** Rejects with the handler's error, or with FunctionTimeout. */
  invoke: Invoke;
  /** How many invocations have neither been answered nor timed out. */
  running: () => number;
};

/** The handler took longer than the function's timeout. */
export class FunctionTimeout extends Error {
  public override readonly name = 'Sandbox.Timedout';
}

/**
 * Invokes a handler as Lambda does. Event and answer go through JSON, so nothing is shared with the caller and an
 * `undefined` answer becomes `null`. The timeout is real time. What Lambda would do by freezing the process cannot be
 * done here: a handler that timed out goes on running unseen. `onError` is told of every invocation that failed, as
 * the function's log would be.
 */
export function createInvoker({
  name,
  handler,
  timeoutMs,
  memoryLimitInMB,
  region = 'us-east-1',
  accountId = '000000000000',
  onError = (error, awsRequestId) => {
    console.error(`function ${name}, request ${awsRequestId}:`, error);
  },
}: {
  name: string;
  handler: LambdaHandler;
  timeoutMs: number;
  memoryLimitInMB: number;
  region?: string;
  accountId?: string;
  onError?: (error: unknown, awsRequestId: string) => void;
}): Invoker {
  const functionArn = `arn:aws:lambda:${region}:${accountId}:function:${name}`;
  let running = 0;

  async function invoke(event: unknown): Promise<unknown> {
    const awsRequestId = randomUUID();
    const timeout = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const seconds = (timeoutMs / 1000).toFixed(2);
      timeout.reject(new FunctionTimeout(`${awsRequestId} Task timed out after ${seconds} seconds`));
    }, timeoutMs);
    running += 1;
    try {
      const deadline = performance.now() + timeoutMs;
      const context = lambdaContext({
        ...{ functionName: name, functionArn, memoryLimitInMB, awsRequestId },
        remainingMs: () => deadline - performance.now(),
      });
      return throughJson(await Promise.race([handler(throughJson(event), context), timeout.promise]));
    } catch (error) {
      onError(error, awsRequestId);
      throw error;
    } finally {
      clearTimeout(timer);
      running -= 1;
    }
  }

  return { functionArn, invoke, running: () => running };
}

function throughJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null));
}
