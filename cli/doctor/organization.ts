import {
  type CallAs,
  type CloudFormationClient,
  DescribeOrganizationsAccessCommand,
} from '@aws-sdk/client-cloudformation';
import {
  DescribeOrganizationCommand,
  type OrganizationsClient,
  paginateListDelegatedAdministrators,
} from '@aws-sdk/client-organizations';
import { listWatchedAccounts } from '../../functions/adapters/accounts.ts';
import type { Deployment } from '../../infra/deployment.ts';
import type { Check, Verdict } from './check.ts';
import { once } from './once.ts';

/** CloudFormation User Guide, "Activate trusted access for StackSets with AWS Organizations". */
const STACK_SETS = 'member.org.stacksets.cloudformation.amazonaws.com';
const NONE: Verdict = { outcome: 'not-applicable', seen: 'The deployment has no organization.' };

type Organization = { id: string; managementAccount: string };

/** What the StackSet and the list of accounts need of the organization. */
export function organizationChecks(
  { organizations, cloudFormation }: { organizations: OrganizationsClient; cloudFormation: CloudFormationClient },
  { organization: wanted, hub }: Deployment,
): Check[] {
  const found = once(async (): Promise<Organization> => {
    const { Organization: organization } = await organizations.send(new DescribeOrganizationCommand({}));
    return { id: organization?.Id ?? '', managementAccount: organization?.MasterAccountId ?? '' };
  });
  return [
    {
      id: 'organization',
      title: 'The organization is the one of the deployment',
      look: async () => (wanted === undefined ? NONE : judgeOrganization(await found(), wanted.id)),
    },
    {
      id: 'stacksets-trusted',
      title: 'The organization trusts CloudFormation StackSets',
      async look() {
        if (wanted === undefined) return NONE;
        const request = new DescribeOrganizationsAccessCommand({ CallAs: wanted.callAs satisfies CallAs });
        const { Status: status } = await cloudFormation.send(request);
        return judgeTrustedAccess(status);
      },
    },
    {
      id: 'stacksets-delegated',
      title: 'The hub account may roll out to the organization',
      async look() {
        if (wanted === undefined) return NONE;
        const { managementAccount } = await found();
        if (managementAccount === hub.account || wanted.callAs === 'SELF') {
          return judgeManagement({ managementAccount, hubAccount: hub.account, callAs: wanted.callAs });
        }
        const administrators: string[] = [];
        const pages = paginateListDelegatedAdministrators({ client: organizations }, { ServicePrincipal: STACK_SETS });
        for await (const { DelegatedAdministrators: page = [] } of pages)
          administrators.push(...page.map(({ Id = '' }) => Id));
        return judgeDelegation(administrators, hub.account);
      },
    },
    {
      id: 'accounts',
      title: 'The accounts of the units can be listed, for the sweep',
      async look() {
        if (wanted === undefined) return NONE;
        const places = { units: wanted.targets, hubAccount: hub.account };
        const accounts = await listWatchedAccounts(organizations, places);
        return { outcome: 'ok', seen: `${accounts.length} accounts, the hub among them.` };
      },
    },
  ];
}

export function judgeOrganization({ id }: Organization, wanted: string): Verdict {
  if (id === wanted) return { outcome: 'ok', seen: id };
  return {
    outcome: 'failed',
    seen: `The account belongs to ${id === '' ? 'no organization' : id}, the deployment says ${wanted}.`,
    todo: 'Correct organization.id in the deployment file, or use credentials of the right account.',
  };
}

export function judgeTrustedAccess(status: string | undefined): Verdict {
  if (status === 'ENABLED') return { outcome: 'ok', seen: 'Trusted access is on.' };
  return {
    outcome: 'failed',
    seen: `Trusted access is ${status ?? 'not reported'}.`,
    todo: 'In the management account: aws cloudformation activate-organizations-access --region us-east-1',
  };
}

export function judgeManagement({
  managementAccount,
  hubAccount,
  callAs,
}: {
  managementAccount: string;
  hubAccount: string;
  callAs: 'SELF' | 'DELEGATED_ADMIN';
}): Verdict {
  const isManagement = managementAccount === hubAccount;
  if (isManagement && callAs === 'SELF') return { outcome: 'ok', seen: 'The hub is the management account.' };
  return {
    outcome: 'failed',
    seen: isManagement
      ? 'The hub is the management account, and the deployment says callAs: DELEGATED_ADMIN.'
      : `The management account is ${managementAccount}, and the deployment says callAs: SELF.`,
    todo: `Set organization.callAs in the deployment file to ${isManagement ? 'SELF' : 'DELEGATED_ADMIN'}.`,
  };
}

export function judgeDelegation(administrators: readonly string[], hubAccount: string): Verdict {
  if (administrators.includes(hubAccount))
    return { outcome: 'ok', seen: 'It is a delegated administrator of StackSets.' };
  return {
    outcome: 'failed',
    seen: `Delegated administrators of StackSets: ${administrators.length === 0 ? 'none' : administrators.join(', ')}.`,
    todo: `In the management account: aws organizations register-delegated-administrator --account-id ${hubAccount} --service-principal ${STACK_SETS}`,
  };
}
