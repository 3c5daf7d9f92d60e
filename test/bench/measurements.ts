import { CreateKeyCommand } from '@aws-sdk/client-kms';
import type { FunctionName } from '../../functions/contracts/functions.ts';
import type { StreamRecord } from '../../sandbox/aws/dynamodb/stream-store.ts';
import { type FunctionProcess, invokeCold, startFunction } from '../support/function-process.ts';
import type { SimulatedServices } from '../support/simulated-services.ts';
import { approvalOf, openFinding } from './clicks.ts';
import { waited } from './figures.ts';

/** Where the services are, and the bundles. */
export type Place = { services: SimulatedServices; pathOf: (name: Bundle) => string };

/** A function of the bot, or decide-finding in the stock variant. */
export type Bundle = FunctionName | 'stock';

export type Both<T> = Record<'ours' | 'stock', T[]>;

/** Not counted: until then V8 is still compiling. */
const WARM_UP = 20;

/** One invocation, milliseconds: what the function computed, and the clock without the time that services took. */
export type Timing = { cpu: number; clock: number };

async function time({ services }: Place, started: FunctionProcess, event: unknown): Promise<Timing> {
  services.takeCalls();
  const { call } = await started.invoke(event);
  return { cpu: call.cpuMs, clock: call.ms - waited(services.takeCalls()) };
}

/** Asks about each bundle, one after another. */
export async function forEachBundle<T>(ask: (name: Bundle) => Promise<T>): Promise<Record<Bundle, T>> {
  return {
    'detect-finding': await ask('detect-finding'),
    'decide-finding': await ask('decide-finding'),
    'remediate-key': await ask('remediate-key'),
    'announce-finding': await ask('announce-finding'),
    'sweep-keys': await ask('sweep-keys'),
    stock: await ask('stock'),
  };
}

/** Own time of loading, in fresh processes, all in turn. */
export async function measureInits({ services, pathOf }: Place, runs: number): Promise<Record<Bundle, number[]>> {
  const inits = await forEachBundle(() => Promise.resolve<number[]>([]));
  for (let run = 0; run < runs; run += 1) {
    await forEachBundle(async (name) => {
      const started = await startFunction({ bundle: pathOf(name), environment: services.environment });
      inits[name].push(started.first.init.cpuMs);
      await started.stop();
    });
  }
  return inits;
}

/** From the start of the process to the answer, without the time that the services took; ours and stock in turn. */
export async function measureColdClicks({ services, pathOf }: Place, runs: number): Promise<Both<Timing>> {
  const times: Both<Timing> = { ours: [], stock: [] };
  for (let run = 0; run < runs; run += 1) {
    for (const who of ['ours', 'stock'] as const) {
      const event = approvalOf(await openFinding(services), services.signingSecret);
      const bundle = pathOf(who === 'ours' ? 'decide-finding' : 'stock');
      services.takeCalls();
      const before = performance.now();
      const { answer, sinceStartCpuMs } = await invokeCold({ bundle, environment: services.environment }, event);
      const clock = performance.now() - before - waited(services.takeCalls());
      times[who].push({ cpu: sinceStartCpuMs, clock });
      expectStatus200(answer);
    }
  }
  return times;
}

/** Clicks of a container that has been running for a while; ours and stock in turn. */
export async function measureWarmClicks(place: Place, runs: number): Promise<Both<Timing>> {
  const { services, pathOf } = place;
  const { environment, signingSecret } = services;
  const ours = await startFunction({ bundle: pathOf('decide-finding'), environment });
  const stock = await startFunction({ bundle: pathOf('stock'), environment });
  const times: Both<Timing> = { ours: [], stock: [] };
  for (let run = -WARM_UP; run < runs; run += 1) {
    for (const [who, started] of [['ours', ours] as const, ['stock', stock] as const]) {
      const event = approvalOf(await openFinding(services), signingSecret);
      const timing = await time(place, started, event);
      if (run >= 0) times[who].push(timing);
    }
  }
  await Promise.all([ours.stop(), stock.stop()]);
  return times;
}

/** From an event to the stored finding, and with the posting of its message added; each about a new key. */
export async function measureEvents(place: Place, runs: number): Promise<{ detect: Timing[]; posted: Timing[] }> {
  const { services, pathOf } = place;
  const { environment } = services;
  const detect = await startFunction({ bundle: pathOf('detect-finding'), environment });
  const announce = await startFunction({ bundle: pathOf('announce-finding'), environment });
  const times: { detect: Timing[]; posted: Timing[] } = { detect: [], posted: [] };
  services.takeStreamRecords();
  for (let run = -WARM_UP; run < runs; run += 1) {
    const detected = await time(place, detect, await aKeyCreation(services));
    const [record] = auditRecords(services.takeStreamRecords());
    if (record === undefined) throw new Error('detect-finding stored no finding');
    const announced = await time(place, announce, { Records: [record] });
    if (run < 0) continue;
    times.detect.push(detected);
    times.posted.push({ cpu: detected.cpu + announced.cpu, clock: detected.clock + announced.clock });
  }
  await Promise.all([detect.stop(), announce.stop()]);
  return times;
}

/** Messages when very many findings open at once; one container, one record after another. */
export async function measureStorm(place: Place, runs: number): Promise<Timing[]> {
  const { services, pathOf } = place;
  const announce = await startFunction({ bundle: pathOf('announce-finding'), environment: services.environment });
  services.takeStreamRecords();
  for (let run = -WARM_UP; run < runs; run += 1) await openFinding(services);
  const times: Timing[] = [];
  for (const record of auditRecords(services.takeStreamRecords())) {
    times.push(await time(place, announce, { Records: [record] }));
  }
  await announce.stop();
  return times.slice(WARM_UP);
}

/** Makes a key; answers the message in which SQS brings the event about it. */
export async function aKeyCreation(services: SimulatedServices): Promise<unknown> {
  services.takeEvents();
  await services.kms.send(new CreateKeyCommand({ Description: 'orders' }));
  return queueMessage(services, services.takeEvents()[0]);
}

export function queueMessage({ changesQueueArn }: SimulatedServices, event: unknown): unknown {
  const message = { messageId: 'message', receiptHandle: 'receipt', eventSourceARN: changesQueueArn };
  return { Records: [{ ...message, body: JSON.stringify(event) }] };
}

/** The records that start functions: new audit events. */
export function auditRecords(records: readonly StreamRecord[]): StreamRecord[] {
  return records.filter(({ dynamodb }) => dynamodb.NewImage?.['eventType'] !== undefined);
}

/** Faster than right is no use. */
function expectStatus200(answer: unknown): void {
  if (typeof answer === 'object' && answer !== null && 'statusCode' in answer && answer.statusCode === 200) return;
  throw new Error(`a click was answered with ${JSON.stringify(answer)}`);
}
