import { ACCOUNTS, HUB_ACCOUNT, REGIONS, WORKSPACE } from '../../world.ts';

/** What a trail's selectors are made of, in CloudTrail's words. */
type Selectors =
  | {
      EventSelectors: {
        ReadWriteType: 'All' | 'ReadOnly' | 'WriteOnly';
        IncludeManagementEvents: boolean;
        ExcludeManagementEventSources: string[];
      }[];
    }
  | {
      AdvancedEventSelectors: {
        Name: string;
        FieldSelectors: { Field: string; Equals?: string[]; NotEquals?: string[] }[];
      }[];
    };

export type SimulatedTrail = {
  name: string;
  homeRegion: string;
  isMultiRegion: boolean;
  isOrganization: boolean;
  isLogging: boolean;
  selectors: Selectors;
};

/** How the services around the bot are set up in the hub account: everything that `npm run doctor` asks for. */
export type AccountReadings = {
  trails: SimulatedTrail[];
  organizationId: string;
  managementAccountId: string;
  stackSetAccess: 'ENABLED' | 'DISABLED';
  delegatedAdministrators: string[];
  /** Null when it was never deployed. */
  hubStack: { status: string; drift: 'IN_SYNC' | 'DRIFTED' | 'NOT_CHECKED' } | null;
  /** Regions with a member stack in the hub account. */
  memberStacks: string[];
  stackInstances: { account: string; region: string; status: string; detailedStatus: string; reason: string }[];
  /** Null when there is no such bus. */
  eventBus: { policy: object | null } | null;
  concurrency: { limit: number; unreserved: number };
  /** Null when there is no such secret. */
  slackSecret: string | null;
};

export const DEPLOYMENT_NAME = 'kms-rotation-bot';
export const ORGANIZATION_ID = 'o-sandbox0001';
/** Owns the organization, and is not among the accounts that have keys. */
export const MANAGEMENT_ACCOUNT_ID = '999999999999';
const [HOME_REGION] = REGIONS;

/** The account as it should be: every check of the doctor passes on it. */
export function healthyAccount({ signingSecret, botToken }: { signingSecret: string; botToken: string }) {
  const account: AccountReadings = {
    trails: [
      {
        ...{ name: 'organization-trail', homeRegion: HOME_REGION },
        ...{ isMultiRegion: true, isOrganization: true, isLogging: true },
        selectors: {
          EventSelectors: [{ ReadWriteType: 'All', IncludeManagementEvents: true, ExcludeManagementEventSources: [] }],
        },
      },
    ],
    organizationId: ORGANIZATION_ID,
    managementAccountId: MANAGEMENT_ACCOUNT_ID,
    stackSetAccess: 'ENABLED',
    delegatedAdministrators: [HUB_ACCOUNT.id],
    hubStack: { status: 'UPDATE_COMPLETE', drift: 'IN_SYNC' },
    memberStacks: [...REGIONS],
    stackInstances: ACCOUNTS.filter(({ id }) => id !== HUB_ACCOUNT.id).flatMap(({ id }) =>
      REGIONS.map((region) => ({
        ...{ account: id, region, status: 'CURRENT', detailedStatus: 'SUCCEEDED', reason: '' },
      })),
    ),
    eventBus: { policy: busPolicy(ORGANIZATION_ID) },
    concurrency: { limit: 1000, unreserved: 975 },
    slackSecret: JSON.stringify({
      ...{ signingSecret, botToken, botId: WORKSPACE.botId, botUserId: WORKSPACE.botUserId },
    }),
  };
  return account;
}

/** Lets everybody of an organization put events on the bus (EventBridge User Guide, "Permissions for event buses"). */
export function busPolicy(organizationId: string): object {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'AllowOrganization',
        Effect: 'Allow',
        Principal: '*',
        Action: 'events:PutEvents',
        Resource: `arn:aws:events:${HOME_REGION}:${HUB_ACCOUNT.id}:event-bus/${DEPLOYMENT_NAME}`,
        Condition: { StringEquals: { 'aws:PrincipalOrgID': organizationId } },
      },
    ],
  };
}
