// What the bot costs in a month, from the synthesised stacks and what one finding was measured to take. Run: npm run cost
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { FUNCTIONS } from '../../functions/contracts/functions.ts';
import { PRICES } from './cost.ts';

/** List prices in USD of us-east-1 as published in 2025, beside those of cost.ts; no free tier, no taxes, no discounts. */
const MONTHLY = {
  /** One dollar, and one more for each of the first two rotations (AWS KMS, "Pricing"). */
  customerKey: 3,
  secret: 0.4,
  alarm: 0.1,
  dashboard: 3,
  /** Each combination of name and dimensions. */
  metric: 0.3,
} as const;
const TRACE = 5 / 1e6;
const SCHEDULED_INVOCATION = 1 / 1e6;
const STATE_TRANSITION = 0.025 / 1000;

const HOURS = 730;
const MINUTES = HOURS * 60;
const DAYS = HOURS / 24;

/** Assumed, from local runs at twice their time: how long a sweep of deadlines with nothing due takes. */
const IDLE_SWEEP_SECONDS = 0.1;
/** Our own metrics that appear without any finding: gauges and counts of sweep-keys, and heartbeats at detect-finding. */
const IDLE_METRICS = 9;
/** A queue that Lambda reads is asked by five pollers, each waiting up to 20 s (Lambda Developer Guide, "Using Lambda with SQS"). */
const POLLS_PER_QUEUE = (5 * 3600 * HOURS) / 20;
/** DescribeKey, ListAliases, ListResourceTags and GetKeyRotationStatus. */
const KMS_CALLS_PER_LOOK = 4;
/** Keys that a sweep looks at in a second, see functions/sweep-keys. */
const KEYS_PER_SECOND = 20;
/** Of a finding that is opened, approved by a click and remediated; measured by npm run bench, every function cold. */
const USD_PER_FINDING = 0.00026;

const template = z.object({ Resources: z.record(z.string(), z.object({ Type: z.string() })) });
const { Resources: resources } = template.parse(
  JSON.parse(readFileSync('cdk.out/single/kms-rotation-bot-hub.template.json', 'utf8')),
);
const count = (type: string) => Object.values(resources).filter(({ Type }) => Type === type).length;

const sweepGigabytes = FUNCTIONS['sweep-keys'].memoryMb / 1024;
const lambda = (runs: number, seconds: number) =>
  runs * (PRICES.lambdaRequest + seconds * sweepGigabytes * PRICES.lambdaGigabyteSecond);

type Line = [what: string, arithmetic: string, usd: number];

const alarms = count('AWS::CloudWatch::Alarm');
const dashboards = count('AWS::CloudWatch::Dashboard');
const keys = count('AWS::KMS::Key');
const secrets = count('AWS::SecretsManager::Secret');

const idle: Line[] = [
  ['customer key', `${keys} x ${MONTHLY.customerKey} (after its second rotation)`, keys * MONTHLY.customerKey],
  ['Slack secret', `${secrets} x ${MONTHLY.secret}`, secrets * MONTHLY.secret],
  ['alarms', `${alarms} x ${MONTHLY.alarm}`, alarms * MONTHLY.alarm],
  ['dashboard', `${dashboards} x ${MONTHLY.dashboard}`, dashboards * MONTHLY.dashboard],
  ['metrics of the bot', `${IDLE_METRICS} x ${MONTHLY.metric}`, IDLE_METRICS * MONTHLY.metric],
  ['sweep of deadlines, Lambda', `${MINUTES} runs of ${IDLE_SWEEP_SECONDS} s`, lambda(MINUTES, IDLE_SWEEP_SECONDS)],
  ['sweep of deadlines, reads', `${MINUTES} x 2 read units`, MINUTES * 2 * PRICES.dynamoDbReadUnit],
  ['schedules', `${MINUTES} invocations`, MINUTES * SCHEDULED_INVOCATION],
  ['polling two queues', `2 x ${POLLS_PER_QUEUE} requests`, 2 * POLLS_PER_QUEUE * PRICES.sqsRequest],
  ['traces', `${MINUTES} x 1`, MINUTES * TRACE],
  ['logs', `${MINUTES} x 1 KB`, (MINUTES * 1000 * PRICES.logGigabyte) / 1e9],
];

const looks = 1000 * DAYS;
const perThousandKeys: Line[] = [
  [
    'KMS requests of the daily sweep',
    `1000 x ${DAYS.toFixed(1)} days x ${KMS_CALLS_PER_LOOK}`,
    looks * KMS_CALLS_PER_LOOK * PRICES.kmsRequest,
  ],
  ['Lambda', `${DAYS.toFixed(1)} x ${1000 / KEYS_PER_SECOND} s`, lambda(DAYS, 1000 / KEYS_PER_SECOND)],
  ['reads', `${looks.toFixed(0)} x 1 read unit`, looks * PRICES.dynamoDbReadUnit],
  ['state transitions', `${DAYS.toFixed(1)} x 30`, DAYS * 30 * STATE_TRANSITION],
];

const perThousandFindings: Line[] = [
  ['opened, approved, remediated', `1000 x ${USD_PER_FINDING} (npm run bench)`, 1000 * USD_PER_FINDING],
];

print('Idle, a month', idle);
print('For every 1,000 keys, a month', perThousandKeys);
print('For every 1,000 findings', perThousandFindings);
console.log(`Prices: ${PRICES.region}, ${PRICES.asOf}, USD, without free tier, taxes, discounts and storage.`);

function print(title: string, lines: readonly Line[]): void {
  const total = lines.reduce((sum, [, , usd]) => sum + usd, 0);
  console.log(`${title}: ${total.toFixed(2)} USD`);
  for (const [what, arithmetic, usd] of lines) {
    console.log(`  ${what.padEnd(34)} ${arithmetic.padEnd(44)} ${usd.toFixed(3)}`);
  }
}
