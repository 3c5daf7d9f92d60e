import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, type Metafile, type Plugin, build as runEsbuild } from 'esbuild';
import * as z from 'zod/mini';
import type { FunctionName } from '../functions/contracts/functions.ts';
import { SLACK_METHODS } from '../functions/contracts/slack-scopes.ts';

const manifest = z.object({ name: z.string(), version: z.string() });

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * What Slack's packages load and the bot never calls: every receiver of Bolt, and with them express, undici and OAuth
 * (decide-finding brings its own receiver), assistants, workflow functions, the store of conversations (it is given
 * none), file uploads, streamed messages, and the constants of their types. Without them Bolt is a tenth as large. Of the
 * AWS SDK it is the ways to credentials of people's own machines.
 */
const ABSENT: readonly { askedForBy: RegExp; path: RegExp }[] = [
  {
    askedForBy: /[\\/]@slack[\\/]bolt[\\/]dist[\\/](?:index|App)\.js$/,
    path: /^(?:@slack\/(?:oauth|types)|\.\/receivers\/[\w-]+|\.\/(?:Assistant|CustomFunction|conversation-store))$/,
  },
  {
    askedForBy: /[\\/]@slack[\\/]web-api[\\/]dist[\\/](?:index|WebClient)\.js$/,
    path: /^\.\/(?:file-upload|chat-stream)$/,
  },
  { askedForBy: /[\\/]@slack[\\/]web-api[\\/]dist[\\/]methods\.js$/, path: /^@slack\/types$/ },
  {
    // Lambda has the credentials of the function's role in the environment, where they are looked for first.
    askedForBy: /[\\/]@aws-sdk[\\/]credential-provider-node[\\/]/,
    path: /^@aws-sdk\/credential-provider-(?:sso|ini|process|web-identity)$/,
  },
];

/**
 * Loading a module that is left out, and passing on what it exports, is fine. Calling or constructing any of it throws
 * an error that names the module.
 */
const leaveOut: Plugin = {
  name: 'leave-out',
  setup(build) {
    const namespace = 'left-out';
    for (const { askedForBy, path: filter } of ABSENT) {
      build.onResolve({ filter }, ({ path, importer }) =>
        askedForBy.test(importer) ? { path, namespace } : undefined,
      );
    }
    build.onResolve({ filter: /^stand-in$/, namespace }, ({ path }) => ({ path, namespace }));
    build.onLoad({ filter: /^/, namespace }, ({ path }) => ({
      contents: path === 'stand-in' ? STAND_IN : `module.exports = require('stand-in')(${JSON.stringify(path)});`,
    }));
  },
};

const STAND_IN = `module.exports = (name) => {
  function leftOut() { throw new Error(name + ' is left out of this bundle, see infra/bundling.ts'); }
  return new Proxy({}, { get: (_, property) => property === '__esModule' || leftOut });
};`;

/** Slack's packages read their own name and version; the rest of their manifests would only be carried along. */
const shortenManifests: Plugin = {
  name: 'shorten-manifests',
  setup(build) {
    build.onLoad({ filter: /[\\/]@slack[\\/][\w-]+[\\/]package\.json$/ }, async ({ path }) => {
      const { name, version } = manifest.parse(JSON.parse(await readFile(path, 'utf8')));
      return { contents: JSON.stringify({ name, version }), loader: 'json' };
    });
  },
};

const METHOD = /^ *\w+: bindApiCall\w*\(this, '([\w.]+)'\),\n/gm;
const COMMENT = /^ *\/\*\*[\s\S]*?\*\/\n/gm;
const EMPTY_GROUP = /^ *\w+(?:: \{\n *\},| = \{\n *\};)\n/gm;

/** Slack's client binds hundreds of methods each time it is made; those that the bot calls are left. */
const shortenMethods: Plugin = {
  name: 'shorten-methods',
  setup(build) {
    build.onLoad({ filter: /[\\/]@slack[\\/]web-api[\\/]dist[\\/]methods\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const bound = new Set([...source.matchAll(METHOD)].map(([, name]) => name));
      const missing = Object.keys(SLACK_METHODS).filter((name) => !bound.has(name));
      if (missing.length > 0) throw new Error(`${path} does not bind ${missing.join(', ')}: see infra/bundling.ts`);
      let contents = source
        .replace(COMMENT, '')
        .replace(METHOD, (line, name: string) => (name in SLACK_METHODS ? line : ''));
      for (let before = ''; before !== contents; ) {
        before = contents;
        contents = contents.replace(EMPTY_GROUP, '');
      }
      return { contents };
    });
  },
};

/** Slack's client has two releases of this one below it whose code is the same; one is enough. */
const oneEventEmitter: Plugin = {
  name: 'one-event-emitter',
  setup(build) {
    const path = join(ROOT, 'node_modules', 'eventemitter3', 'index.js');
    build.onResolve({ filter: /^eventemitter3$/ }, () => ({ path }));
  },
};

/**
 * How a function becomes the one file that Lambda loads. Modules are resolved as ESM, so that what nothing uses is
 * dropped, but the output is CommonJS: on Node 24 an ESM import of `node:http` loads undici at once, a require does not.
 * Everything is inside, the AWS SDK as well: the one that Lambda has is of another version and slower to load. There
 * is no source map: Node takes 20 ms of a cold start to read one, and building the same commit with `sourcemap: true`
 * gives it to whoever has a stack trace to read.
 */
export function esbuildOptions(name: FunctionName): BuildOptions {
  return {
    absWorkingDir: ROOT,
    entryPoints: [`functions/${name}/handler.ts`],
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    mainFields: ['module', 'main'],
    conditions: ['module'],
    minify: true,
    sourcemap: false,
    plugins: [leaveOut, shortenManifests, shortenMethods, oneEventEmitter],
    logLevel: 'warning',
  };
}

/**
 * Writes `index.js`, whose `handler` is the function, into a folder; answers what went into it. The folder is what is
 * deployed (`Code.fromAsset`): NodejsFunction's own `bundling` takes no esbuild plugins.
 */
export async function bundle(name: FunctionName, folder: string): Promise<Metafile> {
  const { metafile } = await runEsbuild({ ...esbuildOptions(name), outfile: `${folder}/index.js`, metafile: true });
  return metafile;
}
