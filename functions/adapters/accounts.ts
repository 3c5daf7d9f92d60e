import {
  DescribeOrganizationCommand,
  type OrganizationsClient,
  paginateListAccountsForParent,
  paginateListOrganizationalUnitsForParent,
} from '@aws-sdk/client-organizations';

/**
 * The accounts that the StackSet reaches, in rising order of their ids: those below the given units (or roots) that are in
 * use, neither suspended nor being closed; and the hub itself. The management account is never among them, because
 * service-managed StackSets do not deploy to it, unless it is the hub. Organizations answers in the management account
 * and to delegated administrators.
 */
export async function listWatchedAccounts(
  client: OrganizationsClient,
  { units, hubAccount }: { units: readonly string[]; hubAccount: string },
): Promise<string[]> {
  const { Organization: organization } = await client.send(new DescribeOrganizationCommand({}));
  const found = new Set<string>();
  const left = [...units];
  for (let parent = left.pop(); parent !== undefined; parent = left.pop()) {
    // Pages may be empty before the last: the paginators go by NextToken alone.
    const accounts = paginateListAccountsForParent({ client }, { ParentId: parent });
    for await (const { Accounts: page = [] } of accounts) {
      for (const { Id: id, State: state } of page) if (id !== undefined && state === 'ACTIVE') found.add(id);
    }
    const children = paginateListOrganizationalUnitsForParent({ client }, { ParentId: parent });
    for await (const { OrganizationalUnits: page = [] } of children) {
      left.push(...page.flatMap(({ Id: id }) => (id === undefined ? [] : [id])));
    }
  }
  found.delete(organization?.MasterAccountId ?? '');
  return [...found.add(hubAccount)].sort();
}
