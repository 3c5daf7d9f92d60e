import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import * as z from 'zod';
import { KMS_EVENT_PATTERN } from '../../functions/contracts/kms-event.ts';
import { matches } from '../../sandbox/aws/event-bridge.ts';
import { type PythonProcess, startPython } from './python.ts';

const NO_KEY_REQUIRED = { requiredKeys: [] };

let python: PythonProcess;
beforeAll(() => {
  python = startPython('event_pattern.py');
});
afterAll(() => python.stop());

type Verdict = boolean | string;

/** What moto says of a pattern and an event: whether it matches, or the name of the error. */
async function ofMoto(pattern: unknown, event: unknown): Promise<Verdict> {
  python.write(`${JSON.stringify([pattern, event])}\n`);
  return z.union([z.boolean(), z.string()]).parse(JSON.parse(await python.line()));
}

/** The same of the sandbox. */
function ofSandbox(pattern: unknown, event: unknown): Verdict {
  try {
    return matches(pattern, event);
  } catch (error) {
    if (error instanceof Error) return error.name;
    throw error;
  }
}

type Difference = {
  what: string;
  /** Whether moto may err about this pattern and event for this reason. */
  applies: (pattern: unknown, event: unknown) => boolean;
  example: { pattern: unknown; event: unknown; sandbox: Verdict; moto: Verdict };
};

/** The README of this folder says why AWS and the sandbox are right in each of these. */
const DIFFERENCES: readonly Difference[] = [
  {
    what: 'moto does not look into objects and arrays that are inside an array',
    applies: (_pattern, event) => nodesOf(event).some((node) => Array.isArray(node) && node.some(isContainer)),
    example: { pattern: { a: { b: [1] } }, event: { a: [{ b: 1 }] }, sandbox: true, moto: false },
  },
  {
    what: 'moto takes an empty array or object for a value',
    applies: (_pattern, event) => nodesOf(event).some((node) => isContainer(node) && Object.keys(node).length === 0),
    example: { pattern: { a: [{ exists: true }] }, event: { a: [] }, sandbox: false, moto: true },
  },
  {
    what: 'moto takes true and false for the numbers 1 and 0',
    applies: (...both) =>
      both.flatMap(nodesOf).some((node) => typeof node === 'boolean') &&
      both.flatMap(nodesOf).some((node) => typeof node === 'number'),
    example: { pattern: { a: [1] }, event: { a: true }, sandbox: false, moto: true },
  },
  {
    what: 'a wildcard of moto ends at the end of a line',
    applies: (pattern, event) =>
      nodesOf(pattern).some((node) => isContainer(node) && 'wildcard' in node) &&
      nodesOf(event).some((node) => typeof node === 'string' && node.includes('\n')),
    example: { pattern: { a: [{ wildcard: 'a*' }] }, event: { a: 'a\nb' }, sandbox: true, moto: false },
  },
  {
    what: 'moto takes a number for an address',
    applies: (pattern, event) =>
      nodesOf(pattern).some((node) => isContainer(node) && 'cidr' in node) &&
      nodesOf(event).some((node) => typeof node === 'number' || typeof node === 'boolean'),
    example: { pattern: { a: [{ cidr: '0.0.0.0/0' }] }, event: { a: 1 }, sandbox: false, moto: true },
  },
];

function isContainer(node: unknown): node is object {
  return typeof node === 'object' && node !== null;
}

/** Everything in a JSON value, itself included. */
function nodesOf(node: unknown): unknown[] {
  return isContainer(node) ? [node, ...Object.values(node).flatMap(nodesOf)] : [node];
}

const letters = fc.constantFrom('', 'a', 'b', 'A', 'ab', 'ba', 'aab', 'aBa');
const affix = fc.constantFrom('a', 'b', 'B', 'ab', 'ba');
const wildcard = fc.constantFrom('*', 'a', 'a*', '*b', 'a*b', '*a*', 'a*b*a', '\\*', 'a\\**', '\\\\*');
const number = fc.constantFrom(-2, -1, 0, 0.5, 1, 2, 2.25, 3, -1e6, 3e9);
const address = fc.constantFrom('10.0.0.0', '10.0.0.9', '10.0.1.9', '192.0.2.1', '2001:db8::', '2001:db8::1', '::1');
const block = fc.constantFrom('10.0.0.0/24', '10.0.0.0/8', '0.0.0.0/0', '192.0.2.0/31', '2001:db8::/32', '::/0');
const scalar = fc.oneof(
  { weight: 6, arbitrary: letters },
  { weight: 4, arbitrary: number },
  { weight: 2, arbitrary: address },
  { weight: 2, arbitrary: fc.constantFrom('a*', '*', '\\', 'ab\\a', 'a\nb', 'aXb') },
  { weight: 1, arbitrary: fc.constantFrom(true, false, null) },
);
const listOrOne = <T>(one: fc.Arbitrary<T>) => fc.oneof(one, fc.array(one, { minLength: 1, maxLength: 2 }));
const range = fc
  .tuple(fc.constantFrom('>', '>='), number, fc.constantFrom('<', '<='), number)
  .filter(([, bottom, , top]) => bottom < top);
