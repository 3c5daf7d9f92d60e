// Runs cfn-lint over every template that `npm run synth` has left in cdk.out; warnings fail as errors do.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';

const VERSION = '1.51.0';
const IN_ENVIRONMENT = '.cache/cfn-lint/bin/cfn-lint';

const command = existsSync(IN_ENVIRONMENT) ? IN_ENVIRONMENT : 'cfn-lint';
let found = 'none';
try {
  found = execFileSync(command, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
} catch {
  // Said below.
}
if (!found.endsWith(` ${VERSION}`)) {
  const install = `python3 -m venv .cache/cfn-lint && .cache/cfn-lint/bin/pip install cfn-lint==${VERSION}`;
  console.error(`cfn-lint ${VERSION} is needed, found: ${found}. Install it: ${install}`);
  process.exit(1);
}
const templates = globSync('cdk.out/**/*.template.json');
if (templates.length === 0) {
  console.error('There are no templates in cdk.out: run npm run synth first.');
  process.exit(1);
}
const { status } = spawnSync(command, templates, { stdio: 'inherit' });
if (status === 0) console.log(`cfn-lint ${VERSION}: ${templates.length} templates without errors and warnings`);
process.exit(status ?? 1);
