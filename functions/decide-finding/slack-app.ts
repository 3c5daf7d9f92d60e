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

/** What the app needs of the use case, and of Slack. */
export type SlackAppDeps = {
  decide: (action: ClickAction, request: Request) => Promise<Reply>;
  mayStateTerms: (action: FormAction, request: Request) => Promise<Reply | MayStateTerms>;
  decideTerms: (action: FormAction, request: Request, terms: RequestedTerms) => Promise<TermsReply>;
  openView: (triggerId: string, view: ModalView) => Promise<unknown>;
  now: () => Date;
  /** Told about every failure that a person saw only as "it did not work". */
  logFailure: (error: unknown, requestId: string) => void;
};

export type SlackAppOptions = {
  receiver: Receiver;
  token: string;
  botId: string;
  botUserId: string;
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
 * Bolt's side of decide-finding: payloads in, one use case each, and the answer in Slack's form. `botId` and
 * `botUserId` are given so that a cold start makes no network call.
 */
export function createSlackApp(options: SlackAppOptions, deps: SlackAppDeps): App {
  const app = new App({
    receiver: options.receiver,
    token: options.token,
    botId: options.botId,
    botUserId: options.botUserId,
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

  for (const action of CLICKS) {
    app.action<BlockAction<ButtonAction>>({ type: 'block_actions', action_id: action }, async (args) => {
      const sentence = await attempt(args, async (request) => clickSentence(await deps.decide(action, request)));
      await args.ack();
      await tell(args, sentence);
    });
  }

  for (const action of [BUTTON.exempt, BUTTON.renew, BUTTON.backOut, BUTTON.shorten]) {
    app.action<BlockAction<ButtonAction>>({ type: 'block_actions', action_id: action }, async (args) => {
      const sentence = await attempt(args, async (request) => {
        const reply = await deps.mayStateTerms(action, request);
        if (reply.kind !== 'may') return clickSentence(reply);
        const { finding, policy, fourEyes } = reply;
        const form = { finding, policy, fourEyes, now: deps.now().toISOString() };
        const metadata = { purpose: action, ref: request.finding };
        await deps.openView(args.body.trigger_id, renderExemptionModal({ ...form, ...metadata }));
        return null;
      });
      await args.ack();
      await tell(args, sentence);
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
  async function tell({ body, respond, context }: Click, sentence: string | null): Promise<void> {
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
type SlackUser = { id: string; team_id?: string };
type RequestContext = Record<string, unknown>;

function requestOf(user: SlackUser, finding: Request['finding'], context: RequestContext): Request {
  // Without a workspace nobody can be told to belong to the organisation; the domain refuses then.
  return { userId: user.id, teamId: user.team_id ?? '', finding, requestId: requestIdOf(context) };
}

function requestIdOf(context: RequestContext): string {
  const requestId = context['requestId'];
  if (typeof requestId !== 'string') throw new Error('the receiver gave the request no id');
  return requestId;
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
