import { readFile } from 'node:fs/promises';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { OrganizationsClient } from '@aws-sdk/client-organizations';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { STSClient } from '@aws-sdk/client-sts';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { tableOverSdk } from '../../functions/adapters/dynamodb-sdk.ts';
import { createPolicyStore } from '../../functions/adapters/policy-store.ts';
import { readPolicyYaml } from '../../functions/adapters/policy-yaml.ts';
import { parsePolicy } from '../../functions/contracts/policy.ts';
import type { Policy } from '../../functions/domain/policy.ts';
import { type Deployment, namesOf } from '../../infra/deployment.ts';
import { concurrencyCheck, credentialsCheck } from './account.ts';
import { type Check, Missing } from './check.ts';
import { judgeExternalId } from './deployment-check.ts';
import { once } from './once.ts';
import { organizationChecks } from './organization.ts';
import { type PolicyFile, policyFileCheck, storedPolicyCheck } from './policy-checks.ts';
import { slackCredentialChecks } from './slack-credentials.ts';
import { slackPolicyChecks } from './slack-policy.ts';
import { stackChecks } from './stacks.ts';
import { trailCheck } from './trail.ts';

export type DoctorInput = {
  deployment: Deployment;
  deploymentPath: string;
  policyPath: string;
  profile: string | undefined;
};

/** Nothing waits longer than this for an answer, so that the command ends soon after its last line. */
const TIMEOUTS = { connectionTimeout: 5000, requestTimeout: 10_000, throwOnRequestTimeout: true };

/** Every check, in the order in which one puts things right: what later ones need comes first. */
export function doctorChecks({ deployment, deploymentPath, policyPath, profile }: DoctorInput): Check[] {
  const names = namesOf(deployment);
  const { region } = deployment.hub;
  const access = { region, maxAttempts: 3, requestHandler: TIMEOUTS, ...(profile === undefined ? {} : { profile }) };

  const file: PolicyFile = {
    path: policyPath,
    read: once(async () => readPolicyYaml(await readFile(policyPath, 'utf8'))),
  };
  const table = tableOverSdk({
    client: DynamoDBDocumentClient.from(new DynamoDBClient(access)),
    tableName: names.table,
  });
  const { storedPolicy } = createPolicyStore({ table, now: () => new Date() });
  /** The one that is about to be used, if it can be; else the one in use. */
  async function policyInQuestion(): Promise<Policy> {
    try {
      return (await file.read()).policy;
    } catch (fromFile) {
      const stored = await storedPolicy().catch(() => null);
      if (stored === null) throw new Missing('policy-file', 'There is no policy to go by.', { cause: fromFile });
      return parsePolicy(stored.document);
    }
  }

  const stacks = stackChecks(
    {
      cloudFormation: (place) => new CloudFormationClient({ ...access, region: place }),
      eventBridge: new EventBridgeClient(access),
    },
    deployment,
  );
  const { checks: slackCredentials, slack } = slackCredentialChecks(
    new SecretsManagerClient(access),
    names.slackSecret,
    stacks.isDeployed,
  );
  const trailClients = new Map<string, CloudTrailClient>();
  const trailClient = (place: string): CloudTrailClient => {
    const client = trailClients.get(place) ?? new CloudTrailClient({ ...access, region: place });
    trailClients.set(place, client);
    return client;
  };

  return [
    credentialsCheck(new STSClient(access), deployment),
    {
      id: 'deployment-file',
      title: `${deploymentPath} is valid`,
      look: () => Promise.resolve(judgeExternalId(deployment.externalId, deployment.regions)),
    },
    policyFileCheck(file),
    trailCheck(trailClient, { regions: deployment.regions, hasOrganization: deployment.organization !== undefined }),
    ...organizationChecks(
      { organizations: new OrganizationsClient(access), cloudFormation: new CloudFormationClient(access) },
      deployment,
    ),
    concurrencyCheck(new LambdaClient(access), deployment, stacks.isDeployed),
    ...stacks.checks,
    storedPolicyCheck(file, storedPolicy),
    ...slackCredentials,
    ...slackPolicyChecks(slack, once(policyInQuestion)),
  ];
}
