import { CannotRun, program, runProgram } from './command-line.ts';
import { slackAppManifest } from './slack-app-manifest.ts';
import { json, print } from './terminal.ts';

const manifest = program(
  'slack:manifest',
  'Prints the manifest of the Slack app: https://api.slack.com/apps, "Create New App", "From a manifest", tab JSON.',
)
  .option('--url <url>', 'SlackRequestUrl, an output of the hub stack')
  .option('--socket', 'for a sandbox on this machine (npm start -- --slack) in place of --url')
  .option('--name <name>', 'name of the app in Slack', 'KMS rotation bot')
  .action(({ url, socket, name }: { url?: string; socket?: true; name: string }) => {
    print(json(slackAppManifest({ name, ...reachOf(url, socket) })));
  });

await runProgram(manifest);

function reachOf(url: string | undefined, socket: true | undefined): { url: string } | { socket: true } {
  if (url !== undefined && socket === undefined) return { url };
  if (url === undefined && socket === true) return { socket };
  throw new CannotRun('give either --url or --socket');
}
