import * as z from 'zod';
import type { PersonRef } from '../../functions/domain/people.ts';
import { blockList } from '../../sandbox/slack/block-schema.ts';
import { homeInput, modalInput } from '../../sandbox/slack/view-schema.ts';
import { emptyWorkspace, type Message, type OpenView, type Workspace } from '../../sandbox/slack/workspace.ts';
import { CHANNELS, WORKSPACE } from '../../sandbox/world.ts';
import { later } from '../builders.ts';
import { APPROVER, ENGINEER } from './cast.ts';
import type { Posted, Shown } from './picture.ts';

/** Where a picture stands: at nine on the day on which its story begins. */
const BEGIN = Date.parse(later({})) / 1000;
const [, CHANNEL] = CHANNELS;

/** Who looks at the page. */
export function viewerOf(shown: Shown): PersonRef {
  if (shown.place === 'private') return shown.to;
  return shown.place === 'direct message' ? ENGINEER : APPROVER;
}

/**
 * The embedded Slack's workspace as it is when a picture is taken.
 * @throws ZodError when Slack would not take what is shown
 */
export function workspaceOf(shown: Shown): Workspace {
  const workspace = emptyWorkspace();
  switch (shown.place) {
    case 'channel':
    case 'confirm':
      inChannel(workspace, [stored(shown.message, 0)]);
      break;
    case 'thread': {
      const root = stored(shown.below, 0);
      const replies = shown.replies.map((reply, index) => ({ ...stored(reply, index + 1), thread_ts: root.ts }));
      inChannel(workspace, [root, ...replies]);
      break;
    }
    case 'direct message': {
      const { userId } = ENGINEER;
      const place = { id: `D${userId.slice(1)}`, name: userId, archived: false, botIsMember: true };
      workspace.channels.push({ ...place, directMessageOf: userId, messages: [stored(shown.message, 0)] });
      break;
    }
    case 'private': {
      const { text, blocks, ts } = stored(shown.message, 0);
      const seen = blocks === undefined ? { text } : { text, blocks };
      workspace.ephemerals.push({ user: shown.to.userId, channel: CHANNEL.id, ts, ...seen });
      break;
    }
    case 'modal': {
      const errors = shown.errors === undefined ? {} : { errors: shown.errors };
      workspace.views.push({
        user: APPROVER.userId,
        view: { ...modalInput.parse(shown.view), ...ids('V') },
        ...errors,
      });
      break;
    }
    case 'home': {
      const user = APPROVER.userId;
      workspace.views.push({ user, view: { ...homeInput.parse(shown.view), ...ids('H') } });
      break;
    }
    case 'audit trail':
      break;
  }
  return workspace;
}

function inChannel(workspace: Workspace, messages: Message[]): void {
  workspace.channels.find(({ id }) => id === CHANNEL.id)?.messages.push(...messages);
}

function stored({ text, blocks }: Posted, index: number): Message {
  return {
    ...{ type: 'message', ts: tsOf(index), user: WORKSPACE.botUserId },
    text: z.string().min(1).max(4000).parse(text),
    ...(blocks === undefined ? {} : { blocks: blockList(50).parse(blocks) }),
  };
}

function tsOf(index: number): string {
  return `${BEGIN + index * 60}.000100`;
}

function ids(prefix: string): Omit<Extract<OpenView['view'], { type: 'modal' }>, keyof z.infer<typeof modalInput>> {
  const { teamId, appId, botId } = WORKSPACE;
  const id = `${prefix}0PICTURE`;
  return {
    ...{ id, root_view_id: id, previous_view_id: null, hash: 'picture', state: { values: {} } },
    ...{ team_id: teamId, app_installed_team_id: teamId, app_id: appId, bot_id: botId },
  };
}
