import { type OrganizationsClient, paginateListAccounts } from '@aws-sdk/client-organizations';

/**
 * Ids of the organization's accounts that are in use, in rising order: neither suspended nor being closed. Organizations
 * answers ListAccounts in the management account and to delegated administrators.
 */
export async function listActiveAccounts(client: OrganizationsClient): Promise<string[]> {
  const ids: string[] = [];
  // Pages may be empty before the last: the paginator goes by NextToken alone.
  for await (const { Accounts: accounts = [] } of paginateListAccounts({ client }, {})) {
    for (const { Id: id, State: state } of accounts) if (id !== undefined && state === 'ACTIVE') ids.push(id);
  }
  return ids.sort();
}
