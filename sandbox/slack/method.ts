import type { Arguments } from './arguments.ts';
import type { Tier } from './rate-limits.ts';
import type { Triggers } from './triggers.ts';
import type { Workspace } from './workspace.ts';

/** What a method works on. `url` is where the embedded Slack listens, `scopes` what the app was granted. */
export type MethodContext = {
  args: Arguments;
  workspace: Workspace;
  triggers: Triggers;
  url: string;
  scopes: readonly string[];
};

/** A Web API method: its rate limit tier and what it answers besides `ok: true`; refusals are thrown as SlackApiError. */
export type Method = { tier: Tier; run: (context: MethodContext) => Record<string, unknown> };
