import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, CfnStackSet, type Environment, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { type Deployment, namesOf } from './deployment.ts';
import { MemberStack } from './member-stack.ts';

export type OrganizationStackProps = { env: Environment; deployment: Deployment };

/** The deployment names no organization to roll out to. */
export class NoOrganization extends Error {
  public override readonly name = 'NoOrganization';
}

/**
 * Rolls MemberStack out to every account of the organization's targets and every watched Region, accounts added later
 * included, by a StackSet with service-managed permissions. It is deployed from the hub account when that is a delegated
 * administrator of StackSets (`callAs: DELEGATED_ADMIN`), or when the hub is the management account itself (`SELF`).
 *
 * The hub account is left out: it has MemberStack deployed directly, see there. So is, always, the management account:
 * service-managed StackSets never deploy to it. To watch its keys, deploy MemberStack with its credentials.
 */
export class OrganizationStack extends Stack {
  /** @throws NoOrganization */
  public constructor(scope: Construct, id: string, { env, deployment }: OrganizationStackProps) {
    const { hub, regions, organization } = deployment;
    if (organization === undefined) throw new NoOrganization('the deployment file has no section "organization"');
    super(scope, id, {
      env,
      description: `Rolls the member stack of ${deployment.name} out to organization ${organization.id}.`,
    });

    new CfnStackSet(this, 'Members', {
      stackSetName: namesOf(deployment).memberStack,
      description: `Forwards events of AWS KMS to ${deployment.name} and lets it read and remediate keys.`,
      permissionModel: 'SERVICE_MANAGED',
      callAs: organization.callAs,
      capabilities: ['CAPABILITY_NAMED_IAM'],
      templateBody: memberTemplateBody(deployment),
      // An account that leaves the targets must not keep roles that trust the hub.
      autoDeployment: { enabled: true, retainStacksOnAccountRemoval: false },
      // Operations that do not touch the same stacks run at once, the others queue: a new account does not fail because
      // an update is under way.
      managedExecution: { Active: true },
      operationPreferences: {
        // The roles are in the hub's Region, and the rules of the others name them.
        regionConcurrencyType: 'SEQUENTIAL',
        regionOrder: [hub.region, ...regions.filter((region) => region !== hub.region)],
        // One suspended or broken account does not hold up the rest; a template that fails everywhere stops after the
        // first Region. Soft, because strict would let only as many run at once as may fail.
        concurrencyMode: 'SOFT_FAILURE_TOLERANCE',
        failureTolerancePercentage: 25,
        maxConcurrentPercentage: 100,
      },
      stackInstancesGroup: [
        {
          regions,
          deploymentTargets: {
            organizationalUnitIds: organization.targets,
            accounts: [hub.account],
            accountFilterType: 'DIFFERENCE',
          },
        },
      ],
    });
  }
}

/** The template of MemberStack, synthesised apart from the app whose stack it becomes part of. */
function memberTemplateBody(deployment: Deployment): string {
  // Named, because the CDK CLI sets one for every app in the process.
  const outdir = mkdtempSync(join(tmpdir(), 'member-stack-'));
  try {
    const app = new App({ outdir, autoSynth: false });
    const stack = new MemberStack(app, namesOf(deployment).memberStack, { env: {}, deployment });
    const template: unknown = app.synth().getStackArtifact(stack.artifactId).template;
    return JSON.stringify(template);
  } finally {
    rmSync(outdir, { recursive: true });
  }
}
