import { digest } from '../../functions/adapters/digest.ts';

/** One place in which two policies differ; null stands for nothing there. */
export type Difference = { path: string; before: unknown; after: unknown };

type Keyed = Record<string, unknown>;

/**
 * Where two policy documents differ, place by place. Routes are told apart by name; a list of anything else is one place.
 * The first matching route wins, so their order counts and has a place of its own.
 */
export function differences(before: unknown, after: unknown, path = ''): Difference[] {
  if (digest(before) === digest(after)) return [];
  if (isMap(before) && isMap(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) =>
      differences(entryOf(before, name), entryOf(after, name), path === '' ? name : `${path}.${name}`),
    );
  }
  const [old, young] = [byName(before), byName(after)];
  if (old !== null && young !== null) {
    const names = [...new Set([...old.keys(), ...young.keys()])];
    const changed = names.flatMap((name) =>
      differences(old.get(name) ?? null, young.get(name) ?? null, `${path}[${name}]`),
    );
    const kept = (mine: typeof old, other: typeof old) => [...mine.keys()].filter((name) => other.has(name));
    const [orderBefore, orderAfter] = [kept(old, young), kept(young, old)];
    const isReordered = orderBefore.join('\n') !== orderAfter.join('\n');
    return isReordered ? [...changed, { path: `${path} (order)`, before: orderBefore, after: orderAfter }] : changed;
  }
  return [{ path: path === '' ? '(document)' : path, before, after }];
}

function isMap(value: unknown): value is Keyed {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function entryOf(map: Keyed, name: string): unknown {
  return Object.hasOwn(map, name) ? map[name] : null;
}

/** The entries of a list by their name; null when one has none, or two have the same. */
function byName(value: unknown): Map<string, unknown> | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  const entries = value.map((entry: unknown) =>
    isMap(entry) && typeof entry['name'] === 'string' ? entry['name'] : null,
  );
  if (entries.includes(null) || new Set(entries).size !== entries.length) return null;
  return new Map(value.map((entry: unknown, index) => [entries[index] ?? '', entry]));
}
