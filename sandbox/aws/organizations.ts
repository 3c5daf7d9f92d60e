import * as z from 'zod';
import { AwsError } from './aws-error.ts';

export type OrganizationAccount = { id: string; name: string; state?: 'ACTIVE' | 'SUSPENDED' };

export type Organization = {
  id: string;
  managementAccountId: string;
  accounts: readonly OrganizationAccount[];
  /** Account ids, for StackSets. */
  delegatedAdministrators: readonly string[];
  /** AWS's is 20. */
  pageSize?: number;
};

const STACK_SETS = 'member.org.stacksets.cloudformation.amazonaws.com';

const listAccountsInput = z.object({ NextToken: z.string().regex(/^\d+$/).default('0') });
const listAdministratorsInput = z.object({ ServicePrincipal: z.string().default(STACK_SETS) });

/**
 * A simulated AWS Organizations that is asked and never changed.
 * @throws AwsError
 */
export function answerForOrganization(organization: Organization, operation: string, input: unknown): object {
  switch (operation) {
    case 'DescribeOrganization':
      return describeOrganization(organization);
    case 'ListAccounts':
      return listAccounts(organization, listAccountsInput.parse(input).NextToken);
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

function listAccounts({ id, managementAccountId, accounts, pageSize = 20 }: Organization, token: string): object {
  const from = Number(token);
  const next = from + pageSize;
  const page = accounts.slice(from, next).map(({ id: accountId, name, state = 'ACTIVE' }) => ({
    ...{ Id: accountId, Name: name, Email: `${name}@sandbox.example`, State: state, JoinedMethod: 'CREATED' },
    Arn: `arn:aws:organizations::${managementAccountId}:account/${id}/${accountId}`,
  }));
  return { Accounts: page, ...(next < accounts.length ? { NextToken: String(next) } : {}) };
}
