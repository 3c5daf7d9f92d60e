import { isDeepStrictEqual } from 'node:util';

/** A value in DynamoDB's JSON, such as `{"S": "text"}`. */
export type AttributeValue = Record<string, unknown>;
export type Item = Record<string, AttributeValue>;
export type Expressions = { names: Record<string, string>; values: Item };

/**
 * The part of DynamoDB's expression language that the project's stores use: comparisons with `=`, `<` and `>`,
 * `attribute_exists`, `attribute_not_exists`, `begins_with`, AND, OR; SET and REMOVE of whole attributes, with
 * `if_not_exists`; and ADD of numbers. Anything else throws.
 */
export function holds(condition: string, item: Item, expressions: Expressions): boolean {
  return condition
    .split(/\s+OR\s+/)
    .some((alternative) => alternative.split(/\s+AND\s+/).every((term) => termHolds(term.trim(), item, expressions)));
}

function termHolds(term: string, item: Item, expressions: Expressions): boolean {
  const called = /^(attribute_exists|attribute_not_exists|begins_with)\(\s*([#\w]+)\s*(?:,\s*(:\w+)\s*)?\)$/.exec(term);
  if (called !== null) {
    const [, name, path = '', value] = called;
    const attribute = item[nameOf(path, expressions)];
    if (name === 'attribute_exists') return attribute !== undefined;
    if (name === 'attribute_not_exists') return attribute === undefined;
    const prefix = operandOf(value ?? '', expressions)['S'];
    const text = attribute?.['S'];
    return typeof text === 'string' && typeof prefix === 'string' && text.startsWith(prefix);
  }
  const [, path, operator, value] = /^([#\w]+)\s*(=|<|>)\s*(:\w+)$/.exec(term) ?? [];
  if (path === undefined || value === undefined) throw new Error(`not understood in an expression: ${term}`);
  const attribute = item[nameOf(path, expressions)];
  const operand = operandOf(value, expressions);
  if (attribute === undefined) return false;
  if (operator === '=') return isDeepStrictEqual(attribute, operand);
  return operator === '<' ? isLess(attribute, operand) : isLess(operand, attribute);
}

/** The item after an update expression. */
export function changed(expression: string, item: Item, expressions: Expressions): Item {
  const after = new Map(Object.entries(item));
  const [, sets = '', removes = '', adds = ''] =
    /^(?:SET (.*?))?\s*(?:REMOVE (.*?))?\s*(?:ADD (.*))?$/.exec(expression) ?? [];
  if (sets === '' && removes === '' && adds === '') throw new Error(`not understood as an update: ${expression}`);
  // A comma inside of if_not_exists does not end a part.
  for (const part of listed(sets.replaceAll(/\(([#\w]+),\s*/g, '($1;'))) {
    const [, path, kept, value] = /^([#\w]+)\s*=\s*(?:if_not_exists\(([#\w]+);)?(:\w+)\)?$/.exec(part) ?? [];
    if (path === undefined || value === undefined) throw new Error(`not understood in an update: ${part}`);
    const present = kept === undefined ? undefined : item[nameOf(kept, expressions)];
    after.set(nameOf(path, expressions), present ?? operandOf(value, expressions));
  }
  for (const part of listed(adds)) {
    const [, path, value] = /^([#\w]+)\s+(:\w+)$/.exec(part) ?? [];
    if (path === undefined || value === undefined) throw new Error(`not understood in an update: ${part}`);
    const name = nameOf(path, expressions);
    const sum = Number(item[name]?.['N'] ?? 0) + Number(operandOf(value, expressions)['N']);
    after.set(name, { N: String(sum) });
  }
  for (const path of listed(removes)) after.delete(nameOf(path, expressions));
  return Object.fromEntries(after);
}

function listed(text: string): string[] {
  return text === '' ? [] : text.split(',').map((part) => part.trim());
}

function isLess(left: AttributeValue, right: AttributeValue): boolean {
  if (left['N'] !== undefined && right['N'] !== undefined) return Number(left['N']) < Number(right['N']);
  const [a, b] = [left['S'], right['S']];
  return typeof a === 'string' && typeof b === 'string' && a < b;
}

function nameOf(path: string, { names }: Expressions): string {
  if (!path.startsWith('#')) return path;
  const name = names[path];
  if (name === undefined) throw new Error(`no attribute name for ${path}`);
  return name;
}

function operandOf(name: string, { values }: Expressions): AttributeValue {
  const value = values[name];
  if (value === undefined) throw new Error(`no attribute value for ${name}`);
  return value;
}
