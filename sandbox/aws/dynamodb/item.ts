import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';

/** An attribute value in DynamoDB's JSON: one member named after its type, for example `{"S": "text"}`. */
const attributeValueSchema = z.record(z.string(), z.unknown());

/** An item, or a key, in DynamoDB's JSON. The values stay opaque: dynalite is the one that checks them. */
export const itemSchema = z.record(z.string(), attributeValueSchema);

export type Item = z.infer<typeof itemSchema>;

/** Where an item lives: what DynamoDB calls its primary key. */
export type ItemAddress = { tableName: string; key: Item };

/** One item before and after a write; `undefined` where there is no item. */
export type ItemChange = ItemAddress & { before: Item | undefined; after: Item | undefined };

/** The attributes of `item` that make up the key, or `undefined` when one is missing. */
export function keyOf(item: Item, keyAttributes: readonly string[]): Item | undefined {
  const key: Item = {};
  for (const name of keyAttributes) {
    const value = item[name];
    if (value === undefined) return undefined;
    key[name] = value;
  }
  return key;
}

/** A string that is equal for equal addresses, whatever the order of the key's attributes. */
export function addressId({ tableName, key }: ItemAddress): string {
  const attributes = Object.entries(key).sort(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify([tableName, attributes]);
}

/**
 * Whether two images hold the same data. A write that changes nothing makes no stream record (DynamoDB Developer
 * Guide, "Change data capture for DynamoDB Streams"), so the order inside a set must not count as a change.
 */
export function sameImage(left: Item | undefined, right: Item | undefined): boolean {
  return isDeepStrictEqual(withSortedSets(left), withSortedSets(right));
}

function withSortedSets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSortedSets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]: [string, unknown]) => {
      const isSet = (name === 'SS' || name === 'NS' || name === 'BS') && Array.isArray(member);
      return [name, isSet ? member.map(String).sort() : withSortedSets(member)];
    }),
  );
}

/**
 * The size of an item in bytes: names and values (DynamoDB Developer Guide, "DynamoDB item sizes and formats").
 * Numbers count about half a byte per digit plus one; a list or map has three bytes of its own plus one per member.
 */
export function sizeOfItem(item: Item | undefined): number {
  if (item === undefined) return 0;
  return Object.entries(item).reduce((total, [name, value]) => total + Buffer.byteLength(name) + sizeOfValue(value), 0);
}

function sizeOfValue(value: unknown): number {
  const parsed = attributeValueSchema.safeParse(value);
  const [type, content] = Object.entries(parsed.data ?? {}).at(0) ?? ['NULL', true];
  if (typeof content === 'string') return sizeOfScalar(type, content);
  if (Array.isArray(content)) {
    if (type !== 'L') return content.reduce<number>((total, one) => total + sizeOfScalar(type, String(one)), 0);
    return content.reduce<number>((total, one) => total + 1 + sizeOfValue(one), 3);
  }
  const members = itemSchema.safeParse(content);
  if (!members.success) return 1;
  return Object.entries(members.data).reduce(
    (total, [name, member]) => total + 1 + Buffer.byteLength(name) + sizeOfValue(member),
    3,
  );
}

function sizeOfScalar(type: string, text: string): number {
  if (type.startsWith('N')) return Math.ceil(text.replace(/\D/g, '').length / 2) + 1;
  if (type.startsWith('B')) return Buffer.byteLength(text, 'base64');
  return Buffer.byteLength(text);
}
