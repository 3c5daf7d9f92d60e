import type { App, BlockAction, ButtonAction, PlainTextInputAction } from '@slack/bolt';
import { HOME_ACTION, type HomeMetadata, parseHomeMetadata, SLASH_COMMAND } from '../contracts/slack-requests.ts';
import type { CommandAnswer } from '../messages/command-answer.ts';
import { LONGEST_SEARCH } from '../messages/home-view.ts';
import type { News } from './home.ts';
import type { Who } from './look-up.ts';

export type SlackHomeDeps = {
  /** Draws a person's Home tab. */
  showHome: (who: Who, metadata: HomeMetadata, news: News) => Promise<void>;
  answerCommand: (who: Who, text: string) => Promise<CommandAnswer>;
  /** Told about every failure that a person saw only as "it did not work". */
  logFailure: (error: unknown, requestId: string) => void;
};

export type SlackUser = { id: string; team_id?: string | undefined };
export type RequestContext = Record<string, unknown>;

/** The Home tab as it is when somebody opens it. */
export const START: HomeMetadata = { search: null, after: null };

const NO_NEWS: News = { notice: null, decided: null };
const NOT_ANSWERED =
  'This could not be looked up just now. Please try again; if it stays like this, tell whoever runs the bot.';

/** Listens to what only looks: the Home tab and the slash command. `redraw` is for what was decided in the Home tab. */
export function listenAtHome(
  app: App,
  deps: SlackHomeDeps,
): { redraw: (user: SlackUser, metadata: HomeMetadata, news: News, context: RequestContext) => Promise<void> } {
  async function redraw(user: SlackUser, metadata: HomeMetadata, news: News, context: RequestContext): Promise<void> {
    try {
      await deps.showHome({ userId: user.id, teamId: user.team_id ?? null }, metadata, news);
    } catch (error) {
      // The tab shows what it showed before; whoever opens it again sees what holds.
      deps.logFailure(error, requestIdOf(context));
    }
  }

  app.event('app_home_opened', async ({ event, body, context }) => {
    if (event.tab === 'home') await redraw({ id: event.user, team_id: body.team_id }, START, NO_NEWS, context);
  });

  app.action<BlockAction<PlainTextInputAction>>(HOME_ACTION.search, async ({ ack, body, action, context }) => {
    await redraw(body.user, { search: wordsIn(action.value), after: null }, NO_NEWS, context);
    await ack();
  });

  for (const turn of [HOME_ACTION.more, HOME_ACTION.first]) {
    app.action<BlockAction<ButtonAction>>(turn, async ({ ack, body, action, context }) => {
      const { search } = homeOf(body) ?? START;
      await redraw(
        body.user,
        { search, after: turn === HOME_ACTION.more ? (action.value ?? null) : null },
        NO_NEWS,
        context,
      );
      await ack();
    });
  }

  app.command(SLASH_COMMAND, async ({ ack, command, context }) => {
    try {
      await ack(await deps.answerCommand({ userId: command.user_id, teamId: command.team_id }, command.text));
    } catch (error) {
      deps.logFailure(error, requestIdOf(context));
      await ack({ response_type: 'ephemeral', text: NOT_ANSWERED });
    }
  });

  return { redraw };
}

/** An emptied field comes without a value, whatever Bolt's type says. */
function wordsIn(value: string | null | undefined): string | null {
  const words = value?.trim().slice(0, LONGEST_SEARCH) ?? '';
  return words === '' ? null : words;
}

/** What the Home tab showed in which somebody clicked; null for a click elsewhere. */
export function homeOf({ view }: BlockAction): HomeMetadata | null {
  return view?.type === 'home' ? parseHomeMetadata(view.private_metadata) : null;
}

export function requestIdOf(context: RequestContext): string {
  const requestId = context['requestId'];
  if (typeof requestId !== 'string') throw new Error('the receiver gave the request no id');
  return requestId;
}
