import { parseArgs } from 'node:util';
import { startSandbox } from './sandbox.ts';
import { playScenarios } from './scenarios/play.ts';
import { scenarioNames } from './scenarios/scenarios.ts';

const HELP = `Starts a simulation of AWS and Slack on this machine, with the real bot between them.

  npm start -- [options]

  --aws-port <port>      the simulated AWS endpoint (4566)
  --slack-port <port>    the simulated Slack (3000)
  --grace <seconds>      time between an event and the first look at the key (6 after CreateKey, 2 after the rest)
  --data <folder>        keep everything in this folder across restarts
  --scenario <name|all>  play a scenario, print what was seen, and exit with 0 or 1
  --help                 show this

Scenarios: ${scenarioNames().join(', ')}`;

const OPTIONS = {
  'aws-port': { type: 'string' },
  'slack-port': { type: 'string' },
  grace: { type: 'string' },
  data: { type: 'string' },
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
  const grace = values.grace === undefined ? undefined : wholeNumber('--grace', values.grace, 43_200);
  const sandbox = await startSandbox({
    awsPort: wholeNumber('--aws-port', values['aws-port'] ?? (isPlaying ? '0' : '4566'), 65_535),
    slackPort: wholeNumber('--slack-port', values['slack-port'] ?? (isPlaying ? '0' : '3000'), 65_535),
    ...(grace === undefined ? (isPlaying ? { graceSeconds: 1 } : {}) : { graceSeconds: grace }),
    ...(values.data === undefined ? {} : { dataDir: values.data }),
    ...(isPlaying ? { rateLimits: 'off' as const } : { log: console.error }),
  });
  if (values.scenario !== undefined) {
    try {
      return (await playScenarios(values.scenario, sandbox)) ? 0 : 1;
    } finally {
      await sandbox.close();
    }
  }
  console.log(welcome(sandbox));
  await interrupted();
  console.log('\nStopping the simulation.');
  await sandbox.close();
  return 0;
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

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        resolve();
      });
    }
  });
}
