import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { OrganizationsClient } from '@aws-sdk/client-organizations';
import { SNSClient } from '@aws-sdk/client-sns';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import * as z from 'zod/mini';
import { listWatchedAccounts } from '../adapters/accounts.ts';
import { createCarryOut } from '../adapters/carry-out.ts';
import { createCarryOutPattern } from '../adapters/carry-out-pattern.ts';
import { digest } from '../adapters/digest.ts';
import { createDigestUpkeep, parseDigestOrder } from '../adapters/digest-upkeep.ts';
import { tableOverSdk } from '../adapters/dynamodb-sdk.ts';
import { createFindingsTable } from '../adapters/findings-table.ts';
import { createKeyReader } from '../adapters/kms.ts';
import { createMetrics } from '../adapters/metrics.ts';
import { createPatternsTable, parsePatternImage } from '../adapters/patterns-table.ts';
import { createPolicyStore } from '../adapters/policy-store.ts';
import { offsetAt } from '../adapters/time-zone.ts';
import { createTopic } from '../adapters/topic.ts';
import { parseEnv, sweepKeysEnv } from '../contracts/env.ts';
import type { Alert } from '../contracts/notice.ts';
import { type ListedPlaces, type Place, type ScannedPlace, sweepTask } from '../contracts/sweep.ts';
import { PATTERN_RECORD_SORT_KEY_PREFIX } from '../contracts/table.ts';
import { applyPattern } from './apply-pattern.ts';
import { approveBatch } from './approve-batch.ts';
import { countFindings, countStuck } from './gauges.ts';
import { keepDigests } from './keep-digests.ts';
import { keepPatterns } from './keep-patterns.ts';
import { listPlaces } from './list-places.ts';
import { scanPlace } from './scan-place.ts';
import { type SweepCounts, SweepIncomplete, sweepFindings } from './sweep-keys.ts';

const env = parseEnv(sweepKeysEnv, process.env);
const logger = new Logger({ serviceName: 'sweep-keys', logLevel: env.LOG_LEVEL });
const metrics = createMetrics('sweep-keys', process.env);
const table = tableOverSdk({ client: DynamoDBDocumentClient.from(new DynamoDBClient({})), tableName: env.TABLE_NAME });
const organizations = new OrganizationsClient({});
const findings = createFindingsTable(table);
const patterns = createPatternsTable(table);
const policies = createPolicyStore({ table, now: () => new Date() });
const loadPolicy = () => policies.loadPolicy();
const topic = createTopic({ client: new SNSClient({}), topicArn: env.TOPIC_ARN });
const reader = createKeyReader({
  roleName: env.READ_ROLE_NAME,
  externalId: env.EXTERNAL_ID,
  sessionName: 'sweep-keys',
  stsRegion: process.env['AWS_REGION'],
});
const regions = env.WATCHED_REGIONS.split(',');
const deps = {
  ...{ loadPolicy, pause, regions },
  now: () => new Date(),
  findingsDueBefore: (now: string, limit: number) => findings.findingsDueBefore(now, limit),
  listKeys: reader.listKeys,
  observeKey: reader.observeKey,
  patternsOf: (accountId: string) => patterns.ofAccount(accountId),
  carryOut: createCarryOut({ table: findings, loadPolicy, newId: randomUUID, digest }),
  alert: (alert: Alert) => topic.publishAlert(alert),
  offsetAt,
};
const carryOutPattern = createCarryOutPattern({ table: patterns, loadPolicy, newId: randomUUID, digest });
const digests = createDigestUpkeep(table);

/** The stream's records of new batches, orders to go on with one, and what was decided about patterns. */
const streamEvent = z.object({
  Records: z.array(
    z.object({
      dynamodb: z.object({
        Keys: z.looseObject({ sk: z.object({ S: z.string() }) }),
        NewImage: z.optional(z.unknown()),
      }),
    }),
  ),
});
type StreamRecords = z.infer<typeof streamEvent>['Records'];

/** Enough for the finding, or the page of keys, that is being worked on. */
const RESERVE_MS = 20_000;

/**
 * What EventBridge Scheduler calls every minute, the state machine of the sweep once a day, and the table's stream for
 * "Approve all" and for exemptions of patterns.
 */
