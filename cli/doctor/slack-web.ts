import { WebAPIPlatformError, WebClient } from '@slack/web-api';
import * as z from 'zod/mini';
import { SILENT_LOGGER } from '../../functions/adapters/silent-logger.ts';
import { createSlack } from '../../functions/adapters/slack.ts';
import type { SlackPerson } from '../../functions/domain/people.ts';

export type SlackSelf = { botId: string; userId: string; teamId: string; team: string; scopes: string[] | null };
export type ChannelReading = { readable: true; isArchived: boolean } | { readable: false; code: string };

/** Slack as far as the doctor asks: only with scopes that the bot has anyway. */
export type SlackWeb = {
  self: () => Promise<SlackSelf | { refused: string }>;
  channel: (id: string) => Promise<ChannelReading>;
  person: (id: string) => Promise<SlackPerson | null>;
  /** User ids; null when there is no such group, or it is switched off. */
  groupMembers: (id: string) => Promise<string[] | null>;
};

const TIMEOUT_MS = 10_000;
const RETRIES = { retries: 2, factor: 2, minTimeout: 500 };
const identity = z.object({ bot_id: z.string(), user_id: z.string(), team_id: z.string(), team: z.string() });
const newest = z.object({ messages: z.array(z.object({ subtype: z.optional(z.string()) })) });
const members = z.object({ users: z.array(z.string()) });

/** `SLACK_API_URL` names a stand-in for Slack, as in the functions' environment. */
export function connectSlack(token: string, apiUrl = process.env['SLACK_API_URL']): SlackWeb {
  const address = apiUrl === undefined || apiUrl === '' ? {} : { slackApiUrl: apiUrl };
  const client = new WebClient(token, { ...address, timeout: TIMEOUT_MS, retryConfig: RETRIES, logger: SILENT_LOGGER });
  const bot = createSlack({ token: () => Promise.resolve(token), apiUrl: address.slackApiUrl, timeoutMs: TIMEOUT_MS });

  return {
    async self() {
      try {
        const answer = await client.auth.test();
        const { bot_id: botId, user_id: userId, team_id: teamId, team } = identity.parse(answer);
        // The client puts the header x-oauth-scopes there.
        return { botId, userId, teamId, team, scopes: answer.response_metadata?.scopes ?? null };
      } catch (error) {
        if (error instanceof WebAPIPlatformError) return { refused: error.data.error };
        throw error;
      }
    },

    /** conversations.info would need channels:read and groups:read, which the bot has no other use for. */
    async channel(id) {
      try {
        const { messages } = newest.parse(await client.conversations.history({ channel: id, limit: 1 }));
        // Nothing can follow the message that says so, until somebody takes the channel out of the archive.
        const isArchived = /^(channel|group)_archive$/.test(messages[0]?.subtype ?? '');
        return { readable: true, isArchived };
      } catch (error) {
        if (error instanceof WebAPIPlatformError) return { readable: false, code: error.data.error };
        throw error;
      }
    },

    person: (id) => bot.person(id, null, 0),

    async groupMembers(id) {
      try {
        return members.parse(await client.usergroups.users.list({ usergroup: id })).users;
      } catch (error) {
        if (error instanceof WebAPIPlatformError && error.data.error === 'no_such_subteam') return null;
        throw error;
      }
    },
  };
}
