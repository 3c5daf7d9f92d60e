import * as z from 'zod/mini';
import { slackId } from './slack-actions.ts';

/** `action_id`s of the Home tab's own controls; a finding's buttons there are those of its message. */
export const HOME_ACTION = { search: 'home-search', more: 'home-more', first: 'home-first' } as const;

/** The Home tab's `private_metadata`: what it shows, so that it can be drawn again after a click. */
export const homeMetadata = z.strictObject({
  search: z.nullable(z.string().check(z.maxLength(200))),
  /** Where the page of open findings begins; null is the beginning. */
  after: z.nullable(z.string().check(z.maxLength(500))),
});
export type HomeMetadata = z.infer<typeof homeMetadata>;

export const SLASH_COMMAND = '/kms-rotation';

/** Somebody opened the Home tab (Slack, "app_home_opened event"); the only event that the app subscribes to. */
export const slackEvent = z.object({
  type: z.literal('event_callback'),
  team_id: z.optional(slackId),
  enterprise_id: z.nullish(slackId),
  event: z.object({ type: z.literal('app_home_opened'), user: slackId, tab: z.enum(['home', 'messages']) }),
});
export type SlackEvent = z.infer<typeof slackEvent>;

/** Slack, "Implementing slash commands". `team_id` is the workspace in which it was typed. */
export const slackCommand = z.object({
  command: z.literal(SLASH_COMMAND),
  text: z._default(z.string(), ''),
  user_id: slackId,
  team_id: slackId,
  enterprise_id: z.optional(slackId),
  trigger_id: z.optional(z.string()),
});
export type SlackCommand = z.infer<typeof slackCommand>;

/** What somebody asks for after the command's name. */
export type Subcommand =
  | { name: 'help'; unknown: string | null }
  | { name: 'status' | 'open' }
  | { name: 'exemptions'; expiringOnly: boolean }
  | { name: 'show' | 'audit'; key: string }
  | { name: 'exempt'; keys: string };

/** What the command only looks up. */
export type LookUp = Exclude<Subcommand, { name: 'exempt' }>;

/** Reads the text of a command; what is not understood asks for help. */
export function parseSubcommand(text: string): Subcommand {
  const [word = '', argument, ...rest] = text.trim().split(/\s+/);
  const name = word.toLowerCase();
  const isAlone = argument === undefined;
  if ((name === 'status' || name === 'open') && isAlone) return { name };
  if (name === 'exemptions' && isAlone) return { name, expiringOnly: false };
  if (name === 'exemptions' && argument === 'expiring' && rest.length === 0) return { name, expiringOnly: true };
  // The value of a tag may have spaces in it.
  if (name === 'exempt') return { name, keys: text.trim().slice(word.length).trim() };
  if ((name === 'show' || name === 'audit') && !isAlone && rest.length === 0) return { name, key: argument };
  return { name: 'help', unknown: name === '' || name === 'help' ? null : text.trim() };
}

/** Reads the Home tab's `private_metadata`; the beginning when it is not one that this version writes. */
export function parseHomeMetadata(text: string | undefined): HomeMetadata {
  try {
    return homeMetadata.parse(JSON.parse(text ?? ''));
  } catch {
    return { search: null, after: null };
  }
}
