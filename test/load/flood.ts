// A process of its own that floods the bot's address with forged requests, and says how they were answered.

import type { FloodResult } from './flood-process.ts';
import { forgeries } from './forgery.ts';
import { createHttpClient } from './http-client.ts';
import { atRate } from './pace.ts';

const [, , awsUrl = '', perSecond = '0', seconds = '0'] = process.argv;
const client = createHttpClient(awsUrl, { sockets: 100, timeoutMs: 10_000 });
const kinds = forgeries();
const count = Number(perSecond) * Number(seconds);
const items = Array.from({ length: count }, (_, index) => kinds[index % kinds.length]).filter(
  (item) => item !== undefined,
);
const statuses = new Map<number, number>();
const start = performance.now();
await atRate(items, { perSecond: Number(perSecond) }, async ({ headers, body }) => {
  const { status } = await client.post('/slack/events', headers, body);
  statuses.set(status, (statuses.get(status) ?? 0) + 1);
});
client.close();
const result: FloodResult = { sent: count, seconds: (performance.now() - start) / 1000, statuses: [...statuses] };
process.send?.(result);
process.disconnect();
