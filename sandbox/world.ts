/**
 * The small world that the sandbox simulates: three AWS accounts of one organisation, two Regions, one Slack
 * workspace with a connected outside workspace. Account ids are the ones AWS's documentation uses in examples;
 * people are roles, not persons.
 */

export type Account = { id: string; name: string; organizationalUnit: string };

export const HUB_ACCOUNT: Account = { id: '111122223333', name: 'security-tooling', organizationalUnit: 'security' };
export const ACCOUNTS: readonly Account[] = [
  HUB_ACCOUNT,
  { id: '444455556666', name: 'payments-prod', organizationalUnit: 'production' },
  { id: '123456789012', name: 'platform-dev', organizationalUnit: 'development' },
];
export const ORGANIZATION_ID = 'o-sandbox0000';
/** The unit in which all accounts are; the management account is in none. */
export const UNIT_ID = 'ou-sand-box00001';
/** Credentials that name no account and came from no AssumeRole belong to this account, so that any key id works. */
export const DEFAULT_ACCOUNT = '123456789012';

export const REGIONS = ['eu-central-1', 'us-east-1'] as const;
export type Region = (typeof REGIONS)[number];

/** Roles of the member accounts that the bot assumes; every simulated account has both. */
export const READ_ROLE = 'kms-rotation-bot-read';
export const REMEDIATE_ROLE = 'kms-rotation-bot-remediate';

export const WORKSPACE = {
  teamId: 'T0SANDBOX',
  name: 'Sandbox Inc',
  botUserId: 'U0BOT',
  botId: 'B0BOT',
  appId: 'A0BOT',
  appName: 'kms-rotation-bot',
};
export const OUTSIDE_WORKSPACE = { teamId: 'T0PARTNER', name: 'Partner Ltd' };

export type SandboxPerson = {
  id: string;
  /** Slack's `name`: the handle. */
  handle: string;
  /** Shown on the page and used as `profile.display_name`. */
  displayName: string;
  email: string;
  /** One line on the page that says what this person may do. */
  role: string;
  teamId: string;
  guest?: boolean;
  deactivated?: boolean;
};

export const PEOPLE: readonly SandboxPerson[] = [
  {
    id: 'U0APPROVER',
    handle: 'approver',
    displayName: 'Approver',
    email: 'approver@sandbox.example',
    role: 'security engineer, may approve and exempt',
    teamId: WORKSPACE.teamId,
  },
  {
    id: 'U0APPROVER2',
    handle: 'second-approver',
    displayName: 'Second approver',
    email: 'second-approver@sandbox.example',
    role: 'security engineer, may approve and exempt (through a user group)',
    teamId: WORKSPACE.teamId,
  },
  {
    id: 'U0ENGINEER',
    handle: 'engineer',
    displayName: 'Engineer',
    email: 'engineer@sandbox.example',
    role: 'makes the keys; is an approver, but may not exempt a finding she caused',
    teamId: WORKSPACE.teamId,
  },
  {
    id: 'U0VIEWER',
    handle: 'viewer',
    displayName: 'Viewer',
    email: 'viewer@sandbox.example',
    role: 'full member, not an approver',
    teamId: WORKSPACE.teamId,
  },
  {
    id: 'U0GUEST',
    handle: 'guest',
    displayName: 'Guest',
    email: 'guest@contractor.example',
    role: 'guest of the workspace',
    teamId: WORKSPACE.teamId,
    guest: true,
  },
  {
    id: 'U0OUTSIDER',
    handle: 'outsider',
    displayName: 'Outsider',
    email: 'outsider@partner.example',
    role: 'member of a connected outside workspace',
    teamId: OUTSIDE_WORKSPACE.teamId,
  },
  {
    id: 'U0LEFT',
    handle: 'left',
    displayName: 'Left the company',
    email: 'left@sandbox.example',
    role: 'deactivated account',
    teamId: WORKSPACE.teamId,
    deactivated: true,
  },
];

export const USER_GROUPS = [{ id: 'S0SECURITY', handle: 'cloud-security', users: ['U0APPROVER2'] }] as const;

export const CHANNELS = [
  { id: 'C0SECURITY', name: 'kms-rotation' },
  { id: 'C0PAYMENTS', name: 'payments-keys' },
] as const;
