/** What people do: click a button, submit a modal, close it. Each builds Slack's payload and sends it to the app. */
import { simulatedSecret } from '../simulated-secret.ts';
import { type SandboxPerson, WORKSPACE } from '../world.ts';
import { SlackApiError } from './api-error.ts';
import { type Block, type Button, buttonsOf } from './block-schema.ts';
import { readForm } from './form-values.ts';
import { findPerson } from './people.ts';
import { applyResponseAction } from './response-action.ts';
import { issueResponseToken } from './response-url.ts';
import { type Delivery, type Outgoing, postSigned } from './signed-post.ts';
import type { SocketMode } from './socket-mode.ts';
import type { Triggers } from './triggers.ts';
import type { StoredView } from './view-schema.ts';
import { closeOne, openViewOf } from './views.ts';
import {
  type Channel,
  type Ephemeral,
  type Message,
  membersOf,
  messageIn,
  nextTs,
  type OpenView,
  type Workspace,
} from './workspace.ts';

/** A person cannot do this: no such button, message, view or person. The message is a sentence for whoever asked. */
export class ImpossibleInteraction extends Error {
  public override readonly name = 'ImpossibleInteraction';
}

/**
 * A button of a message (`channel`, `ts`) or of a view (`viewId`). `confirm: false` answers its confirm dialog with "deny".
 * `seen` is the button that was on the person's screen: it counts when the message has been drawn anew meanwhile, because a
 * client sends what it shows.
 */
export type Click = {
  user: string;
  channel?: string;
  ts?: string;
  viewId?: string;
  actionId: string;
  blockId?: string;
  confirm?: boolean;
  seen?: { text: string; value?: string };
};
export type Submit = { user: string; viewId: string; values: Readonly<Record<string, string>> };
/** What somebody types into a field that is sent at once, and then Enter. */
export type Enter = { user: string; viewId: string; actionId: string; value: string };
export type CloseView = { user: string; viewId: string };

/** `ok` is whether the app answered with 2xx in time; `ephemerals` and `views` are what that person got meanwhile. */
export type InteractionAnswer = Delivery & {
  ok: boolean;
  ephemerals: Ephemeral[];
  views: { id: string; user: string; view: StoredView }[];
};
export type SubmitAnswer = InteractionAnswer & { errors?: Record<string, string> };

export type InteractionContext = {
  workspace: Workspace;
  triggers: Triggers;
  interactionUrl: string;
  signingSecret: string;
  /** Where the embedded Slack listens; response_urls start with it. */
  url: string;
  /** Goes before the URL as long as an app is connected. */
  socketMode?: Pick<SocketMode, 'isConnected' | 'deliver'>;
};

/** By socket or by HTTP, whichever the app is there for. */
export function send(
  { socketMode, interactionUrl, signingSecret }: InteractionContext,
  outgoing: Outgoing,
): Promise<Delivery> {
  return socketMode?.isConnected() === true
    ? socketMode.deliver(outgoing)
    : postSigned(interactionUrl, signingSecret, outgoing);
}

function sendInteraction(context: InteractionContext, payload: unknown): Promise<Delivery> {
  return send(context, { type: 'interactive', payload });
}

/** Slack sends this deprecated verification token in every payload; nothing should look at it. */
export const VERIFICATION_TOKEN = simulatedSecret(12);

export const TEAM = { id: WORKSPACE.teamId, domain: 'sandbox' };

export function personOf(id: string): SandboxPerson {
  const person = findPerson(id);
  if (person === undefined) throw new ImpossibleInteraction(`There is no person "${id}" in the workspace.`);
  return person;
}

/** `user.team_id` is the person's own workspace, which `team` is not for somebody from outside. */
function userOf({ id, handle, teamId }: SandboxPerson) {
  return { id, username: handle, name: handle, team_id: teamId };
}

function findButton(blocks: readonly Block[], { actionId, blockId, seen }: Click): { button: Button; blockId: string } {
  for (const block of blocks) {
    if (blockId !== undefined && block.block_id !== blockId) continue;
    const button = buttonsOf(block).find((candidate) => candidate.action_id === actionId);
    if (button !== undefined) return { button, blockId: block.block_id };
  }
  if (seen !== undefined && blockId !== undefined) {
    const { text, ...value } = seen;
    const button: Button = {
      type: 'button',
      action_id: actionId,
      text: { type: 'plain_text', text, emoji: false },
      ...value,
    };
    return { button, blockId };
  }
  throw new ImpossibleInteraction(
    `There is no button "${actionId}"${blockId === undefined ? '' : ` in the block "${blockId}"`} there.`,
  );
}

