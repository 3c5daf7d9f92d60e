import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { IncomingMessage, ServerResponse } from 'node:http';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { DynamoDbTable } from '../../functions/adapters/dynamodb.ts';
import { tableOverSdk } from '../../functions/adapters/dynamodb-sdk.ts';
import { createPolicyStore } from '../../functions/adapters/policy-store.ts';
import { KMS_EVENT_PATTERN } from '../../functions/contracts/kms-event.ts';
import { BOT_SCOPES } from '../../functions/contracts/slack-scopes.ts';
import { healthyAccount } from '../../sandbox/aws/account/account-readings.ts';
import { answerForAccount } from '../../sandbox/aws/account/account-services.ts';
import { asEventBridgeEvent, type CloudTrailRecord, type EventBridgeEvent } from '../../sandbox/aws/cloudtrail.ts';
import type { StreamRecord } from '../../sandbox/aws/dynamodb/stream-store.ts';
import { startDynamoDb } from '../../sandbox/aws/dynamodb.ts';
import { matches } from '../../sandbox/aws/event-bridge.ts';
import { createFaults } from '../../sandbox/aws/faults.ts';
import { startGateway } from '../../sandbox/aws/gateway.ts';
import { createKms } from '../../sandbox/aws/kms/kms.ts';
import type { Organization } from '../../sandbox/aws/organizations.ts';
import { startQueues } from '../../sandbox/aws/queues.ts';
import { createSecretsManager } from '../../sandbox/aws/secrets-manager.ts';
import { createSts } from '../../sandbox/aws/sts.ts';
import { deploy, TABLE_NAME } from '../../sandbox/deploy.ts';
import { functionEnvironment, slackSecretOf, storeSlackSecret } from '../../sandbox/function-environment.ts';
import { fromHttpApiResult, toHttpApiEvent } from '../../sandbox/lambda/http-api.ts';
import { sandboxPolicy } from '../../sandbox/sandbox-policy.ts';
import { type EmbeddedSlack, startSlack } from '../../sandbox/slack/slack.ts';
import { ACCOUNTS, HUB_ACCOUNT, READ_ROLE, REGIONS, REMEDIATE_ROLE } from '../../sandbox/world.ts';

/** A request that a function made. Times are milliseconds of this process. */
export type ServiceCall = { service: string; operation: string; startedAt: number; endedAt: number };

/** The sandbox's services without the bot in between: whoever tests or measures a function plays the event sources. */
export type SimulatedServices = {
  /** What the functions need in their environment, all five of them. */
  environment: Record<string, string>;
  signingSecret: string;
  changesQueueArn: string;
  /** The findings table, not through the endpoint whose calls are recorded. */
  table: DynamoDbTable;
  /** A client of the simulated KMS in a member account. */
  kms: KMSClient;
  slack: EmbeddedSlack;
  /** Who answers Slack's interactions: gets events of API Gateway. */
  answerSlackWith: (handle: (event: unknown) => Promise<unknown>) => void;
  /** Events that EventBridge would have passed on since the last time. */
  takeEvents: () => EventBridgeEvent[];
  /** Records of the table's stream since the last time. */
  takeStreamRecords: () => StreamRecord[];
  /** What the functions asked of AWS and Slack since the last time. */
  takeCalls: () => ServiceCall[];
  close: () => Promise<void>;
};

const MEMBER_ACCOUNT = '444455556666';
const [REGION] = REGIONS;
const EXTERNAL_ID = 'made-up-external-id';
const SIGNING_SECRET = 'made-up-signing-secret';
const BOT_TOKEN = 'xoxb-made-up-token';
const KMS_TICK_MS = 50;

export type ServicesOptions = {
  /** The organization's accounts. Default: those of the sandbox, all of which have the bot's roles. */
  organization?: Partial<Organization>;
  /** Told of every KMS call, as CloudTrail records it. */
  onKmsCall?: (record: CloudTrailRecord) => void;
  /** The sandbox policy's threshold, unless another is given. */
  digest?: { threshold: number | null };
};

