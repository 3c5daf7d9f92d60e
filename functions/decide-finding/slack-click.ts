import type { BlockAction, ButtonAction } from '@slack/bolt';
import { type HomeMetadata, parseHomeMetadata } from '../contracts/slack-requests.ts';
import type { Request } from './decide-finding.ts';

export type SlackUser = { id: string; team_id?: string | undefined };
export type RequestContext = Record<string, unknown>;

/** A click on a button, wherever it is. */
export type Click = {
  body: BlockAction;
  action: ButtonAction;
  context: RequestContext;
  respond: (message: { response_type: 'ephemeral'; replace_original: boolean; text: string }) => Promise<unknown>;
};

/** What a person is told: a sentence; null: what was clicked shows it; undefined: a view that has opened is the answer. */
export type Answer = string | null | undefined;

/** Who asks, and which request it was. */
export type Requester = Omit<Request, 'finding'>;

/** The Home tab as it is when somebody opens it. */
export const START: HomeMetadata = { search: null, after: null };

export function requesterOf(user: SlackUser, context: RequestContext): Requester {
  // Without a workspace nobody can be told to belong to the organisation; the domain refuses then.
  return { userId: user.id, teamId: user.team_id ?? '', requestId: requestIdOf(context) };
}

/** What the Home tab showed in which somebody clicked; null for a click elsewhere. */
export function homeOf({ view }: Pick<BlockAction, 'view'>): HomeMetadata | null {
  return view?.type === 'home' ? parseHomeMetadata(view.private_metadata) : null;
}

export function requestIdOf(context: RequestContext): string {
  const requestId = context['requestId'];
  if (typeof requestId !== 'string') throw new Error('the receiver gave the request no id');
  return requestId;
}
