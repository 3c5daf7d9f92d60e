import { App, type BlockAction, type ButtonAction, LogLevel, type Receiver, type ViewSubmitAction } from '@slack/bolt';
import type { ModalView } from '@slack/types';
import { BUTTON, EXEMPTION_MODAL, parseFindingRef, parseModalMetadata } from '../contracts/slack-actions.ts';
import { endOfDay, modalErrors, readExemptionValues, renderExemptionModal } from '../messages/exemption-modal.ts';
import { refusalSentence } from '../messages/refusal-sentence.ts';
import type {
  ClickAction,
  FormAction,
  MayStateTerms,
  Reply,
  Request,
  RequestedTerms,
  TermsReply,
} from './decide-finding.ts';
import {
  homeOf,
  listenAtHome,
  type RequestContext,
  requestIdOf,
  type SlackHomeDeps,
  type SlackUser,
  START,
} from './slack-home.ts';

/** What the app needs of the use case, and of Slack. */
export type SlackAppDeps = SlackHomeDeps & {
  decide: (action: ClickAction, request: Request) => Promise<Reply>;
  mayStateTerms: (action: FormAction, request: Request) => Promise<Reply | MayStateTerms>;
  decideTerms: (action: FormAction, request: Request, terms: RequestedTerms) => Promise<TermsReply>;
  openView: (triggerId: string, view: ModalView) => Promise<unknown>;
  now: () => Date;
};

export type SlackAppOptions = {
  receiver: Receiver;
  /** Who the bot is, asked for every request, since tokens change. */
  bot: () => Promise<{ botToken: string; botId: string; botUserId: string }>;
  apiUrl: string | undefined;
};

/** An answer that got lost leaves open whether the decision was stored, so this must not say that it was not. */
const NOT_FINISHED =
  'This could not be finished just now. The message of the key shows what holds; if it still asks in a minute, please try again. If it stays like this, tell whoever runs the bot.';

const NOT_READABLE =
  'This message is of another version of the bot, so nothing was changed. Please use the newest message about the key.';

/** Buttons that say all there is to say; the others open a form. */
const CLICKS = [
  BUTTON.approve,
  BUTTON.fixNow,
  BUTTON.recheck,
  BUTTON.revoke,
  BUTTON.letEnd,
  BUTTON.confirm,
  BUTTON.withdraw,
];

const SLACK_API_URL = 'https://slack.com/api/';
/** An answer that takes longer would keep the person waiting beyond Slack's three seconds. */
const ANSWER_TIMEOUT_MS = 1000;

/**
 * Bolt's side of decide-finding: payloads in, one use case each, and the answer in Slack's form. Bolt is told who the
 * bot is (`authorize`), or it would ask Slack.
 */
