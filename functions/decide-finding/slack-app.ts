import { App, type BlockAction, type ButtonAction, LogLevel, type Receiver, type ViewSubmitAction } from '@slack/bolt';
import type { ModalView } from '@slack/types';
import {
  type ApproveAllRef,
  BUTTON,
  DIGEST_BUTTON,
  EXEMPTION_MODAL,
  type ExemptionModalMetadata,
  type PageRef,
  parseApproveAll,
  parseFindingRef,
  parseModalMetadata,
  parsePage,
  REVIEW_MODAL,
} from '../contracts/slack-actions.ts';
import { approveAllSentence, FORGOTTEN } from '../messages/digest-sentence.ts';
import { endOfDay, modalErrors, readExemptionValues, renderExemptionModal } from '../messages/exemption-modal.ts';
import { refusalSentence } from '../messages/refusal-sentence.ts';
import { PAGE_SIZE, renderReview } from '../messages/review-modal.ts';
import { renderSentence } from '../messages/sentence-modal.ts';
import type { ApproveAllReply, DigestRequest, ReviewReply } from './decide-digest.ts';
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
  approveAll: (ref: ApproveAllRef, request: DigestRequest) => Promise<ApproveAllReply>;
  reviewDigest: (page: PageRef, size: number, request: DigestRequest) => Promise<ReviewReply>;
  openView: (triggerId: string, view: ModalView) => Promise<unknown>;
  pushView: (triggerId: string, view: ModalView) => Promise<unknown>;
  updateView: (viewId: string, view: ModalView) => Promise<unknown>;
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
        return clickSentence(reply, listUnder(args.body));
      });
      await args.ack();
      await tell(args, sentence, decided);
    });
  }

  for (const action of [BUTTON.exempt, BUTTON.renew, BUTTON.backOut, BUTTON.shorten]) {
    app.action<BlockAction<ButtonAction>>({ type: 'block_actions', action_id: action }, async (args) => {
      const sentence = await attempt(args, async (request) => {
        const reply = await deps.mayStateTerms(action, request);
        const list = listUnder(args.body);
        if (reply.kind !== 'may') return clickSentence(reply, list);
        const { finding, policy, fourEyes } = reply;
        const metadata = { purpose: action, ref: request.finding, fromHome: homeOf(args.body) !== null, list };
        const form = renderExemptionModal({ finding, policy, fourEyes, now: deps.now().toISOString(), ...metadata });
        await (list === undefined ? deps.openView : deps.pushView)(args.body.trigger_id, form);
        return undefined;
      });
      await args.ack();
      await tell(args, sentence, null);
    });
  }

  app.action<BlockAction<ButtonAction>>(
    { type: 'block_actions', action_id: DIGEST_BUTTON.approveAll },
    async (args) => {
      const sentence = await attemptAny(args, parseApproveAll(args.action.value), async (ref, request) =>
        approveAllSentence(await deps.approveAll(ref, request)),
      );
      await args.ack();
      await tell(args, sentence, null);
    },
  );

  app.action<BlockAction<ButtonAction>>({ type: 'block_actions', action_id: DIGEST_BUTTON.review }, async (args) => {
    const sentence = await attemptAny(args, parsePage(args.action.value), async (page, request) => {
      const view = await listView(page, request, null);
      if (typeof view === 'string') return view;
      await deps.openView(args.body.trigger_id, view);
      return undefined;
    });
    await args.ack();
    await tell(args, sentence, null);
  });

  for (const action of [DIGEST_BUTTON.firstPage, DIGEST_BUTTON.samePage, DIGEST_BUTTON.nextPage]) {
    app.action<BlockAction<ButtonAction>>({ type: 'block_actions', action_id: action }, async (args) => {
      const list = listUnder(args.body);
      const page = parsePage(args.action.value);
      if (list !== undefined) await turnTo(page === null ? list : { ...list, page }, args, null);
      await args.ack();
    });
  }

  app.view<ViewSubmitAction>({ type: 'view_submission', callback_id: EXEMPTION_MODAL }, async (args) => {
    const metadata = parseModalMetadata(args.view.private_metadata);
    if (metadata === null) {
      await args.ack({ response_action: 'update', view: renderSentence('Nothing was changed', NOT_READABLE) });
      return;
    }
    try {
      const request = { ...requesterOf(args.body.user, args.context), finding: metadata.finding };
      const values = readExemptionValues(args.view.state.values);
      const until = values.until === null ? '' : endOfDay(values.until);
      const reply = await deps.decideTerms(metadata.purpose, request, { ...values, until });
      switch (reply.kind) {
        case 'accepted':
        case 'repeated':
          // The form goes away, and what lies under it shows what was decided.
          if (metadata.list !== undefined) await turnTo(metadata.list, args, 'Done.');
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
            view: renderSentence('Nothing was changed', refusalSentence(reply.refusal)),
          });
          break;
      }
    } catch (error) {
      deps.logFailure(error, requestIdOf(args.context));
      await args.ack({ response_action: 'update', view: renderSentence('Not finished', NOT_FINISHED) });
    }
  });

  /** What goes wrong is logged in full and told in one fixed sentence. */
  function attempt(click: Click, act: (request: Request) => Promise<Answer>): Promise<Answer> {
    return attemptAny(click, parseFindingRef(click.action.value), (finding, request) => act({ ...request, finding }));
  }

  async function attemptAny<T>(
    { body, context }: Click,
    value: T | null,
    act: (value: T, request: DigestRequest) => Promise<Answer>,
  ): Promise<Answer> {
    if (value === null) return NOT_READABLE;
    try {
      return await act(value, requesterOf(body.user, context));
    } catch (error) {
      deps.logFailure(error, requestIdOf(context));
      return NOT_FINISHED;
    }
  }

  /** By now what was asked is done or not done: an answer that does not arrive changes nothing about it. */
  async function tell(click: Click, answer: Answer, decided: string | null): Promise<void> {
    const { body, respond, context } = click;
    if (answer === undefined) return;
    const home = homeOf(body);
    if (home !== null) {
      await redraw(body.user, home, { notice: answer, decided }, context);
      return;
    }
    const list = listUnder(body);
    if (list !== undefined) {
      await turnTo(list, click, answer ?? 'Done.');
      return;
    }
    if (answer === null) return;
    try {
      if (!isAddressOfSlack(body.response_url, options.apiUrl)) throw new Error('response_url is not one of Slack');
      await respond({ response_type: 'ephemeral', replace_original: false, text: answer });
    } catch (error) {
      deps.logFailure(error, requestIdOf(context));
    }
  }

  /** The list of a digest as a view, or the sentence that says why there is none. */
  async function listView(page: PageRef, request: DigestRequest, notice: string | null): Promise<ModalView | string> {
    const reply = await deps.reviewDigest(page, PAGE_SIZE, request);
    switch (reply.kind) {
      case 'page':
        return renderReview({ ...reply, page, notice }, { policy: reply.policy, now: deps.now().toISOString() });
      case 'refused':
        return refusalSentence(reply.refusal);
      case 'forgotten':
        return FORGOTTEN;
    }
  }

  /** Shows a page in an open list; a list that cannot be shown changes nothing about what was decided. */
  async function turnTo({ viewId, page }: List, { body, context }: Place, notice: string | null): Promise<void> {
    try {
      const view = await listView(page, requesterOf(body.user, context), notice);
      await deps.updateView(viewId, typeof view === 'string' ? renderSentence('Review findings', view) : view);
    } catch (error) {
      deps.logFailure(error, requestIdOf(context));
    }
  }

  return app;
}