/** What was clicked, in the payload's words. */
type Target = { blocks: readonly Block[]; viewId?: string; parts: () => Record<string, unknown> };

function targetInView(context: InteractionContext, person: SandboxPerson, viewId: string): Target {
  const open = viewOfPerson(context.workspace, person, viewId);
  return {
    blocks: open.view.blocks,
    viewId,
    parts: () => ({ container: { type: 'view', view_id: viewId }, view: open.view }),
  };
}

function threadParts(thread_ts: string | undefined) {
  return thread_ts === undefined ? {} : { thread_ts };
}

function targetInChannel(context: InteractionContext, person: SandboxPerson, click: Click): Target {
  const { workspace, url } = context;
  const channel = workspace.channels.find(({ id }) => id === click.channel);
  if (channel === undefined) throw new ImpossibleInteraction(`There is no channel "${click.channel ?? ''}".`);
  const ts = click.ts ?? '';
  const ephemeral = workspace.ephemerals.find(
    (one) => one.user === person.id && one.channel === channel.id && one.ts === ts,
  );
  const clicked: Message | Ephemeral | undefined = ephemeral ?? messageIn(channel, ts);
  if (clicked === undefined || !maySee(channel, person)) {
    throw new ImpossibleInteraction(`${person.displayName} sees no message "${ts}" in #${channel.name}.`);
  }
  return {
    blocks: clicked.blocks ?? [],
    parts: () => {
      const origin = { user: person.id, channel: channel.id, ts, ephemeral: ephemeral !== undefined };
      return {
        container: {
          type: 'message',
          message_ts: ts,
          channel_id: channel.id,
          is_ephemeral: ephemeral !== undefined,
          ...threadParts(clicked.thread_ts),
        },
        channel: { id: channel.id, name: channel.directMessageOf === undefined ? channel.name : 'directmessage' },
        // Slack does not send an ephemeral message back.
        ...(ephemeral === undefined ? { message: clicked } : {}),
        state: { values: {} },
        response_url: `${url}/response/${issueResponseToken(workspace, origin)}`,
      };
    },
  };
}

/** A deactivated person is in no channel; the sandbox lets one click all the same, to show what the bot does about it. */
export function maySee(channel: Channel, person: SandboxPerson): boolean {
  if (channel.directMessageOf !== undefined) return channel.directMessageOf === person.id;
  return person.deactivated === true || membersOf(channel).includes(person.id);
}

/** Runs one delivery and collects what the person was shown during it. */
export async function observed(
  { workspace }: InteractionContext,
  user: string,
  deliver: () => Promise<Delivery>,
): Promise<InteractionAnswer> {
  const ephemeralsBefore = new Set(workspace.ephemerals);
  const viewsBefore = new Set(workspace.views.map(({ view }) => view.id));
  const delivery = await deliver();
  const ok = delivery.status >= 200 && delivery.status < 300;
  const complaint =
    delivery.error ?? (ok ? undefined : `The app answered ${delivery.status}; Slack shows a warning at the button.`);
  return {
    ...delivery,
    ok,
    ...(complaint === undefined ? {} : { error: complaint }),
    ephemerals: workspace.ephemerals.filter((one) => one.user === user && !ephemeralsBefore.has(one)),
    views: workspace.views
      .filter((open) => open.user === user && !viewsBefore.has(open.view.id))
      .map(({ view }) => ({ id: view.id, user, view })),
  };
}

const NOTHING_SENT = { status: 0, durationMs: 0, body: '', ephemerals: [], views: [] };
const notSent = (error: string): InteractionAnswer => ({ ...NOTHING_SENT, ok: false, error });

/** Clicks a button: sends block_actions and waits for the app's answer. Throws ImpossibleInteraction. */
export async function click(context: InteractionContext, request: Click): Promise<InteractionAnswer> {
  const person = personOf(request.user);
  const target =
    request.viewId === undefined
      ? targetInChannel(context, person, request)
      : targetInView(context, person, request.viewId);
  const { button, blockId } = findButton(target.blocks, request);
  if (button.confirm !== undefined && request.confirm === false) {
    return notSent(`The confirm dialog was answered with "${button.confirm.deny.text}", so nothing was sent.`);
  }
  return observed(context, person.id, () =>
    sendInteraction(context, {
      ...actionPayload(context, person, target),
      actions: [{ ...button, block_id: blockId, action_ts: nextTs(context.workspace) }],
    }),
  );
}

