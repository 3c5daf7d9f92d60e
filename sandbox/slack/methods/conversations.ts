import { WORKSPACE } from '../../world.ts';
import { SlackApiError } from '../api-error.ts';
import { type Arguments, flag, requiredText, text } from '../arguments.ts';
import type { Method } from '../method.ts';
import { page } from '../pagination.ts';
import { findPerson, isOutside } from '../people.ts';
import {
  type Channel,
  channelOf,
  directMessageChannel,
  isReply,
  type Message,
  membersOf,
  messageIn,
  repliesTo,
} from '../workspace.ts';

const DEFAULT_LIMIT = 100;

function channelObject(channel: Channel): Record<string, unknown> {
  if (channel.directMessageOf !== undefined) {
    return { id: channel.id, created: 0, is_im: true, is_archived: false, user: channel.directMessageOf };
  }
  const shared = membersOf(channel).some((id) => {
    const person = findPerson(id);
    return person !== undefined && isOutside(person);
  });
  return {
    id: channel.id,
    name: channel.name,
    name_normalized: channel.name,
    is_channel: true,
    is_group: false,
    is_im: false,
    is_mpim: false,
    is_private: false,
    is_general: false,
    is_archived: channel.archived,
    is_member: channel.botIsMember,
    is_shared: shared,
    is_ext_shared: shared,
    is_org_shared: false,
    is_pending_ext_shared: false,
    context_team_id: WORKSPACE.teamId,
    created: 0,
    creator: WORKSPACE.botUserId,
    topic: { value: '', creator: '', last_set: 0 },
    purpose: { value: '', creator: '', last_set: 0 },
  };
}

/** A message as history and replies return it: thread counters on the root, metadata only as far as asked for. */
function listed(channel: Channel, message: Message, allMetadata: boolean): Record<string, unknown> {
  const { metadata, ...rest } = message;
  const replies = isReply(message) ? [] : repliesTo(channel, message.ts);
  const users = [...new Set(replies.map(({ user }) => user))];
  return {
    ...rest,
    ...(metadata === undefined ? {} : { metadata: allMetadata ? metadata : { event_type: metadata.event_type } }),
    ...(replies.length === 0
      ? {}
      : {
          thread_ts: message.ts,
          reply_count: replies.length,
          reply_users_count: users.length,
          reply_users: users,
          latest_reply: replies.at(-1)?.ts,
          is_locked: false,
          subscribed: false,
        }),
  };
}

function timestamp(args: Arguments, name: 'oldest' | 'latest', fallback: number): number {
  const value = text(args, name);
  if (value === undefined) return fallback;
  if (!/^\d+(\.\d+)?$/.test(value)) throw new SlackApiError(`invalid_ts_${name}`);
  return Number(value);
}

/** Whether a ts lies between `oldest` and `latest`, the borders included only if `inclusive` says so. */
function within(args: Arguments): (message: Message) => boolean {
  const oldest = timestamp(args, 'oldest', 0);
  const latest = timestamp(args, 'latest', Number.POSITIVE_INFINITY);
  const inclusive = flag(args, 'inclusive');
  return ({ ts }) => {
    const at = Number(ts);
    return inclusive ? at >= oldest && at <= latest : at > oldest && at < latest;
  };
}

/** The channel of a call that reads messages: the bot must be in it. */
function readable(channel: Channel): Channel {
  if (!channel.botIsMember) throw new SlackApiError('not_in_channel');
  return channel;
}

const history: Method = {
  tier: 'tier3',
  run({ args, workspace }) {
    const channel = readable(channelOf(workspace, requiredText(args, 'channel')));
    const newestFirst = channel.messages
      .filter((message) => !isReply(message) || message.subtype === 'thread_broadcast')
      .filter(within(args))
      .toReversed();
    const { items, nextCursor } = page(newestFirst, args, DEFAULT_LIMIT);
    return {
      messages: items.map((message) => listed(channel, message, flag(args, 'include_all_metadata'))),
      has_more: nextCursor !== '',
      pin_count: 0,
      ...(nextCursor === '' ? {} : { response_metadata: { next_cursor: nextCursor } }),
    };
  },
};

const replies: Method = {
  tier: 'tier3',
  run({ args, workspace }) {
    const channel = readable(channelOf(workspace, requiredText(args, 'channel')));
    const named = messageIn(channel, requiredText(args, 'ts'));
    const root = named === undefined ? undefined : messageIn(channel, named.thread_ts ?? named.ts);
    if (root === undefined) throw new SlackApiError('thread_not_found');
    const inside = within(args);
    const thread = [root, ...repliesTo(channel, root.ts).filter(inside)];
    const { items, nextCursor } = page(thread, args, 1000);
    return {
      messages: items.map((message) => listed(channel, message, flag(args, 'include_all_metadata'))),
      has_more: nextCursor !== '',
      ...(nextCursor === '' ? {} : { response_metadata: { next_cursor: nextCursor } }),
    };
  },
};

const info: Method = {
  tier: 'tier3',
  run({ args, workspace }) {
    const channel = channelOf(workspace, requiredText(args, 'channel'));
    return {
      channel: {
        ...channelObject(channel),
        ...(flag(args, 'include_num_members') ? { num_members: membersOf(channel).length + 1 } : {}),
      },
    };
  },
};

const members: Method = {
  tier: 'tier4',
  run({ args, workspace }) {
    const channel = channelOf(workspace, requiredText(args, 'channel'));
    const all = [...membersOf(channel), ...(channel.botIsMember ? [WORKSPACE.botUserId] : [])];
    const { items, nextCursor } = page(all, args, DEFAULT_LIMIT);
    return { members: items, response_metadata: { next_cursor: nextCursor } };
  },
};

const open: Method = {
  tier: 'tier3',
  run({ args, workspace }) {
    const existing = text(args, 'channel');
    if (existing !== undefined) return { channel: { id: channelOf(workspace, existing).id }, no_op: true };
    const users = requiredText(args, 'users').split(',');
    const [user, ...others] = users;
    // Group direct messages exist in Slack; no part of this world needs them.
    if (user === undefined || others.length > 0) throw new SlackApiError('too_many_users');
    const person = findPerson(user);
    if (person === undefined) throw new SlackApiError('user_not_found');
    if (person.deactivated === true) throw new SlackApiError('user_disabled');
    const channel = directMessageChannel(workspace, user);
    return { channel: flag(args, 'return_im') ? channelObject(channel) : { id: channel.id } };
  },
};

const list: Method = {
  tier: 'tier2',
  run({ args, workspace }) {
    const types = (text(args, 'types') ?? 'public_channel').split(',');
    const all = workspace.channels
      .filter(({ directMessageOf }) => types.includes(directMessageOf === undefined ? 'public_channel' : 'im'))
      .filter(({ archived }) => !archived || !flag(args, 'exclude_archived'));
    const { items, nextCursor } = page(all, args, DEFAULT_LIMIT);
    return {
      channels: items.map((channel) => ({ ...channelObject(channel), num_members: membersOf(channel).length + 1 })),
      response_metadata: { next_cursor: nextCursor },
    };
  },
};

/** `conversations.*`. */
export const conversationMethods: Record<string, Method> = {
  'conversations.history': history,
  'conversations.replies': replies,
  'conversations.info': info,
  'conversations.members': members,
  'conversations.open': open,
  'conversations.list': list,
};