/** What a person is told: a sentence; null: what was clicked shows it; undefined: a view that has opened is the answer. */
type Answer = string | null | undefined;
type List = NonNullable<ExemptionModalMetadata['list']>;

/** Where somebody did something. */
type Place = { body: { user: SlackUser }; context: RequestContext };
type Click = {
  body: BlockAction;
  action: ButtonAction;
  context: RequestContext;
  respond: (message: { response_type: 'ephemeral'; replace_original: boolean; text: string }) => Promise<unknown>;
};

function requesterOf(user: SlackUser, context: RequestContext): DigestRequest {
  // Without a workspace nobody can be told to belong to the organisation; the domain refuses then.
  return { userId: user.id, teamId: user.team_id ?? '', requestId: requestIdOf(context) };
}

/** The list of a digest that was clicked in; undefined for a click under a message. */
function listUnder({ view }: Pick<BlockAction, 'view'>): List | undefined {
  const page = view?.callback_id === REVIEW_MODAL ? parsePage(view.private_metadata) : null;
  return view === undefined || page === null ? undefined : { viewId: view.id, page };
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

function clickSentence(reply: Reply, list: List | undefined): string | null {
  switch (reply.kind) {
    case 'refused':
      return refusalSentence(reply.refusal);
    case 'accepted':
      if (reply.action !== 're-check') return null;
      return `Looking at the key again; ${list === undefined ? 'the answer follows in the thread' : '"Refresh" shows what came of it'}.`;
    case 'repeated':
      return null;
  }
}
