/** What people do that is no interaction: open the app's Home tab, type a slash command. */
import { WORKSPACE } from '../world.ts';
import {
  ImpossibleInteraction,
  type InteractionAnswer,
  type InteractionContext,
  maySee,
  observed,
  personOf,
  send,
  TEAM,
  VERIFICATION_TOKEN,
} from './interactions.ts';
import { issueResponseToken, respond } from './response-url.ts';
import { nextTs } from './workspace.ts';

export type Command = { user: string; channel: string; command: string; text: string };
export type OpenHome = { user: string };

/** Opens the app's Home tab: the app hears of it and publishes a view. Throws ImpossibleInteraction. */
export async function openHome(context: InteractionContext, { user }: OpenHome): Promise<InteractionAnswer> {
  const person = personOf(user);
  const { workspace } = context;
  const ts = nextTs(workspace);
  const home = workspace.views.find((open) => open.user === user && open.view.type === 'home');
  return observed(context, person.id, () =>
    send(context, {
      type: 'events_api',
      payload: {
        token: VERIFICATION_TOKEN,
        team_id: WORKSPACE.teamId,
        api_app_id: WORKSPACE.appId,
        type: 'event_callback',
        event_id: `Ev${ts.replace('.', '')}`,
        event_time: Math.floor(Number(ts)),
        authorizations: [
          { enterprise_id: null, team_id: WORKSPACE.teamId, user_id: WORKSPACE.botUserId, is_bot: true },
        ],
        event: {
          type: 'app_home_opened',
          user: person.id,
          channel: `D${person.id.slice(1)}`,
          tab: 'home',
          event_ts: ts,
          ...(home === undefined ? {} : { view: home.view }),
        },
      },
    }),
  );
}

/** Types a slash command in a channel and shows the app's answer. Throws ImpossibleInteraction. */
export async function runCommand(context: InteractionContext, request: Command): Promise<InteractionAnswer> {
  const person = personOf(request.user);
  const { workspace, triggers, url } = context;
  const channel = workspace.channels.find(({ id }) => id === request.channel);
  if (channel === undefined || !maySee(channel, person)) {
    throw new ImpossibleInteraction(`${person.displayName} is in no channel "${request.channel}".`);
  }
  const origin = { user: person.id, channel: channel.id, ts: nextTs(workspace), ephemeral: true };
  const token = issueResponseToken(workspace, origin);
  return observed(context, person.id, async () => {
    const delivery = await send(context, {
      type: 'slash_commands',
      payload: {
        token: VERIFICATION_TOKEN,
        team_id: WORKSPACE.teamId,
        team_domain: TEAM.domain,
        channel_id: channel.id,
        channel_name: channel.name,
        user_id: person.id,
        user_name: person.handle,
        command: request.command,
        text: request.text,
        api_app_id: WORKSPACE.appId,
        is_enterprise_install: 'false',
        response_url: `${url}/response/${token}`,
        trigger_id: triggers.issue({ user: person.id }),
      },
    });
    if (delivery.status < 200 || delivery.status >= 300 || delivery.body === '') return delivery;
    // The body of the answer is shown as one sent to the response_url would be.
    const { body } = respond(workspace, token, delivery.body);
    return body.ok ? delivery : { ...delivery, error: `Slack could not use the app's answer (${body.error}).` };
  });
}
