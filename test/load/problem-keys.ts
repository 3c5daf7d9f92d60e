import { REGIONS } from '../../sandbox/world.ts';
import { type ShownFinding, shownFinding } from './clicks.ts';
import { createKey } from './events.ts';
import { createHttpClient } from './http-client.ts';
import { rootMessages, untilSettled } from './outside.ts';
import type { ServerProcess } from './server-process.ts';

/** Makes keys that do not rotate, all at once and for one channel, and waits until people are asked about all of them. */
export async function makeProblemKeys(
  server: ServerProcess,
  count: number,
  settleSeconds: number,
): Promise<ShownFinding[]> {
  const client = createHttpClient(server.awsUrl, { sockets: 20, timeoutMs: 30_000 });
  try {
    const [region] = REGIONS;
    await Promise.all(
      Array.from({ length: count }, () =>
        createKey({ is: 'problem', accountId: '123456789012', region, arn: undefined, createdAt: 0 }, client),
      ),
    );
  } finally {
    client.close();
  }
  await untilSettled(server.awsUrl, settleSeconds);
  return (await rootMessages(server.awsUrl)).map(shownFinding);
}
