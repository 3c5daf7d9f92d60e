import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';

const ENTRY = fileURLToPath(new URL('handler.ts', import.meta.url));

/** Bundles the stock variant the way esbuild does when it is told nothing but what is needed for Lambda. */
export async function bundleStock(folder: string): Promise<Metafile> {
  const { metafile } = await build({
    ...{ entryPoints: [ENTRY], outfile: `${folder}/index.js`, metafile: true },
    ...{ bundle: true, minify: true, platform: 'node', format: 'cjs', logLevel: 'error' },
  });
  return metafile;
}
