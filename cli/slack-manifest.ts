import { program, runProgram } from './command-line.ts';
import { slackAppManifest } from './slack-app-manifest.ts';
import { json, print } from './terminal.ts';

const manifest = program(
  'slack:manifest',
  'Prints the manifest of the Slack app: https://api.slack.com/apps, "Create New App", "From a manifest", tab JSON.',
)
  .requiredOption('--url <url>', 'address of the HTTP API: the output SlackRequestUrl of the hub stack')
  .option('--name <name>', 'name of the app in Slack', 'KMS rotation bot')
  .action((options: { url: string; name: string }) => {
    print(json(slackAppManifest(options)));
  });

await runProgram(manifest);
