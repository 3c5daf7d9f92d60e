import { Command } from 'commander';
import { InvalidSlackApp, slackAppManifest } from './slack-app-manifest.ts';

const command = new Command('slack:manifest')
  .description(
    'Prints the manifest of the Slack app: https://api.slack.com/apps, "Create New App", "From a manifest", tab JSON.',
  )
  .requiredOption('--url <url>', 'address of the HTTP API, from the outputs of the hub stack')
  .option('--name <name>', 'name of the app in Slack', 'KMS rotation bot')
  .action((options: { url: string; name: string }) => {
    process.stdout.write(`${JSON.stringify(slackAppManifest(options), null, 2)}\n`);
  });

try {
  command.parse();
} catch (error) {
  if (!(error instanceof InvalidSlackApp)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
