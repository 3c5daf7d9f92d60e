import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import pLimit, { type LimitFunction } from 'p-limit';
import { asEventBridgeEvent } from './aws/cloudtrail.ts';
import { startDynamoDb } from './aws/dynamodb.ts';
import { createFaults } from './aws/faults.ts';
import { type RouteAnswer, type RouteRequest, startGateway } from './aws/gateway.ts';
import { createKms } from './aws/kms/kms.ts';
import { startQueues } from './aws/queues.ts';
import { createSts } from './aws/sts.ts';
import { openBotRecords } from './bot-records.ts';
import { installClock } from './clock.ts';
import { createControl } from './control/control.ts';
import type { ControlHandler } from './control-handler.ts';
import { openDataFolder } from './data-folder.ts';
import { type Deployed, deploy, TABLE_NAME } from './deploy.ts';
import { type Functions, loadFunctions } from './functions.ts';
import { fromHttpApiResult, type HttpAnswer, internalServerError, toHttpApiEvent } from './lambda/http-api.ts';
import { setEnvironment } from './process-environment.ts';
import { graceOf, sandboxPolicy } from './sandbox-policy.ts';
import { simulatedSecret } from './simulated-secret.ts';
import { startSlack } from './slack/slack.ts';
import { wire } from './wiring.ts';
import { HUB_ACCOUNT, READ_ROLE, REGIONS, REMEDIATE_ROLE, WORKSPACE } from './world.ts';

export type SandboxOptions = {
  /** 0 takes any free port. */
  awsPort: number;
  slackPort: number;
  /** Seconds between an event and the first look at the key; without it 6 after CreateKey and 2 after the rest. */
  graceSeconds?: number;
  /** Keeps everything in this folder, so that the next start goes on from there. */
  dataDir?: string;
  /** When many findings become one message. Default: the policy's own. */
  digest?: { threshold: number | null };
  /** Slack's rate limits, or none. Default: Slack's. */
  rateLimits?: 'slack' | 'off';
  /**
   * Told in one line of everything that failed. Without it the functions' own logs are silent too, unless the
   * environment says SANDBOX_VERBOSE=1: then they log all they ever could.
   */
  log?: (line: string) => void;
};

export type Sandbox = { awsUrl: string; slackUrl: string; close: () => Promise<void> };

const [HOME_REGION] = REGIONS;
const KMS_TICK_MS = 250;
const SAVE_EVERY_MS = 1000;

let isRunning = false;

/**
 * Starts the simulated AWS and Slack and, between them, the real bot. While it runs, this process has the sandbox's
 * clock and the environment of a Lambda function; `close` gives both back.
 * @throws Error when a port is taken or this process has a sandbox already; nothing is left running then
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  if (isRunning) throw new Error('a sandbox is running in this process already, and it has the only clock');
  isRunning = true;
  const cleanup = new AsyncDisposableStack();
  cleanup.defer(() => {
    isRunning = false;
  });
  try {
    const urls = await start(options, cleanup);
    return { ...urls, close: () => cleanup.disposeAsync() };
  } catch (error) {
    await cleanup.disposeAsync();
    throw error;
  }
}

async function start(
  { awsPort, slackPort, graceSeconds, dataDir, digest, rateLimits = 'slack', log }: SandboxOptions,
  cleanup: AsyncDisposableStack,
): Promise<{ awsUrl: string; slackUrl: string }> {
  const data = dataDir === undefined ? undefined : openDataFolder(dataDir);
  const saved = data?.load();
  const clock = installClock(saved?.clockOffset ?? 0);
  cleanup.defer(clock.uninstall);
  const secrets = {
    externalId: simulatedSecret(),
    signingSecret: simulatedSecret(),
    botToken: `xoxb-sandbox-${simulatedSecret()}`,
    secretAccessKey: simulatedSecret(),
  };

  let putEvent: (event: unknown) => void = () => undefined;
  const faults = createFaults();
  const kms = createKms({
    emit: (record) => {
      putEvent(asEventBridgeEvent(record));
    },
    emitServiceEvent: (event) => {
      putEvent(event);
    },
  });
  if (saved !== undefined) kms.restore(saved.kms);
  const sts = createSts({
    externalIds: { [READ_ROLE]: secrets.externalId, [REMEDIATE_ROLE]: secrets.externalId },
  });

  // The servers need their addresses before what is behind them can be made.
  const late: { control: ControlHandler; functions?: Functions } = { control: notStarted };
  const place = { region: HOME_REGION, accountId: HUB_ACCOUNT.id };
  const dynamodb = await startDynamoDb({ ...place, ...(data === undefined ? {} : { dataDir: data.at('dynamodb') }) });
  cleanup.defer(dynamodb.close);
  const queues = await startQueues(data === undefined ? {} : { dataDir: data.at('queues') });
  cleanup.defer(queues.close);
  const inTurn = pLimit(CLICKS_AT_ONCE);
  const gateway = await startGateway({
    ...{ port: awsPort, kms, sts, faults },
    upstreams: { dynamodb: dynamodb.handle, queues: queues.url },
    control: (request) => late.control(request),
    routes: { '/slack/events': (request) => answerSlack(request, late.functions, inTurn) },
  });
  cleanup.defer(gateway.close);
  const slack = await startSlack({
    ...{ port: slackPort, rateLimits, signingSecret: secrets.signingSecret, botToken: secrets.botToken },
    interactionUrl: `${gateway.url}/slack/events`,
    control: (request) => late.control(request),
  });
  cleanup.defer(slack.close);
  if (saved !== undefined) slack.restore(saved.slack);

  const { secretAccessKey } = secrets;
  const access = { region: HOME_REGION, credentials: { accessKeyId: HUB_ACCOUNT.id, secretAccessKey } };
  // Straight to the services: what AWS does inside is not subject to the faults planted for the functions.
  const clients = {
    dynamodb: new DynamoDBClient({ ...access, endpoint: dynamodb.url }),
    sqs: new SQSClient({ ...access, endpoint: queues.url }),
    sns: new SNSClient({ ...access, endpoint: queues.url }),
  };
  cleanup.defer(() => {
    for (const client of Object.values(clients)) client.destroy();
  });
  const grace = graceOf(graceSeconds);
  const deployed = await deploy(clients, grace);
  const records = openBotRecords(clients.dynamodb, TABLE_NAME);
  await records.putPolicy(sandboxPolicy(grace, digest));

  cleanup.defer(
    setEnvironment({
      ...environment({ deployed, secrets, awsUrl: gateway.url, slackUrl: slack.url }),
      ...logging({ isSilent: log === undefined, isVerbose: process.env['SANDBOX_VERBOSE'] === '1' }),
    }),
  );
  const tell = log ?? (() => undefined);
  const functions = await loadFunctions(HOME_REGION, tell);
  late.functions = functions;
  const wiring = wire({
    ...{ deployed, functions, sqs: clients.sqs, streams: dynamodb.streams, log: tell },
    sendMessage(name, body) {
      queues.send({ name, region: HOME_REGION }, body);
    },
    dataDir: data?.at('.'),
  });
  cleanup.defer(wiring.stop);
  putEvent = wiring.putEvent;
  late.control = createControl({ clock, kms, faults, slack, wiring, records });

  if (data !== undefined) {
    const save = () => {
      data.save({ clockOffset: clock.offset(), kms: kms.snapshot(), slack: slack.snapshot() });
    };
    cleanup.defer(save);
    every(SAVE_EVERY_MS, save, cleanup);
  }
  every(KMS_TICK_MS, kms.tick, cleanup);
  return { awsUrl: gateway.url, slackUrl: slack.url };
}

type Secrets = { externalId: string; signingSecret: string; botToken: string; secretAccessKey: string };

/** How much the functions log. Lambda's own setting goes before a function's LOG_LEVEL. */
function logging({ isSilent, isVerbose }: { isSilent: boolean; isVerbose: boolean }): Record<string, string> {
  if (isVerbose) return { LOG_LEVEL: 'DEBUG', POWERTOOLS_LOGGER_LOG_EVENT: 'true' };
  return isSilent ? { AWS_LAMBDA_LOG_LEVEL: 'FATAL' } : {};
}

