/** The workspace as the page and `GET /sandbox/state` show it. */
import { PEOPLE, type SandboxPerson, USER_GROUPS } from '../world.ts';
import type { StoredView } from './view-schema.ts';
import { type Channel, type Ephemeral, isReply, type Message, type Workspace } from './workspace.ts';

export type ShownMessage = Pick<
  Message,
  'ts' | 'user' | 'text' | 'blocks' | 'metadata' | 'edited' | 'reactions' | 'attachments'
> & {
  /** A reply that is shown in the channel too. */
  broadcast?: true;
  deleted?: true;
};
export type ShownThread = ShownMessage & { replies: ShownMessage[] };
export type ShownChannel = {
  id: string;
  name: string;
  archived?: true;
  /** On a direct message channel: the person at the other end. */
  directMessageOf?: string;
  messages: ShownThread[];
};
export type SlackState = {
  people: SandboxPerson[];
  userGroups: { id: string; handle: string }[];
  channels: ShownChannel[];
  views: { id: string; user: string; view: StoredView; errors?: Record<string, string> }[];
  ephemerals: Ephemeral[];
};

function shownMessage({
  ts,
  user,
  text,
  blocks,
  metadata,
  edited,
  reactions,
  attachments,
  subtype,
}: Message): ShownMessage {
  return {
    ts,
    user,
    text,
    blocks: blocks ?? [],
    ...(attachments === undefined ? {} : { attachments }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(edited === undefined ? {} : { edited }),
    ...(reactions === undefined ? {} : { reactions }),
    ...(subtype === 'thread_broadcast' ? { broadcast: true } : {}),
    ...(subtype === 'tombstone' ? { deleted: true } : {}),
  };
}

/** The messages of a channel, oldest first, each with its replies. */
export function shownMessages(channel: Channel): ShownThread[] {
  const repliesTo = Map.groupBy(channel.messages.filter(isReply), ({ thread_ts }) => thread_ts);
  return channel.messages
    .filter((message) => !isReply(message))
    .map((message) => ({ ...shownMessage(message), replies: (repliesTo.get(message.ts) ?? []).map(shownMessage) }));
}

/** A copy of everything there is to show. */
export function slackState(workspace: Workspace): SlackState {
  return structuredClone({
    people: [...PEOPLE],
    userGroups: USER_GROUPS.map(({ id, handle }) => ({ id, handle })),
    channels: workspace.channels.map((channel) => ({
      id: channel.id,
      name: channel.name,
      ...(channel.archived ? { archived: true as const } : {}),
      ...(channel.directMessageOf === undefined ? {} : { directMessageOf: channel.directMessageOf }),
      messages: shownMessages(channel),
    })),
    views: workspace.views.map(({ user, view, errors }) => ({
      id: view.id,
      user,
      view,
      ...(errors === undefined ? {} : { errors }),
    })),
    ephemerals: workspace.ephemerals,
  });
}
