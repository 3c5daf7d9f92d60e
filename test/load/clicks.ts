import { createHash, createHmac, randomUUID } from 'node:crypto';
import { BUTTON, type FindingRef } from '../../functions/contracts/slack-actions.ts';
import { PEOPLE, WORKSPACE } from '../../sandbox/world.ts';
import type { RootMessage } from './outside.ts';

/** A message of the bot, as a person sees it. */
export type ShownFinding = { ref: FindingRef; channel: string; ts: string; blocks: unknown };

export function shownFinding({ channel, ts, blocks, postId }: RootMessage): ShownFinding {
  const [key = '', episode = ''] = postId.split('#');
  return { ref: { key, episode: Number(episode) }, channel, ts, blocks };
}

/** Who clicks, and whether it should lead to anything: the first of those who may is accepted, for each finding. */
export type Click = {
  by: 'approver' | 'second-approver' | 'not-an-approver' | 'guest' | 'outsider';
  finding: ShownFinding;
  /** Stale: the button of an episode that is not there. */
  stale: boolean;
};

/** A request as Slack signs and sends it. `requestId` is what the bot calls it in its audit trail. */
export type SignedRequest = { headers: Record<string, string>; body: string; requestId: string };

const USERS: Record<Click['by'], string> = {
  approver: 'U0APPROVER',
  'second-approver': 'U0APPROVER2',
  'not-an-approver': 'U0VIEWER',
  guest: 'U0GUEST',
  outsider: 'U0OUTSIDER',
};

/** Says whether a click may be accepted if it is the first one. */
export function mayDecide({ by, stale }: Click): boolean {
  return !stale && (by === 'approver' || by === 'second-approver');
}

/** Signs a click now. Sent twice, the very same request is Slack's own retry. */
export function signClick(
  click: Click,
  { signingSecret, responseUrl }: { signingSecret: string; responseUrl: string },
): SignedRequest {
  const { finding } = click;
  const person = PEOPLE.find(({ id }) => id === USERS[click.by]);
  if (person === undefined) throw new Error(`the sandbox has no ${click.by}`);
  const episode = finding.ref.episode + (click.stale ? 1 : 0);
  const payload = {
    type: 'block_actions',
    user: { id: person.id, username: person.handle, name: person.handle, team_id: person.teamId },
    ...{ api_app_id: WORKSPACE.appId, token: 'load', trigger_id: randomUUID() },
    ...{ team: { id: WORKSPACE.teamId, domain: 'sandbox' }, enterprise: null, is_enterprise_install: false },
    container: { type: 'message', message_ts: finding.ts, channel_id: finding.channel, is_ephemeral: false },
    channel: { id: finding.channel, name: 'load' },
    message: { type: 'message', ts: finding.ts, bot_id: WORKSPACE.botId, text: '', blocks: finding.blocks },
    state: { values: {} },
    response_url: responseUrl,
    actions: [
      {
        ...{ type: 'button', action_id: BUTTON.approve, block_id: 'decision', action_ts: String(Date.now() / 1000) },
        ...{ text: { type: 'plain_text', text: 'Approve' }, value: JSON.stringify({ ...finding.ref, episode }) },
      },
    ],
  };
  return sign(new URLSearchParams({ payload: JSON.stringify(payload) }).toString(), signingSecret);
}

function sign(body: string, signingSecret: string): SignedRequest {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = `v0=${createHmac('sha256', signingSecret).update(`v0:${timestamp}:${body}`).digest('hex')}`;
  return {
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': signature,
    },
    body,
    requestId: createHash('sha256').update(signature).digest('hex').slice(0, 32),
  };
}

/**
 * `count` clicks on these findings. Every fifth finding is one that somebody who may approve clicks, and often two at
 * the same moment; the rest of the clicks are by people who may not, or on buttons of another episode.
 */
export function planClicks(findings: readonly ShownFinding[], count: number): Click[] {
  const clicks: Click[] = [];
  for (let index = 0; clicks.length < count; index += 1) {
    const finding = findings[index % findings.length];
    if (finding === undefined) return clicks;
    const round = Math.floor(index / findings.length);
    const click = (by: Click['by'], stale = false) => clicks.push({ by, finding, stale });
    if (index % 5 === 0 && round === 0) {
      click('approver');
      if (index % 10 === 0) click('second-approver');
    } else if (index % 5 === 1) click('approver', true);
    else if (index % 5 === 2) click('guest');
    else if (index % 5 === 3) click('outsider');
    else click('not-an-approver');
  }
  return clicks.slice(0, count);
}
