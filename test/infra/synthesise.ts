import { readFileSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Code } from 'aws-cdk-lib/aws-lambda';
import * as z from 'zod';
import { readDeployment } from '../../infra/deployment.ts';
import { makeStacks } from '../../infra/stacks.ts';

export const DEPLOYMENT_FILES = ['deployment.yaml', 'infra/examples/organization.yaml'] as const;

// A rule of cdk-nag reads a property of aws-cdk-lib that is deprecated.
process.env['JSII_DEPRECATED'] = 'quiet';

const cdkJson = z.object({ context: z.record(z.string(), z.unknown()) });

/** All stacks of a deployment file, with the context that the CDK command has, and code that is not bundled. */
export async function synthesise(deploymentFile: (typeof DEPLOYMENT_FILES)[number]) {
  const { context } = cdkJson.parse(JSON.parse(readFileSync('cdk.json', 'utf8')));
  const app = new App({ context });
  const deployment = await readDeployment(deploymentFile);
  const code = Code.fromInline('exports.handler = () => {}');
  const stacks = makeStacks(app, {
    deployment,
    maximumPeriodInDays: 365,
    code: {
      'detect-finding': code,
      'decide-finding': code,
      'remediate-key': code,
      'announce-finding': code,
      'sweep-keys': code,
    },
  });
  return {
    ...{ app, deployment, stacks, hub: Template.fromStack(stacks.hub) },
    members: stacks.members.map((stack) => Template.fromStack(stack)),
  };
}
