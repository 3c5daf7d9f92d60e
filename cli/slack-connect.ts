import {
  DescribeSecretCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { LogLevel, SlackError, WebAPIPlatformError, WebClient } from '@slack/web-api';
import * as z from 'zod/mini';
import { BOT_SCOPES } from '../functions/contracts/slack-scopes.ts';
import { InvalidSlackSecret, parseSlackSecret } from '../functions/contracts/slack-secret.ts';
import { InvalidDeployment, namesOf, readDeployment } from '../infra/deployment.ts';
import { CannotRun, program, runProgram } from './command-line.ts';
import { openHiddenInput } from './hidden-input.ts';
import { DEFAULT_DEPLOYMENT } from './hub.ts';
import { print } from './terminal.ts';

type Credentials = { botToken: string; signingSecret: string };
type SlackApp = { botId: string; botUserId: string; appId: string; appName: string; team: string; scopes: string[] };

const identity = z.object({
  user_id: z.string(),
  team_id: z.optional(z.string()),
  team: z._default(z.string(), '(no name)'),
  bot_id: z.optional(z.string()),
  is_enterprise_install: z.optional(z.boolean()),
  response_metadata: z.object({ scopes: z._default(z.array(z.string()), []) }),
});
const bot = z.object({ bot: z.object({ app_id: z.string(), name: z.string() }) });

const connect = program(
  'slack:connect',
  `Stores the credentials of the Slack app where the functions read them, after asking Slack whose they are.
SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET are taken from the environment, or else from the standard input: at a terminal
they are asked for and not shown, in a pipe they are one line each, in this order. AWS credentials as for the AWS CLI.`,
)
  .option('--deployment <path>', 'the deployment file', DEFAULT_DEPLOYMENT)
  .option('--secret-id <id>', 'name or ARN of the secret (default: <name of the deployment>/slack)')
  .action(async (options: { deployment: string; secretId?: string }) => {
    try {
      const deployment = await readDeployment(options.deployment);
      const credentials = await readCredentials();
      const app = await askSlack(credentials.botToken);
      await store(
        { ...credentials, botId: app.botId, botUserId: app.botUserId },
        {
          ...{ secretId: options.secretId ?? namesOf(deployment).slackSecret, hub: deployment.hub },
        },
      );
      print(report(app));
    } catch (cause) {
      throw new CannotRun(`Nothing was stored: ${sentence(cause)}`, { cause });
    }
  });

await runProgram(connect);

async function readCredentials(): Promise<Credentials> {
  const input = openHiddenInput(process.stdin);
  const read = async (variable: string, question: string) =>
    (process.env[variable] ?? (await input.ask(question)) ?? '').trim();
  try {
    const botToken = await read('SLACK_BOT_TOKEN', 'Bot User OAuth Token (page "OAuth & Permissions", xoxb-…): ');
    if (!botToken.startsWith('xoxb-')) {
      throw new CannotRun('a bot token begins with xoxb-; it is on the page "OAuth & Permissions" of the app');
    }
    const signingSecret = await read('SLACK_SIGNING_SECRET', 'Signing Secret (page "Basic Information"): ');
    // Next to it on that page are the client secret, and the verification token, which is shorter.
    if (!/^[0-9a-z]{32,}$/.test(signingSecret)) {
      throw new CannotRun('a signing secret has 32 letters and digits; it is on the page "Basic Information"');
    }
    return { botToken, signingSecret };
  } finally {
    input.close();
  }
}

/** Whose token it is, and that it may do what the bot does. */
async function askSlack(token: string): Promise<SlackApp> {
  const apiUrl = process.env['SLACK_API_URL'];
  const client = new WebClient(token, {
    ...(apiUrl === undefined ? {} : { slackApiUrl: apiUrl }),
    ...{ timeout: 10_000, retryConfig: { retries: 2 }, logLevel: LogLevel.ERROR },
  });
  const who = identity.parse(await client.auth.test());
  if (who.bot_id === undefined) throw new CannotRun('Slack says that this is not the token of a bot');
  if (who.is_enterprise_install === true) {
    throw new CannotRun('the app is installed for a whole Enterprise organization; install it in one workspace');
  }
  const { scopes } = who.response_metadata;
  const missing = BOT_SCOPES.filter((scope) => !scopes.includes(scope));
  if (missing.length > 0) {
    throw new CannotRun(
      `the app has not been granted ${missing.join(', ')}; give it the manifest of npm run slack:manifest and reinstall it`,
    );
  }
  const { bot: found } = bot.parse(await client.bots.info({ bot: who.bot_id }));
  return {
    ...{ botId: who.bot_id, botUserId: who.user_id, appId: found.app_id, appName: found.name, scopes },
    team: `${who.team} (${who.team_id ?? 'no id'})`,
  };
}

async function store(
  secret: Credentials & Pick<SlackApp, 'botId' | 'botUserId'>,
  { secretId: SecretId, hub }: { secretId: string; hub: { account: string; region: string } },
): Promise<void> {
  const content = JSON.stringify(secret);
  // What the functions would not take must not get there.
  parseSlackSecret(content);
  const client = new SecretsManagerClient({ region: hub.region });
  try {
    const { ARN: arn = '' } = await client.send(new DescribeSecretCommand({ SecretId }));
    const account = arn.split(':')[4];
    if (account !== hub.account) {
      throw new CannotRun(`these AWS credentials are of account ${account ?? '?'}, the hub is ${hub.account}`);
    }
    await client.send(new PutSecretValueCommand({ SecretId: arn, SecretString: content }));
    print(`Stored in ${arn}; every function uses it within five minutes.`);
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
    throw new CannotRun(
      `there is no secret ${SecretId} in ${hub.region} that these AWS credentials can see; deploy the hub stack first`,
      { cause: error },
    );
  } finally {
    client.destroy();
  }
}

function report({ appName, appId, team, botId, botUserId, scopes }: SlackApp): string {
  const extra = scopes.filter((scope) => !BOT_SCOPES.some((needed) => needed === scope));
  return [
    `Slack app ${appName} (${appId}) in workspace ${team}, bot ${botId}, user ${botUserId}.`,
    'It has every scope that the bot needs.',
    ...(extra.length === 0 ? [] : [`It also has ${extra.join(', ')}, which the bot does not need.`]),
    'Slack alone can say whether the signing secret is right: invite the bot to a channel and click a button.',
  ].join('\n');
}

/** Sentences only: an error's other fields may hold what was sent. */
function sentence(error: unknown): string {
  if (error instanceof WebAPIPlatformError) return `Slack answers ${error.data.error}`;
  const isExpected =
    error instanceof CannotRun ||
    error instanceof InvalidDeployment ||
    error instanceof InvalidSlackSecret ||
    error instanceof SlackError;
  if (isExpected) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : 'unknown';
}
