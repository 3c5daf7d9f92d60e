import { REGIONS } from '../../sandbox/world.ts';
import { createKey, type PlannedKey } from './events.ts';
import { createHttpClient } from './http-client.ts';
import { violationsOf } from './invariants.ts';
import { lookAtWorld, untilSettled } from './outside.ts';
import type { Plan } from './plan.ts';
import { type Part, progress } from './report.ts';
import { startServer } from './server-process.ts';

const ACCOUNT = '123456789012';

/** With Slack's own limit of about one message a second and channel: nothing is lost or told twice, the stream waits. */
export async function limitedRun({ limitedMessages, limits }: Plan): Promise<Part> {
  const server = await startServer('slack');
  const client = createHttpClient(server.awsUrl, { sockets: 20, timeoutMs: 30_000 });
  try {
    const [region] = REGIONS;
    const keys = Array.from(
      { length: limitedMessages },
      (): PlannedKey => ({ is: 'problem', accountId: ACCOUNT, region, arn: undefined, createdAt: 0 }),
    );
    progress(`${limitedMessages} findings for one channel, with Slack's rate limits`);
    await Promise.all(keys.map((key) => createKey(key, client)));
    await untilSettled(server.awsUrl, limits.settleSeconds);
    const world = await lookAtWorld(server.awsUrl);
    const times = world.messages.map(({ ts }) => Number(ts)).sort((a, b) => a - b);
    const took = (times.at(-1) ?? 0) - (times[0] ?? 0);
    const perSecond = (times.length - 1) / took;
    return {
      rows: [
        {
          what: "with Slack's limits",
          value: `${times.length} of ${limitedMessages} findings of one channel posted in ${took.toFixed(1)} s (${perSecond.toFixed(2)} a second); at that rate 1,000 take ${(1000 / perSecond / 60).toFixed(0)} minutes`,
        },
      ],
      violations: violationsOf(world, keys, []).map((violation) => `with Slack's limits: ${violation}`),
    };
  } finally {
    client.close();
    await server.stop();
  }
}
