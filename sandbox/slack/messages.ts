/** What may be in a message, and what happens when one is posted or changed: the rules of chat.postMessage and chat.update. */
import * as z from 'zod';
import { WORKSPACE } from '../world.ts';
import { SlackApiError } from './api-error.ts';
import { type Arguments, json, text } from './arguments.ts';
import { type Block, blockList, fallbackText } from './block-schema.ts';
import { schemaComplaints } from './schema-complaints.ts';
import { type Channel, type Ephemeral, type Message, type Metadata, nextTs, type Workspace } from './workspace.ts';

const MAX_MESSAGE_BLOCKS = 50;
const MAX_TEXT = 40_000;
const MAX_ATTACHMENTS = 100;
/** Slack has a limit (`metadata_too_large`) and does not publish it; this is our guess. */
const MAX_METADATA_BYTES = 8000;
const MAX_EPHEMERALS = 1000;

const messageBlocks = blockList(MAX_MESSAGE_BLOCKS);
const metadataShape = z.object({
  event_type: z.string().regex(/^[a-z][a-z0-9_]*$/),
  event_payload: z.unknown(),
});
const payloadShape = z.record(z.string(), z.unknown());

/** The parts of a message that an app may set. */
export type Content = { text?: string; blocks?: Block[]; attachments?: unknown[] };

/** Checks blocks that came as a value; throws invalid_blocks_format or invalid_blocks with what is wrong. */
export function checkedBlocks(value: unknown): Block[] {
  if (!Array.isArray(value)) throw new SlackApiError('invalid_blocks_format');
  const result = messageBlocks.safeParse(value, { reportInput: true });
  if (!result.success) throw new SlackApiError('invalid_blocks', schemaComplaints(result.error, '/blocks'));
  return result.data;
}

/** Attachments are kept as they are; the page does not draw them. */
function readAttachments(args: Arguments): unknown[] | undefined {
  const given = json(args, 'attachments', 'invalid_attachments');
  if (given === undefined) return undefined;
  const list = z.array(z.unknown()).safeParse(given);
  if (!list.success) throw new SlackApiError('invalid_attachments');
  if (list.data.length > MAX_ATTACHMENTS) throw new SlackApiError('too_many_attachments');
  return list.data;
}

/** Reads text, blocks and attachments of a call. Text beyond 40,000 characters is cut, as Slack does. */
export function readContent(args: Arguments): Content {
  const given = text(args, 'text');
  const blocks = json(args, 'blocks', 'invalid_blocks_format');
  const attachments = readAttachments(args);
  return {
    ...(given === undefined ? {} : { text: given.slice(0, MAX_TEXT) }),
    ...(blocks === undefined ? {} : { blocks: checkedBlocks(blocks) }),
    ...(attachments === undefined ? {} : { attachments }),
  };
}

/** Whether there is nothing to show. */
export function isEmpty({ text: words, blocks, attachments }: Content): boolean {
  return words === undefined && (blocks?.length ?? 0) === 0 && (attachments?.length ?? 0) === 0;
}

/** Reads message metadata: undefined if not given, `{}` if it is to be removed. */
export function readMetadata(args: Arguments): Metadata | 'remove' | undefined {
  const given = json(args, 'metadata', 'invalid_metadata_format');
  if (given === undefined) return undefined;
  if (typeof given !== 'object' || given === null) throw new SlackApiError('invalid_metadata_format');
  if (Object.keys(given).length === 0) return 'remove';
  const shape = metadataShape.safeParse(given);
  if (!shape.success) throw new SlackApiError('invalid_metadata_format');
  const payload = payloadShape.safeParse(shape.data.event_payload);
  if (!payload.success) throw new SlackApiError('invalid_metadata_schema');
  if (Buffer.byteLength(JSON.stringify(given)) > MAX_METADATA_BYTES) throw new SlackApiError('metadata_too_large');
  return { event_type: shape.data.event_type, event_payload: payload.data };
}

/** Stores a new message of the bot. */
export function addMessage(
  workspace: Workspace,
  channel: Channel,
  content: Content,
  extra: { metadata?: Metadata; threadTs?: string; broadcast?: boolean } = {},
): Message {
  const added: Message = {
    type: 'message',
    ts: nextTs(workspace),
    user: WORKSPACE.botUserId,
    bot_id: WORKSPACE.botId,
    app_id: WORKSPACE.appId,
    team: WORKSPACE.teamId,
    text: content.text ?? fallbackText(content.blocks ?? []),
  };
  if (content.blocks !== undefined && content.blocks.length > 0) added.blocks = content.blocks;
  if (content.attachments !== undefined) added.attachments = content.attachments;
  if (extra.metadata !== undefined) added.metadata = extra.metadata;
  if (extra.threadTs !== undefined) added.thread_ts = extra.threadTs;
  if (extra.broadcast === true) added.subtype = 'thread_broadcast';
  channel.messages.push(added);
  return added;
}

/** Shows something to one person only. */
export function addEphemeral(
  workspace: Workspace,
  { user, channel }: { user: string; channel: string },
  content: Content,
  threadTs?: string,
): Ephemeral {
  const shown: Ephemeral = {
    user,
    channel,
    ts: nextTs(workspace),
    text: content.text ?? fallbackText(content.blocks ?? []),
  };
  if (content.blocks !== undefined && content.blocks.length > 0) shown.blocks = content.blocks;
  if (threadTs !== undefined) shown.thread_ts = threadTs;
  workspace.ephemerals.push(shown);
  // Slack keeps none: they are gone when a person reloads.
  if (workspace.ephemerals.length > MAX_EPHEMERALS) workspace.ephemerals.shift();
  return shown;
}

/**
 * Changes a message as chat.update does: text without blocks removes the blocks and marks the message as edited,
 * blocks replace the blocks and leave no mark.
 */
export function changeMessage(workspace: Workspace, target: Message, content: Content): void {
  if (content.blocks !== undefined) {
    target.text = content.text ?? fallbackText(content.blocks);
    if (content.blocks.length > 0) target.blocks = content.blocks;
    else delete target.blocks;
    delete target.edited;
  } else if (content.text !== undefined) {
    target.text = content.text;
    delete target.blocks;
    target.edited = { user: WORKSPACE.botUserId, ts: nextTs(workspace) };
  }
  if (content.attachments !== undefined) target.attachments = content.attachments;
}

/** Deletes a message; one that has replies stays as a tombstone, so that its thread does. */
export function removeMessage(channel: Channel, target: Message): void {
  const hasReplies = channel.messages.some(({ ts, thread_ts }) => thread_ts === target.ts && ts !== target.ts);
  if (!hasReplies) {
    channel.messages = channel.messages.filter((candidate) => candidate !== target);
    return;
  }
  target.subtype = 'tombstone';
  target.text = 'This message was deleted.';
  delete target.blocks;
  delete target.metadata;
  delete target.attachments;
}