export function createSlackApp(options: SlackAppOptions, deps: SlackAppDeps): App {
  const app = new App({
    receiver: options.receiver,
    async authorize() {
      const { botToken, botId, botUserId } = await options.bot();
      return { botToken, botId, botUserId };
    },
    convoStore: false,
    // At debug level Bolt writes whole requests, tokens included, to the log.
    logLevel: LogLevel.ERROR,
    clientOptions: {
      ...(options.apiUrl === undefined ? {} : { slackApiUrl: options.apiUrl }),
      // `respond` goes through this too, and has no time limit of its own.
      fetch: (url, init) =>
        globalThis.fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) }),
    },
  });

  const { redraw } = listenAtHome(app, deps);

  for (const action of CLICKS) {
    app.action<BlockAction<ButtonAction>>({ type: 'block_actions', action_id: action }, async (args) => {
      let decided: string | null = null;
      const sentence = await attempt(args, async (request) => {
        const reply = await deps.decide(action, request);
        if (reply.kind === 'accepted' && action !== BUTTON.recheck) decided = request.finding.key;
        return clickSentence(reply);
      });
      await args.ack();
      await tell(args, sentence, decided);
    });
  }

  for (const action of [BUTTON.exempt, BUTTON.renew, BUTTON.backOut, BUTTON.shorten]) {
    app.action<BlockAction<ButtonAction>>({ type: 'block_actions', action_id: action }, async (args) => {
      const sentence = await attempt(args, async (request) => {
        const reply = await deps.mayStateTerms(action, request);
        if (reply.kind !== 'may') return clickSentence(reply);
        const { finding, policy, fourEyes } = reply;
        const form = { finding, policy, fourEyes, now: deps.now().toISOString() };
        const metadata = { purpose: action, ref: request.finding, fromHome: homeOf(args.body) !== null };
        await deps.openView(args.body.trigger_id, renderExemptionModal({ ...form, ...metadata }));
        return null;
      });
      await args.ack();
      if (sentence !== null) await tell(args, sentence, null);
    });
  }

  app.view<ViewSubmitAction>({ type: 'view_submission', callback_id: EXEMPTION_MODAL }, async (args) => {
    const metadata = parseModalMetadata(args.view.private_metadata);
    if (metadata === null) {
      await args.ack({ response_action: 'update', view: sentenceView('Nothing was changed', NOT_READABLE) });
      return;
    }
    try {
      const request = requestOf(args.body.user, metadata.finding, args.context);
      const values = readExemptionValues(args.view.state.values);
      const until = values.until === null ? '' : endOfDay(values.until);
      const reply = await deps.decideTerms(metadata.purpose, request, { ...values, until });
      switch (reply.kind) {
        case 'accepted':
        case 'repeated':
          await args.ack();
          if (metadata.fromHome === true) {
            await redraw(args.body.user, START, { notice: null, decided: metadata.finding.key }, args.context);
          }
          break;
        case 'wrong-terms':
          await args.ack({ response_action: 'errors', errors: modalErrors(reply.problems) });
          break;
        case 'refused':
          await args.ack({
            response_action: 'update',
            view: sentenceView('Nothing was changed', refusalSentence(reply.refusal)),
          });
          break;
      }
    } catch (error) {
      deps.logFailure(error, requestIdOf(args.context));
      await args.ack({ response_action: 'update', view: sentenceView('Not finished', NOT_FINISHED) });
    }
  });

  /** What goes wrong is logged in full and told in one fixed sentence. */
  async function attempt(
    { body, action, context }: Click,
    act: (request: Request) => Promise<string | null>,
  ): Promise<string | null> {
    const finding = parseFindingRef(action.value);
    if (finding === null) return NOT_READABLE;
    try {
      return await act(requestOf(body.user, finding, context));
    } catch (error) {
      deps.logFailure(error, requestIdOf(context));
      return NOT_FINISHED;
    }
  }

  /** By now what was asked is done or not done: an answer that does not arrive changes nothing about it. */
  async function tell(
    { body, respond, context }: Click,
    sentence: string | null,
    decided: string | null,
  ): Promise<void> {
    const home = homeOf(body);
    if (home !== null) {
      await redraw(body.user, home, { notice: sentence, decided }, context);
      return;
    }
    if (sentence === null) return;
    try {
      if (!isAddressOfSlack(body.response_url, options.apiUrl)) throw new Error('response_url is not one of Slack');
      await respond({ response_type: 'ephemeral', replace_original: false, text: sentence });
    } catch (error) {
      deps.logFailure(error, requestIdOf(context));
    }
  }

  return app;
}

type Click = {
  body: BlockAction;
  action: ButtonAction;
  context: RequestContext;
  respond: (message: { response_type: 'ephemeral'; replace_original: boolean; text: string }) => Promise<unknown>;
};

function requestOf(user: SlackUser, finding: Request['finding'], context: RequestContext): Request {
  // Without a workspace nobody can be told to belong to the organisation; the domain refuses then.
  return { userId: user.id, teamId: user.team_id ?? '', finding, requestId: requestIdOf(context) };
}

/**
 * Whether an answer may be sent there. The address comes with the request: whoever has the signing secret could
 * otherwise have the function call what only it can reach, such as the runtime's own API on the loopback interface.
 */
function isAddressOfSlack(url: string | undefined, apiUrl: string = SLACK_API_URL): boolean {
  const target = url === undefined ? null : URL.parse(url);
  const api = new URL(apiUrl);
  if (target === null) return false;
  return target.origin === api.origin || (target.protocol === 'https:' && target.host === `hooks.${api.host}`);
}

function clickSentence(reply: Reply): string | null {
  switch (reply.kind) {
    case 'refused':
      return refusalSentence(reply.refusal);
    case 'accepted':
      return reply.action === 're-check' ? 'Looking at the key again; the answer follows in the thread.' : null;
    case 'repeated':
      return null;
  }
}

function sentenceView(title: 'Nothing was changed' | 'Not finished', text: string): ModalView {
  return {
    type: 'modal',
    title: { type: 'plain_text', text: title },
    close: { type: 'plain_text', text: 'Close' },
    blocks: [{ type: 'section', text: { type: 'plain_text', text } }],
  };
}
