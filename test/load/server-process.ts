import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type ServerMessage, serverMessageSchema, type Usage } from './server-messages.ts';
import type { WatchedCalls } from './watch-calls.ts';

/** A sandbox in a process of its own, so that neither side's event loop or heap is measured as the other's. */
export type ServerProcess = {
  awsUrl: string;
  slackUrl: string;
  signingSecret: string;
  /** Every sample since the start, two a second. */
  usage: () => readonly Usage[];
  /** What it wrote to its log, up to MAX_LOG_LINES. */
  log: () => readonly string[];
  /** What is left in use after a full collection. */
  collected: () => Promise<Usage>;
  /** What has reached its simulated services so far. */
  counted: () => Promise<WatchedCalls[]>;
  stop: () => Promise<void>;
};

const MAX_LOG_LINES = 10_000;

/** Starts it; rejects when it ends before it is ready. `profileTo` is a folder for a CPU profile of the whole run. */
export async function startServer(
  rateLimits: 'slack' | 'off',
  {
    profileTo,
    digestThreshold = null,
  }: {
    profileTo?: string | undefined;
    /** Findings of a minute and channel above which they become one message; without it each has its own. */
    digestThreshold?: number | null;
  } = {},
): Promise<ServerProcess> {
  const child = fork(new URL('./server.ts', import.meta.url), [rateLimits, String(digestThreshold)], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [
      ...['--expose-gc', '--disable-warning=ExperimentalWarning'],
      ...(profileTo === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileTo}`]),
    ],
  });
  const ended = once(child, 'exit');
  const samples: Usage[] = [];
  const log: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      if (log.length < MAX_LOG_LINES) log.push(line);
    });
  }
  const counts: ((calls: WatchedCalls[]) => void)[] = [];
  const collections: ((usage: Usage) => void)[] = [];
  const ready = Promise.withResolvers<Extract<ServerMessage, { kind: 'ready' }>>();
  child.on('message', (json) => {
    const message = serverMessageSchema.parse(json);
    switch (message.kind) {
      case 'ready':
        ready.resolve(message);
        break;
      case 'sample':
        samples.push(message);
        break;
      case 'collected':
        collections.shift()?.(message);
        break;
      case 'counted':
        counts.shift()?.(message.calls);
    }
  });
  child.once('exit', (code) => {
    ready.reject(new Error(`the process under load ended with ${String(code)} before it was ready: ${log.join('\n')}`));
  });
  const { awsUrl, slackUrl, signingSecret } = await ready.promise;
  return {
    ...{ awsUrl, slackUrl, signingSecret },
    usage: () => samples,
    log: () => log,
    collected: () =>
      new Promise((resolve) => {
        collections.push(resolve);
        child.send({ kind: 'collect' });
      }),
    counted: () =>
      new Promise((resolve) => {
        counts.push(resolve);
        child.send({ kind: 'count' });
      }),
    async stop() {
      if (child.exitCode !== null) return;
      child.send({ kind: 'stop' });
      await ended;
    },
  };
}
