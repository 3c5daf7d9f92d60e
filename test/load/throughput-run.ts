import { sendClicks } from './click-run.ts';
import { type Click, planClicks, type ShownFinding, shownFinding } from './clicks.ts';
import { type PlannedKey, perform, planEvents } from './events.ts';
import { createHttpClient } from './http-client.ts';
import { type SentClick, violationsOf } from './invariants.ts';
import { lookAtWorld, type RootMessage, rootMessages, untilSettled } from './outside.ts';
import { atRate } from './pace.ts';
import type { Plan } from './plan.ts';
import { latency, megabytes, type Part, peak } from './report.ts';
import { listenForSentences, type Sentences } from './sentences.ts';
import { type ServerProcess, startServer } from './server-process.ts';

const GRACE_MS = 1000;

/** 10,000 events in a minute, then 200 clicks a second: all settled, none lost, none done twice, memory bounded. */
export async function throughputRun(
  plan: Plan,
  { profileTo }: { profileTo: string | undefined },
): Promise<Part & { events: number; clicks: number }> {
  const server = await startServer('off', { profileTo });
  const sentences = await listenForSentences();
  try {
    const before = await server.collected();
    const events = await sendEvents(server, plan);
    const found = await rootMessages(server.awsUrl);
    const clicked = await clickAll(server, plan, found, sentences);
    const after = await server.collected();
    const world = await lookAtWorld(server.awsUrl);
    const violations = violationsOf(world, events.keys, clicked.sent);
    const requests = events.sent + clicked.count;
    const kept = (after.heapUsed - before.heapUsed) / requests;
    const late = clicked.latencies.filter((ms) => ms > plan.limits.clickMs).length;
    if (events.failed > 0) violations.push(`${events.failed} events could not be made`);
    if (!events.settled) violations.push(`the events had not settled after ${plan.limits.settleSeconds} s`);
    if (!clicked.settled) violations.push(`the clicks had not settled after ${plan.limits.settleSeconds} s`);
    if (kept > plan.limits.heapBytesPerRequest) {
      violations.push(`${kept.toFixed(0)} bytes of heap are kept per event and click`);
    }
    const failed = server.log().filter((line) => line.includes('ERROR'));
    if (failed.length > 0) violations.push(`${failed.length} errors in the log, the first: ${failed[0] ?? ''}`);
    const usage = server.usage();
    const allEvents = [...world.records.values()].flatMap((key) => key.events);
    const count = (type: string) => allEvents.filter(({ event }) => event.type === type).length;
    return {
      events: events.sent,
      clicks: clicked.count,
      violations,
      rows: [
        {
          what: 'events accepted',
          value: `${events.sent} in ${events.seconds.toFixed(1)} s (${((events.sent / events.seconds) * 60).toFixed(0)} a minute), all settled ${events.settleSeconds.toFixed(1)} s later`,
        },
        {
          what: 'event to message',
          value: `${latency(messageLatencies(events.keys, found))}; the grace of 1 s not counted`,
        },
        {
          what: 'CPU per event',
          value: `${(events.cpuMs / events.sent).toFixed(1)} ms, simulated AWS and Slack included`,
        },
        {
          what: 'clicks',
          value: `${clicked.count} at ${plan.clicks.perSecond}/s, answered within ${clicked.seconds.toFixed(1)} s (${(clicked.count / clicked.seconds).toFixed(0)} a second), all settled ${clicked.settleSeconds.toFixed(1)} s later`,
        },
        { what: 'click to answer', value: `${latency(clicked.latencies)}; ${late} over ${plan.limits.clickMs} ms` },
        { what: 'clicks on one finding at once', value: latency(clicked.hotLatencies) },
        {
          what: 'CPU per click',
          value: `${(clicked.cpuMs / clicked.count).toFixed(1)} ms, with remediation, simulated AWS and Slack`,
        },
        {
          what: 'outcome',
          value: `${world.messages.length} messages, ${world.replies} replies, ${count('remediation-approved')} approved, ${count('remediated')} remediated, ${count('command-refused')} refusals, ${world.records.size} chains verified`,
        },
        { what: 'log of the server', value: `${server.log().length} lines` },
        {
          what: 'memory (RSS)',
          value: `start ${megabytes(before.rss)}, peak ${megabytes(peak(usage, 'rss'))}, settled ${megabytes(after.rss)}`,
        },
        {
          what: 'memory (heap)',
          value: `start ${megabytes(before.heapUsed)}, peak ${megabytes(peak(usage, 'heapUsed'))}, settled ${megabytes(after.heapUsed)}: ${(kept / 1024).toFixed(1)} KB per event and click, simulated storage included`,
        },
      ],
    };
  } finally {
    await server.stop();
    await sentences.close();
  }
}

