/** The people of the simulated world as Slack's user objects show them to the bot. */
import { OUTSIDE_WORKSPACE, PEOPLE, type SandboxPerson, type USER_GROUPS, WORKSPACE } from '../world.ts';

/** The person with this user id, deactivated ones too. */
export function findPerson(id: string): SandboxPerson | undefined {
  return PEOPLE.find((person) => person.id === id);
}

/** Whether a person belongs to the connected outside workspace. */
export function isOutside({ teamId }: SandboxPerson): boolean {
  return teamId === OUTSIDE_WORKSPACE.teamId;
}

/**
 * A user object (Slack's page "User object"). A deactivated person has no role flags left. Somebody of another workspace
 * has their own team_id and shows no e-mail address; `is_stranger` is false for them, because it is true only of
 * people with whom the bot shares no channel.
 */
export function userObject(person: SandboxPerson, scopes: readonly string[]): Record<string, unknown> {
  const outside = isOutside(person);
  const base = {
    id: person.id,
    team_id: person.teamId,
    name: person.handle,
    real_name: person.displayName,
    deleted: person.deactivated === true,
    is_bot: false,
    is_app_user: false,
    updated: 0,
    profile: {
      real_name: person.displayName,
      real_name_normalized: person.displayName,
      display_name: person.displayName,
      display_name_normalized: person.displayName,
      team: person.teamId,
      ...(outside || !scopes.includes('users:read.email') ? {} : { email: person.email }),
    },
  };
  if (person.deactivated === true) return base;
  return {
    ...base,
    tz: 'Etc/UTC',
    tz_label: 'Coordinated Universal Time',
    tz_offset: 0,
    is_admin: false,
    is_owner: false,
    is_primary_owner: false,
    is_restricted: person.guest === true,
    is_ultra_restricted: false,
    is_email_confirmed: true,
    ...(outside ? { is_stranger: false } : {}),
  };
}

/** The user object of the bot itself. */
export function botUserObject(): Record<string, unknown> {
  return {
    id: WORKSPACE.botUserId,
    team_id: WORKSPACE.teamId,
    name: 'kms_rotation_bot',
    real_name: 'kms-rotation-bot',
    deleted: false,
    is_bot: true,
    is_app_user: false,
    is_restricted: false,
    is_ultra_restricted: false,
    updated: 0,
    profile: {
      real_name: 'kms-rotation-bot',
      display_name: '',
      bot_id: WORKSPACE.botId,
      api_app_id: WORKSPACE.appId,
      team: WORKSPACE.teamId,
    },
  };
}

/** A user group object, without its users unless asked for. */
export function userGroupObject(group: (typeof USER_GROUPS)[number], withUsers: boolean): Record<string, unknown> {
  return {
    id: group.id,
    team_id: WORKSPACE.teamId,
    is_usergroup: true,
    name: group.handle,
    handle: group.handle,
    description: '',
    is_external: false,
    date_delete: 0,
    deleted_by: null,
    user_count: group.users.length,
    ...(withUsers ? { users: [...group.users] } : {}),
  };
}
