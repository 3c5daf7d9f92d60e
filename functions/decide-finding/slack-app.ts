import { setTimeout as sleep } from 'node:timers/promises';
import {
  App,
  type BlockAction,
  type ButtonAction,
  LogLevel,
  type Receiver,
  type RespondFn,
  type ViewSubmitAction,
} from '@slack/bolt';
import type { ModalView } from '@slack/types';
import {
  BUTTON,
  EXEMPTION_MODAL,
  type ExemptionModalMetadata,
  exemptionModalMetadata,
  findingRef,
} from '../contracts/slack-actions.ts';
import type { Finding } from '../domain/finding.ts';
import type { Policy } from '../domain/policy.ts';
import { endOfDay, modalErrors, readExemptionValues, renderExemptionModal } from '../messages/exemption-modal.ts';
import { refusalSentence } from '../messages/refusal-sentence.ts';
import type { ExemptingAction, Reply, Request, RequestedTerms, TermsReply } from './decide-finding.ts';

/** What the app needs of the use case, and of Slack. */
export type SlackAppDeps = {
  decide: (action: 'approve' | 're-check' | 'revoke-exemption', request: Request) => Promise<Reply>;
  mayStateTerms: (
    action: ExemptingAction,
    request: Request,
  ) => Promise<Reply | { kind: 'may'; finding: Finding; policy: Policy }>;
  decideTerms: (action: ExemptingAction, request: Request, terms: RequestedTerms) => Promise<TermsReply>;
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

const TELL_WITHIN_MS = 1000;

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
    clientOptions: options.apiUrl === undefined ? {} : { slackApiUrl: options.apiUrl },
  });

  for (const action of [BUTTON.approve, BUTTON.recheck, BUTTON.revoke]) {
    app.action<BlockAction<ButtonAction>>({ type: 'block_actions', action_id: action }, async (args) => {
      const request = clickRequest(args.body, args.action, args.context);
      const sentence = await attempt(request, () => deps.decide(action, request).then(clickSentence));
      await args.ack();
      if (sentence !== null) await tell(args.respond, sentence, request);
    });
  }

  for (const action of [BUTTON.exempt, BUTTON.renew, BUTTON.backOut]) {
    app.action<BlockAction<ButtonAction>>({ type: 'block_actions', action_id: action }, async (args) => {
      const request = clickRequest(args.body, args.action, args.context);
      const sentence = await attempt(request, async () => {
        const reply = await deps.mayStateTerms(action, request);
        if (reply.kind !== 'may') return clickSentence(reply);
        const { finding, policy } = reply;
        const metadata = { purpose: action, ref: request.finding };
        await deps.openView(
          args.body.trigger_id,
          renderExemptionModal({ finding, policy, now: deps.now().toISOString(), ...metadata }),
        );
        return null;
      });
      await args.ack();
      if (sentence !== null) await tell(args.respond, sentence, request);
    });
  }

  app.view<ViewSubmitAction>({ type: 'view_submission', callback_id: EXEMPTION_MODAL }, async (args) => {
    const { finding, purpose } = modalMetadata(args.view.private_metadata);
    const request = requestOf(args.body.user, finding, args.context);
    const values = readExemptionValues(args.view.state.values);
    const until = values.until === null ? '' : endOfDay(values.until);
    try {
      const reply = await deps.decideTerms(purpose, request, { ...values, until });
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
      deps.logFailure(error, request.requestId);
      await args.ack({ response_action: 'update', view: sentenceView('Not finished', NOT_FINISHED) });
    }
  });

  /** What goes wrong is logged in full and told in one fixed sentence. */
  async function attempt(request: Request, act: () => Promise<string | null>): Promise<string | null> {
    try {
      return await act();
    } catch (error) {
      deps.logFailure(error, request.requestId);
      return NOT_FINISHED;
    }
  }

  /**
   * The click is decided already: a sentence that does not reach the person is logged. Bolt would wait for it as long
   * as the network lets it, and the answer to the click, which Slack wants within three seconds, would wait too.
   */
  async function tell(respond: RespondFn, text: string, { requestId }: Request): Promise<void> {
    const told = new AbortController();
    const tooLate = async () => {
      await sleep(TELL_WITHIN_MS, undefined, { signal: told.signal });
      throw new Error(`Slack took no sentence within ${TELL_WITHIN_MS} ms`);
    };
    try {
      await Promise.race([respond({ response_type: 'ephemeral', replace_original: false, text }), tooLate()]);
    } catch (error) {
      deps.logFailure(error, requestId);
    } finally {
      told.abort();
    }
  }

  return app;
}

type SlackUser = { id: string; team_id?: string };
type RequestContext = Record<string, unknown>;

function clickRequest(body: BlockAction, action: ButtonAction, context: RequestContext): Request {
  return requestOf(body.user, findingRef.parse(JSON.parse(action.value ?? '')), context);
}

function requestOf(user: SlackUser, finding: Request['finding'], context: RequestContext): Request {
  const requestId = context['requestId'];
  if (typeof requestId !== 'string') throw new Error('the receiver gave the request no id');
  // Without a workspace nobody can be told to belong to the organisation; the domain refuses then.
  return { userId: user.id, teamId: user.team_id ?? '', finding, requestId };
}

function modalMetadata(text: string): ExemptionModalMetadata {
  return exemptionModalMetadata.parse(JSON.parse(text));
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

function sentenceView(title: string, text: string): ModalView {
  return {
    type: 'modal',
    title: { type: 'plain_text', text: title },
    close: { type: 'plain_text', text: 'Close' },
    blocks: [{ type: 'section', text: { type: 'plain_text', text } }],
  };
}
