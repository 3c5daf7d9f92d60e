import { randomUUID } from 'node:crypto';
import { ACCOUNTS, REGIONS, type Region } from '../../sandbox/world.ts';
import type { HttpClient } from './http-client.ts';
import type { Plan } from './plan.ts';

/** What is done to make one event, or what is delivered again. */
type Step =
  | { kind: 'create'; key: PlannedKey }
  | { kind: 'enable' | 'disable' | 'tag'; key: PlannedKey }
  | { kind: 'deliver'; key: PlannedKey; eventId: string };

/** A key of the run. `arn` and `createdAt` (epoch milliseconds) are known once it was made. */
export type PlannedKey = {
  is: 'problem' | 'fine' | 'rotating';
  accountId: string;
  region: Region;
  arn: string | undefined;
  createdAt: number;
};

const CHANGES_QUEUE = '/000000000000/kms-key-changes';

export type EventRun = { keys: PlannedKey[]; steps: Step[] };

/**
 * The events of a run, in the order in which they are sent: keys over all accounts and Regions, most of them created,
 * many switched off again, some only tagged, and some messages delivered twice or more, as EventBridge and SQS may.
 * The same plan gives the same run, but for ids.
 */
export function planEvents({ events }: Plan): EventRun {
  const keysOf = (is: PlannedKey['is'], count: number) =>
    Array.from({ length: count }, (_, index) => plannedKey(is, index));
  const problems = keysOf('problem', events.problemKeys);
  const fine = keysOf('fine', events.fineKeys);
  const rotating = keysOf('rotating', events.rotatingKeys);
  const created = [...problems, ...fine, ...rotating].map((key): Step => ({ kind: 'create', key }));
  const settling = repeated([...problems, ...fine], events.settling).map((key): Step => ({ kind: 'tag', key }));
  // Half of these are the second delivery of the other half.
  const delivered = repeated(problems, Math.ceil(events.deliveries / 2)).flatMap((key): Step[] => {
    const step: Step = { kind: 'deliver', key, eventId: randomUUID() };
    return [step, step];
  });
  const enabled = rotating.map((key): Step => ({ kind: 'enable', key }));
  const rest = events.total - created.length - settling.length - delivered.length - enabled.length;
  const disabled = repeated(problems, rest).map((key): Step => ({ kind: 'disable', key }));
  return {
    keys: [...problems, ...fine, ...rotating],
    steps: interleaved(created, [...settling, ...delivered, ...disabled], enabled),
  };
}

function plannedKey(is: PlannedKey['is'], index: number): PlannedKey {
  const account = ACCOUNTS[index % ACCOUNTS.length] ?? ACCOUNTS[0];
  const region = REGIONS[Math.floor(index / ACCOUNTS.length) % REGIONS.length] ?? REGIONS[0];
  return { is, region, accountId: account?.id ?? '', arn: undefined, createdAt: 0 };
}

function repeated<T>(items: readonly T[], count: number): T[] {
  return Array.from({ length: count }, (_, index) => items[index % items.length]).filter((item) => item !== undefined);
}

/**
 * Spreads the creations over the whole run; what is done to a key comes after its creation, and rotation is switched
 * on right after it, within the grace period, as Terraform does.
 */
function interleaved(created: readonly Step[], later: readonly Step[], enabled: readonly Step[]): Step[] {
  const steps: Step[] = [];
  const made = new Set<PlannedKey>();
  const enabling = new Map(enabled.map((step) => [step.key, step]));
  const spread = created
    .map((step, index) => ({ step, place: (index * 7919) % created.length }))
    .sort((a, b) => a.place - b.place);
  let waiting = [...later];
  const share = later.length / created.length;
  let owed = 0;
  for (const { step } of spread) {
    steps.push(step);
    made.add(step.key);
    const enable = enabling.get(step.key);
    if (enable !== undefined) steps.push(enable);
    owed += share;
    if (owed < 50) continue;
    const due = waiting.filter(({ key }) => made.has(key)).slice(0, owed);
    const sent = new Set(due);
    waiting = waiting.filter((other) => !sent.has(other));
    steps.push(...due);
    owed -= due.length;
  }
  return [...steps, ...waiting];
}

