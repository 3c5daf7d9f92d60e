import type { AppsManifestCreateArguments } from '@slack/web-api';
import { BOT_SCOPES } from '../functions/contracts/slack-scopes.ts';
import { CannotRun } from './command-line.ts';

type Manifest = AppsManifestCreateArguments['manifest'];

/** Slack takes no longer ones (Slack, "App manifest reference", `display_information` and `interactivity`). */
const LONGEST_NAME = 35;
const LONGEST_REQUEST_URL = 3500;

/** The path at which the hub's HTTP API takes what Slack sends. */
const REQUEST_PATH = '/slack/events';

/**
 * The manifest of the bot's Slack app, for the HTTP API at `url` (with or without the path for Slack): the scopes that the code uses, buttons and forms, and
 * nothing else. The app is for one workspace, whose token does not expire.
 * @throws CannotRun when Slack would not take it
 */
export function slackAppManifest({ url, name }: { url: string; name: string }): Manifest {
  if (name.trim() !== name || name.length < 1 || name.length > LONGEST_NAME) {
    throw new CannotRun(`the name of the app has to have 1 to ${LONGEST_NAME} characters`);
  }
  return {
    _metadata: { major_version: 2, minor_version: 1 },
    display_information: {
      name,
      description: 'Asks the right people when an AWS KMS key does not rotate, does what they decide, and proves it.',
      background_color: '#1d3c5a',
    },
    features: { bot_user: { display_name: displayName(name), always_online: true } },
    oauth_config: { scopes: { bot: [...BOT_SCOPES] } },
    settings: {
      interactivity: { is_enabled: true, request_url: requestUrl(url) },
      org_deploy_enabled: false,
      socket_mode_enabled: false,
      token_rotation_enabled: false,
    },
  };
}

function requestUrl(given: string): string {
  const url = URL.parse(given);
  if (url?.protocol !== 'https:' || url.search !== '' || url.hash !== '' || url.username !== '') {
    throw new CannotRun(`${given} is not the address of the HTTP API: https://, a host, perhaps a path`);
  }
  const address = url.href.replace(/\/$/, '');
  const complete = address.endsWith(REQUEST_PATH) ? address : address + REQUEST_PATH;
  if (complete.length > LONGEST_REQUEST_URL) throw new CannotRun('the address is too long for Slack');
  return complete;
}

/** How the bot is mentioned: of lower-case letters, digits, `-`, `_` and `.`. */
function displayName(name: string): string {
  const allowed = name
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^-|-$/g, '');
  return allowed === '' ? 'kms-rotation-bot' : allowed;
}
