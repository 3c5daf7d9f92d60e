/** `response_action` in the answer to a view_submission (Slack's page "Modals"): errors, update, push, clear, or an empty body. */
import * as z from 'zod';
import { SlackApiError } from './api-error.ts';
import { checkedView, closeAllModals, closeOne, pushModal, replaceView } from './views.ts';
import type { OpenView, Workspace } from './workspace.ts';

const responseAction = z.discriminatedUnion('response_action', [
  z.object({ response_action: z.literal('errors'), errors: z.record(z.string(), z.string()) }),
  z.object({ response_action: z.literal('update'), view: z.unknown() }),
  z.object({ response_action: z.literal('push'), view: z.unknown() }),
  z.object({ response_action: z.literal('clear') }),
]);

/** Does what a 2xx answer says. An answer that Slack cannot use throws SlackApiError and leaves the modal open. */
export function applyResponseAction(workspace: Workspace, open: OpenView, body: string): void {
  if (body.trim() === '') {
    closeOne(workspace, open.view.id);
    return;
  }
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new SlackApiError('invalid_response', ['the body is neither empty nor JSON']);
  }
  const parsed = responseAction.safeParse(json);
  if (!parsed.success) throw new SlackApiError('invalid_response', ['unknown or incomplete response_action']);
  const action = parsed.data;
  switch (action.response_action) {
    case 'errors': {
      const inputs = new Set(open.view.blocks.filter(({ type }) => type === 'input').map(({ block_id }) => block_id));
      const unknown = Object.keys(action.errors).filter((blockId) => !inputs.has(blockId));
      if (unknown.length > 0) {
        throw new SlackApiError('invalid_response', [
          `errors for blocks that are no input blocks: ${unknown.join(', ')}`,
        ]);
      }
      open.errors = action.errors;
      return;
    }
    case 'update':
      replaceView(workspace, open, checkedView(action.view, 'modal'), undefined);
      return;
    case 'push':
      pushModal(workspace, open.user, checkedView(action.view, 'modal'));
      return;
    case 'clear':
      closeAllModals(workspace, open.user);
      return;
  }
}
