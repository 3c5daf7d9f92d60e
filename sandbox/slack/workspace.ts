/**
 * What the embedded Slack knows: channels with their messages, open views, ephemeral messages and response_urls.
 * Plain data, so that a snapshot is a copy of it. All times are simulated times.
 */
import * as z from 'zod';
import { CHANNELS, PEOPLE } from '../world.ts';
import { SlackApiError } from './api-error.ts';
import { block } from './block-schema.ts';
import { storedView } from './view-schema.ts';

const metadata = z.object({ event_type: z.string(), event_payload: z.record(z.string(), z.unknown()) });
export type Metadata = z.infer<typeof metadata>;

const message = z.object({
  type: z.literal('message'),
  subtype: z.enum(['thread_broadcast', 'tombstone', 'channel_archive', 'channel_unarchive']).optional(),
  ts: z.string(),
  user: z.string(),
  text: z.string(),
  bot_id: z.string().optional(),
  app_id: z.string().optional(),
  team: z.string().optional(),
  blocks: z.array(block).optional(),
  attachments: z.array(z.unknown()).optional(),
  metadata: metadata.optional(),
  edited: z.object({ user: z.string(), ts: z.string() }).optional(),
  thread_ts: z.string().optional(),
  reactions: z.array(z.object({ name: z.string(), users: z.array(z.string()), count: z.number() })).optional(),
});
/** A message as stored; replies carry `thread_ts`, the ts of the message they answer. */
export type Message = z.infer<typeof message>;

const channel = z.object({
  id: z.string(),
  name: z.string(),
  archived: z.boolean(),
  botIsMember: z.boolean(),
  /** Set on a direct message channel: the person at the other end. */
  directMessageOf: z.string().optional(),
  messages: z.array(message),
});
export type Channel = z.infer<typeof channel>;

const ephemeral = z.object({
  user: z.string(),
  channel: z.string(),
  ts: z.string(),
  text: z.string(),
  blocks: z.array(block).optional(),
  thread_ts: z.string().optional(),
});
/** A message that one person sees in one channel. */
export type Ephemeral = z.infer<typeof ephemeral>;

const openView = z.object({
  user: z.string(),
  view: storedView,
  errors: z.record(z.string(), z.string()).optional(),
});
/** A modal that a person has open (the last one of a person is on top) or that person's App Home. */
export type OpenView = z.infer<typeof openView>;

const responseUrl = z.object({
  token: z.string(),
  user: z.string(),
  channel: z.string(),
  ts: z.string(),
  ephemeral: z.boolean(),
  issuedAt: z.number(),
  uses: z.number(),
});

/** The whole workspace; `lastMicroseconds` is the newest ts handed out. */
export const workspaceSchema = z.object({
  channels: z.array(channel),
  views: z.array(openView),
  ephemerals: z.array(ephemeral),
  responseUrls: z.array(responseUrl),
  lastMicroseconds: z.number(),
});
export type Workspace = z.infer<typeof workspaceSchema>;

/** The workspace before anything happened: the channels of the simulated world, with the bot in them. */
export function emptyWorkspace(): Workspace {
  return {
    channels: CHANNELS.map(({ id, name }) => ({ id, name, archived: false, botIsMember: true, messages: [] })),
    views: [],
    ephemerals: [],
    responseUrls: [],
    lastMicroseconds: 0,
  };
}

/** A new ts, `<epoch seconds>.<6 digits>`: unique in the workspace and never smaller than an earlier one. */
export function nextTs(workspace: Workspace): string {
  workspace.lastMicroseconds = Math.max(Date.now() * 1000, workspace.lastMicroseconds + 1);
  const digits = String(workspace.lastMicroseconds).padStart(7, '0');
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
}

/** The channel of an id (or `#name`), or `channel_not_found`. */
export function channelOf(workspace: Workspace, idOrName: string): Channel {
  const found = workspace.channels.find(({ id, name }) => id === idOrName || `#${name}` === idOrName);
  if (found === undefined) throw new SlackApiError('channel_not_found');
  return found;
}

/** The message with this ts, if there is one. */
export function messageIn({ messages }: Channel, ts: string): Message | undefined {
  // In order of ts, which all have the same number of digits.
  let low = 0;
  let high = messages.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((messages[middle]?.ts ?? '') < ts) low = middle + 1;
    else high = middle;
  }
  return messages[low]?.ts === ts ? messages[low] : undefined;
}

/** Whether a message stands in a thread below another one. */
export function isReply({ ts, thread_ts }: Message): boolean {
  return thread_ts !== undefined && thread_ts !== ts;
}

/** The replies of a thread, oldest first. */
export function repliesTo({ messages }: Channel, rootTs: string): Message[] {
  return messages.filter((candidate) => candidate.thread_ts === rootTs && isReply(candidate));
}

/** Ids of the people in a channel. Everybody who is not deactivated is in every channel, so each one is shared with the outside workspace. */
export function membersOf({ directMessageOf }: Channel): string[] {
  if (directMessageOf !== undefined) return [directMessageOf];
  return PEOPLE.filter(({ deactivated }) => deactivated !== true).map(({ id }) => id);
}

/** The direct message channel between the bot and a person, made when it is first needed. */
export function directMessageChannel(workspace: Workspace, user: string): Channel {
  const existing = workspace.channels.find(({ directMessageOf }) => directMessageOf === user);
  if (existing !== undefined) return existing;
  const made: Channel = {
    id: `D${user.slice(1)}`,
    name: user,
    archived: false,
    botIsMember: true,
    directMessageOf: user,
    messages: [],
  };
  workspace.channels.push(made);
  return made;
}