async function sendEvents(server: ServerProcess, plan: Plan) {
  const { keys, steps } = planEvents(plan);
  const client = createHttpClient(server.awsUrl, { sockets: 64, timeoutMs: 30_000 });
  const cpuBefore = (await server.collected()).cpuMs;
  const start = performance.now();
  let failed = 0;
  await atRate(steps, { perSecond: plan.events.perMinute / 60, atMostOpen: 500 }, async (step) => {
    if (!(await perform(step, client))) failed += 1;
  });
  const seconds = (performance.now() - start) / 1000;
  client.close();
  const { pending, waitedMs } = await untilSettled(server.awsUrl, plan.limits.settleSeconds);
  const cpuMs = (await server.collected()).cpuMs - cpuBefore;
  return { keys, failed, seconds, cpuMs, sent: steps.length, settled: pending === 0, settleSeconds: waitedMs / 1000 };
}

async function clickAll(
  server: ServerProcess,
  { clicks, limits }: Plan,
  messages: readonly RootMessage[],
  sentences: Sentences,
) {
  const [hot, ...findings] = messages.map(shownFinding);
  const cpuBefore = (await server.collected()).cpuMs;
  const start = performance.now();
  const sent = await sendClicks(server, planClicks(findings, clicks.perSecond * clicks.seconds), {
    perSecond: clicks.perSecond,
    sentences,
  });
  const seconds = (performance.now() - start) / 1000;
  const latencies = sent.flatMap((click) => click.latencies);
  const atOnce = Array.from({ length: hot === undefined ? 0 : clicks.hotKeyAtOnce }, (_, index) =>
    hotClick(index, hot),
  );
  const hotSent = await sendClicks(
    server,
    atOnce.filter((click) => click !== undefined),
    { perSecond: 1e6, sentences },
  );
  const { pending, waitedMs } = await untilSettled(server.awsUrl, limits.settleSeconds);
  const cpuMs = (await server.collected()).cpuMs - cpuBefore;
  const all: SentClick[] = [...sent, ...hotSent];
  return {
    ...{ sent: all, count: all.length, seconds, latencies, cpuMs },
    hotLatencies: hotSent.flatMap((click) => click.latencies),
    ...{ settled: pending === 0, settleSeconds: waitedMs / 1000 },
  };
}

function hotClick(index: number, finding: ShownFinding | undefined): Click | undefined {
  if (finding === undefined) return undefined;
  const people = ['approver', 'second-approver', 'not-an-approver', 'guest'] as const;
  return { by: people[index % people.length] ?? 'approver', finding, stale: false };
}

/** From the moment the key existed, without the grace period, to the moment of the message in the channel. */
function messageLatencies(keys: readonly PlannedKey[], messages: readonly RootMessage[]): number[] {
  const postedAt = new Map(messages.map(({ postId, ts }) => [postId.split('#')[0], Number(ts) * 1000]));
  return keys.flatMap(({ arn, createdAt }) => {
    const at = postedAt.get(arn);
    return at === undefined ? [] : [at - createdAt - GRACE_MS];
  });
}
