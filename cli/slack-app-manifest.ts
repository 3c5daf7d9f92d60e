import type { AppsManifestCreateArguments } from '@slack/web-api';
import { SLASH_COMMAND } from '../functions/contracts/slack-requests.ts';
import { BOT_SCOPES } from '../functions/contracts/slack-scopes.ts';
import { CannotRun } from './command-line.ts';

type Manifest = AppsManifestCreateArguments['manifest'];

/** Slack takes no longer ones (Slack, "App manifest reference", `display_information` and `interactivity`). */
const LONGEST_NAME = 35;
const LONGEST_REQUEST_URL = 3500;

/** The path at which the hub's HTTP API takes what Slack sends. */
const REQUEST_PATH = '/slack/events';

/** `socket`: requests come through a socket, to a sandbox that nothing can reach from outside. */
export type ManifestOptions = { name: string } & ({ url: string } | { socket: true });

/**
 * The manifest of the bot's Slack app, for the HTTP API at `url`: the scopes that the code uses, buttons and forms, the
 * Home tab and the slash command, and nothing else. The app is for one workspace, whose token does not expire.
 * @throws CannotRun when Slack would not take it
 */
export function slackAppManifest({ name, ...reach }: ManifestOptions): Manifest {
  if (name.trim() !== name || name.length < 1 || name.length > LONGEST_NAME) {
    throw new CannotRun(`the name of the app has to have 1 to ${LONGEST_NAME} characters`);
  }
  const request = 'url' in reach ? { request_url: requestUrl(reach.url) } : {};
  const command = 'url' in reach ? { url: requestUrl(reach.url) } : {};
  return {
    _metadata: { major_version: 2, minor_version: 1 },
    display_information: {
      name,
      description: 'Asks the right people when an AWS KMS key does not rotate, does what they decide, and proves it.',
      background_color: '#1d3c5a',
    },
    features: {
      bot_user: { display_name: displayName(name), always_online: true },
      app_home: { home_tab_enabled: true, messages_tab_enabled: true, messages_tab_read_only_enabled: true },
      slash_commands: [
        {
          ...{ command: SLASH_COMMAND, description: 'Findings and exemptions of KMS keys, for you alone' },
          ...{ usage_hint: 'status | open | show <key> | exemptions | audit <key>', should_escape: false },
          ...command,
        },
      ],
    },
    oauth_config: { scopes: { bot: [...BOT_SCOPES] } },
    settings: {
      interactivity: { is_enabled: true, ...request },
      event_subscriptions: { ...request, bot_events: ['app_home_opened'] },
      org_deploy_enabled: false,
      socket_mode_enabled: !('url' in reach),
      token_rotation_enabled: false,
    },
  };
}

function requestUrl(given: string): string {
  const url = URL.parse(given);
  if (url?.protocol !== 'https:' || url.search !== '' || url.hash !== '' || url.username !== '') {
    throw new CannotRun(`${given} is not the address of the HTTP API: https://, a host, perhaps a path`);
  }
  const base = url.href.replace(/\/$/, '');
  const complete = base.endsWith(REQUEST_PATH) ? base : base + REQUEST_PATH;
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
