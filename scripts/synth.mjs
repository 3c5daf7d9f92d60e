// Synthesises every stack of both deployment files, offline: the rule packs are part of it, so a broken rule ends it.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const DEPLOYMENTS = { single: 'deployment.yaml', organization: 'infra/examples/organization.yaml' };

// What is left of an earlier run would be counted and checked too.
rmSync('cdk.out', { recursive: true, force: true });
for (const [name, file] of Object.entries(DEPLOYMENTS)) {
  const output = join('cdk.out', name);
  const start = performance.now();
  try {
    execFileSync(
      'node',
      ['node_modules/aws-cdk/bin/cdk', 'synth', '--quiet', '-c', `deployment=${file}`, '-o', output],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        // A rule of cdk-nag reads a property of aws-cdk-lib that is deprecated; nothing here can do anything about it.
        env: { ...process.env, JSII_DEPRECATED: 'quiet' },
      },
    );
  } catch (error) {
    process.stderr.write(`${error.stdout ?? ''}${error.stderr ?? error}\n${file} cannot be deployed like this.\n`);
    process.exit(1);
  }
  console.log(`${file}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  for (const template of readdirSync(output).filter((path) => path.endsWith('.template.json'))) {
    const { Resources: resources = {} } = JSON.parse(readFileSync(join(output, template), 'utf8'));
    console.log(`  ${template.replace('.template.json', '').padEnd(40)} ${Object.keys(resources).length} resources`);
    for (const { Type, Metadata, Properties } of Object.values(resources)) {
      const asset = Type === 'AWS::Lambda::Function' ? Metadata?.['aws:asset:path'] : undefined;
      if (asset === undefined) continue;
      const bytes = statSync(join(output, asset, 'index.js')).size;
      console.log(`    ${Properties.FunctionName.padEnd(38)} ${Math.round(bytes / 1000)} KB`);
    }
  }
}
