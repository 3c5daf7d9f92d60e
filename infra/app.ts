import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import * as z from 'zod/mini';
import { readDeployment } from './deployment.ts';
import { bundleFunctions } from './function-code.ts';
import { readMaximumPeriodInDays } from './guardrails/guardrail-stacks.ts';
import { makeStacks } from './stacks.ts';

const app = new App();
/** `-c deployment=<path>` on the command line. */
const path = z.parse(z._default(z.string(), 'deployment.yaml'), app.node.tryGetContext('deployment'));
const deployment = await readDeployment(path);
const folder = await mkdtemp(join(tmpdir(), 'functions-'));
try {
  const maximumPeriodInDays = await readMaximumPeriodInDays('rotation-policy.yaml');
  makeStacks(app, { deployment, code: await bundleFunctions(folder), maximumPeriodInDays });
  app.synth();
} finally {
  await rm(folder, { recursive: true });
}
