/**
 * response_url (Slack's page "Handling user interaction"): five answers within thirty minutes of simulated time. An answer is
 * ephemeral unless it says `in_channel`; it may replace or delete the message that was clicked, and it may go into a thread only
 * together with `replace_original: false`. It needs no membership of the channel.
 */
import * as z from 'zod';
import { simulatedSecret } from '../simulated-secret.ts';
import { SlackApiError } from './api-error.ts';
import {
  addEphemeral,
  addMessage,
  type Content,
  changeMessage,
  checkedBlocks,
  isEmpty,
  removeMessage,
} from './messages.ts';
import { channelOf, type Ephemeral, messageIn, type Workspace } from './workspace.ts';

const MAX_USES = 5;
const LIFETIME_MS = 30 * 60 * 1000;

const responseBody = z.object({
  text: z.string().optional(),
  blocks: z.unknown().optional(),
  response_type: z.enum(['ephemeral', 'in_channel']).default('ephemeral'),
  replace_original: z.boolean().optional(),
  delete_original: z.boolean().default(false),
  thread_ts: z.string().optional(),
});

/** What a response_url leads back to: the person who clicked, and the message or ephemeral message that was clicked. */
export type Origin = { user: string; channel: string; ts: string; ephemeral: boolean };

/** Hands out the token of a new response_url. */
export function issueResponseToken(workspace: Workspace, origin: Origin): string {
  // Oldest first; one that expired long ago need not be told from one that never was.
  const live = workspace.responseUrls.findIndex(({ issuedAt }) => Date.now() - issuedAt <= 2 * LIFETIME_MS);
  workspace.responseUrls.splice(0, live === -1 ? workspace.responseUrls.length : live);
  const token = simulatedSecret(12);
  workspace.responseUrls.push({ ...origin, token, issuedAt: Date.now(), uses: 0 });
  return token;
}

type Reply = { status: number; body: { ok: true } | { ok: false; error: string } };
const refused = (status: number, error: string): Reply => ({ status, body: { ok: false, error } });

function originalEphemeral(workspace: Workspace, { user, channel, ts }: Origin): Ephemeral | undefined {
  return workspace.ephemerals.find((one) => one.user === user && one.channel === channel && one.ts === ts);
}

function deleteOriginal(workspace: Workspace, origin: Origin): void {
  if (origin.ephemeral) {
    const original = originalEphemeral(workspace, origin);
    workspace.ephemerals = workspace.ephemerals.filter((one) => one !== original);
    return;
  }
  const channel = channelOf(workspace, origin.channel);
  const message = messageIn(channel, origin.ts);
  if (message !== undefined) removeMessage(channel, message);
}

function replaceOriginal(workspace: Workspace, origin: Origin, content: Content): void {
  if (origin.ephemeral) {
    const original = originalEphemeral(workspace, origin);
    if (original === undefined) return;
    original.text = content.text ?? original.text;
    if (content.blocks !== undefined) original.blocks = content.blocks;
    else delete original.blocks;
    return;
  }
  const message = messageIn(channelOf(workspace, origin.channel), origin.ts);
  if (message !== undefined) changeMessage(workspace, message, content);
}

/** Takes one POST to a response_url. */
export function respond(workspace: Workspace, token: string, body: string): Reply {
  const entry = workspace.responseUrls.find((candidate) => candidate.token === token);
  if (entry === undefined) return refused(404, 'invalid_url');
  if (Date.now() - entry.issuedAt > LIFETIME_MS) return refused(404, 'expired_url');
  if (entry.uses >= MAX_USES) return refused(404, 'used_url');

  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return refused(400, 'invalid_payload');
  }
  const parsed = responseBody.safeParse(json);
  if (!parsed.success) return refused(400, 'invalid_payload');
  const { response_type, replace_original, delete_original, thread_ts } = parsed.data;

  try {
    const content: Content = {
      ...(parsed.data.text === undefined ? {} : { text: parsed.data.text }),
      ...(parsed.data.blocks === undefined ? {} : { blocks: checkedBlocks(parsed.data.blocks) }),
    };
    if (isEmpty(content) && !delete_original) return refused(400, 'no_text');
    entry.uses += 1;
    if (delete_original) {
      deleteOriginal(workspace, entry);
    } else if (replace_original === true) {
      replaceOriginal(workspace, entry, content);
    } else {
      const threadTs = replace_original === false ? thread_ts : undefined;
      if (response_type === 'ephemeral') addEphemeral(workspace, entry, content, threadTs);
      else {
        const channel = channelOf(workspace, entry.channel);
        addMessage(workspace, channel, content, threadTs === undefined ? {} : { threadTs });
      }
    }
  } catch (error) {
    if (error instanceof SlackApiError) return refused(400, error.code);
    throw error;
  }
  return { status: 200, body: { ok: true } };
}
