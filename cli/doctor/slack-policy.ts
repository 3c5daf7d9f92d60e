import pMap from 'p-map';
import { isFullMember, type Organisation } from '../../functions/domain/authority.ts';
import type { SlackPerson } from '../../functions/domain/people.ts';
import type { Policy, Route } from '../../functions/domain/policy.ts';
import { type Check, together, type Verdict } from './check.ts';
import { whyUnchecked } from './run-checks.ts';
import type { ChannelReading, SlackWeb } from './slack-web.ts';

/** usergroups.users.list is Tier 2, users.info Tier 4 (Slack, "Rate limits"): a policy names few of either. */
const AT_ONCE = 4;

/** Whether the channels and the people of the policy are what the bot needs. */
export function slackPolicyChecks(slack: () => Promise<SlackWeb>, policy: () => Promise<Policy>): Check[] {
  const ask = async (
    pick: (route: Route) => readonly string[],
    judge: (id: string, web: SlackWeb, rules: Policy) => Promise<Verdict>,
    noun: string,
  ): Promise<Verdict> => {
    const [rules, web] = await Promise.all([policy(), slack()]);
    const ids = [...new Set([...rules.routes, rules.defaultRoute].flatMap(pick))];
    if (ids.length === 0) return { outcome: 'not-applicable', seen: `The policy names no ${noun}s.` };
    const found = await pMap(
      ids,
      (id) => judge(id, web, rules).catch((error: unknown) => named(id, whyUnchecked(error))),
      {
        concurrency: AT_ONCE,
      },
    );
    return together(found, ids.length === 1 ? `One ${noun}.` : `${ids.length} ${noun}s.`);
  };
  return [
    {
      id: 'slack-channels',
      title: 'Every channel of the policy is open, with the bot in it',
      look: () =>
        ask(
          ({ channel }) => [channel],
          async (id, web) => judgeChannel(id, await web.channel(id)),
          'channel',
        ),
    },
    {
      id: 'slack-approvers',
      title: 'Every approver of the policy is a full, active member',
      look: () =>
        ask(
          ({ approvers }) => approvers.users,
          async (id, web, { organisation }) => judgeApprover(id, await web.person(id), organisation),
          'approver',
        ),
    },
    {
      id: 'slack-groups',
      title: 'Every user group of the policy exists and has members',
      look: () =>
        ask(
          ({ approvers }) => approvers.userGroups,
          async (id, web) => judgeGroup(id, await web.groupMembers(id)),
          'user group',
        ),
    },
  ];
}

export function judgeChannel(id: string, channel: ChannelReading): Verdict {
  if (channel.readable) {
    return channel.isArchived
      ? {
          outcome: 'failed',
          seen: `${id} is archived.`,
          todo: 'Take it out of the archive in Slack, or name another channel in the policy.',
        }
      : { outcome: 'ok', seen: id };
  }
  switch (channel.code) {
    case 'not_in_channel':
      return {
        outcome: 'failed',
        seen: `${id}: the bot is not in it.`,
        todo: `In that channel, in Slack: /invite @<the bot>`,
      };
    case 'channel_not_found':
      return {
        outcome: 'failed',
        seen: `${id} does not exist, or is private and the bot is not in it.`,
        todo: 'If it exists, in that channel, in Slack: /invite @<the bot>. Else correct the id in the policy.',
      };
    case 'missing_scope':
      return { outcome: 'unchecked', seen: `${id}: the token lacks a scope.`, todo: 'See the check slack-scopes.' };
    default:
      return {
        outcome: 'unchecked',
        seen: `${id}: Slack says ${channel.code}.`,
        todo: `https://docs.slack.dev/reference/methods/conversations.history says what ${channel.code} means.`,
      };
  }
}

export function judgeApprover(id: string, person: SlackPerson | null, organisation: Organisation): Verdict {
  const failed = (problem: string, todo: string): Verdict => ({ outcome: 'failed', seen: `${id} ${problem}`, todo });
  const replace = 'Take them out of the policy, and name somebody else.';
  if (person === null)
    return failed('does not exist.', 'Correct the id in the policy (in Slack: profile, "Copy member ID").');
  if (isFullMember(person, organisation)) return { outcome: 'ok', seen: id };
  if (person.isDeactivated) return failed(`(${person.name}) is deactivated.`, replace);
  if (person.isBot) return failed(`(${person.name}) is a bot: bots never decide.`, replace);
  if (person.isGuest) return failed(`(${person.name}) is a guest: guests never decide.`, replace);
  return failed(
    `(${person.name}) is of workspace ${person.teamId}, which the policy does not count as yours.`,
    'Add the workspace to organisation.teamIds, if it is yours; else take them out of the policy.',
  );
}

export function judgeGroup(id: string, members: readonly string[] | null): Verdict {
  if (members === null) {
    return {
      outcome: 'failed',
      seen: `${id} does not exist, or is switched off.`,
      todo: 'Correct the id in the policy (in Slack: People, "User groups").',
    };
  }
  if (members.length > 0) return { outcome: 'ok', seen: id };
  return { outcome: 'failed', seen: `${id} has no members.`, todo: 'Add people to the group in Slack.' };
}

function named(id: string, verdict: Verdict): Verdict {
  return { ...verdict, seen: `${id}: ${verdict.seen}` };
}
