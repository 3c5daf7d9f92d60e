import { SlackError, WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError, WebClient } from '@slack/web-api';
import * as z from 'zod/mini';
import { MESSAGE_EVENT_TYPE } from '../contracts/slack-actions.ts';
import type { SlackMethod } from '../contracts/slack-scopes.ts';
import type { GroupMembership } from '../domain/authority.ts';
import type { SlackPerson } from '../domain/people.ts';
import { SILENT_LOGGER } from './silent-logger.ts';

/** Where a message stands. */
export type MessagePlace = { channel: string; ts: string };

/** A block of Block Kit; what is in it is the renderer's business. */
export type MessageBlock = { type: string; block_id?: string };

export type NewMessage = {
  /** Channel id. */
  channel: string;
  /** What notifications and screen readers say. */
  text: string;
  blocks?: readonly MessageBlock[] | undefined;
  /** Goes into the message's metadata, so that the message can be found again. */
  postId: string;
  /** Makes it a reply below that message. */
  threadTs?: string | undefined;
  /** Shows a reply in the channel too. */
  broadcast?: boolean | undefined;
};

export type ModalToOpen = Parameters<WebClient['views']['open']>[0]['view'];

export type HomeToPublish = Parameters<WebClient['views']['publish']>[0]['view'];

/** Slack did not take the call; the same call may succeed after `retryAfterSeconds`. */
export class SlackRateLimited extends Error {
  public override readonly name = 'SlackRateLimited';
  public readonly retryAfterSeconds: number;
  public constructor(method: string, retryAfterSeconds: number, options?: ErrorOptions) {
    super(`Slack limits the rate of ${method}; next try in ${retryAfterSeconds} s`, options);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** No usable answer came: nobody knows whether Slack did what it was asked. */
export class SlackUnavailable extends Error {
  public override readonly name = 'SlackUnavailable';
  public constructor(method: string, reason: string, options?: ErrorOptions) {
    super(`Slack gave no answer to ${method}: ${reason}`, options);
  }
}

/** Slack said no, did nothing, and will say no again until somebody changes something. */
export class SlackRefused extends Error {
  public override readonly name = 'SlackRefused';
  /** Slack's own word, such as `channel_not_found`. */
  public readonly code: string;
  /** Slack's complaints about the arguments, if any. */
  public readonly details: string[];
  public constructor(method: string, code: string, details: string[], options?: ErrorOptions) {
    super([`Slack refuses ${method}: ${code}`, ...details].join('; '), options);
    this.code = code;
    this.details = details;
  }
}

/** Platform errors that pass by themselves. "It's possible some aspect of the operation succeeded" (Slack, chat.postMessage, Errors). */
const OUTCOME_UNKNOWN = new Set(['fatal_error', 'internal_error', 'service_unavailable', 'request_timeout']);
const RATE_LIMITED = new Set(['ratelimited', 'rate_limited', 'message_limit_exceeded']);

/** However old a policy lets an answer become, it is forgotten then. */
const LONGEST_CACHE_MS = 300_000;
const DEFAULT_TIMEOUT_MS = 5_000;
const PAGE_SIZE = 200;

const posted = z.object({ channel: z.string(), ts: z.string() });
const permalinkAnswer = z.object({ permalink: z.url() });
const opened = z.object({ view: z.object({ id: z.string() }) });
const identity = z.object({ bot_id: z.string() });
const listing = z.object({
  messages: z.array(
    z.object({
      ts: z.string(),
      bot_id: z.optional(z.string()),
      metadata: z.optional(
        z.object({ event_type: z.optional(z.string()), event_payload: z.optional(z.record(z.string(), z.unknown())) }),
      ),
    }),
  ),
  response_metadata: z.optional(z.object({ next_cursor: z.optional(z.string()) })),
});
const groupUsers = z.object({ users: z.array(z.string()) });
const userInfo = z.object({
  user: z.object({
    id: z.string(),
    team_id: z.optional(z.string()),
    name: z.optional(z.string()),
    real_name: z.optional(z.string()),
    deleted: z.optional(z.boolean()),
    is_bot: z.optional(z.boolean()),
    is_restricted: z.optional(z.boolean()),
    is_ultra_restricted: z.optional(z.boolean()),
    is_stranger: z.optional(z.boolean()),
    enterprise_user: z.optional(z.object({ enterprise_id: z.optional(z.string()) })),
    profile: z.optional(z.object({ display_name: z.optional(z.string()), email: z.optional(z.string()) })),
  }),
});
type UserObject = z.infer<typeof userInfo>['user'];

/** The workspaces that a user group may be in, and how old the answer may be. */
export type GroupQuestion = { teamIds: readonly string[]; maxAgeSeconds: number };

export type Slack = ReturnType<typeof createSlack>;

/**
 * Slack in the bot's words. Every call is made once: whoever called decides whether to call again, because a second
 * chat.postMessage is a second message. All functions throw SlackRateLimited, SlackUnavailable or SlackRefused.
 */
export function createSlack({
  token,
  apiUrl,
  timeoutMs = DEFAULT_TIMEOUT_MS,
}: {
  /** Asked for every call, since tokens change; what it throws is thrown on. */
  token: () => Promise<string>;
  /** Slack's own address when undefined. */
  apiUrl?: string | undefined;
  /** How long one call may take. */
  timeoutMs?: number;
}) {
  const makeClient = (given: string) =>
    new WebClient(given, {
      ...(apiUrl === undefined ? {} : { slackApiUrl: apiUrl }),
      timeout: timeoutMs,
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      logger: SILENT_LOGGER,
    });
  let current: WebClient | undefined;

  async function call(method: SlackMethod, run: (client: WebClient) => Promise<unknown>): Promise<unknown> {
    const given = await token();
    if (current?.token !== given) current = makeClient(given);
    try {
      return await run(current);
    } catch (cause) {
      throw translate(method, cause);
    }
  }

  const people = createCache<SlackPerson>();
  const groups = createCache<string[] | null>();
  const self = createCache<string>();

  /** The bot's own id: metadata is open to every app of the workspace, so it alone does not make a message ours. */
  function ownBotId(): Promise<string> {
    return self(
      'self',
      LONGEST_CACHE_MS / 1000,
      async () => identity.parse(await call('auth.test', (client) => client.auth.test())).bot_id,
    );
  }

  /**
   * Null for a group that does not exist or is disabled. An app that is installed for a whole organisation has to say in
   * which workspace the group is; for others Slack ignores `team_id` (Slack, usergroups.users.list).
   */
  function usersOfGroup(groupId: string, { teamIds, maxAgeSeconds }: GroupQuestion): Promise<string[] | null> {
    return groups(groupId, maxAgeSeconds, async () => {
      for (const team_id of teamIds) {
        const users = await usersOfGroupIn(team_id, groupId);
        // A user group with nobody in it is a disabled one.
        if (users !== null && users.length > 0) return users;
      }
      return null;
    });
  }

  async function usersOfGroupIn(team_id: string, usergroup: string): Promise<string[] | null> {
    try {
      const answer = await call('usergroups.users.list', (client) =>
        client.usergroups.users.list({ usergroup, team_id }),
      );
      return groupUsers.parse(answer).users;
    } catch (error) {
      if (error instanceof SlackRefused && error.code === 'no_such_subteam') return null;
      throw error;
    }
  }

  return {
    /**
     * Posts a message or a reply; to a person's direct messages when `channel` is a user id. After SlackUnavailable it may
     * or may not stand in the channel: `findPosted` tells.
     */
    async postMessage({ channel, text, blocks, postId, threadTs, broadcast }: NewMessage): Promise<MessagePlace> {
      const message = {
        channel,
        text,
        ...(blocks === undefined ? {} : { blocks: [...blocks] }),
        metadata: { event_type: MESSAGE_EVENT_TYPE, event_payload: { post_id: postId } },
        unfurl_links: false,
        unfurl_media: false,
      };
      const answer = await call('chat.postMessage', (client) =>
        threadTs === undefined
          ? client.chat.postMessage(message)
          : client.chat.postMessage({ ...message, thread_ts: threadTs, reply_broadcast: broadcast ?? false }),
      );
      return posted.parse(answer);
    },

    /** Replaces what a message shows; its metadata stays. `message_not_found` is a SlackRefused: somebody deleted it. */
    async updateMessage({
      channel,
      ts,
      text,
      blocks,
    }: MessagePlace & { text: string; blocks: readonly MessageBlock[] }): Promise<void> {
      await call('chat.update', (client) => client.chat.update({ channel, ts, text, blocks: [...blocks] }));
    },

    /** Slack's own address of a message. */
    async permalink({ channel, ts }: MessagePlace): Promise<string> {
      const answer = await call('chat.getPermalink', (client) => client.chat.getPermalink({ channel, message_ts: ts }));
      return permalinkAnswer.parse(answer).permalink;
    },

    /**
     * The bot's message that was posted with `postId` after `oldest` (an ISO instant), in the channel or, with
     * `threadTs`, below that message. Null when there is none. The bot has to be a member of the channel.
     */
    async findPosted({
      channel,
      oldest,
      threadTs,
      postId,
    }: {
      channel: string;
      oldest: string;
      threadTs?: string | undefined;
      postId: string;
    }): Promise<MessagePlace | null> {
      const botId = await ownBotId();
      let cursor: string | undefined;
      do {
        const query = {
          channel,
          oldest: (Date.parse(oldest) / 1000).toFixed(6),
          limit: PAGE_SIZE,
          include_all_metadata: true,
          ...(cursor === undefined ? {} : { cursor }),
        };
        const page = listing.parse(
          await (threadTs === undefined
            ? call('conversations.history', (client) => client.conversations.history(query))
            : call('conversations.replies', (client) => client.conversations.replies({ ...query, ts: threadTs }))),
        );
        const found = page.messages.find(
          ({ bot_id, metadata }) =>
            bot_id === botId &&
            metadata?.event_type === MESSAGE_EVENT_TYPE &&
            metadata.event_payload?.['post_id'] === postId,
        );
        if (found !== undefined) return { channel, ts: found.ts };
        cursor = page.response_metadata?.next_cursor;
      } while (cursor !== undefined && cursor !== '');
      return null;
    },

    /** Opens a modal for whoever clicked; a trigger id is good for three seconds. Answers the view's id. */
    async openView(triggerId: string, view: ModalToOpen): Promise<string> {
      const answer = await call('views.open', (client) => client.views.open({ trigger_id: triggerId, view }));
      return opened.parse(answer).view.id;
    },

    /** Makes this a person's Home tab. */
    async publishHome(userId: string, view: HomeToPublish): Promise<void> {
      await call('views.publish', (client) => client.views.publish({ user_id: userId, view }));
    },

    /** Puts a modal on top of the one that was clicked in. */
    async pushView(triggerId: string, view: ModalToOpen): Promise<void> {
      await call('views.push', (client) => client.views.push({ trigger_id: triggerId, view }));
    },

    /** Replaces what an open modal shows. `not_found` is a SlackRefused: it was closed. */
    async updateView(viewId: string, view: ModalToOpen): Promise<void> {
      await call('views.update', (client) => client.views.update({ view_id: viewId, view }));
    },

    /**
     * Who a user is, at most so old; null when Slack knows or shows nobody by that id. `payloadTeamId` is the
     * `user.team_id` of the interaction, or null when the person was named and did not click.
     */
    async person(userId: string, payloadTeamId: string | null, maxAgeSeconds: number): Promise<SlackPerson | null> {
      try {
        return await people(`${userId} ${payloadTeamId ?? ''}`, maxAgeSeconds, async () => {
          const answer = await call('users.info', (client) => client.users.info({ user: userId }));
          return slackPerson(userInfo.parse(answer).user, payloadTeamId);
        });
      } catch (error) {
        if (error instanceof SlackRefused && (error.code === 'user_not_found' || error.code === 'user_not_visible')) {
          return null;
        }
        throw error;
      }
    },

    /**
     * Which of these user groups a user is in; not known as soon as one of them cannot be read. Groups go by id, so that a
     * renamed one stays what it was.
     */
    async groupsOf(userId: string, groupIds: readonly string[], question: GroupQuestion): Promise<GroupMembership> {
      try {
        const members = await Promise.all(groupIds.map((id) => usersOfGroup(id, question)));
        return {
          known: true,
          groupIds: groupIds.filter((_, index) => members[index]?.includes(userId) === true),
          gone: groupIds.filter((_, index) => members[index] === null),
        };
      } catch {
        return { known: false };
      }
    },
  };
}

function slackPerson(user: UserObject, payloadTeamId: string | null): SlackPerson {
  const enterpriseId = user.enterprise_user?.enterprise_id ?? null;
  const teamId = user.team_id ?? payloadTeamId ?? '';
  // Within an enterprise the two may differ, and the enterprise decides; elsewhere a difference has no good reason.
  const contradictory = enterpriseId === null && payloadTeamId !== null && payloadTeamId !== teamId;
  return {
    userId: user.id,
    teamId,
    name:
      [user.profile?.display_name, user.real_name, user.name].find((name) => name !== undefined && name !== '') ??
      user.id,
    email: user.profile?.email ?? null,
    enterpriseId,
    // Slackbot's own user object says is_bot: false.
    isBot: user.is_bot === true || user.id === 'USLACKBOT',
    isGuest: user.is_restricted === true || user.is_ultra_restricted === true,
    isStranger: user.is_stranger === true || contradictory,
    isDeactivated: user.deleted === true,
  };
}

/**
 * Remembers answers, not failures, for as long as whoever asks lets them be old. Who asks while the answer is on its way
 * waits for that one: users.info may be called about a hundred times a minute (Slack, "Rate limits", Tier 4), and clicks
 * come in crowds.
 */
function createCache<T>(): (key: string, maxAgeSeconds: number, ask: () => Promise<T>) => Promise<T> {
  const known = new Map<string, { answer: Promise<T>; at: number }>();
  // A clock that went back must not keep an answer for ever.
  const isFresh = ({ at }: { at: number }, maxAgeMs: number) => Math.abs(Date.now() - at) < maxAgeMs;

  async function remembered(key: string, ask: () => Promise<T>): Promise<T> {
    const answer = ask();
    const entry = { answer, at: Date.now() };
    known.set(key, entry);
    try {
      return await answer;
    } catch (error) {
      if (known.get(key) === entry) known.delete(key);
      throw error;
    }
  }

  return (key, maxAgeSeconds, ask) => {
    const entry = known.get(key);
    if (entry !== undefined && isFresh(entry, maxAgeSeconds * 1000)) return entry.answer;
    for (const [other, old] of known) if (!isFresh(old, LONGEST_CACHE_MS)) known.delete(other);
    return remembered(key, ask);
  };
}

function translate(method: string, cause: unknown): Error {
  if (cause instanceof WebAPIRateLimitedError) return new SlackRateLimited(method, cause.retryAfter, { cause });
  if (cause instanceof WebAPIPlatformError) {
    const { error: code, response_metadata } = cause.data;
    if (RATE_LIMITED.has(code)) return new SlackRateLimited(method, 1, { cause });
    if (OUTCOME_UNKNOWN.has(code)) return new SlackUnavailable(method, code, { cause });
    return new SlackRefused(method, code, response_metadata?.messages ?? [], { cause });
  }
  if (cause instanceof WebAPIHTTPError) return new SlackUnavailable(method, `HTTP ${cause.statusCode}`, { cause });
  // Network errors, timeouts, and a 429 without Retry-After, which the client throws as a plain Error.
  const reason = cause instanceof SlackError || cause instanceof Error ? cause.message : String(cause);
  return new SlackUnavailable(method, reason, { cause });
}
