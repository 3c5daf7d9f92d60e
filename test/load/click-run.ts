import { type Click, signClick } from './clicks.ts';
import { createHttpClient } from './http-client.ts';
import type { SentClick } from './invariants.ts';
import { atRate } from './pace.ts';
import type { Sentences } from './sentences.ts';
import type { ServerProcess } from './server-process.ts';

/** Far longer than Slack waits, so that a late answer is measured and not only counted. */
const GIVE_UP_AFTER_MS = 180_000;
/** One click in so many is delivered twice, as Slack does when it has seen no answer. */
const REPEATED_EVERY = 10;

/**
 * Sends signed clicks as Slack would, at their rate whatever the answers do. Each latency counts from when the click was
 * due; a repeated one is sent again as soon as the first has been answered.
 */
export async function sendClicks(
  { awsUrl, slackUrl, signingSecret }: ServerProcess,
  clicks: readonly Click[],
  { perSecond, sentences, mustFinish = true }: { perSecond: number; sentences: Sentences; mustFinish?: boolean },
): Promise<SentClick[]> {
  const client = createHttpClient(awsUrl, { sockets: 1000, timeoutMs: GIVE_UP_AFTER_MS });
  const sent: SentClick[] = [];
  try {
    await atRate([...clicks.entries()], { perSecond }, async ([index, click], dueAt) => {
      const { responsePath, said } = sentences.expect();
      const responseUrl = slackUrl + responsePath;
      const { requestId, headers, body } = signClick(click, { signingSecret, responseUrl });
      const result: SentClick = { ...click, requestId, mustFinish, said, statuses: [], latencies: [] };
      sent.push(result);
      let from = dueAt;
      for (let left = index % REPEATED_EVERY === 0 ? 2 : 1; left > 0; left -= 1) {
        const { status } = await client.post('/slack/events', headers, body);
        result.statuses.push(status);
        result.latencies.push(performance.now() - from);
        from = performance.now();
      }
    });
  } finally {
    client.close();
  }
  return sent;
}
