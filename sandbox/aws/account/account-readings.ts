import { ACCOUNTS, HUB_ACCOUNT, ORGANIZATION_ID, REGIONS } from '../../world.ts';
import type { Organization } from '../organizations.ts';

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
  organization: Organization;
  stackSetAccess: 'ENABLED' | 'DISABLED';
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
/** Owns the organization; it has no keys and is not listed. */
const MANAGEMENT_ACCOUNT_ID = '999999999999';
const [HOME_REGION] = REGIONS;

/** The account as it should be: every check of the doctor passes on it. */
export function healthyAccount(slackSecret: string): AccountReadings {
  return {
    trails: [
      {
        ...{ name: 'organization-trail', homeRegion: HOME_REGION },
        ...{ isMultiRegion: true, isOrganization: true, isLogging: true },
        selectors: {
          EventSelectors: [{ ReadWriteType: 'All', IncludeManagementEvents: true, ExcludeManagementEventSources: [] }],
        },
      },
    ],
    organization: {
      ...{ id: ORGANIZATION_ID, managementAccountId: MANAGEMENT_ACCOUNT_ID },
      ...{ accounts: ACCOUNTS, delegatedAdministrators: [HUB_ACCOUNT.id] },
      // Small, so that whoever does not turn pages is found out.
      pageSize: 2,
    },
    stackSetAccess: 'ENABLED',
    hubStack: { status: 'UPDATE_COMPLETE', drift: 'IN_SYNC' },
    memberStacks: [...REGIONS],
    stackInstances: ACCOUNTS.filter(({ id }) => id !== HUB_ACCOUNT.id).flatMap(({ id }) =>
      REGIONS.map((region) => ({
        ...{ account: id, region, status: 'CURRENT', detailedStatus: 'SUCCEEDED', reason: '' },
      })),
    ),
    eventBus: { policy: busPolicy(ORGANIZATION_ID) },
    concurrency: { limit: 1000, unreserved: 975 },
    slackSecret,
  };
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
