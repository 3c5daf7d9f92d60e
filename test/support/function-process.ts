import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';

const RUNNER = fileURLToPath(new URL('lambda-runner.cjs', import.meta.url));

/** Milliseconds: by the clock, and of computing in that process. */
const durationSchema = z.object({ ms: z.number(), cpuMs: z.number() });

const resultSchema = z.object({
  /** Loading the bundle. */
  init: durationSchema,
  /** The handler; 0 when there was no event yet. */
  call: durationSchema,
  /** What the process has computed since its start, Node.js itself included. */
  processCpuMs: z.number(),
  answer: z.unknown(),
  error: z.string().optional(),
});

/** A message comes with the handle that was sent along, if any. */
const messageArguments = z.tuple([resultSchema], z.unknown());

export type FunctionResult = z.infer<typeof resultSchema>;

/** A function in a process of its own, as on Lambda; one invocation at a time. */
export type FunctionProcess = {
  /** What came of the start: the first event's result, if there was one. */
  first: FunctionResult;
  /** @throws Error with the stack of the handler's error */
  invoke: (event: unknown) => Promise<FunctionResult>;
  stop: () => Promise<void>;
};

/** Starts Node with nothing but the bundle. With `firstEvent` it also invokes the handler at once. */
export async function startFunction({
  bundle,
  environment,
  firstEvent,
}: {
  /** Path of the bundle. */
  bundle: string;
  environment: Readonly<Record<string, string>>;
  firstEvent?: unknown;
}): Promise<FunctionProcess> {
  const child = fork(RUNNER, firstEvent === undefined ? [bundle] : [bundle, JSON.stringify(firstEvent)], {
    env: environment,
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (log += String(chunk)));
  const exited = once(child, 'exit');

  async function nextResult(): Promise<FunctionResult> {
    const died = exited.then(() => {
      throw new Error(`the function's process ended:\n${log}`);
    });
    const [result] = messageArguments.parse(await Promise.race([once(child, 'message'), died]));
    if (result.error !== undefined) throw new Error(`${result.error}\n${log}`);
    return result;
  }

  async function stop(): Promise<void> {
    if (child.connected) child.disconnect();
    await exited;
  }

  try {
    return {
      first: await nextResult(),
      async invoke(event) {
        const result = nextResult();
        child.send(z.record(z.string(), z.unknown()).parse(event));
        return await result;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
