import * as z from 'zod';
import { HUB_ACCOUNT, REGIONS, type Region } from '../../world.ts';
import { AwsError } from '../aws-error.ts';
import { answerForOrganization } from '../organizations.ts';
import { escapeXml } from '../query-protocol.ts';
import { type AccountReadings, DEPLOYMENT_NAME, type SimulatedTrail } from './account-readings.ts';

/** Simulated here, for reading only: what the doctor asks about the account around the bot. */
export const ACCOUNT_SERVICES = ['cloudtrail', 'organizations', 'cloudformation', 'lambda', 'events', 'ec2'] as const;
export type AccountService = (typeof ACCOUNT_SERVICES)[number];

export type AccountCall = { service: AccountService; operation: string; input: unknown; region: Region };

/** Small, so that whoever does not turn pages is found out. */
const PAGE_SIZE = 2;
const UP_TO_DATE = { status: 'UPDATE_COMPLETE', drift: 'IN_SYNC' };

type Operation = (account: AccountReadings, input: unknown, region: Region) => object;

const OPERATIONS: Record<
  Exclude<AccountService, 'organizations' | 'cloudformation' | 'ec2'>,
  Record<string, Operation>
> = {
  cloudtrail: {
    DescribeTrails(account, input, region) {
      const { includeShadowTrails } = z.object({ includeShadowTrails: z.boolean().default(true) }).parse(input);
      // A trail of all Regions shows in every other Region as a shadow of itself.
      const seen = account.trails.filter(
        ({ homeRegion, isMultiRegion }) => homeRegion === region || (isMultiRegion && includeShadowTrails),
      );
      return {
        trailList: seen.map((trail) => ({
          ...{
            Name: trail.name,
            TrailARN: trailArn(account, trail),
            HomeRegion: trail.homeRegion,
            S3BucketName: 'trail-bucket',
          },
          ...{ IsMultiRegionTrail: trail.isMultiRegion, IsOrganizationTrail: trail.isOrganization },
        })),
      };
    },
    GetTrailStatus: (account, input) => ({ IsLogging: trailOf(account, input, 'Name').isLogging }),
    GetEventSelectors(account, input) {
      const trail = trailOf(account, input, 'TrailName');
      return { TrailARN: trailArn(account, trail), ...trail.selectors };
    },
  },
  lambda: {
    GetAccountSettings: ({ concurrency: { limit, unreserved } }) => ({
      AccountLimit: { ConcurrentExecutions: limit, UnreservedConcurrentExecutions: unreserved },
      AccountUsage: { FunctionCount: 5, TotalCodeSize: 1_000_000 },
    }),
  },
  events: {
    DescribeEventBus({ eventBus }, input, region) {
      const { Name } = z.object({ Name: z.string() }).parse(input);
      if (eventBus === null || Name !== DEPLOYMENT_NAME) {
        throw new AwsError('ResourceNotFoundException', `Event bus ${Name} does not exist.`);
      }
      return {
        ...{ Name, Arn: `arn:aws:events:${region}:${HUB_ACCOUNT.id}:event-bus/${Name}` },
        ...(eventBus.policy === null ? {} : { Policy: JSON.stringify(eventBus.policy) }),
      };
    },
  },
};

/**
 * Answers a call in the form of the service's protocol: an object for JSON, the XML of the result for CloudFormation and EC2.
 * @throws AwsError
 */
export function answerForAccount(account: AccountReadings, { service, operation, input, region }: AccountCall) {
  if (service === 'cloudformation')
    return cloudFormation(account, { operation, region, input: z.record(z.string(), z.string()).parse(input) });
  if (service === 'ec2') return describeRegions(operation);
  if (service === 'organizations') return answerForOrganization(account.organization, operation, input);
  const answer = OPERATIONS[service][operation];
  if (answer === undefined)
    throw new AwsError('UnknownOperationException', `The sandbox does not simulate ${operation}.`);
  return answer(account, input, region);
}

function describeRegions(operation: string): string {
  if (operation !== 'DescribeRegions')
    throw new AwsError('InvalidAction', `The sandbox does not simulate ${operation}.`);
  const items = REGIONS.map((name) => `<item>${element('regionName', name)}</item>`).join('');
  const namespace = 'http://ec2.amazonaws.com/doc/2016-11-15/';
  return `<DescribeRegionsResponse xmlns="${namespace}"><regionInfo>${items}</regionInfo></DescribeRegionsResponse>`;
}

function trailArn({ organization }: AccountReadings, { name, homeRegion, isOrganization }: SimulatedTrail): string {
  const owner = isOrganization ? organization.managementAccountId : HUB_ACCOUNT.id;
  return `arn:aws:cloudtrail:${homeRegion}:${owner}:trail/${name}`;
}

function trailOf(account: AccountReadings, input: unknown, field: string): SimulatedTrail {
  const name = z.record(z.string(), z.string()).parse(input)[field];
  const found = account.trails.find((trail) => trail.name === name || trailArn(account, trail) === name);
  if (found === undefined) throw new AwsError('TrailNotFoundException', `Unknown trail: ${name ?? ''}`);
  return found;
}

type QueryInput = { operation: string; input: Record<string, string>; region: Region };

function cloudFormation(account: AccountReadings, { operation, input, region }: QueryInput): string {
  switch (operation) {
    case 'DescribeStacks': {
      const name = input['StackName'] ?? '';
      const isMember = name === `${DEPLOYMENT_NAME}-member-${region}` && account.memberStacks.includes(region);
      const stack = isMember ? UP_TO_DATE : name === `${DEPLOYMENT_NAME}-hub` ? account.hubStack : null;
      if (stack === null) throw new AwsError('ValidationError', `Stack with id ${name} does not exist`);
      const fields = { StackName: name, CreationTime: '2026-01-05T09:00:00.000Z', StackStatus: stack.status };
      const drift = `<DriftInformation>${element('StackDriftStatus', stack.drift)}</DriftInformation>`;
      return `<Stacks><member>${elements(fields)}${drift}</member></Stacks>`;
    }
    case 'DescribeOrganizationsAccess':
      return element('Status', account.stackSetAccess);
    case 'ListStackInstances': {
      if (account.hubStack === null) {
        throw new AwsError('StackSetNotFoundException', `StackSet ${input['StackSetName'] ?? ''} not found`, 404);
      }
      const from = Number(input['NextToken'] ?? 0);
      const next = from + PAGE_SIZE;
      const members = account.stackInstances
        .slice(from, next)
        .map(({ account: id, region, status, detailedStatus, reason }) => {
          const state = `<StackInstanceStatus>${element('DetailedStatus', detailedStatus)}</StackInstanceStatus>`;
          const fields = { Account: id, Region: region, Status: status, StatusReason: reason };
          return `<member>${elements(fields)}${state}</member>`;
        });
      const token = next < account.stackInstances.length ? element('NextToken', String(next)) : '';
      return `<Summaries>${members.join('')}</Summaries>${token}`;
    }
    default:
      throw new AwsError('InvalidAction', `Could not find operation ${operation} for version 2010-05-15`);
  }
}

const element = (name: string, text: string) => `<${name}>${escapeXml(text)}</${name}>`;
const elements = (fields: Record<string, string>) =>
  Object.entries(fields)
    .map(([name, text]) => element(name, text))
    .join('');