/** Makes one event happen: a call to the simulated KMS, or a message put into the bot's queue. Answers whether it did. */
export async function perform(step: Step, client: HttpClient): Promise<boolean> {
  const { key } = step;
  if (step.kind === 'create') return await createKey(key, client);
  // Its creation is still on the way, or failed.
  for (let left = 200; key.arn === undefined && left > 0; left -= 1)
    await new Promise((resolve) => setTimeout(resolve, 20));
  if (key.arn === undefined) return false;
  if (step.kind === 'deliver') {
    const message = {
      QueueUrl: `${client.url}${CHANGES_QUEUE}`,
      MessageBody: JSON.stringify(disableEvent(key, key.arn, step.eventId)),
    };
    const headers = awsHeaders({ accountId: '111122223333', region: 'eu-central-1' }, 'sqs', 'AmazonSQS.SendMessage');
    return (await client.post('/', headers, JSON.stringify(message))).status === 200;
  }
  const [operation, input] = callOf(step.kind, key.arn);
  const { status } = await client.post('/', awsHeaders(key, 'kms', `TrentService.${operation}`), JSON.stringify(input));
  return status === 200;
}

/** Makes the key, and notes its ARN and when it came into being. */
export async function createKey(key: PlannedKey, client: HttpClient): Promise<boolean> {
  const spec = key.is === 'fine' ? { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' } : {};
  const { status, body } = await client.post(
    '/',
    awsHeaders(key, 'kms', 'TrentService.CreateKey'),
    JSON.stringify(spec),
  );
  key.createdAt = Date.now();
  key.arn = /"Arn":"([^"]+)"/.exec(body)?.[1];
  return status === 200 && key.arn !== undefined;
}

function callOf(kind: 'enable' | 'disable' | 'tag', arn: string): [string, object] {
  switch (kind) {
    case 'enable':
      return ['EnableKeyRotation', { KeyId: arn, RotationPeriodInDays: 365 }];
    case 'disable':
      return ['DisableKeyRotation', { KeyId: arn }];
    case 'tag':
      return ['TagResource', { KeyId: arn, Tags: [{ TagKey: 'team', TagValue: 'load' }] }];
  }
}

function awsHeaders(
  { accountId, region }: { accountId: string; region: string },
  service: 'kms' | 'sqs',
  target: string,
): Record<string, string> {
  return {
    'content-type': service === 'kms' ? 'application/x-amz-json-1.1' : 'application/x-amz-json-1.0',
    'x-amz-target': target,
    authorization: `AWS4-HMAC-SHA256 Credential=${accountId}/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
  };
}

/** An event as EventBridge delivers it; delivered again it has the same `eventID`. */
function disableEvent({ accountId, region }: PlannedKey, arn: string, eventId: string): object {
  const time = `${new Date().toISOString().slice(0, 19)}Z`;
  return {
    ...{ version: '0', id: eventId, source: 'aws.kms', 'detail-type': 'AWS API Call via CloudTrail' },
    ...{ account: accountId, region, time, resources: [] },
    detail: {
      ...{ eventVersion: '1.11', eventID: eventId, eventName: 'DisableKeyRotation', eventSource: 'kms.amazonaws.com' },
      ...{ eventTime: time, awsRegion: region, recipientAccountId: accountId, readOnly: false },
      userIdentity: { type: 'IAMUser', accountId, userName: 'load', arn: `arn:aws:iam::${accountId}:user/load` },
      ...{ userAgent: 'aws-cli/2.31.0', sourceIPAddress: '203.0.113.9' },
      ...{ requestParameters: { keyId: arn }, responseElements: null },
      resources: [{ accountId, type: 'AWS::KMS::Key', ARN: arn }],
    },
  };
}
