/** Views of the workspace: what may be opened, how deep, and how one replaces another. */
import { randomBytes } from 'node:crypto';
import { WORKSPACE } from '../world.ts';
import { SlackApiError } from './api-error.ts';
import { schemaComplaints } from './schema-complaints.ts';
import { homeInput, modalInput, type StoredView } from './view-schema.ts';
import { nextTs, type OpenView, type Workspace } from './workspace.ts';

const MAX_VIEW_BYTES = 250_000;
const MAX_STACK = 3;

/** A view that passed all checks and has no id yet. */
export type CheckedView = ReturnType<typeof modalInput.parse> | ReturnType<typeof homeInput.parse>;

/** Checks a view as views.open (modal) or views.publish (home) does; throws view_too_large or invalid_arguments. */
export function checkedView(value: unknown, type: 'modal' | 'home'): CheckedView {
  if (typeof value !== 'object' || value === null) {
    throw new SlackApiError('invalid_arguments', ['missing required field: view']);
  }
  if (Buffer.byteLength(JSON.stringify(value)) > MAX_VIEW_BYTES) throw new SlackApiError('view_too_large');
  const schema = type === 'modal' ? modalInput : homeInput;
  const result = schema.safeParse(value, { reportInput: true });
  if (!result.success) throw new SlackApiError('invalid_arguments', schemaComplaints(result.error, '/view'));
  return result.data;
}

function stored(workspace: Workspace, view: CheckedView, place: { below?: StoredView; replaces?: StoredView }) {
  const { external_id } = view;
  const taken = workspace.views.some((open) => {
    return external_id !== '' && open.view.external_id === external_id && open.view.id !== place.replaces?.id;
  });
  if (taken) throw new SlackApiError('duplicate_external_id');
  const id = place.replaces?.id ?? `V${randomBytes(5).toString('hex').toUpperCase()}`;
  return {
    ...view,
    id,
    team_id: WORKSPACE.teamId,
    app_id: WORKSPACE.appId,
    bot_id: WORKSPACE.botId,
    app_installed_team_id: WORKSPACE.teamId,
    hash: `${nextTs(workspace)}.${randomBytes(4).toString('hex')}`,
    state: { values: {} },
    root_view_id: place.replaces?.root_view_id ?? place.below?.root_view_id ?? id,
    previous_view_id: place.replaces?.previous_view_id ?? place.below?.id ?? null,
  } satisfies StoredView;
}

/** The modals that a person has open, the one on top last. */
export function modalsOf(workspace: Workspace, user: string): OpenView[] {
  return workspace.views.filter((open) => open.user === user && open.view.type === 'modal');
}

/** The open view of this id, if it is still open. */
export function openViewOf(workspace: Workspace, viewId: string): OpenView | undefined {
  return workspace.views.find(({ view }) => view.id === viewId);
}

/** Opens a modal for a person; modals that were open are closed. */
export function openModal(workspace: Workspace, user: string, view: CheckedView): StoredView {
  const opened = stored(workspace, view, {});
  closeAllModals(workspace, user);
  workspace.views.push({ user, view: opened });
  return opened;
}

/** Puts a modal on top of the one that a person has open; at most three lie on each other. */
export function pushModal(workspace: Workspace, user: string, view: CheckedView): StoredView {
  const stack = modalsOf(workspace, user);
  const below = stack.at(-1);
  if (below === undefined) throw new SlackApiError('not_found');
  if (stack.length >= MAX_STACK) throw new SlackApiError('push_limit_reached');
  const pushed = stored(workspace, view, { below: below.view });
  workspace.views.push({ user, view: pushed });
  return pushed;
}

/** Replaces an open view in its place; a `hash` that is not the view's own any more is a hash_conflict. */
export function replaceView(
  workspace: Workspace,
  target: OpenView,
  view: CheckedView,
  hash: string | undefined,
): StoredView {
  if (hash !== undefined && hash !== target.view.hash) throw new SlackApiError('hash_conflict');
  const replacement = stored(workspace, view, { replaces: target.view });
  target.view = replacement;
  delete target.errors;
  return replacement;
}

/** Shows a Home tab to a person, in place of an earlier one. */
export function publishHome(
  workspace: Workspace,
  user: string,
  view: CheckedView,
  hash: string | undefined,
): StoredView {
  const existing = workspace.views.find((open) => open.user === user && open.view.type === 'home');
  if (existing !== undefined) return replaceView(workspace, existing, view, hash);
  const published = stored(workspace, view, {});
  workspace.views.push({ user, view: published });
  return published;
}

/** Closes one view. */
export function closeOne(workspace: Workspace, viewId: string): void {
  workspace.views = workspace.views.filter(({ view }) => view.id !== viewId);
}

/** Closes every modal of a person; the Home tab stays. */
export function closeAllModals(workspace: Workspace, user: string): void {
  workspace.views = workspace.views.filter((open) => open.user !== user || open.view.type === 'home');
}
