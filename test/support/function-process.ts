import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';

const RUNNER = fileURLToPath(new URL('lambda-runner.cjs', import.meta.url));

/** Milliseconds: by the clock, and of computing in the main thread of that process. */
const durationSchema = z.object({ ms: z.number(), cpuMs: z.number() });

const resultSchema = z.object({
  /** Loading the bundle. */
  init: durationSchema,
  /** The handler; 0 when there was no event yet. */
  call: durationSchema,
  answer: z.unknown(),
  error: z.string().optional(),
});
const coldResultSchema = resultSchema.extend({
  /** What the main thread computed since the process started, Node.js itself included. */
  sinceStartCpuMs: z.number(),
});
/** A message comes with the handle that was sent along, if any. */
const messageArguments = z.tuple([resultSchema], z.unknown());

export type FunctionResult = z.infer<typeof resultSchema>;
export type ColdResult = z.infer<typeof coldResultSchema>;

export type Bundled = {
  /** Path of the bundle. */
  bundle: string;
  /** All that the process has in its environment. */
  environment: Readonly<Record<string, string>>;
};

/** A function in a process of its own, as on Lambda; one invocation at a time. */
export type FunctionProcess = {
  /** What came of the start. */
  first: FunctionResult;
  /** @throws Error with the stack of the handler's error */
  invoke: (event: unknown) => Promise<FunctionResult>;
  stop: () => Promise<void>;
};

/** Starts Node with nothing but the bundle, and keeps it. */
export async function startFunction({ bundle, environment }: Bundled): Promise<FunctionProcess> {
  const stdio = ['ignore', 'pipe', 'pipe', 'ipc'] as const;
  const child = fork(RUNNER, [bundle], { env: environment, execArgv: [], stdio: [...stdio] });
  const log = logOf(child);
  const exited = once(child, 'exit');

  async function nextResult(): Promise<FunctionResult> {
    const died = exited.then(() => {
      throw new Error(`the function's process ended:\n${log()}`);
    });
    const [result] = messageArguments.parse(await Promise.race([once(child, 'message'), died]));
    return succeeded(result, log());
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

/** A cold start: starts Node with the bundle and an event, and ends with the answer. @throws like `invoke` */
export async function invokeCold({ bundle, environment }: Bundled, event: unknown): Promise<ColdResult> {
  const child = spawn(process.execPath, [RUNNER, bundle, JSON.stringify(event)], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const log = logOf(child);
  const answer = child.stdio[3];
  if (!(answer instanceof Readable)) throw new Error('the process has no file descriptor 3');
  const written = await text(answer);
  if (written === '') throw new Error(`the function's process ended:\n${log()}`);
  return succeeded(coldResultSchema.parse(JSON.parse(written)), log());
}

function logOf({ stdout, stderr }: ChildProcess): () => string {
  let log = '';
  for (const stream of [stdout, stderr]) stream?.on('data', (chunk) => (log += String(chunk)));
  return () => log;
}

function succeeded<T extends FunctionResult>(result: T, log: string): T {
  if (result.error !== undefined) throw new Error(`${result.error}\n${log}`);
  return result;
}
