import type { App, BlockAction, ButtonAction, PlainTextInputAction, SlashCommand } from '@slack/bolt';
import {
  HOME_ACTION,
  type HomeMetadata,
  type LookUp,
  parseSubcommand,
  SLASH_COMMAND,
} from '../contracts/slack-requests.ts';
import { type CommandAnswer, sentenceAnswer } from '../messages/command-answer.ts';
import { LONGEST_SEARCH } from '../messages/home-view.ts';
import type { News } from './home.ts';
import type { Who } from './look-up.ts';
import { homeOf, type RequestContext, requesterOf, requestIdOf, type SlackUser, START } from './slack-click.ts';
import { openPatternForm, type SlackPatternDeps } from './slack-patterns.ts';

export type SlackHomeDeps = SlackPatternDeps & {
  /** Draws a person's Home tab. */
  showHome: (who: Who, metadata: HomeMetadata, news: News) => Promise<void>;
  answerCommand: (who: Who, asked: LookUp) => Promise<CommandAnswer>;
};

const NO_NEWS: News = { notice: null, decided: null };
const NOT_ANSWERED =
  'This could not be looked up just now. Please try again; if it stays like this, tell whoever runs the bot.';

/** Listens to the Home tab and to the slash command, which only look, or open a form. `redraw` is for what was decided in the Home tab. */
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
      await ack(await answerTo(command, context));
    } catch (error) {
      deps.logFailure(error, requestIdOf(context));
      await ack({ response_type: 'ephemeral', text: NOT_ANSWERED });
    }
  });

  /** Nothing when a form that has opened is the answer. */
  async function answerTo(
    { user_id: userId, team_id: teamId, text, trigger_id: triggerId }: SlashCommand,
    context: RequestContext,
  ): Promise<CommandAnswer | undefined> {
    const asked = parseSubcommand(text);
    if (asked.name !== 'exempt') return await deps.answerCommand({ userId, teamId }, asked);
    const sentence = await openPatternForm(
      asked.keys,
      triggerId,
      requesterOf({ id: userId, team_id: teamId }, context),
      deps,
    );
    return sentence === undefined ? undefined : sentenceAnswer(sentence);
  }

  return { redraw };
}

/** An emptied field comes without a value, whatever Bolt's type says. */
function wordsIn(value: string | null | undefined): string | null {
  const words = value?.trim().slice(0, LONGEST_SEARCH) ?? '';
  return words === '' ? null : words;
}
