import { createFindingsTable } from '../../functions/adapters/findings-table.ts';
import type { FunctionName } from '../../functions/contracts/functions.ts';
import { auditEventFilter, STREAM_CONSUMERS } from '../../functions/contracts/stream-consumers.ts';
import { partitionOf } from '../../functions/contracts/table.ts';
import { matches } from '../../sandbox/aws/event-bridge.ts';
import { invokeCold } from '../support/function-process.ts';
import type { ServiceCall } from '../support/simulated-services.ts';
import { approvalOf } from './clicks.ts';
import { costOf, writeUnitsOf } from './cost.ts';
import { aKeyCreation, auditRecords, type Place, queueMessage } from './measurements.ts';

/** What one finding takes that is opened, approved by a click and remediated. */
export type MainPath = {
  awsCalls: number;
  slackCalls: number;
  calls: { by: FunctionName; calls: string }[];
  /** USD per finding, by service. */
  cost: Record<string, number>;
  costPerFinding: number;
};

const CONSUMERS = ['announce-finding', 'remediate-key', 'detect-finding'] as const;

/** Walks the path once, every invocation in a container of its own: nothing is cached, so this is the most it takes. */
export async function walkMainPath({ services, pathOf }: Place): Promise<MainPath> {
  const made: { by: FunctionName; calls: ServiceCall[] }[] = [];
  let lambdaMs = 0;
  async function invoke(by: FunctionName, event: unknown): Promise<void> {
    services.takeCalls();
    const { init, call } = await invokeCold({ bundle: pathOf(by), environment: services.environment }, event);
    lambdaMs += init.ms + call.ms;
    made.push({ by, calls: services.takeCalls() });
  }
  /** Hands every new audit event to the functions that the stream starts for it, until nothing new comes. */
  async function react(): Promise<void> {
    for (let records = news(); records.length > 0; records = news()) {
      for (const record of records) {
        for (const name of CONSUMERS) {
          if (matches(auditEventFilter(STREAM_CONSUMERS[name]), record)) await invoke(name, { Records: [record] });
        }
      }
    }
  }
  const news = () => auditRecords(services.takeStreamRecords());

  news();
  await invoke('detect-finding', await aKeyCreation(services));
  const findings = createFindingsTable(services.table);
  const arn = (await findings.findingsByStatus('open')).at(-1)?.key.arn ?? '';
  await react();
  await invoke('decide-finding', approvalOf(arn, services.signingSecret));
  await react();
  // The bot's own EnableKeyRotation comes back as an event.
  const events = services.takeEvents();
  for (const event of events) await invoke('detect-finding', queueMessage(services, event));
  const status = (await findings.load(arn)).finding?.status;
  if (status !== 'remediated') throw new Error(`the finding ended as ${status ?? 'nothing'}, not as remediated`);

  const all = made.flatMap(({ calls }) => calls);
  const count = (service: string, operation?: string) =>
    all.filter((call) => call.service === service && (operation ?? call.operation) === call.operation).length;
  const items = await services.table.query({
    keyCondition: { expression: 'pk = :pk', values: { ':pk': partitionOf(arn) } },
  });
  const cost = costOf({
    lambdaInvocations: made.length,
    lambdaMs,
    httpApiRequests: made.filter(({ by }) => by === 'decide-finding').length,
    events: 1 + events.length,
    snsPublishes: count('SNS'),
    kmsRequests: count('KMS'),
    secretReads: count('Secrets Manager'),
    writeUnits: writeUnitsOf(items, count('DynamoDB', 'TransactWriteItems'), count('DynamoDB', 'UpdateItem')),
    readUnits: count('DynamoDB', 'GetItem') + 2 * count('DynamoDB', 'Query'),
  });
  const slackCalls = count('Slack');
  return {
    awsCalls: all.length - slackCalls,
    slackCalls,
    calls: made.map(({ by, calls }) => ({ by, calls: callsText(calls) })),
    cost,
    costPerFinding: Object.values(cost).reduce((sum, usd) => sum + usd, 0),
  };
}

function callsText(calls: readonly ServiceCall[]): string {
  const counts = new Map<string, number>();
  for (const { service, operation } of calls) {
    const name = `${service} ${operation}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, times]) => (times === 1 ? name : `${times} x ${name}`)).join(', ');
}
