import type { Metafile } from 'esbuild';

export type Share = { part: string; bytes: number };

/** What a bundle weighs, and how much of it comes from where: packages by name, the bot's own code as one. */
export function sharesOf({ outputs }: Metafile): { bytes: number; shares: Share[] } {
  const [output] = Object.values(outputs);
  if (output === undefined) throw new Error('esbuild wrote nothing');
  const shares = new Map<string, number>();
  for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
    const part = partOf(path);
    shares.set(part, (shares.get(part) ?? 0) + bytesInOutput);
  }
  const sorted = [...shares].map(([part, bytes]) => ({ part, bytes })).sort((a, b) => b.bytes - a.bytes);
  return { bytes: output.bytes, shares: sorted };
}

function partOf(path: string): string {
  const inside = path.split('node_modules/').at(-1) ?? path;
  if (inside === path) return path.startsWith('left-out:') ? 'stand-ins' : 'own code';
  const [first = '', second = ''] = inside.split('/');
  if (!first.startsWith('@')) return first;
  // The AWS SDK is some thirty packages that only make sense together.
  return first === '@aws-sdk' || first === '@smithy' ? first : `${first}/${second}`;
}
