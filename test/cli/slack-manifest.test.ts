import * as z from 'zod';
import { BOT_SCOPES } from '../../functions/contracts/slack-scopes.ts';
import { runCommand } from './run-command.ts';

const URL_OF_API = 'https://abc123.execute-api.eu-central-1.amazonaws.com';

const print = (...args: string[]) => runCommand('cli/slack-manifest.ts', args);

const requestUrl = z.url().startsWith('https://').max(3500);

/** Slack's limits, of its manifest schema (github.com/slackapi/manifest-schema, 2.0.0), for the parts that are used. */
const slackSchema = z.strictObject({
  _metadata: z.strictObject({ major_version: z.literal(2), minor_version: z.int() }),
  display_information: z.strictObject({
    name: z.string().min(1).max(35),
    description: z.string().min(1).max(140),
    background_color: z.string().regex(/^#[0-9a-fA-F]{6}$/),
  }),
  features: z.strictObject({
    bot_user: z.strictObject({
      display_name: z
        .string()
        .max(80)
        .regex(/^[a-z0-9._-]+$/),
      always_online: z.boolean(),
    }),
    app_home: z.strictObject({
      home_tab_enabled: z.literal(true),
      messages_tab_enabled: z.boolean(),
      messages_tab_read_only_enabled: z.boolean(),
    }),
    slash_commands: z
      .array(
        z.strictObject({
          command: z.string().startsWith('/').max(32),
          description: z.string().min(1).max(2000),
          usage_hint: z.string().max(1000),
          should_escape: z.boolean(),
          url: requestUrl.optional(),
        }),
      )
      .length(1),
  }),
  oauth_config: z.strictObject({ scopes: z.strictObject({ bot: z.array(z.string()).min(1).max(255) }) }),
  settings: z.strictObject({
    interactivity: z.strictObject({
      is_enabled: z.literal(true),
      request_url: requestUrl.optional(),
    }),
    event_subscriptions: z.strictObject({
      request_url: requestUrl.optional(),
      bot_events: z.array(z.string()).max(100),
    }),
    org_deploy_enabled: z.literal(false),
    socket_mode_enabled: z.boolean(),
    token_rotation_enabled: z.literal(false),
  }),
});

describe('npm run slack:manifest', () => {
  it('prints a manifest that Slack takes, with the scopes of the code and the address of the API', async () => {
    const { code, stdout, stderr } = await print('--url', `${URL_OF_API}/`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const manifest = slackSchema.parse(JSON.parse(stdout));
    expect(manifest.oauth_config.scopes.bot).toEqual([...BOT_SCOPES]);
    const { settings, features } = manifest;
    const urls = [settings.interactivity.request_url, settings.event_subscriptions.request_url];
    expect([...urls, features.slash_commands[0]?.url]).toEqual(Array(3).fill(`${URL_OF_API}/slack/events`));
    expect(settings.socket_mode_enabled).toBe(false);
  });

  it('takes the output of the stack as it is', async () => {
    const { stdout } = await print('--url', `${URL_OF_API}/slack/events`);
    expect(slackSchema.parse(JSON.parse(stdout)).settings.interactivity.request_url).toBe(`${URL_OF_API}/slack/events`);
  });

  it('prints one for a sandbox that nothing can reach, without any address', async () => {
    const { stdout } = await print('--socket');
    expect(slackSchema.parse(JSON.parse(stdout)).settings.socket_mode_enabled).toBe(true);
    expect(stdout).not.toContain('http');
  });

  it.each([
    ['Key rotation (staging)', 'key-rotation-staging'],
    ['X'.repeat(35), 'x'.repeat(35)],
    ['鍵', 'kms-rotation-bot'],
  ])('names the app %s and the bot %s', async (name, displayName) => {
    const { stdout } = await print('--url', URL_OF_API, '--name', name);
    const { display_information, features } = slackSchema.parse(JSON.parse(stdout));
    expect([display_information.name, features.bot_user.display_name]).toEqual([name, displayName]);
  });

  it.each([
    [],
    ['--url', URL_OF_API, '--socket'],
    ['--url', 'http://insecure.example'],
    ['--url', 'abc123.execute-api.eu-central-1.amazonaws.com'],
    ['--url', `${URL_OF_API}?stage=prod`],
    ['--url', URL_OF_API, '--name', 'X'.repeat(36)],
    ['--url', URL_OF_API, '--name', ''],
  ])('says why it makes none of %j', async (...args) => {
    const { code, stdout, stderr } = await print(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^(?:the name of the app|.* is not the address of the HTTP API|give either)/);
  });
});
