import type { App, BlockAction, ButtonAction, ViewSubmitAction } from '@slack/bolt';
import type { ModalView } from '@slack/types';
import { PATTERN_BUTTON, PATTERN_MODAL, parsePatternMetadata, parsePatternRef } from '../contracts/slack-actions.ts';
import type { HomeMetadata } from '../contracts/slack-requests.ts';
import { endOfDay, modalErrors, readExemptionValues } from '../messages/exemption-modal.ts';
import { patternRefusalSentence } from '../messages/pattern-event.ts';
import { renderPatternModal } from '../messages/pattern-modal.ts';
import {
  parsePattern,
  patternProblemSentence,
  thereAlreadySentence,
  unknownAccountSentence,
} from '../messages/pattern-text.ts';
import { renderSentence } from '../messages/sentence-modal.ts';
import type { PatternClick, PatternFormReply, PatternReply, PatternUseCases } from './decide-pattern.ts';
import type { News } from './home.ts';
import {
  type Answer,
  type Click,
  homeOf,
  type RequestContext,
  type Requester,
  requesterOf,
  requestIdOf,
  type SlackUser,
  START,
} from './slack-click.ts';

/** What the listeners need of the use cases, and of Slack. */
export type SlackPatternDeps = {
  patterns: PatternUseCases;
  openView: (triggerId: string, view: ModalView) => Promise<unknown>;
  now: () => Date;
  /** Told about every failure that a person saw only as "it did not work". */
  logFailure: (error: unknown, requestId: string) => void;
};

/** How clicks are answered wherever they were made. */
type Answering = {
  attempt: <T>(
    click: Click,
    value: T | null,
    act: (value: T, requester: Requester) => Promise<Answer>,
  ) => Promise<Answer>;
  tell: (click: Click, answer: Answer) => Promise<void>;
  redraw: (user: SlackUser, metadata: HomeMetadata, news: News, context: RequestContext) => Promise<void>;
};

const NOT_FINISHED =
  'This could not be finished just now. The message of the exemption shows what holds; if there is none in a minute, please try again. If it stays like this, tell whoever runs the bot.';
const NOT_READABLE = 'This form is of another version of the bot, so nothing was changed. Please ask again.';
const NO_TRIGGER = 'Slack sent nothing that a form could be opened with. Please try again.';

/** Listens to what people do about exemptions of patterns: the buttons under their messages, and their form. */
export function listenToPatterns(app: App, deps: SlackPatternDeps, { attempt, tell, redraw }: Answering): void {
  for (const action of [
    PATTERN_BUTTON.confirm,
    PATTERN_BUTTON.withdraw,
    PATTERN_BUTTON.revoke,
    PATTERN_BUTTON.letEnd,
  ]) {
    app.action<BlockAction<ButtonAction>>({ type: 'block_actions', action_id: action }, async (args) => {
      const answer = await attempt(args, parsePatternRef(args.action.value), async (ref, requester) =>
        clickSentence(action, await deps.patterns.decide(action, ref, requester)),
      );
      await args.ack();
      await tell(args, answer);
    });
  }

  app.action<BlockAction<ButtonAction>>({ type: 'block_actions', action_id: PATTERN_BUTTON.renew }, async (args) => {
    const answer = await attempt(args, parsePatternRef(args.action.value), async (ref, requester) => {
      const reply = await deps.patterns.mayRenew(ref, requester);
      return await showForm(reply, { triggerId: args.body.trigger_id, fromHome: homeOf(args.body) !== null }, deps);
    });
    await args.ack();
    await tell(args, answer);
  });

  app.view<ViewSubmitAction>(
    { type: 'view_submission', callback_id: PATTERN_MODAL },
    async ({ ack, body, view, context }) => {
      const update = (shown: ModalView) => ack({ response_action: 'update', view: shown });
      const metadata = parsePatternMetadata(view.private_metadata);
      if (metadata === null) {
        await update(renderSentence('Nothing was changed', NOT_READABLE));
        return;
      }
      try {
        const values = readExemptionValues(view.state.values);
        const until = values.until === null ? '' : endOfDay(values.until);
        const reply = await deps.patterns.decideTerms(metadata, requesterOf(body.user, context), { ...values, until });
        switch (reply.kind) {
          case 'accepted':
          case 'repeated':
            await update(renderSentence('Asked for', ASKED));
            if (metadata.purpose === 'renew' && metadata.fromHome === true) {
              await redraw(body.user, START, { notice: null, decided: null }, context);
            }
            break;
          case 'wrong-terms':
            await ack({ response_action: 'errors', errors: modalErrors(reply.problems) });
            break;
          case 'refused':
            await update(renderSentence('Nothing was changed', patternRefusalSentence(reply.refusal)));
            break;
        }
      } catch (error) {
        deps.logFailure(error, requestIdOf(context));
        await update(renderSentence('Not finished', NOT_FINISHED));
      }
    },
  );
}

/** Opens the form for the keys that somebody named after the command; or answers with why there is none. */
export async function openPatternForm(
  text: string,
  triggerId: string | undefined,
  requester: Requester,
  deps: SlackPatternDeps,
): Promise<string | undefined> {
  const wanted = parsePattern(text);
  if ('problem' in wanted) return patternProblemSentence(wanted);
  if (triggerId === undefined) return NO_TRIGGER;
  return await showForm(await deps.patterns.mayAsk(wanted, requester), { triggerId, fromHome: false }, deps);
}

const ASKED =
  'The message in the channel that the rotation policy names for this asks another approver to confirm it. Until then nothing changes.';

async function showForm(
  reply: PatternFormReply,
  { triggerId, fromHome }: { triggerId: string; fromHome: boolean },
  deps: SlackPatternDeps,
): Promise<string | undefined> {
  switch (reply.kind) {
    case 'may': {
      const { metadata } = reply;
      const place = fromHome && metadata.purpose === 'renew' ? { ...metadata, fromHome } : metadata;
      const context = { policy: reply.policy, now: deps.now().toISOString() };
      const grant = reply.current?.grant ?? null;
      await deps.openView(triggerId, renderPatternModal({ ...reply, metadata: place, grant }, context));
      return undefined;
    }
    case 'refused':
      return patternRefusalSentence(reply.refusal);
    case 'unknown-account':
      return unknownAccountSentence(reply.account);
    case 'there-already':
      return thereAlreadySentence(reply.already);
  }
}

function clickSentence(action: PatternClick, reply: PatternReply): string | null {
  switch (reply.kind) {
    case 'refused':
      return patternRefusalSentence(reply.refusal);
    case 'accepted':
      // The owner clicks it in a direct message, which stays as it is.
      return action === 'let-pattern-end' ? 'It runs out by itself, and nobody is reminded any more.' : null;
    case 'repeated':
      return null;
  }
}