/** All of block_actions but its actions. */
function actionPayload({ triggers }: InteractionContext, person: SandboxPerson, target: Target) {
  return {
    type: 'block_actions',
    user: userOf(person),
    api_app_id: WORKSPACE.appId,
    token: VERIFICATION_TOKEN,
    trigger_id: triggers.issue({
      user: person.id,
      ...(target.viewId === undefined ? {} : { viewId: target.viewId }),
    }),
    team: TEAM,
    enterprise: null,
    is_enterprise_install: false,
    ...target.parts(),
  };
}

/** Presses Enter in a `dispatch_action` field of a view. Throws ImpossibleInteraction. */
export async function enter(
  context: InteractionContext,
  { user, viewId, actionId, value }: Enter,
): Promise<InteractionAnswer> {
  const person = personOf(user);
  const target = targetInView(context, person, viewId);
  const block = target.blocks.find(
    (candidate) => candidate.type === 'input' && candidate.dispatch_action && candidate.element.action_id === actionId,
  );
  if (block === undefined)
    throw new ImpossibleInteraction(`There is no field "${actionId}" that is sent on Enter there.`);
  return observed(context, person.id, () =>
    sendInteraction(context, {
      ...actionPayload(context, person, target),
      actions: [
        {
          ...{ type: 'plain_text_input', action_id: actionId, block_id: block.block_id },
          ...{ value: value === '' ? null : value, action_ts: nextTs(context.workspace) },
        },
      ],
    }),
  );
}

function viewOfPerson(workspace: Workspace, person: SandboxPerson, viewId: string): OpenView {
  const open = openViewOf(workspace, viewId);
  if (open?.user !== person.id) {
    throw new ImpossibleInteraction(`${person.displayName} has no view "${viewId}" open.`);
  }
  return open;
}

/** A view payload names the person's own workspace as `team`; the one the app is installed in is in the view. */
function viewPayload(person: SandboxPerson, type: 'view_submission' | 'view_closed', view: StoredView) {
  return {
    type,
    team: person.teamId === TEAM.id ? TEAM : { id: person.teamId, domain: 'partner' },
    user: userOf(person),
    api_app_id: WORKSPACE.appId,
    token: VERIFICATION_TOKEN,
    view,
    is_enterprise_install: false,
    enterprise: null,
  };
}

/**
 * Submits an open modal. Fields that the Slack client itself refuses are answered with `errors` and nothing is sent; otherwise
 * sends view_submission and does what the app's `response_action` says. Throws ImpossibleInteraction.
 */
export async function submit(context: InteractionContext, request: Submit): Promise<SubmitAnswer> {
  const { workspace, triggers } = context;
  const person = personOf(request.user);
  const open = viewOfPerson(workspace, person, request.viewId);
  const { view } = open;
  if (view.type !== 'modal' || view.submit === null) {
    throw new ImpossibleInteraction(`The view "${view.id}" has no submit button.`);
  }
  const form = readForm(view, request.values);
  if (form.outcome === 'incomplete') {
    open.errors = form.errors;
    return { ...notSent('Some fields need attention; nothing was sent.'), errors: form.errors };
  }
  delete open.errors;
  const answer = await observed(context, person.id, async () => {
    const delivery = await sendInteraction(context, {
      ...viewPayload(person, 'view_submission', { ...view, state: { values: form.values } }),
      trigger_id: triggers.issue({ user: person.id, viewId: view.id }),
      response_urls: [],
    });
    if (delivery.status < 200 || delivery.status >= 300) return delivery;
    try {
      applyResponseAction(workspace, open, delivery.body);
      return delivery;
    } catch (error) {
      if (!(error instanceof SlackApiError)) throw error;
      const detail = [error.code, ...error.complaints].join(': ');
      return { ...delivery, error: `Slack could not use the app's answer to the submission (${detail}).` };
    }
  });
  const errors = shownErrors(open);
  return {
    ...answer,
    ok: answer.ok && answer.error === undefined,
    ...(errors === undefined ? {} : { errors }),
  };
}

/** The sentences that an open view shows beside its fields. */
function shownErrors({ errors }: OpenView): Record<string, string> | undefined {
  return errors;
}

/** Closes a modal; the app hears of it (view_closed) only if the view has `notify_on_close`. Throws ImpossibleInteraction. */
export async function closeView(context: InteractionContext, request: CloseView): Promise<InteractionAnswer> {
  const { workspace } = context;
  const person = personOf(request.user);
  const { view } = viewOfPerson(workspace, person, request.viewId);
  if (view.type !== 'modal') throw new ImpossibleInteraction('The Home tab cannot be closed.');
  closeOne(workspace, view.id);
  if (!view.notify_on_close) return { ...NOTHING_SENT, ok: true };
  return observed(context, person.id, () =>
    sendInteraction(context, {
      ...viewPayload(person, 'view_closed', view),
      is_cleared: false,
    }),
  );
}