/** The functions' environment, in the names of functions/contracts/env.ts and of the AWS SDK. */
function environment({
  deployed,
  secrets,
  awsUrl,
  slackUrl,
}: {
  deployed: Deployed;
  secrets: Secrets;
  awsUrl: string;
  slackUrl: string;
}): Record<string, string> {
  // The SDK takes a queue URL for the address to send to.
  const queueUrl = (url: string) => awsUrl + new URL(url).pathname;
  return {
    AWS_ENDPOINT_URL: awsUrl,
    AWS_REGION: HOME_REGION,
    AWS_ACCESS_KEY_ID: HUB_ACCOUNT.id,
    AWS_SECRET_ACCESS_KEY: secrets.secretAccessKey,
    LOG_LEVEL: 'ERROR',
    TABLE_NAME,
    TOPIC_ARN: deployed.topicArn,
    CREATIONS_QUEUE_URL: queueUrl(deployed.creations.url),
    CHANGES_QUEUE_URL: queueUrl(deployed.changes.url),
    READ_ROLE_NAME: READ_ROLE,
    REMEDIATE_ROLE_NAME: REMEDIATE_ROLE,
    EXTERNAL_ID: secrets.externalId,
    SLACK_API_URL: `${slackUrl}/api/`,
    SLACK_BOT_TOKEN: secrets.botToken,
    SLACK_SIGNING_SECRET: secrets.signingSecret,
    SLACK_BOT_ID: WORKSPACE.botId,
    SLACK_BOT_USER_ID: WORKSPACE.botUserId,
  };
}

async function answerSlack(
  request: RouteRequest,
  functions: Functions | undefined,
  inTurn: LimitFunction,
): Promise<RouteAnswer> {
  const { status, headers, body } = await answered(request, functions, inTurn);
  return { status, headers, body };
}

/**
 * How many clicks are decided at once. On Lambda every one of them would have a container with a CPU of its own; here all
 * share this machine, and with more at once each would only be slower, up to its timeouts. The rest wait their turn.
 */
const CLICKS_AT_ONCE = 8;

async function answered(
  request: RouteRequest,
  functions: Functions | undefined,
  inTurn: LimitFunction,
): Promise<HttpAnswer> {
  if (functions === undefined) return internalServerError();
  try {
    const event = toHttpApiEvent({ ...request, sourceIp: '127.0.0.1' });
    return fromHttpApiResult(await inTurn(() => functions['decide-finding'].invoke(event)));
  } catch {
    // The function's log has the error.
    return internalServerError();
  }
}

const notStarted: ControlHandler = () =>
  Promise.resolve({ status: 503, body: { error: 'The sandbox is still starting.' } });

function every(milliseconds: number, run: () => void, cleanup: AsyncDisposableStack): void {
  const timer = setInterval(run, milliseconds);
  cleanup.defer(() => {
    clearInterval(timer);
  });
}
