// Writes the software bill of materials of what runs in production (CycloneDX, from the lockfile) and checks it against the schema.
// Usage: npm run sbom [-- file]
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';

const file = process.argv[2] ?? 'sbom.cdx.json';
const { name, version, optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));

// `--omit dev` leaves out production packages that a development package needs too (zod and 38 more, npm 11.19), so the lockfile says
// what is left out. Neither are the optional dependencies deployed: they bring Node.js to developers' machines.
const production = new Set(
  Object.entries(packages)
    .filter(([where, { dev, devOptional }]) => where !== '' && !dev && !devOptional)
    .map(([where, entry]) => `${where.split('node_modules/').at(-1)}@${entry.version}`)
    .filter((ref) => !Object.hasOwn(optionalDependencies, ref.slice(0, ref.lastIndexOf('@')))),
);
const args = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only'];
const bom = JSON.parse(
  execFileSync(process.execPath, [process.env.npm_execpath, ...args], { encoding: 'utf8', maxBuffer: 2 ** 26 }),
);
// npm names the application after the folder it happens to lie in.
bom.metadata.component.name = name;
bom.components = bom.components.filter((component) => production.has(component['bom-ref']));
const application = bom.metadata.component['bom-ref'];
// A version that a package bundles for itself as well is listed once, without the hash that the lockfile has of the other copy.
for (const component of bom.components) component.hashes ??= hashesOf(component['bom-ref']);
bom.dependencies = bom.dependencies
  .filter(({ ref }) => ref === application || production.has(ref))
  .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((on) => production.has(on)) }));

function hashesOf(ref) {
  const [, { integrity = '' } = {}] =
    Object.entries(packages).find(
      ([where, { version: of, dev, inBundle }]) =>
        !dev && !inBundle && `${where.split('node_modules/').at(-1)}@${of}` === ref,
    ) ?? [];
  const [, digest] = /^sha512-(.+)$/.exec(integrity) ?? [];
  return digest === undefined ? [] : [{ alg: 'SHA-512', content: Buffer.from(digest, 'base64').toString('hex') }];
}

const fail = (what, refs) => {
  if (refs.length > 0) throw new Error(`${what}: ${refs.join(', ')}`);
};
const problems = await new Validation.JsonStrictValidator(Spec.Version.v1dot5).validate(JSON.stringify(bom));
if (problems !== null) throw new Error(`not a CycloneDX 1.5 document: ${JSON.stringify(problems)}`);
const listed = new Set(bom.components.map((component) => component['bom-ref']));
fail(
  'in the lockfile and not in the bill',
  [...production].filter((ref) => !listed.has(ref)),
);
const isPinned = ({ hashes }) => hashes?.some(({ alg }) => alg === 'SHA-512');
fail(
  'without a hash',
  bom.components.filter((component) => !isPinned(component)).map((component) => component['bom-ref']),
);

writeFileSync(file, `${JSON.stringify(bom, null, 2)}\n`);
console.log(`${file}: ${name} ${version} and ${listed.size} components, valid CycloneDX ${bom.specVersion}`);
