// The process under load: one sandbox with the real functions in it, which reports its memory and CPU time over IPC.
import { startSandbox } from '../../sandbox/sandbox.ts';
import { readSlackSecret } from '../support/slack-secret.ts';
import { type Command, commandSchema, type ServerMessage } from './server-messages.ts';
import { watchCalls } from './watch-calls.ts';

const SAMPLE_EVERY_MS = 500;
const [, , rateLimits = 'off', threshold = 'null'] = process.argv;

const calls = watchCalls();
// The bot answers addresses of Slack only. The generator signs clicks itself, so Slack knows of none of them: what the bot
// says about one goes from here to the generator, on the port that it put into the address.
const realFetch = globalThis.fetch;
globalThis.fetch = (target, init) => {
  const [, place] = typeof target === 'string' ? (/\/response\/(\d+\/\d+)$/.exec(target) ?? []) : [];
  return realFetch(place === undefined ? target : `http://127.0.0.1:${place}`, init);
};

const sandbox = await startSandbox({
  awsPort: 0,
  slackPort: 0,
  graceSeconds: 1,
  rateLimits: rateLimits === 'slack' ? 'slack' : 'off',
  digest: { threshold: threshold === 'null' ? null : Number(threshold) },
});
// The sandbox makes it up at start and keeps it where the functions find it; a forger has to guess it.
const { signingSecret } = await readSlackSecret(sandbox.awsUrl);

const sampling = setInterval(() => {
  tell(sample());
}, SAMPLE_EVERY_MS);
process.on('message', (message) => {
  void obey(commandSchema.parse(message));
});
process.on('disconnect', () => {
  void stop();
});
tell({ kind: 'ready', awsUrl: sandbox.awsUrl, slackUrl: sandbox.slackUrl, signingSecret });

async function obey({ kind }: Command): Promise<void> {
  if (kind === 'stop') await stop();
  else if (kind === 'count') tell({ kind: 'counted', calls: calls() });
  else {
    // Twice: the first collection only finds what finalizers and weak references then let go of.
    globalThis.gc?.();
    globalThis.gc?.();
    tell({ ...sample(), kind: 'collected' });
  }
}

async function stop(): Promise<void> {
  clearInterval(sampling);
  await sandbox.close();
  if (process.connected) process.disconnect();
}

function sample() {
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return { kind: 'sample' as const, at: Date.now(), rss, heapUsed, cpuMs: (user + system) / 1000 };
}

function tell(message: ServerMessage): void {
  if (process.connected) process.send?.(message);
}
