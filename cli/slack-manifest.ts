import { Command } from 'commander';
import { InvalidSlackApp, slackAppManifest } from './slack-app-manifest.ts';

const command = new Command('slack:manifest')
  .description(
    'Prints the manifest of the Slack app: https://api.slack.com/apps, "Create New App", "From a manifest", tab JSON.',
  )
  .option('--url <url>', 'SlackRequestUrl, an output of the hub stack')
  .option('--socket', 'for a sandbox on this machine (npm start -- --slack) in place of --url')
  .option('--name <name>', 'name of the app in Slack', 'KMS rotation bot')
  .action(({ url, socket, name }: { url?: string; socket?: true; name: string }) => {
    process.stdout.write(`${JSON.stringify(slackAppManifest({ name, ...reachOf(url, socket) }), null, 2)}\n`);
  });

function reachOf(url: string | undefined, socket: true | undefined): { url: string } | { socket: true } {
  if (url !== undefined && socket === undefined) return { url };
  if (url === undefined && socket === true) return { socket };
  throw new InvalidSlackApp('give either --url or --socket');
}

try {
  command.parse();
} catch (error) {
  if (!(error instanceof InvalidSlackApp)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
