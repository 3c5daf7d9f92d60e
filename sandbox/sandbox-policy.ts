import { ACCOUNTS, CHANNELS, USER_GROUPS, WORKSPACE } from './world.ts';

/** Seconds between an event and the first look at the key. Short, so that somebody at the page need not wait. */
export type Grace = { creations: number; changes: number };

/** The sandbox's grace periods; one given number replaces both. */
export function graceOf(seconds: number | undefined): Grace {
  return seconds === undefined ? { creations: 6, changes: 2 } : { creations: seconds, changes: Math.min(seconds, 2) };
}

/** Who decides in a real workspace, and where they are asked. */
export type WorkspaceRoute = {
  teamId: string;
  enterpriseId: string | null;
  channel: string;
  approvers: readonly string[];
};

const approvers = { users: ['U0APPROVER', 'U0ENGINEER'], userGroups: USER_GROUPS.map(({ id }) => id) };
const EXEMPTIONS = { maximumDays: 90 };
const PAYMENTS_ACCOUNT = '444455556666';
const [security, payments] = CHANNELS;

/** The sandbox's policy for a real workspace: one channel for every key. */
export function workspacePolicy(
  grace: Grace,
  { teamId, enterpriseId, channel, approvers: users }: WorkspaceRoute,
): unknown {
  return {
    ...common(grace),
    organisation: { teamIds: [teamId], enterpriseIds: enterpriseId === null ? [] : [enterpriseId] },
    defaultRoute: { channel, approvers: { users: [...users] } },
  };
}

/** The policy document that the sandbox stores at start; the bot checks it as it would any other. */
export function sandboxPolicy(grace: Grace, digest?: { threshold: number | null }): unknown {
  return {
    ...common(grace),
    organisation: { teamIds: [WORKSPACE.teamId] },
    routes: [{ name: 'payments', channel: payments.id, approvers, match: { accounts: [PAYMENTS_ACCOUNT] } }],
    defaultRoute: { channel: security.id, approvers },
    exemptions: { ...EXEMPTIONS, patterns: { channel: security.id, approvers } },
    ...(digest === undefined ? {} : { digest }),
  };
}

function common(grace: Grace) {
  return {
    version: 1,
    rotation: { periodInDays: 365, maximumPeriodInDays: 365 },
    graceSeconds: { default: grace.changes, byEventName: { CreateKey: grace.creations } },
    accounts: Object.fromEntries(
      ACCOUNTS.map(({ id, name, organizationalUnit }) => [id, { name, organizationalUnit }]),
    ),
    exemptions: EXEMPTIONS,
  };
}