const alternative = fc.oneof(
  scalar,
  fc.record({ prefix: fc.oneof(letters, fc.record({ 'equals-ignore-case': letters })) }),
  fc.record({ suffix: fc.oneof(letters, fc.record({ 'equals-ignore-case': letters })) }),
  fc.record({ 'equals-ignore-case': letters }),
  fc.record({ wildcard }),
  fc.record({ cidr: block }),
  fc.record({ exists: fc.boolean() }),
  fc.record({ numeric: fc.oneof(fc.tuple(fc.constantFrom('=', '<', '<=', '>', '>='), number), range) }),
  fc.record({ 'anything-but': fc.oneof(listOrOne(letters), listOrOne(number)) }),
  fc.record({
    'anything-but': fc.oneof(
      fc.record({ prefix: listOrOne(affix) }),
      fc.record({ suffix: listOrOne(affix) }),
      fc.record({ 'equals-ignore-case': listOrOne(letters) }),
      fc.record({ wildcard: listOrOne(wildcard) }),
    ),
  }),
);
/** Fields beside each other, one below the other, with a dotted name, and `$or` above and below. */
function structureOf(field: fc.Arbitrary<unknown[]>) {
  const below = fc.record(
    { f: field, g: field, $or: fc.tuple(fc.record({ h: field }), fc.record({ i: field })) },
    NO_KEY_REQUIRED,
  );
  const either = fc.tuple(fc.record({ j: field }), fc.record({ k: field, l: field }, NO_KEY_REQUIRED));
  return fc
    .record({ a: field, 'c.d': field, e: below, $or: either }, NO_KEY_REQUIRED)
    .filter((one) => ofSandbox(one, {}) !== 'InvalidEventPatternException');
}

/** One value of an event: something that a field of the pattern names, or anything. */
const choice = fc.record({
  pick: fc.nat({ max: 20 }),
  anything: scalar,
  absent: fc.nat({ max: 5 }).map((chance) => chance === 5),
  shape: fc.oneof(
    { weight: 12, arbitrary: fc.constant('one' as const) },
    { weight: 4, arbitrary: fc.constant('several' as const) },
    { weight: 1, arbitrary: fc.constantFrom('none' as const, 'below' as const, 'inside' as const) },
  ),
});
type Choice = typeof choice extends fc.Arbitrary<infer T> ? T : never;

/** An event for a pattern: most fields hold what one of their alternatives names, some a list, some are absent. */
function eventFor(pattern: unknown, choices: readonly Choice[]): unknown {
  const left = [...choices];
  const membersOf = (node: unknown): [string, unknown][] =>
    Object.entries(z.record(z.string(), z.unknown()).parse(node)).flatMap(([name, part]): [string, unknown][] => {
      if (name === '$or') return z.array(z.unknown()).parse(part).flatMap(membersOf);
      if (!Array.isArray(part)) return [[name, Object.fromEntries(membersOf(part))]];
      const chosen = left.pop();
      return chosen === undefined || chosen.absent ? [] : [[name, valueFor(part, chosen)]];
    });
  return Object.fromEntries(membersOf(pattern));
}

function valueFor(alternatives: readonly unknown[], { pick, anything, shape }: Choice): unknown {
  const named = alternatives.flatMap(valuesIn);
  const value = pick < 14 ? named[pick % named.length] : anything;
  switch (shape) {
    case 'one':
      return value;
    case 'several':
      return [anything, value];
    case 'none':
      return [];
    case 'below':
      return { f: value };
    case 'inside':
      return [{ f: value }];
  }
}

/** The scalars that stand in an alternative, and others that are near them. */
function valuesIn(node: unknown): unknown[] {
  if (typeof node === 'string') return [node, node.replaceAll('*', 'b'), node.toUpperCase(), `${node}a`, `b${node}`];
  if (typeof node === 'number') return [node, node + 1];
  return isContainer(node) ? Object.values(node).flatMap(valuesIn) : [node];
}

function eventsFor(pattern: fc.Arbitrary<unknown>): fc.Arbitrary<[unknown, unknown]> {
  return fc
    .tuple(pattern, fc.array(choice, { minLength: 8, maxLength: 8 }))
    .map(([one, choices]) => [one, eventFor(one, choices)]);
}

