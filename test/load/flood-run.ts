import { SlackReceiver } from '../../functions/adapters/slack-receiver.ts';
import { toHttpApiEvent } from '../../sandbox/lambda/http-api.ts';
import { sendClicks } from './click-run.ts';
import type { Click, ShownFinding } from './clicks.ts';
import { flood } from './flood-process.ts';
import { forgeries } from './forgery.ts';
import { untilSettled } from './outside.ts';
import { spreadOf } from './percentiles.ts';
import type { Plan } from './plan.ts';
import { makeProblemKeys } from './problem-keys.ts';
import { latency, type Part, progress } from './report.ts';
import { listenForSentences } from './sentences.ts';
import { startServer } from './server-process.ts';

const KEYS = 20;

/** The same clicks alone and under a flood of forged requests, in one process: how much slower are they? */
export async function floodRun({ flood: { perSecond, clicksPerSecond, seconds }, limits }: Plan): Promise<Part> {
  const server = await startServer('off');
  const sentences = await listenForSentences();
  const send = async (clicks: readonly Click[]) => {
    const sent = await sendClicks(server, clicks, { perSecond: clicksPerSecond, sentences });
    return { latencies: sent.flatMap((click) => click.latencies), statuses: sent.flatMap((click) => click.statuses) };
  };
  try {
    const findings = await makeProblemKeys(server, KEYS, limits.settleSeconds);
    const clicks = refusedClicks(findings, clicksPerSecond * seconds);
    // What only the first calls pay is not what is compared.
    await send(refusedClicks(findings, KEYS));
    await untilSettled(server.awsUrl, limits.settleSeconds);
    progress(`${clicks.length} clicks alone, then under ${perSecond} forged requests a second`);
    const atStart = await server.collected();
    const idle = await send(clicks);
    const between = await server.collected();
    const flooding = flood(server.awsUrl, { perSecond, seconds: seconds + 1 });
    // Until the flood is at its rate.
    await new Promise((resolve) => setTimeout(resolve, 500));
    const flooded = await send(clicks);
    const { sent, seconds: took, statuses } = await flooding;
    const atEnd = await server.collected();
    // The same clicks were in both parts; what came on top is the flood's.
    const cpuMs = (atEnd.cpuMs - between.cpuMs - (between.cpuMs - atStart.cpuMs)) / sent;

    const { mixMs, largestMs } = await costOfRefusals();
    const [alone, under] = [spreadOf(idle.latencies), spreadOf(flooded.latencies)];
    const factor = under.p50 / alone.p50;
    const wrong = statuses.filter(([status]) => status !== 401).map(([status, count]) => `${count} times ${status}`);
    const late = [...idle.latencies, ...flooded.latencies].filter((ms) => ms > limits.clickMs).length;
    const bad = [...idle.statuses, ...flooded.statuses].filter((status) => status !== 200).length;
    return {
      rows: [
        { what: 'clicks alone', value: latency(idle.latencies) },
        { what: 'clicks under a flood', value: latency(flooded.latencies) },
        {
          what: 'flood',
          value: `${sent} forged requests in ${took.toFixed(1)} s (${(sent / took).toFixed(0)} a second)`,
        },
        {
          what: 'one forged request',
          value: `${mixMs.toFixed(3)} ms of CPU in the receiver, ${largestMs.toFixed(1)} ms at 1 MB; ${cpuMs.toFixed(2)} ms with HTTP and the simulated Lambda`,
        },
        { what: 'a day of it in AWS', value: priceOfDay(perSecond, mixMs) },
        {
          what: 'slower by',
          value: `${factor.toFixed(1)} times (p50), ${(under.p95 / alone.p95).toFixed(1)} times (p95); ${Number.isFinite(limits.floodFactor) ? `limit ${limits.floodFactor} times (p50), and ${limits.clickMs} ms for every click` : 'no limit in a quick run'}`,
        },
      ],
      violations: [
        ...(factor > limits.floodFactor ? [`clicks are ${factor.toFixed(1)} times as slow under the flood`] : []),
        ...(late > 0 ? [`${late} clicks were answered later than ${limits.clickMs} ms`] : []),
        ...(wrong.length > 0 ? [`forged requests were not answered with 401: ${wrong.join(', ')}`] : []),
        ...(bad > 0 ? [`${bad} clicks were not answered with 200`] : []),
      ],
    };
  } finally {
    await server.stop();
    await sentences.close();
  }
}

/** By people who may not: each is judged, recorded and answered with a sentence, and the next one finds things as before. */
function refusedClicks(findings: readonly ShownFinding[], count: number): Click[] {
  return Array.from({ length: count }, (_, index) => findings[index % findings.length])
    .filter((finding) => finding !== undefined)
    .map((finding) => ({ by: 'not-an-approver', finding, stale: false }));
}

/**
 * CPU time that the function itself needs to refuse one forged request, by the mix of the flood and for the largest; in
 * milliseconds. Without HTTP, which in AWS is the HTTP API's.
 */
async function costOfRefusals(): Promise<{ mixMs: number; largestMs: number }> {
  const receiver = new SlackReceiver({
    signingSecret: () => Promise.resolve('a secret that no forger knows'),
    logFailure: () => undefined,
    now: () => new Date(),
  });
  const requests = forgeries().map(({ headers, body }) => ({
    rawBody: body,
    event: toHttpApiEvent({
      method: 'POST',
      path: '/slack/events',
      rawQuery: '',
      headers,
      rawBody: body,
      sourceIp: '127.0.0.1',
    }),
  }));
  const largest = requests.filter(({ rawBody }) => rawBody.length >= 1_000_000);
  const cpuMsOf = async (events: readonly (typeof requests)[number][], rounds: number) => {
    const before = process.cpuUsage();
    for (let round = 0; round < rounds; round += 1) for (const { event } of events) await receiver.handle(event);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000 / (events.length * rounds);
  };
  await cpuMsOf(requests, 1);
  return { mixMs: await cpuMsOf(requests, 5), largestMs: await cpuMsOf(largest, 50) };
}

/** List prices in US dollars in N. Virginia, first tier and without the free one; arm64. */
const PRICES = { httpApiPerMillion: 1, lambdaPerMillion: 0.2, lambdaPerGbSecond: 0.0000133334 };
const MEMORY_GB = 0.5;

/** What somebody can make the owner pay with a flood that nothing throttles. Lambda bills at least a millisecond. */
function priceOfDay(perSecond: number, cpuMs: number): string {
  const requests = perSecond * 86_400;
  const api = (requests / 1e6) * PRICES.httpApiPerMillion;
  const invocations = (requests / 1e6) * PRICES.lambdaPerMillion;
  const duration = requests * (Math.ceil(cpuMs) / 1000) * MEMORY_GB * PRICES.lambdaPerGbSecond;
  const dollars = (amount: number) => `$${amount.toFixed(2)}`;
  return `${dollars(api + invocations + duration)} unthrottled: HTTP API ${dollars(api)}, invocations ${dollars(invocations)}, ${Math.ceil(cpuMs)} ms each at ${MEMORY_GB} GB ${dollars(duration)}`;
}