export async function startServices({
  organization = { accounts: ACCOUNTS },
  onKmsCall = () => undefined,
  digest,
}: ServicesOptions = {}): Promise<SimulatedServices> {
  const cleanup = new AsyncDisposableStack();
  const events: EventBridgeEvent[] = [];
  const kms = createKms({
    emit: (record) => {
      onKmsCall(record);
      events.push(asEventBridgeEvent(record));
    },
    emitServiceEvent: (event) => events.push(event),
  });
  const tick = setInterval(kms.tick, KMS_TICK_MS);
  cleanup.defer(() => {
    clearInterval(tick);
  });
  const place = { region: REGION, accountId: HUB_ACCOUNT.id };
  const dynamodb = await startDynamoDb(place);
  cleanup.defer(dynamodb.close);
  const queues = await startQueues();
  cleanup.defer(queues.close);

  let answerSlack: (event: unknown) => Promise<unknown> = () => Promise.reject(new Error('nobody answers Slack yet'));
  const nothing = () => Promise.resolve({ status: 404, body: { error: 'There is no such call.' } });
  const secrets = createSecretsManager();
  const healthy = healthyAccount(slackSecretOf({ signingSecret: SIGNING_SECRET, botToken: BOT_TOKEN }));
  const account = { ...healthy, organization: { ...healthy.organization, ...organization } };
  storeSlackSecret(secrets, account.slackSecret);
  const gateway = await startGateway({
    ...{ port: 0, kms, secrets, faults: createFaults(), control: nothing },
    account: (call) => answerForAccount(account, call),
    sts: createSts({ externalIds: { [READ_ROLE]: EXTERNAL_ID, [REMEDIATE_ROLE]: EXTERNAL_ID } }),
    upstreams: { dynamodb: dynamodb.url, queues: queues.url },
    routes: {
      '/slack/events': async (request) =>
        fromHttpApiResult(await answerSlack(toHttpApiEvent({ ...request, sourceIp: '127.0.0.1' }))),
    },
  });
  cleanup.defer(gateway.close);
  const slack = await startSlack({
    ...{ port: 0, rateLimits: 'off', signingSecret: SIGNING_SECRET, botToken: BOT_TOKEN, control: nothing },
    scopes: BOT_SCOPES,
    interactionUrl: `${gateway.url}/slack/events`,
  });
  cleanup.defer(slack.close);

  const access = { region: REGION, credentials: { accessKeyId: HUB_ACCOUNT.id, secretAccessKey: 'simulated' } };
  const clients = {
    dynamodb: new DynamoDBClient({ ...access, endpoint: dynamodb.url }),
    sqs: new SQSClient({ ...access, endpoint: queues.url }),
    sns: new SNSClient({ ...access, endpoint: queues.url }),
    kms: new KMSClient({
      ...{ region: REGION, endpoint: gateway.url },
      credentials: { accessKeyId: MEMBER_ACCOUNT, secretAccessKey: 'simulated' },
    }),
  };
  cleanup.defer(() => {
    for (const client of Object.values(clients)) client.destroy();
  });
  const noGrace = { creations: 0, changes: 0 };
  const deployed = await deploy(clients, noGrace);
  const table = tableOverSdk({ client: DynamoDBDocumentClient.from(clients.dynamodb), tableName: TABLE_NAME });
  await createPolicyStore({ table, now: () => new Date() }).putPolicy(sandboxPolicy(noGrace, digest));

  const recorder = recordCalls([Number(new URL(gateway.url).port), Number(new URL(slack.url).port)]);
  cleanup.defer(() => {
    recorder.stop();
  });
  let lastRecord: string | undefined;
  return {
    environment: functionEnvironment({
      ...{ awsUrl: gateway.url, slackUrl: slack.url },
      ...{ queues: deployed, topicArn: deployed.topicArn },
      ...{ externalId: EXTERNAL_ID, secretAccessKey: 'simulated' },
    }),
    signingSecret: SIGNING_SECRET,
    changesQueueArn: deployed.changes.arn,
    table,
    kms: clients.kms,
    slack,
    answerSlackWith(handle) {
      answerSlack = handle;
    },
    takeEvents: () => events.splice(0).filter((event) => matches(KMS_EVENT_PATTERN, event)),
    takeStreamRecords() {
      const records = [...dynamodb.streams.read(deployed.streamArn, lastRecord, 10_000)];
      lastRecord = records.at(-1)?.dynamodb.SequenceNumber ?? lastRecord;
      return records;
    },
    takeCalls: recorder.take,
    close: () => cleanup.disposeAsync(),
  };
}

const exchange = z.object({ request: z.instanceof(IncomingMessage), response: z.instanceof(ServerResponse) });

/** Listens to Node's own HTTP servers: nothing stands between a function and the service, so nothing slows it down. */
function recordCalls(ports: readonly number[]) {
  const calls: ServiceCall[] = [];
  const underWay = new Map<ServerResponse, { service: string; operation: string; startedAt: number }>();
  const onStart = (message: unknown) => {
    const { request, response } = exchange.parse(message);
    if (!ports.includes(request.socket.localPort ?? 0)) return;
    const call = nameOf(request);
    if (call !== null) underWay.set(response, { ...call, startedAt: performance.now() });
  };
  const onFinish = (message: unknown) => {
    const { response } = exchange.parse(message);
    const call = underWay.get(response);
    if (call === undefined) return;
    underWay.delete(response);
    calls.push({ ...call, endedAt: performance.now() });
  };
  subscribe('http.server.request.start', onStart);
  subscribe('http.server.response.finish', onFinish);
  return {
    take: () => calls.splice(0),
    stop() {
      unsubscribe('http.server.request.start', onStart);
      unsubscribe('http.server.response.finish', onFinish);
    },
  };
}

/** Null for Slack's own requests to the bot. */
function nameOf({ url = '', headers }: IncomingMessage): { service: string; operation: string } | null {
  if (url.startsWith('/slack/')) return null;
  if (url.startsWith('/api/')) return { service: 'Slack', operation: url.slice('/api/'.length) };
  const target = headers['x-amz-target']?.toString();
  if (target !== undefined) {
    const [service = '', operation = ''] = target.split('.');
    const names: Record<string, string> = {
      ...{ TrentService: 'KMS', DynamoDB_20120810: 'DynamoDB', AmazonSQS: 'SQS' },
      ...{ secretsmanager: 'Secrets Manager', AWSOrganizationsV20161128: 'Organizations' },
    };
    return { service: names[service] ?? service, operation };
  }
  // The query protocol names the operation in the body only; the bot uses one of each.
  const isSts = headers['user-agent']?.includes('api/sts') === true;
  return isSts ? { service: 'STS', operation: 'AssumeRole' } : { service: 'SNS', operation: 'Publish' };
}
