import { parseArgs } from 'node:util';
import { type Sandbox, type SandboxOptions, startSandbox } from './sandbox.ts';
import { playScenarios } from './scenarios/play.ts';
import { scenarioNames } from './scenarios/scenarios.ts';

const HELP = `Starts a simulation of AWS and Slack on this machine, with the real bot between them.

  npm start -- [options]

  --aws-port <port>      the simulated AWS endpoint (4566)
  --slack-port <port>    the simulated Slack (3000)
  --grace <seconds>      time between an event and the first look at the key (6 after CreateKey, 2 after the rest)
  --data <folder>        keep everything in this folder across restarts
  --slack                use a real Slack workspace, by Socket Mode, in place of the simulated one; the tokens come from
                         SLACK_APP_TOKEN (xapp-...) and SLACK_BOT_TOKEN (xoxb-...), and it takes
  --channel <id>           the channel that is asked, such as C0123456789; the bot must be in it
  --approver <id>          who may decide, such as U0123456789; may be given several times
  --scenario <name|all>  play a scenario, print what was seen, and exit with 0 or 1
  --help                 show this

Scenarios: ${scenarioNames().join(', ')}`;

const OPTIONS = {
  'aws-port': { type: 'string' },
  'slack-port': { type: 'string' },
  grace: { type: 'string' },
  data: { type: 'string' },
  slack: { type: 'boolean' },
  channel: { type: 'string' },
  approver: { type: 'string', multiple: true },
  scenario: { type: 'string' },
  help: { type: 'boolean' },
} as const;

/** The command line cannot be followed; the message is one sentence. */
class Unusable extends Error {}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help === true) {
    console.log(HELP);
    return 0;
  }
  const isPlaying = values.scenario !== undefined;
  const workspace = workspaceOf(values);
  const grace = values.grace === undefined ? undefined : wholeNumber('--grace', values.grace, 43_200);
  const sandbox = await startSandbox({
    awsPort: wholeNumber('--aws-port', values['aws-port'] ?? (isPlaying ? '0' : '4566'), 65_535),
    slackPort: wholeNumber('--slack-port', values['slack-port'] ?? (isPlaying ? '0' : '3000'), 65_535),
    ...(grace === undefined ? (isPlaying ? { graceSeconds: 1 } : {}) : { graceSeconds: grace }),
    ...(values.data === undefined ? {} : { dataDir: values.data }),
    ...(workspace === undefined ? {} : { workspace }),
    ...(isPlaying ? { rateLimits: 'off' as const } : { log: console.error }),
  });
  if (values.scenario !== undefined) {
    try {
      return (await playScenarios(values.scenario, sandbox)) ? 0 : 1;
    } finally {
      await sandbox.close();
    }
  }
  console.log(workspace === undefined ? welcome(sandbox) : welcomeToWorkspace(sandbox, workspace));
  await interrupted();
  console.log('\nStopping the simulation.');
  await sandbox.close();
  return 0;
}

type Values = { slack?: boolean; channel?: string; approver?: string[]; scenario?: string };

function workspaceOf({ slack, channel, approver: approvers = [], scenario }: Values): SandboxOptions['workspace'] {
  if (slack !== true) {
    if (channel !== undefined || approvers.length > 0) throw new Unusable('--channel and --approver go with --slack.');
    return undefined;
  }
  if (scenario !== undefined) throw new Unusable('Scenarios are played in the simulated Slack, so not with --slack.');
  if (!/^[CG][A-Z0-9]+$/.test(channel ?? '')) throw new Unusable('--slack takes --channel with the id of a channel.');
  if (approvers.length === 0 || !approvers.every((id) => /^[UW][A-Z0-9]+$/.test(id))) {
    throw new Unusable('--slack takes --approver with the id of a person, at least once.');
  }
  const { SLACK_APP_TOKEN: appToken = '', SLACK_BOT_TOKEN: botToken = '', SLACK_API_URL: apiUrl } = process.env;
  if (!appToken.startsWith('xapp-') || !botToken.startsWith('xoxb-')) {
    throw new Unusable('--slack takes SLACK_APP_TOKEN (xapp-...) and SLACK_BOT_TOKEN (xoxb-...) from the environment.');
  }
  return { tokens: { appToken, botToken, apiUrl }, channel: channel ?? '', approvers };
}

function wholeNumber(option: string, text: string, maximum: number): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > maximum) {
    throw new Unusable(`${option} takes a whole number from 0 to ${maximum}, not "${text}".`);
  }
  return number;
}

function welcome({ awsUrl, slackUrl }: { awsUrl: string; slackUrl: string }): string {
  return `kms-rotation-bot sandbox. AWS and Slack are SIMULATED: no request leaves this machine.

  Slack (open in a browser)   ${slackUrl}
  AWS endpoint                ${awsUrl}

Try this in another terminal; a message appears in #kms-rotation a few seconds later:

  export AWS_ACCESS_KEY_ID=123456789012 AWS_SECRET_ACCESS_KEY=simulated AWS_DEFAULT_REGION=eu-central-1
  aws --endpoint-url ${awsUrl} kms create-key --description "my first key"

Then click "Approve" on the page as the Approver, and look at the key:

  aws --endpoint-url ${awsUrl} kms get-key-rotation-status --key-id <KeyId>

Without the AWS CLI:

  curl -X POST ${awsUrl}/sandbox/keys -d '{"kind":"symmetric"}'

Ctrl-C stops it.`;
}

function welcomeToWorkspace({ awsUrl, slackUrl }: Sandbox, { channel }: { channel: string }): string {
  return `kms-rotation-bot sandbox. AWS is SIMULATED; Slack is YOUR WORKSPACE, by Socket Mode.

  Slack                       your workspace, channel ${channel} (invite the bot if it is not in it)
  AWS endpoint                ${awsUrl}
  keys and clock              ${slackUrl}

Make a key; the question appears in your channel a few seconds later:

  curl -X POST ${awsUrl}/sandbox/keys -d '{"kind":"symmetric","alias":"alias/my-first-key"}'

Do not move the clock here: Slack has the real time. Ctrl-C stops it.`;
}

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        resolve();
      });
    }
  });
}
