import type { Item } from '../../functions/adapters/dynamodb.ts';

/** List prices in USD for us-east-1 as published in 2025; no free tier, no taxes, no discounts. */
export const PRICES = {
  region: 'us-east-1',
  asOf: '2025',
  lambdaRequest: 0.2 / 1e6,
  /** arm64, first tier. */
  lambdaGigabyteSecond: 0.0000133334,
  httpApiRequest: 1 / 1e6,
  /** An event that reaches the bus of another account. */
  eventBridgeEvent: 1 / 1e6,
  sqsRequest: 0.4 / 1e6,
  snsPublish: 0.5 / 1e6,
  dynamoDbWriteUnit: 0.625 / 1e6,
  dynamoDbReadUnit: 0.125 / 1e6,
  kmsRequest: 0.03 / 1e4,
  secretRead: 0.05 / 1e4,
  logGigabyte: 0.5,
} as const;

export const ASSUMPTIONS = [
  `list prices of ${PRICES.region}, ${PRICES.asOf}, without free tier; storage, Slack, STS and stream reads by Lambda cost nothing here`,
  'every function starts cold: no policy, person, secret or credential is cached',
  '512 MB; billed duration is twice what was measured here; 1 KB of log per invocation',
  'per message in SQS one send, one receive, one delete; per CloudTrail event one hop between accounts',
  'DynamoDB: transactional writes count twice; a changed snapshot is removed from and added to each of two indexes',
] as const;

export type Usage = {
  lambdaInvocations: number;
  /** Measured here, all functions together. */
  lambdaMs: number;
  httpApiRequests: number;
  events: number;
  snsPublishes: number;
  kmsRequests: number;
  secretReads: number;
  writeUnits: number;
  readUnits: number;
};

const MEMORY_GB = 0.5;
const SLOWER_ON_LAMBDA = 2;

/** What one finding costs, by service, in USD. */
export function costOf(usage: Usage): Record<string, number> {
  return {
    Lambda:
      usage.lambdaInvocations * PRICES.lambdaRequest +
      (usage.lambdaMs / 1000) * SLOWER_ON_LAMBDA * MEMORY_GB * PRICES.lambdaGigabyteSecond,
    DynamoDB: usage.writeUnits * PRICES.dynamoDbWriteUnit + usage.readUnits * PRICES.dynamoDbReadUnit,
    KMS: usage.kmsRequests * PRICES.kmsRequest,
    'Secrets Manager': usage.secretReads * PRICES.secretRead,
    'EventBridge and SQS': usage.events * (PRICES.eventBridgeEvent + 3 * PRICES.sqsRequest),
    'HTTP API': usage.httpApiRequests * PRICES.httpApiRequest,
    SNS: usage.snsPublishes * PRICES.snsPublish,
    Logs: (usage.lambdaInvocations * 1000 * PRICES.logGigabyte) / 1e9,
  };
}

const WRITE_UNIT_BYTES = 1024;
const INDEX_KEYS = ['groupKey', 'timeKey'] as const;

/**
 * Write units of a finding's whole story. Events and causes are written once, in transactions; the snapshot with every
 * one of `transactions`; `updates` are the claims on messages.
 */
export function writeUnitsOf(items: readonly Item[], transactions: number, updates: number): number {
  let units = updates;
  for (const item of items) {
    const size = Math.ceil(Buffer.byteLength(JSON.stringify(item)) / WRITE_UNIT_BYTES);
    const indexes = INDEX_KEYS.filter((key) => item[key] !== undefined).length;
    if (item['sk'] === 'FINDING') units += transactions * size * (2 + 2 * INDEX_KEYS.length);
    else if (String(item['sk']).startsWith('EVENT#')) units += size * (2 + indexes);
  }
  // One row per cause that may come twice: it is small and in no index.
  return units + 2 * transactions;
}