export const handler = middy()
  .use(injectLambdaContext(logger, { logEvent: false, resetKeys: true }))
  .use(metrics.middleware)
  .onError(({ error }) => {
    if (error instanceof SweepIncomplete) {
      metrics.put([...DONE, { name: 'DueFindingsFailed', value: error.counts.failed }]);
    } else if (error?.name === 'PolicyUnreadable') {
      metrics.put([{ name: 'PolicyUnreadable', value: 1 }]);
    }
    logger.error('not finished; the next run tries again', { error });
  })
  .handler(async (event: unknown, context: Context): Promise<SweepCounts | ListedPlaces | ScannedPlace | null> => {
    const stream = streamEvent.safeParse(event).data;
    if (stream !== undefined) {
      await react(stream.Records, context);
      return null;
    }
    const task = sweepTask.parse(event);
    switch (task.task) {
      case 'deadlines':
        return await meetDeadlines(context);
      case 'list-places':
        return await list(task.marker, context);
      case 'scan-place':
        return await scan(task, context);
    }
  });

async function meetDeadlines(context: Context): Promise<SweepCounts> {
  const now = new Date();
  try {
    const counts = await sweepFindings(now.toISOString(), { ...deps, hasTime: hasTimeIn(context) });
    metrics.put(DONE);
    if (counts.due > 0) logger.info('swept', { counts });
    metrics.put(await gauges(now));
    return counts;
  } finally {
    // A finding that cannot be brought forward must not keep the digests from being current, nor patterns from ending.
    await Promise.allSettled([
      keepDigests(digestDeps(context)),
      keepPatterns(now.toISOString(), patternDeps(context)),
    ]).then(rethrow);
  }
}

async function react(records: StreamRecords, context: Context): Promise<void> {
  for (const { dynamodb } of records) {
    if (dynamodb.Keys.sk.S.startsWith(PATTERN_RECORD_SORT_KEY_PREFIX)) {
      const { patternId } = parsePatternImage(dynamodb.NewImage);
      logger.info('pattern', { patternId, run: await applyPattern(patternId, patternDeps(context)) });
      continue;
    }
    const order = parseDigestOrder(dynamodb.Keys);
    logger.info('batch', { ...order, run: await approveBatch(order, digestDeps(context)) });
  }
}

function digestDeps(context: Context) {
  return { ...deps, digests, now: () => new Date().toISOString(), hasTime: hasTimeIn(context) };
}

function patternDeps(context: Context) {
  return {
    ...{ loadPolicy, carryOutPattern, carryOut: deps.carryOut },
    now: () => new Date().toISOString(),
    hasTime: hasTimeIn(context),
    loadPattern: async (id: string) => (await patterns.load(id)).pattern,
    patternsDueBefore: (now: string, limit: number) => patterns.dueBefore(now, limit),
    findingsPage: (...page: Parameters<typeof findings.findingsPage>) => findings.findingsPage(...page),
  };
}

/** What went wrong, once all have come to an end. */
function rethrow(results: PromiseSettledResult<unknown>[]): void {
  const failed = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  if (failed.length === 1) throw failed[0];
  if (failed.length > 1) throw new AggregateError(failed, 'digests or patterns were not all kept');
}

const DONE = [
  { name: 'SweepsDone', value: 1 },
  { name: 'PolicyUnreadable', value: 0 },
] as const;

/** How long counts of findings stay good enough for a chart. */
const COUNT_EVERY_MS = 15 * 60_000;
let countedAt = 0;

async function gauges(now: Date) {
  const at = now.toISOString();
  const stuck = await countStuck(at, findings);
  // A clock that went back must not end the counting.
  if (Math.abs(now.getTime() - countedAt) < COUNT_EVERY_MS) return stuck;
  const counted = await countFindings(at, findings);
  countedAt = now.getTime();
  return [...stuck, ...counted];
}

async function list(marker: string | null, context: Context): Promise<ListedPlaces> {
  const { accountId: hubAccount } = homeOf(context);
  const units = env.WATCHED_UNITS?.split(',');
  const listAccounts = () =>
    units === undefined ? Promise.resolve([hubAccount]) : listWatchedAccounts(organizations, { units, hubAccount });
  return await listPlaces(marker, { loadPolicy, listAccounts, regions });
}

async function scan({ accountId, region, marker, counts }: Place, context: Context): Promise<ScannedPlace> {
  const { place, errors } = await scanPlace(
    { accountId, region, marker, counts },
    { ...deps, home: homeOf(context), hasTime: hasTimeIn(context) },
  );
  for (const error of errors) logger.error('a key could not be looked at', { accountId, region, error });
  logger.info('scanned', { place });
  return place;
}

/** The function's own partition, Region and account, which its ARN names. */
function homeOf({ invokedFunctionArn }: Context) {
  const [, partition = '', , region = '', accountId = ''] = invokedFunctionArn.split(':');
  return { partition, region, accountId };
}

function hasTimeIn(context: Context): () => boolean {
  return () => context.getRemainingTimeInMillis() > RESERVE_MS;
}
