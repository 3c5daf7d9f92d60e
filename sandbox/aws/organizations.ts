import * as z from 'zod';
import { UNIT_ID } from '../world.ts';
import { AwsError } from './aws-error.ts';

/** `parent` is the unit it is in; the one that all are in by default. */
export type OrganizationAccount = { id: string; name: string; state?: 'ACTIVE' | 'SUSPENDED'; parent?: string };

export type Organization = {
  id: string;
  managementAccountId: string;
  accounts: readonly OrganizationAccount[];
  /** Units within units, by the id of the upper one. Default: the root with the one unit. */
  units?: Readonly<Record<string, readonly string[]>>;
  /** Account ids, for StackSets. */
  delegatedAdministrators: readonly string[];
  /** AWS's is 20. */
  pageSize?: number;
};

const STACK_SETS = 'member.org.stacksets.cloudformation.amazonaws.com';

const ROOT_ID = 'r-sand';

const listInput = z.object({ ParentId: z.string(), NextToken: z.string().regex(/^\d+$/).default('0') });
const listAdministratorsInput = z.object({ ServicePrincipal: z.string().default(STACK_SETS) });

/**
 * A simulated AWS Organizations that is asked and never changed.
 * @throws AwsError
 */
export function answerForOrganization(organization: Organization, operation: string, input: unknown): object {
  switch (operation) {
    case 'DescribeOrganization':
      return describeOrganization(organization);
    case 'ListAccountsForParent':
      return listAccounts(organization, listInput.parse(input));
    case 'ListOrganizationalUnitsForParent':
      return listUnits(organization, listInput.parse(input));
    case 'ListDelegatedAdministrators': {
      const isAsked = listAdministratorsInput.parse(input).ServicePrincipal === STACK_SETS;
      return { DelegatedAdministrators: isAsked ? organization.delegatedAdministrators.map((Id) => ({ Id })) : [] };
    }
    default:
      throw new AwsError('UnknownOperationException', `The sandbox does not simulate ${operation}.`);
  }
}

function describeOrganization({ id, managementAccountId }: Organization): object {
  return {
    Organization: {
      ...{ Id: id, MasterAccountId: managementAccountId, FeatureSet: 'ALL' },
      Arn: `arn:aws:organizations::${managementAccountId}:organization/${id}`,
    },
  };
}

type Listing = z.infer<typeof listInput>;

function listAccounts(organization: Organization, listing: Listing): object {
  const { id, managementAccountId, accounts } = organization;
  const inside = accounts.filter(({ parent = UNIT_ID }) => parent === listing.ParentId);
  const { page, rest } = pageOf(organization, listing, inside);
  return {
    Accounts: page.map(({ id: accountId, name, state = 'ACTIVE' }) => ({
      ...{ Id: accountId, Name: name, Email: `${name}@sandbox.example`, State: state, JoinedMethod: 'CREATED' },
      Arn: `arn:aws:organizations::${managementAccountId}:account/${id}/${accountId}`,
    })),
    ...rest,
  };
}

function listUnits(organization: Organization, listing: Listing): object {
  const { id, managementAccountId, units = { [ROOT_ID]: [UNIT_ID] } } = organization;
  const { page, rest } = pageOf(organization, listing, units[listing.ParentId] ?? []);
  return {
    OrganizationalUnits: page.map((unit) => ({
      ...{ Id: unit, Name: unit, Arn: `arn:aws:organizations::${managementAccountId}:ou/${id}/${unit}` },
    })),
    ...rest,
  };
}

function pageOf<T>(organization: Organization, { ParentId: parent, NextToken: token }: Listing, all: readonly T[]) {
  const { units = { [ROOT_ID]: [UNIT_ID] }, pageSize = 20 } = organization;
  if (![...Object.keys(units), ...Object.values(units).flat()].includes(parent)) {
    throw new AwsError('ParentNotFoundException', "You specified parent that doesn't exist.");
  }
  const from = Number(token);
  const next = from + pageSize;
  return { page: all.slice(from, next), rest: next < all.length ? { NextToken: String(next) } : {} };
}
