import { ACCOUNTS, CHANNELS, USER_GROUPS, WORKSPACE } from './world.ts';

/** Seconds between an event and the first look at the key. Short, so that somebody at the page need not wait. */
export type Grace = { creations: number; changes: number };

/** The sandbox's grace periods; one given number replaces both. */
export function graceOf(seconds: number | undefined): Grace {
  return seconds === undefined ? { creations: 6, changes: 2 } : { creations: seconds, changes: Math.min(seconds, 2) };
}

const approvers = { users: ['U0APPROVER', 'U0ENGINEER'], userGroups: USER_GROUPS.map(({ id }) => id) };
const PAYMENTS_ACCOUNT = '444455556666';
const [security, payments] = CHANNELS;

/** The policy document that the sandbox stores at start; the bot checks it as it would any other. */
export function sandboxPolicy(grace: Grace, digest?: { threshold: number | null }): unknown {
  return {
    version: 1,
    rotation: { periodInDays: 365, maximumPeriodInDays: 365 },
    graceSeconds: { default: grace.changes, byEventName: { CreateKey: grace.creations } },
    organisation: { teamIds: [WORKSPACE.teamId] },
    accounts: Object.fromEntries(
      ACCOUNTS.map(({ id, name, organizationalUnit }) => [id, { name, organizationalUnit }]),
    ),
    routes: [{ name: 'payments', channel: payments.id, approvers, match: { accounts: [PAYMENTS_ACCOUNT] } }],
    defaultRoute: { channel: security.id, approvers },
    exemptions: { maximumDays: 90 },
    ...(digest === undefined ? {} : { digest }),
  };
}
