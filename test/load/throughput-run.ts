import { sendClicks } from './click-run.ts';
import { type Click, planClicks, type ShownFinding, shownFinding } from './clicks.ts';
import { type PlannedKey, perform, planEvents } from './events.ts';
import { createHttpClient } from './http-client.ts';
import { type SentClick, violationsOf, wasToldUnfinished } from './invariants.ts';
import { lookAtWorld, type RootMessage, rootMessages, untilSettled } from './outside.ts';
import { atRate } from './pace.ts';
import type { Plan } from './plan.ts';
import { latency, megabytes, type Part, peak, progress } from './report.ts';
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
    progress(`${plan.events.total} events, ${plan.events.perMinute} a minute`);
    const events = await sendEvents(server, plan);
    const found = await rootMessages(server.awsUrl);
    const clicked = await clickAll(server, plan, found, sentences);
    const after = await server.collected();
    progress('looking at everything from outside');
    const world = await lookAtWorld(server.awsUrl);
    const violations = violationsOf(world, events.keys, clicked.sent);
    const requests = events.sent + clicked.sent.length;
    const kept = (after.heapUsed - before.heapUsed) / requests;
    const late = clicked.steady.latencies.filter((ms) => ms > plan.limits.clickMs).length;
    if (events.failed > 0) violations.push(`${events.failed} events could not be made`);
    if (!events.settled) violations.push(`the events had not settled after ${plan.limits.settleSeconds} s`);
    if (!clicked.settled) violations.push(`the clicks had not settled after ${plan.limits.settleSeconds} s`);
    if (late > 0) violations.push(`${late} clicks were answered later than ${plan.limits.clickMs} ms`);
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
      clicks: clicked.sent.length,
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
        { what: `clicks, ${plan.steady.perSecond} a second`, value: clickRow(clicked.steady) },
        { what: `clicks, ${plan.surge.perSecond} a second`, value: clickRow(clicked.surge) },
        { what: `clicks, ${plan.crowd} at once on one finding`, value: clickRow(clicked.crowd) },
        {
          what: 'CPU per click',
          value: `${(clicked.cpuMs / clicked.sent.length).toFixed(1)} ms, with remediation, simulated AWS and Slack`,
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
  const client = createHttpClient(server.awsUrl, { sockets: 64, timeoutMs: 120_000 });
  const cpuBefore = (await server.collected()).cpuMs;
  const start = performance.now();
  let failed = 0;
  await atRate(steps, { perSecond: plan.events.perMinute / 60, atMostOpen: 500 }, async (step) => {
    if (!(await perform(step, client))) failed += 1;
  });
  const seconds = (performance.now() - start) / 1000;
  client.close();
  progress('until the events have settled');
  const { pending, waitedMs } = await untilSettled(server.awsUrl, plan.limits.settleSeconds);
  const cpuMs = (await server.collected()).cpuMs - cpuBefore;
  return { keys, failed, seconds, cpuMs, sent: steps.length, settled: pending === 0, settleSeconds: waitedMs / 1000 };
}

async function clickAll(
  server: ServerProcess,
  { steady, surge, crowd, limits }: Plan,
  messages: readonly RootMessage[],
  sentences: Sentences,
) {
  const [crowded, ...findings] = messages.map(shownFinding);
  const half = Math.ceil(findings.length / 2);
  const cpuBefore = (await server.collected()).cpuMs;
  const part = async (clicks: readonly Click[], how: { perSecond: number; mustFinish?: boolean }) => {
    progress(
      `${clicks.length} clicks, ${Number.isFinite(how.perSecond) ? `${how.perSecond} a second` : 'all at once'}`,
    );
    const start = performance.now();
    const sent = await sendClicks(server, clicks, { ...how, sentences });
    const seconds = (performance.now() - start) / 1000;
    const { pending, waitedMs } = await untilSettled(server.awsUrl, limits.settleSeconds);
    const latencies = sent.flatMap((click) => click.latencies);
    return { sent, seconds, latencies, settled: pending === 0, settleSeconds: waitedMs / 1000 };
  };
  const parts = {
    steady: await part(planClicks(findings.slice(0, half), steady.perSecond * steady.seconds), steady),
    crowd: await part(crowded === undefined ? [] : crowdOn(crowded, crowd), { perSecond: Number.POSITIVE_INFINITY }),
    surge: await part(planClicks(findings.slice(half), surge.perSecond * surge.seconds), {
      perSecond: surge.perSecond,
      mustFinish: true,
    }),
  };
  const cpuMs = (await server.collected()).cpuMs - cpuBefore;
  const sent: SentClick[] = Object.values(parts).flatMap((one) => one.sent);
  return { ...parts, sent, cpuMs, settled: Object.values(parts).every((one) => one.settled) };
}

function crowdOn(finding: ShownFinding, count: number): Click[] {
  const people = ['approver', 'second-approver', 'not-an-approver', 'guest'] as const;
  return Array.from({ length: count }, (_, index) => ({
    by: people[index % people.length] ?? 'approver',
    finding,
    stale: false,
  }));
}

function clickRow({
  sent,
  seconds,
  latencies,
  settleSeconds,
}: {
  sent: SentClick[];
  seconds: number;
  latencies: number[];
  settleSeconds: number;
}): string {
  const unfinished = sent.filter(wasToldUnfinished).length;
  return `${sent.length} answered within ${seconds.toFixed(1)} s, ${unfinished} told that it could not be finished, settled ${settleSeconds.toFixed(1)} s later; to the answer ${latency(latencies)}`;
}

/** From the moment the key existed, without the grace period, to the moment of the message in the channel. */
function messageLatencies(keys: readonly PlannedKey[], messages: readonly RootMessage[]): number[] {
  const postedAt = new Map(messages.map(({ postId, ts }) => [postId.split('#')[0], Number(ts) * 1000]));
  return keys.flatMap(({ arn, createdAt }) => {
    const at = postedAt.get(arn);
    return at === undefined ? [] : [at - createdAt - GRACE_MS];
  });
}
