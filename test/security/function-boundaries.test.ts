import { readFileSync } from 'node:fs';
import { cruise } from 'dependency-cruiser';
import * as z from 'zod';

const lockfile = z
  .object({ packages: z.record(z.string(), z.object({ dependencies: z.record(z.string(), z.string()).default({}) })) })
  .parse(JSON.parse(readFileSync('package-lock.json', 'utf8')));

const cruised = z.object({
  modules: z.array(
    z.object({
      source: z.string(),
      dependencies: z.array(z.object({ resolved: z.string(), typeOnly: z.boolean().default(false) })),
    }),
  ),
});

type Graph = z.infer<typeof cruised>['modules'];
let graph: Graph;
beforeAll(async () => {
  const { output } = await cruise(['functions'], {
    ...{ doNotFollow: { path: 'node_modules' }, tsPreCompilationDeps: 'specify' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default'] },
  });
  graph = cruised.parse(typeof output === 'string' ? JSON.parse(output) : output).modules;
}, 60_000);

/** The files that run when a function runs, and the packages, with all that these depend on by the lockfile. */
function reachableFrom(entry: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const followPackage = (name: string) => {
    if (packages.has(name)) return;
    packages.add(name);
    // Whichever of several copies it is: all that any of them depends on.
    for (const [where, { dependencies }] of Object.entries(lockfile.packages)) {
      if (where.endsWith(`node_modules/${name}`)) Object.keys(dependencies).forEach(followPackage);
    }
  };
  const follow = (file: string) => {
    const name = /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1];
    if (name !== undefined) followPackage(name);
    else if (!files.has(file)) {
      files.add(file);
      const { dependencies } = graph.find(({ source }) => source === file) ?? { dependencies: [] };
      for (const { resolved, typeOnly } of dependencies) if (!typeOnly) follow(resolved);
    }
  };
  follow(entry);
  return { files, packages };
}

const CHANGES = 'functions/adapters/kms-changes.ts';
const matching = (names: Set<string>, pattern: RegExp) => [...names].filter((name) => pattern.test(name));

it('decide-finding taken over', () => {
  const { files, packages } = reachableFrom('functions/decide-finding/handler.ts');
  expect(packages).toContain('@slack/bolt');
  expect(packages).toContain('@aws-sdk/client-dynamodb');
  expect(matching(packages, /client-(?:kms|sts|sns|sqs)|credential-providers/)).toEqual([]);
  expect(matching(files, /^functions\/(?:remedies\/|adapters\/(?:kms|topic))/)).toEqual([]);
});

it('announce-finding taken over', () => {
  const { files, packages } = reachableFrom('functions/announce-finding/handler.ts');
  expect(packages).toContain('@slack/web-api');
  expect(matching(packages, /client-(?:kms|sts|sqs)|credential-providers/)).toEqual([]);
  expect(matching(files, /^functions\/(?:remedies\/|adapters\/kms)/)).toEqual([]);
});

it('detect-finding or sweep-keys taken over', () => {
  for (const name of ['detect-finding', 'sweep-keys']) {
    const { files } = reachableFrom(`functions/${name}/handler.ts`);
    expect(files).toContain('functions/adapters/kms.ts');
    expect(files).not.toContain(CHANGES);
  }
  const remediator = reachableFrom('functions/remediate-key/handler.ts');
  expect(remediator.files).toContain(CHANGES);
  expect(remediator.packages).toContain('@aws-sdk/client-kms');
});
