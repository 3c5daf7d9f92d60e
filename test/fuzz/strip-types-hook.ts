import { type LoadHook, stripTypeScriptTypes } from 'node:module';

/**
 * A module loader hook that hands Jazzer.js's own hook JavaScript: Node would strip the types only after it, and the
 * instrumentation would fail to parse the file, silently. Types become spaces, so that lines and columns stay. It has
 * to be of the older kind, in a thread of its own, because it has to stand before Jazzer.js's in the same chain.
 */
export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context);
  const { source } = loaded;
  if (loaded.format !== 'module-typescript' || source == null) return loaded;
  const text = typeof source === 'string' ? source : new TextDecoder().decode(source);
  return { ...loaded, format: 'module', source: stripTypeScriptTypes(text) };
};