/** Compares thousands of pairs; answers how many there were, matched, and differed in a documented way. */
async function compare(pairs: fc.Arbitrary<[unknown, unknown]>, numRuns: number) {
  const counts = { compared: 0, matched: 0, excluded: 0 };
  await fc.assert(
    fc.asyncProperty(pairs, async ([pattern, event]) => {
      const sandbox = ofSandbox(pattern, event);
      const moto = await ofMoto(pattern, event);
      counts.compared += 1;
      if (sandbox === true) counts.matched += 1;
      if (sandbox !== moto && DIFFERENCES.some(({ applies }) => applies(pattern, event))) counts.excluded += 1;
      else expect({ sandbox }).toEqual({ sandbox: moto });
    }),
    { numRuns },
  );
  return counts;
}

describe('a random event matches for moto if and only if it matches for the sandbox', () => {
  const fieldOf = (one: fc.Arbitrary<unknown>) => fc.array(one, { minLength: 1, maxLength: 2 });

  it('every operator, on one field', async () => {
    const { compared, matched, excluded } = await compare(eventsFor(fc.record({ a: fieldOf(alternative) })), 4000);
    // A comparison of refusals only, or one that excludes much, would prove little.
    expect([matched > compared / 4, excluded < compared / 20]).toEqual([true, true]);
  });

  it('fields, nesting and $or, with simple alternatives', async () => {
    const simple = fc.constantFrom(
      'a',
      'b',
      { exists: false },
      { exists: true },
      { 'anything-but': 'a' },
      { prefix: 'b' },
    );
    const { compared, matched, excluded } = await compare(eventsFor(structureOf(fieldOf(simple))), 4000);
    expect([matched > compared / 20, excluded < compared / 20]).toEqual([true, true]);
  });

  it('both together', async () => {
    const { compared, excluded } = await compare(eventsFor(structureOf(fieldOf(alternative))), 2000);
    expect(excluded).toBeLessThan(compared / 20);
  });
});

describe('the pattern of the bot’s own rule', () => {
  const folder = join(import.meta.dirname, '../fixtures');
  const fixtures = readdirSync(folder).map((file): [string, unknown] => [
    file,
    JSON.parse(readFileSync(join(folder, file), 'utf8')),
  ]);

  it.each(fixtures)('says the same of %s', async (_file, event) => {
    expect(ofSandbox(KMS_EVENT_PATTERN, event)).toBe(await ofMoto(KMS_EVENT_PATTERN, event));
  });

  it.each(fixtures)('and with any one thing of %s missing, or another', async (_file, event) => {
    for (const changed of variationsOf(event)) {
      const moto = await ofMoto(KMS_EVENT_PATTERN, changed);
      expect({ changed, verdict: ofSandbox(KMS_EVENT_PATTERN, changed) }).toEqual({ changed, verdict: moto });
    }
  });

  /** The same JSON without one member, and with another value in its place, for every member at every depth. */
  function variationsOf(node: unknown): unknown[] {
    if (!isContainer(node) || Array.isArray(node)) return ['another', null, 1];
    const members: [string, unknown][] = Object.entries(node);
    return members.flatMap(([name, member]) => {
      const others = Object.fromEntries(members.filter(([other]) => other !== name));
      return [others, ...variationsOf(member).map((changed) => ({ ...others, [name]: changed }))];
    });
  }
});

describe('differs, as documented:', () => {
  it.each(DIFFERENCES)('$what', async ({ applies, example: { pattern, event, ...expected } }) => {
    expect({ sandbox: ofSandbox(pattern, event), moto: await ofMoto(pattern, event) }).toEqual(expected);
    expect(applies(pattern, event)).toBe(true);
  });

  it.each([
    ['an empty pattern', {}, true],
    ['an unknown operator', { a: [{ like: 'x' }] }, true],
    ['a numeric comparison with an unknown sign', { a: [{ numeric: ['~', 1] }] }, 'KeyError'],
    ['a backslash before a letter', { a: [{ wildcard: '\\d' }] }, false],
    ['consecutive wildcards', { a: [{ wildcard: '**' }] }, false],
    ['a CIDR block of one address', { a: [{ cidr: '10.0.0.1/32' }] }, false],
    ['a CIDR block that is none', { a: [{ cidr: '10.0.0.0/33' }] }, false],
    ['an $or of one', { $or: [{ a: [1] }] }, true],
    ['a limit beyond 2^53', { a: [{ numeric: ['<', 2 ** 54] }] }, true],
  ])('moto takes %s, which EventBridge refuses', async (_what, pattern, moto) => {
    const event = { a: 1 };
    expect([ofSandbox(pattern, event), await ofMoto(pattern, event)]).toEqual(['InvalidEventPatternException', moto]);
  });

  it('moto wants a CIDR block to begin at its first address', async () => {
    const [pattern, event] = [{ a: [{ cidr: '10.0.0.7/24' }] }, { a: '10.0.0.1' }];
    expect([ofSandbox(pattern, event), await ofMoto(pattern, event)]).toEqual([true, false]);
  });
});
