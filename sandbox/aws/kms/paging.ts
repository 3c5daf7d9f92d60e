import { invalidMarker } from './errors.ts';

/** A page of a list that is sorted by `idOf`: `NextMarker` is there if and only if `Truncated` is true. */
export function page<Item>(
  items: Item[],
  request: { Limit?: number | undefined; Marker?: string | undefined },
  defaults: { limit: number; idOf: (item: Item) => string },
): { items: Item[]; paging: { Truncated: boolean; NextMarker?: string } } {
  const after = request.Marker === undefined ? undefined : decodeMarker(request.Marker);
  const rest = after === undefined ? items : items.filter((item) => defaults.idOf(item) > after);
  const shown = rest.slice(0, request.Limit ?? defaults.limit);
  const last = shown.at(-1);
  return rest.length > shown.length && last !== undefined
    ? { items: shown, paging: { Truncated: true, NextMarker: encodeMarker(defaults.idOf(last)) } }
    : { items: shown, paging: { Truncated: false } };
}

const PREFIX = 'after:';
const encodeMarker = (id: string) => Buffer.from(PREFIX + id).toString('base64url');

function decodeMarker(marker: string): string {
  const text = Buffer.from(marker, 'base64url').toString();
  if (!text.startsWith(PREFIX)) throw invalidMarker('The marker is not one that this service gave.');
  return text.slice(PREFIX.length);
}
