// Fails if anything that runs in production has a licence that is not allowed here. Reads the bill of materials: npm run licences
import { readFileSync } from 'node:fs';
import satisfies from 'spdx-satisfies';

/** Permissive: use, change and distribution without publishing our own source. Adding one is a decision, so it takes a review. */
const ALLOWED = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'MIT-0'];

const { components } = JSON.parse(readFileSync(process.argv[2] ?? 'sbom.cdx.json', 'utf8'));
const licensed = components.map(({ 'bom-ref': ref, licenses = [] }) => {
  const words = licenses.map(({ license, expression }) => expression ?? license?.id ?? license?.name ?? 'none');
  return { ref, licence: words.join(' AND ') || 'none' };
});

for (const [licence, entries] of Map.groupBy(licensed, (entry) => entry.licence)) {
  console.log(`${licence} (${entries.length}): ${entries.map(({ ref }) => ref).join(', ')}`);
}
const refused = licensed.filter(({ licence }) => !isAllowed(licence));
for (const { ref, licence } of refused) console.error(`NOT ALLOWED: ${ref} has licence ${licence}`);
if (licensed.length === 0) console.error('The bill of materials lists nothing.');
process.exitCode = refused.length > 0 || licensed.length === 0 ? 1 : 0;

function isAllowed(licence) {
  try {
    return satisfies(licence, ALLOWED);
  } catch {
    // Not an SPDX expression: nobody knows what it means.
    return false;
  }
}
