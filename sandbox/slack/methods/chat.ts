import { WORKSPACE } from '../../world.ts';
import { SlackApiError } from '../api-error.ts';
import { flag, requiredText, text } from '../arguments.ts';
import {
  addEphemeral,
  addMessage,
  changeMessage,
  isEmpty,
  readContent,
  readMetadata,
  removeMessage,
} from '../messages.ts';
import type { Method, MethodContext } from '../method.ts';
import { findPerson } from '../people.ts';
import {
  type Channel,
  channelOf,
  directMessageChannel,
  isReply,
  type Message,
  membersOf,
  messageIn,
  type Workspace,
} from '../workspace.ts';

/** chat.update's page: "The `text` field cannot exceed 4,000 characters"; posting takes 40,000 and cuts. */
const MAX_UPDATE_TEXT = 4000;

/** The channel to post to: an id, a #name, or a person, whose direct messages are opened then. */
function destination(workspace: Workspace, name: string): Channel {
  const channel = findPerson(name) === undefined ? channelOf(workspace, name) : directMessageChannel(workspace, name);
  if (channel.archived) throw new SlackApiError('is_archived');
  if (!channel.botIsMember) throw new SlackApiError('not_in_channel');
  return channel;
}

/** The thread that a reply belongs to; the ts of a reply leads to its root. A ts that names nothing is posted at top level, as Slack does. */
function threadOf(channel: Channel, ts: string | undefined): string | undefined {
  if (ts === undefined) return undefined;
  const root = messageIn(channel, ts);
  return root === undefined ? undefined : (root.thread_ts ?? root.ts);
}

/** The bot's own message that a call names by channel and ts. */
function ownMessage({ args, workspace }: MethodContext, notOwn: string): { channel: Channel; message: Message } {
  const channel = channelOf(workspace, requiredText(args, 'channel'));
  const message = messageIn(channel, requiredText(args, 'ts'));
  if (message === undefined || message.subtype === 'tombstone') throw new SlackApiError('message_not_found');
  if (message.bot_id !== WORKSPACE.botId) throw new SlackApiError(notOwn);
  if (channel.archived) throw new SlackApiError('is_inactive');
  return { channel, message };
}

const BOT_PROFILE = {
  id: WORKSPACE.botId,
  app_id: WORKSPACE.appId,
  name: 'kms-rotation-bot',
  deleted: false,
  updated: 0,
  team_id: WORKSPACE.teamId,
  icons: {},
};

const postMessage: Method = {
  tier: 'message-per-second',
  run({ args, workspace }) {
    const channel = destination(workspace, requiredText(args, 'channel'));
    const content = readContent(args);
    if (isEmpty(content)) throw new SlackApiError('no_text');
    const metadata = readMetadata(args);
    const threadTs = threadOf(channel, text(args, 'thread_ts'));
    const message = addMessage(workspace, channel, content, {
      ...(metadata === undefined || metadata === 'remove' ? {} : { metadata }),
      ...(threadTs === undefined ? {} : { threadTs, broadcast: flag(args, 'reply_broadcast') }),
    });
    return { channel: channel.id, ts: message.ts, message: { ...message, bot_profile: BOT_PROFILE } };
  },
};

const update: Method = {
  tier: 'tier3',
  run(context) {
    const { args, workspace } = context;
    const { channel, message } = ownMessage(context, 'cant_update_message');
    const content = readContent(args);
    const metadata = readMetadata(args);
    if (isEmpty(content) && content.blocks === undefined && metadata === undefined) throw new SlackApiError('no_text');
    if ((content.text ?? '').length > MAX_UPDATE_TEXT) throw new SlackApiError('msg_too_long');
    changeMessage(workspace, message, content);
    if (metadata === 'remove') delete message.metadata;
    else if (metadata !== undefined) message.metadata = metadata;
    if (flag(args, 'reply_broadcast') && isReply(message)) message.subtype = 'thread_broadcast';
    return {
      channel: channel.id,
      ts: message.ts,
      text: message.text,
      message: { ...message, bot_profile: BOT_PROFILE },
    };
  },
};

const remove: Method = {
  tier: 'tier3',
  run(context) {
    const { channel, message } = ownMessage(context, 'cant_delete_message');
    const { ts } = message;
    removeMessage(channel, message);
    return { channel: channel.id, ts };
  },
};

const postEphemeral: Method = {
  tier: 'tier4',
  run({ args, workspace }) {
    const user = requiredText(args, 'user');
    const channel = destination(workspace, requiredText(args, 'channel'));
    const content = readContent(args);
    if (isEmpty(content)) throw new SlackApiError('no_text');
    if (!membersOf(channel).includes(user)) throw new SlackApiError('user_not_in_channel');
    const threadTs = threadOf(channel, text(args, 'thread_ts'));
    const shown = addEphemeral(workspace, { user, channel: channel.id }, content, threadTs);
    return { message_ts: shown.ts };
  },
};

const getPermalink: Method = {
  tier: 'special',
  run({ args, workspace, url }) {
    const channel = channelOf(workspace, requiredText(args, 'channel'));
    const message = messageIn(channel, requiredText(args, 'message_ts'));
    if (message === undefined) throw new SlackApiError('message_not_found');
    const thread = isReply(message) ? `?thread_ts=${message.thread_ts ?? ''}&cid=${channel.id}` : '';
    return {
      channel: channel.id,
      permalink: `${url}/archives/${channel.id}/p${message.ts.replace('.', '')}${thread}`,
    };
  },
};

const addReaction: Method = {
  tier: 'tier3',
  run({ args, workspace }) {
    const name = requiredText(args, 'name');
    const channel = channelOf(workspace, requiredText(args, 'channel'));
    if (!channel.botIsMember) throw new SlackApiError('not_in_channel');
    const message = messageIn(channel, requiredText(args, 'timestamp'));
    if (message === undefined) throw new SlackApiError('message_not_found');
    if (!/^[a-z0-9_+'-]+$/.test(name)) throw new SlackApiError('invalid_name');
    const reactions = message.reactions ?? [];
    if (reactions.some((reaction) => reaction.name === name)) throw new SlackApiError('already_reacted');
    message.reactions = [...reactions, { name, users: [WORKSPACE.botUserId], count: 1 }];
    return {};
  },
};

/** `chat.*` and `reactions.add`. */
export const chatMethods: Record<string, Method> = {
  'chat.postMessage': postMessage,
  'chat.update': update,
  'chat.delete': remove,
  'chat.postEphemeral': postEphemeral,
  'chat.getPermalink': getPermalink,
  'reactions.add': addReaction,
};
