import { SlackApiError } from '../api-error.ts';
import { json, requiredText, text } from '../arguments.ts';
import type { Method, MethodContext } from '../method.ts';
import { findPerson } from '../people.ts';
import { checkedView, openModal, openViewOf, publishHome, pushModal, replaceView } from '../views.ts';

function viewOf({ args }: MethodContext, type: 'modal' | 'home') {
  return checkedView(json(args, 'view', 'invalid_arguments'), type);
}

const open: Method = {
  tier: 'tier4',
  run(context) {
    // The view is checked first: a refused view leaves the trigger unused.
    const view = viewOf(context, 'modal');
    const { user } = context.triggers.exchange(requiredText(context.args, 'trigger_id'));
    return { view: openModal(context.workspace, user, view) };
  },
};

const push: Method = {
  tier: 'tier4',
  run(context) {
    const view = viewOf(context, 'modal');
    const { user, viewId } = context.triggers.exchange(requiredText(context.args, 'trigger_id'));
    // Only an interaction inside an open modal gives a trigger that can push.
    if (viewId === undefined) throw new SlackApiError('invalid_trigger_id');
    return { view: pushModal(context.workspace, user, view) };
  },
};

const update: Method = {
  tier: 'tier4',
  run(context) {
    const { args, workspace } = context;
    const viewId = text(args, 'view_id');
    const externalId = text(args, 'external_id');
    if (viewId === undefined && externalId === undefined) {
      throw new SlackApiError('invalid_arguments', ['missing required field: view_id']);
    }
    const target =
      viewId === undefined
        ? workspace.views.find(({ view }) => view.external_id === externalId)
        : openViewOf(workspace, viewId);
    if (target === undefined) throw new SlackApiError('not_found');
    return { view: replaceView(workspace, target, viewOf(context, target.view.type), text(args, 'hash')) };
  },
};

const publish: Method = {
  tier: 'tier4',
  run(context) {
    const user = requiredText(context.args, 'user_id');
    const view = viewOf(context, 'home');
    if (findPerson(user) === undefined) throw new SlackApiError('user_not_found');
    return { view: publishHome(context.workspace, user, view, text(context.args, 'hash')) };
  },
};

/** `views.*`. */
export const viewMethods: Record<string, Method> = {
  'views.open': open,
  'views.push': push,
  'views.update': update,
  'views.publish': publish,
};
