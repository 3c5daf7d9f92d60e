import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import pLimit, { type LimitFunction } from 'p-limit';
import { BOT_SCOPES } from '../functions/contracts/slack-scopes.ts';
import { healthyAccount } from './aws/account/account-readings.ts';
import { answerForAccount } from './aws/account/account-services.ts';
import { makeMistakes } from './aws/account/mistakes.ts';
import { asEventBridgeEvent } from './aws/cloudtrail.ts';
import { startDynamoDb } from './aws/dynamodb.ts';
import { createFaults } from './aws/faults.ts';
import { type RouteAnswer, type RouteRequest, startGateway } from './aws/gateway.ts';
import { createKms } from './aws/kms/kms.ts';
import { startQueues } from './aws/queues.ts';
import { createSecretsManager } from './aws/secrets-manager.ts';
import { createSts } from './aws/sts.ts';
import { openBotRecords } from './bot-records.ts';
import { installClock } from './clock.ts';
import { createControl } from './control/control.ts';
import type { ControlHandler } from './control-handler.ts';
import { openDataFolder } from './data-folder.ts';
import { deploy, TABLE_NAME } from './deploy.ts';
import { functionEnvironment, slackSecretOf, storeSlackSecret } from './function-environment.ts';
import { type Functions, loadFunctions } from './functions.ts';
import { fromHttpApiResult, type HttpAnswer, internalServerError, toHttpApiEvent } from './lambda/http-api.ts';
import { setEnvironment } from './process-environment.ts';
import { graceOf, sandboxPolicy, workspacePolicy } from './sandbox-policy.ts';
import { simulatedSecret } from './simulated-secret.ts';
import { startSlack } from './slack/slack.ts';
import { wire } from './wiring.ts';
import { listenToWorkspace, readWorkspace, SLACK_API_URL, type WorkspaceTokens } from './workspace-connection.ts';
import { HUB_ACCOUNT, READ_ROLE, REGIONS, REMEDIATE_ROLE } from './world.ts';

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
  /** A real Slack workspace in place of the simulated one: its tokens, and who is asked in which channel. */
  workspace?: { tokens: WorkspaceTokens; channel: string; approvers: readonly string[] };
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
  { awsPort, slackPort, graceSeconds, dataDir, digest, rateLimits = 'slack', workspace, log }: SandboxOptions,
  cleanup: AsyncDisposableStack,
): Promise<{ awsUrl: string; slackUrl: string }> {
  const connected = workspace === undefined ? undefined : await readWorkspace(workspace.tokens);
  const data = dataDir === undefined ? undefined : openDataFolder(dataDir);
  const saved = data?.load();
  const clock = installClock(saved?.clockOffset ?? 0);
  cleanup.defer(clock.uninstall);
  const [externalId, secretAccessKey] = [simulatedSecret(), simulatedSecret()];
  const slackApp = { signingSecret: simulatedSecret(), botToken: `xoxb-sandbox-${simulatedSecret()}` };

  let putEvent: (event: unknown) => void = () => undefined;
  let isDeaf = false;
  const faults = createFaults();
  const kms = createKms({
    emit: (record) => {
      if (!isDeaf) putEvent(asEventBridgeEvent(record));
    },
    emitServiceEvent: (event) => {
      putEvent(event);
    },
  });
  if (saved !== undefined) kms.restore(saved.kms);
  const sts = createSts({
    externalIds: { [READ_ROLE]: externalId, [REMEDIATE_ROLE]: externalId },
  });
  const slackSecret = slackSecretOf({ ...slackApp, ...workspace?.tokens }, connected);
  let account = healthyAccount(slackSecret);
  const secrets = createSecretsManager();
  storeSlackSecret(secrets, account.slackSecret);

  // The servers need their addresses before what is behind them can be made.
  const late: { control: ControlHandler; functions?: Functions } = { control: notStarted };
  const place = { region: HOME_REGION, accountId: HUB_ACCOUNT.id };
  const dynamodb = await startDynamoDb({ ...place, ...(data === undefined ? {} : { dataDir: data.at('dynamodb') }) });
  cleanup.defer(dynamodb.close);
  const queues = await startQueues(data === undefined ? {} : { dataDir: data.at('queues') });
  cleanup.defer(queues.close);
  const inTurn = pLimit(CLICKS_AT_ONCE);
  const gateway = await startGateway({
    ...{ port: awsPort, kms, sts, secrets, faults },
    account: (call) => answerForAccount(account, call),
    upstreams: { dynamodb: dynamodb.handle, queues: queues.url },
    control: (request) => late.control(request),
    routes: { '/slack/events': (request) => answerSlack(request, late.functions, inTurn) },
  });
  cleanup.defer(gateway.close);
  const slack = await startSlack({
    ...{ port: slackPort, rateLimits, ...slackApp, scopes: BOT_SCOPES },
    interactionUrl: `${gateway.url}/slack/events`,
    control: (request) => late.control(request),
  });
  cleanup.defer(slack.close);
  if (saved !== undefined) slack.restore(saved.slack);

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
  await records.putPolicy(
    connected === undefined || workspace === undefined
      ? sandboxPolicy(grace, digest)
      : workspacePolicy(grace, { ...connected, ...workspace }),
  );

  cleanup.defer(
    setEnvironment({
      ...functionEnvironment({
        ...{ awsUrl: gateway.url, slackUrl: slack.url, queues: deployed, topicArn: deployed.topicArn },
        ...{ externalId, secretAccessKey },
      }),
      ...(workspace === undefined ? {} : { SLACK_API_URL: workspace.tokens.apiUrl ?? SLACK_API_URL }),
      ...logging({ isSilent: log === undefined, isVerbose: process.env['SANDBOX_VERBOSE'] === '1' }),
    }),
  );
  const tell = log ?? (() => undefined);
  const functions = await loadFunctions(HOME_REGION, tell);
  late.functions = functions;
  if (workspace !== undefined) {
    const { signingSecret } = slackApp;
    const interactionUrl = `${gateway.url}/slack/events`;
    const socket = await listenToWorkspace(workspace.tokens, { interactionUrl, signingSecret, log: tell });
    cleanup.defer(socket.close);
  }
  const wiring = wire({
    ...{ deployed, functions, sqs: clients.sqs, streams: dynamodb.streams, log: tell },
    sendMessage(name, body) {
      queues.send({ name, region: HOME_REGION }, body);
    },
    dataDir: data?.at('.'),
  });
  cleanup.defer(wiring.stop);
  putEvent = wiring.putEvent;
  const unheard = <T>(work: () => T): T => {
    isDeaf = true;
    try {
      return work();
    } finally {
      isDeaf = false;
    }
  };
  late.control = createControl({
    ...{ clock, kms, faults, slack, wiring, records, unheard },
    makeMistakes(names) {
      account = healthyAccount(slackSecret);
      makeMistakes(account, slack, names);
      storeSlackSecret(secrets, account.slackSecret);
    },
  });

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

/** How much the functions log. Lambda's own setting goes before a function's LOG_LEVEL. */
function logging({ isSilent, isVerbose }: { isSilent: boolean; isVerbose: boolean }): Record<string, string> {
  if (isVerbose) return { LOG_LEVEL: 'DEBUG', POWERTOOLS_LOGGER_LOG_EVENT: 'true' };
  return isSilent ? { AWS_LAMBDA_LOG_LEVEL: 'FATAL' } : {};
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
