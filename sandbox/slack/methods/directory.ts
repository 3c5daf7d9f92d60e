import { PEOPLE, USER_GROUPS, WORKSPACE } from '../../world.ts';
import { SlackApiError } from '../api-error.ts';
import { flag, requiredText } from '../arguments.ts';
import type { Method } from '../method.ts';
import { page } from '../pagination.ts';
import { botUserObject, findPerson, isOutside, userGroupObject, userObject } from '../people.ts';

const authTest: Method = {
  tier: 'special',
  run: ({ url }) => ({
    url: `${url}/`,
    team: WORKSPACE.name,
    user: 'kms_rotation_bot',
    team_id: WORKSPACE.teamId,
    user_id: WORKSPACE.botUserId,
    bot_id: WORKSPACE.botId,
    is_enterprise_install: false,
  }),
};

const teamInfo: Method = {
  tier: 'tier3',
  run: ({ url }) => ({
    team: {
      id: WORKSPACE.teamId,
      name: WORKSPACE.name,
      url: `${url}/`,
      domain: 'sandbox',
      email_domain: 'sandbox.example',
      icon: { image_default: true },
    },
  }),
};

const usersInfo: Method = {
  tier: 'tier4',
  run({ args, scopes }) {
    const id = requiredText(args, 'user');
    if (id === WORKSPACE.botUserId) return { user: botUserObject() };
    const person = findPerson(id);
    if (person === undefined) throw new SlackApiError('user_not_found');
    return { user: userObject(person, scopes) };
  },
};

const botsInfo: Method = {
  tier: 'tier3',
  run({ args }) {
    if (requiredText(args, 'bot') !== WORKSPACE.botId) throw new SlackApiError('bot_not_found');
    const { botId: id, appId: app_id, botUserId: user_id, appName: name } = WORKSPACE;
    return { bot: { id, app_id, user_id, name, deleted: false, updated: 0, icons: {} } };
  },
};

const lookupByEmail: Method = {
  tier: 'tier3',
  run({ args, scopes }) {
    const email = requiredText(args, 'email').toLowerCase();
    const person = PEOPLE.find(
      (candidate) => candidate.email === email && candidate.deactivated !== true && !isOutside(candidate),
    );
    if (person === undefined) throw new SlackApiError('users_not_found');
    return { user: userObject(person, scopes) };
  },
};

const usersList: Method = {
  tier: 'tier2',
  run({ args, scopes }) {
    const people = PEOPLE.map((person) => userObject(person, scopes));
    const { items, nextCursor } = page([...people, botUserObject()], args, 0);
    return {
      members: items,
      cache_ts: Math.floor(Date.now() / 1000),
      response_metadata: { next_cursor: nextCursor },
    };
  },
};

const userGroupsList: Method = {
  tier: 'tier2',
  run: ({ args }) => ({
    usergroups: USER_GROUPS.map((group) => userGroupObject(group, flag(args, 'include_users'))),
  }),
};

const userGroupUsers: Method = {
  tier: 'tier2',
  run({ args }) {
    const id = requiredText(args, 'usergroup');
    const group = USER_GROUPS.find((candidate) => candidate.id === id);
    if (group === undefined) throw new SlackApiError('no_such_subteam');
    return { users: [...group.users] };
  },
};

/** Who is who: `auth.test`, `team.info`, `users.*`, `usergroups.*`. */
export const directoryMethods: Record<string, Method> = {
  'auth.test': authTest,
  'bots.info': botsInfo,
  'team.info': teamInfo,
  'users.info': usersInfo,
  'users.lookupByEmail': lookupByEmail,
  'users.list': usersList,
  'usergroups.list': userGroupsList,
  'usergroups.users.list': userGroupUsers,
};
