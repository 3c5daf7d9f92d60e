import * as z from 'zod';
import { BOT_SCOPES } from '../../functions/contracts/slack-scopes.ts';
import { runCommand } from './run-command.ts';

const URL_OF_API = 'https://abc123.execute-api.eu-central-1.amazonaws.com';

const print = (...args: string[]) => runCommand('cli/slack-manifest.ts', args);

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
  }),
  oauth_config: z.strictObject({ scopes: z.strictObject({ bot: z.array(z.string()).min(1).max(255) }) }),
  settings: z.strictObject({
    interactivity: z.strictObject({
      is_enabled: z.literal(true),
      request_url: z.url().startsWith('https://').max(3500),
    }),
    org_deploy_enabled: z.literal(false),
    socket_mode_enabled: z.literal(false),
    token_rotation_enabled: z.literal(false),
  }),
});

describe('npm run slack:manifest', () => {
  it.each([`${URL_OF_API}/`, `${URL_OF_API}/slack/events`])(
    'prints a manifest that Slack takes, with the scopes of the code and the address of %s',
    async (url) => {
      const { code, stdout, stderr } = await print('--url', url);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const manifest = slackSchema.parse(JSON.parse(stdout));
      expect(manifest.oauth_config.scopes.bot).toEqual([...BOT_SCOPES]);
      expect(manifest.settings.interactivity.request_url).toBe(`${URL_OF_API}/slack/events`);
    },
  );

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
    ['--url', 'http://insecure.example'],
    ['--url', 'abc123.execute-api.eu-central-1.amazonaws.com'],
    ['--url', `${URL_OF_API}?stage=prod`],
    ['--url', URL_OF_API, '--name', 'X'.repeat(36)],
    ['--url', URL_OF_API, '--name', ''],
  ])('says why it makes none of %j', async (...args) => {
    const { code, stdout, stderr } = await print(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^(?:the name of the app|.* is not the address of the HTTP API)/);
  });
});
