import { SLACK_SECRET_PLACEHOLDER } from '../../../functions/contracts/slack-secret.ts';
import { CHANNELS, REGIONS } from '../../world.ts';
import { type AccountReadings, busPolicy, type SimulatedTrail } from './account-readings.ts';

/** What the mistakes of the Slack side are made on. */
export type SlackSettings = {
  setChannel: (channel: string, change: { archived?: boolean; botIsMember?: boolean }) => void;
  /** Takes scopes away from the bot's token; an empty list gives all of them back. */
  withholdScopes: (scopes: readonly string[]) => void;
};

type Mistake = (account: AccountReadings, slack: SlackSettings) => void;

const [security] = CHANNELS;
const [, OTHER_REGION] = REGIONS;

const everyTrail = (change: Partial<SimulatedTrail>): Mistake =>
  function changeTrails(account) {
    for (const trail of account.trails) Object.assign(trail, change);
  };
const secretWith = (change: Record<string, string>): Mistake =>
  function changeSecret(account) {
    const secret: unknown = JSON.parse(account.slackSecret ?? '{}');
    account.slackSecret = JSON.stringify({ ...Object(secret), ...change });
  };

/** What people get wrong when they deploy the bot, each by itself. All are settings; nothing of it breaks a call. */
const MISTAKES = {
  'trail-missing': (account) => {
    account.trails = [];
  },
  'trail-stopped': everyTrail({ isLogging: false }),
  'trail-of-one-region': everyTrail({ isMultiRegion: false }),
  'trail-of-one-account': everyTrail({ isOrganization: false }),
  'trail-reads-only': everyTrail({
    selectors: {
      EventSelectors: [{ ReadWriteType: 'ReadOnly', IncludeManagementEvents: true, ExcludeManagementEventSources: [] }],
    },
  }),
  'trail-excludes-kms': everyTrail({
    selectors: {
      EventSelectors: [
        {
          ...{ ReadWriteType: 'All', IncludeManagementEvents: true },
          ExcludeManagementEventSources: ['kms.amazonaws.com'],
        },
      ],
    },
  }),
  'trail-excludes-kms-by-advanced-selector': everyTrail({
    selectors: {
      AdvancedEventSelectors: [
        {
          Name: 'Management events',
          FieldSelectors: [
            { Field: 'eventCategory', Equals: ['Management'] },
            { Field: 'eventSource', NotEquals: ['kms.amazonaws.com'] },
          ],
        },
      ],
    },
  }),
  'organization-other': (account) => {
    account.organization = { ...account.organization, id: 'o-another0001' };
  },
  'stacksets-not-trusted': (account) => {
    account.stackSetAccess = 'DISABLED';
  },
  'not-delegated-administrator': (account) => {
    account.organization = { ...account.organization, delegatedAdministrators: [] };
  },
  'hub-stack-rolled-back': (account) => {
    account.hubStack = { status: 'UPDATE_ROLLBACK_COMPLETE', drift: 'NOT_CHECKED' };
  },
  'hub-stack-drifted': (account) => {
    account.hubStack = { status: 'UPDATE_COMPLETE', drift: 'DRIFTED' };
  },
  'member-stack-missing': (account) => {
    account.memberStacks = [];
  },
  'stack-instance-outdated': (account) => {
    Object.assign(account.stackInstances[0] ?? {}, {
      ...{ status: 'OUTDATED', detailedStatus: 'FAILED', reason: 'Account limit exceeded' },
    });
  },
  'region-not-rolled-out': (account) => {
    account.stackInstances = account.stackInstances.filter(({ region }) => region !== OTHER_REGION);
  },
  'event-bus-missing': (account) => {
    account.eventBus = null;
  },
  'event-bus-closed': (account) => {
    account.eventBus = { policy: null };
  },
  'event-bus-of-another-organization': (account) => {
    account.eventBus = { policy: busPolicy('o-another0001') };
  },
  'concurrency-low': (account) => {
    account.hubStack = null;
    account.concurrency = { limit: 10, unreserved: 10 };
  },
  'slack-secret-missing': (account) => {
    account.slackSecret = null;
  },
  'nothing-deployed': (account) => {
    Object.assign(account, { hubStack: null, eventBus: null, slackSecret: null, stackInstances: [], memberStacks: [] });
    account.concurrency.unreserved = account.concurrency.limit;
  },
  'slack-secret-placeholder': (account) => {
    account.slackSecret = SLACK_SECRET_PLACEHOLDER;
  },
  'slack-secret-malformed': secretWith({ botId: 'not an id' }),
  'slack-token-revoked': secretWith({ botToken: 'xoxb-of-an-app-that-was-removed' }),
  'slack-other-bot': secretWith({ botId: 'B0OTHER', botUserId: 'U0OTHER' }),
  'slack-scope-missing': (_account, slack) => {
    slack.withholdScopes(['usergroups:read']);
  },
  'channel-archived': (_account, slack) => {
    slack.setChannel(security.id, { archived: true });
  },
  'channel-without-bot': (_account, slack) => {
    slack.setChannel(security.id, { botIsMember: false });
  },
} as const satisfies Record<string, Mistake>;

export type MistakeName = keyof typeof MISTAKES;

/** All that can be made, in the order in which the doctor looks. */
export const MISTAKE_NAMES: readonly string[] = Object.keys(MISTAKES);

export function isMistake(name: string): name is MistakeName {
  return Object.hasOwn(MISTAKES, name);
}

/** Makes the mistakes on what is right, and takes back what earlier ones did to Slack. */
export function makeMistakes(account: AccountReadings, slack: SlackSettings, names: readonly MistakeName[]): void {
  slack.withholdScopes([]);
  slack.setChannel(security.id, { archived: false, botIsMember: true });
  for (const name of names) MISTAKES[name](account, slack);
}
