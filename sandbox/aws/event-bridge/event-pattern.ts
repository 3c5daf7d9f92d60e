import { compileAlternative, InvalidEventPattern, isScalar, type Scalar, type ValueMatcher } from './value-matcher.ts';

/** Alternatives for one field: the field is absent, or one of its values satisfies one matcher. */
type FieldPattern = { mayBeAbsent: boolean; matchers: ValueMatcher[] };

/** Fields by path, all of which must match. A pattern with `$or` has several of these, one of which must match. */
type Branch = ReadonlyMap<string, FieldPattern>;

/** For every array on the way to a value that holds objects: which element the value is in. */
type ArrayPosition = ReadonlyMap<number, number>;

type Field = { value: Scalar; position: ArrayPosition };

const compiledPatterns = new WeakMap<object, readonly Branch[]>();

/** EventBridge allows 1000 combinations of `$or` alternatives in a rule (User Guide, "Considerations for $or"). */
const MAX_BRANCHES = 1000;

/** Names that an `$or` alternative may not use as fields, because they are match types (aws/event-ruler). */
const RESERVED = new Set([
  'exactly',
  'equals-ignore-case',
  'prefix',
  'suffix',
  'anything-but',
  'exists',
  'wildcard',
  'numeric',
  'cidr',
  '=',
  '<',
  '<=',
  '>',
  '>=',
]);

/**
 * Whether an event matches an EventBridge event pattern ("Comparison operators for use in event patterns", EventBridge
 * User Guide; where that is silent, aws/event-ruler, the matcher AWS published). Both are parsed JSON. Three things of
 * the original to know: an array in an event matches when one of its values does, but fields inside one array of
 * objects must match in the same element; `exists` is about leaves only; a dot in a name equals nesting. One thing
 * differs: EventBridge compares numbers outside `numeric` as text, so that 300 is not 300.0 there; here they are equal.
 * Throws InvalidEventPattern.
 */
export function matches(pattern: unknown, event: unknown): boolean {
  const branches = compile(pattern);
  const fields = new Map<string, Field[]>();
  collect(fields, '', event, new Map(), { arrays: 0 });
  return branches.some((branch) => matchesFields([...branch], fields, new Map()));
}

/** Throws InvalidEventPattern, with the path of the first thing that EventBridge would refuse. */
export function assertPattern(pattern: unknown): void {
  compile(pattern);
}

function compile(pattern: unknown): readonly Branch[] {
  if (!isObject(pattern)) throw new InvalidEventPattern('', 'must be an object');
  const known = compiledPatterns.get(pattern);
  if (known !== undefined) return known;
  const branches = addObject([new Map()], '', pattern, false);
  compiledPatterns.set(pattern, branches);
  return branches;
}

/** Adds the fields of a pattern's object to every branch; multiplies the branches at each `$or`. */
function addObject(branches: readonly Branch[], path: string, pattern: object, insideOr: boolean): readonly Branch[] {
  const members: [string, unknown][] = Object.entries(pattern);
  if (members.length === 0) throw new InvalidEventPattern(path, 'empty objects are not allowed');
  let result = branches;
  for (const [name, member] of members) {
    const at = path === '' ? name : `${path}.${name}`;
    if (name === '$or') {
      result = addAlternatives(result, path, at, member);
    } else if (insideOr && RESERVED.has(name)) {
      throw new InvalidEventPattern(at, 'is a match type and cannot be a field inside $or');
    } else if (Array.isArray(member)) {
      const field = compileField(at, member);
      result = result.map((branch) => withField(branch, at, field));
    } else if (isObject(member)) {
      result = addObject(result, at, member, insideOr);
    } else {
      throw new InvalidEventPattern(at, 'must be an object or an array');
    }
  }
  return result;
}

function addAlternatives(branches: readonly Branch[], path: string, at: string, member: unknown): readonly Branch[] {
  if (!Array.isArray(member)) throw new InvalidEventPattern(at, 'must be an array');
  const alternatives: unknown[] = member;
  if (alternatives.length < 2) throw new InvalidEventPattern(at, 'must have at least two objects');
  const result = alternatives.flatMap((alternative, index) => {
    if (!isObject(alternative)) throw new InvalidEventPattern(`${at}[${index}]`, 'must be an object');
    return addObject(branches, path, alternative, true);
  });
  if (result.length > MAX_BRANCHES) throw new InvalidEventPattern(at, `more than ${MAX_BRANCHES} combinations`);
  return result;
}

function withField(branch: Branch, path: string, field: FieldPattern): Branch {
  if (branch.has(path)) throw new InvalidEventPattern(path, 'may occur only once');
  return new Map([...branch, [path, field]]);
}

function compileField(path: string, alternatives: readonly unknown[]): FieldPattern {
  if (alternatives.length === 0) throw new InvalidEventPattern(path, 'empty arrays are not allowed');
  const field: FieldPattern = { mayBeAbsent: false, matchers: [] };
  for (const [index, alternative] of alternatives.entries()) {
    if (
      isObject(alternative) &&
      Object.keys(alternative).length === 1 &&
      Reflect.get(alternative, 'exists') === false
    ) {
      field.mayBeAbsent = true;
    } else {
      field.matchers.push(compileAlternative(`${path}[${index}]`, alternative));
    }
  }
  return field;
}

/** Searches for values of all fields that lie in the same array elements. */
function matchesFields(
  patterns: readonly (readonly [string, FieldPattern])[],
  fields: ReadonlyMap<string, readonly Field[]>,
  chosen: ArrayPosition,
): boolean {
  const [first, ...others] = patterns;
  if (first === undefined) return true;
  const [path, { mayBeAbsent, matchers }] = first;
  const candidates = fields.get(path) ?? [];
  if (mayBeAbsent && candidates.length === 0 && matchesFields(others, fields, chosen)) return true;
  return candidates.some(
    ({ value, position }) =>
      agree(position, chosen) &&
      matchers.some((matcher) => matcher(value)) &&
      matchesFields(others, fields, new Map([...chosen, ...position])),
  );
}

function agree(one: ArrayPosition, other: ArrayPosition): boolean {
  return [...one].every(([array, index]) => !other.has(array) || other.get(array) === index);
}

/** Lists the leaves of an event under their paths. `counter` gives every array a number of its own. */
function collect(
  fields: Map<string, Field[]>,
  path: string,
  value: unknown,
  position: ArrayPosition,
  counter: { arrays: number },
): void {
  if (isScalar(value)) {
    const known = fields.get(path);
    if (known === undefined) fields.set(path, [{ value, position }]);
    else known.push({ value, position });
  } else if (Array.isArray(value)) {
    counter.arrays += 1;
    const array = counter.arrays;
    const elements: unknown[] = value;
    for (const [index, element] of elements.entries()) {
      const inside = isScalar(element) ? position : new Map([...position, [array, index] as const]);
      collect(fields, path, element, inside, counter);
    }
  } else if (isObject(value)) {
    const members: [string, unknown][] = Object.entries(value);
    for (const [name, member] of members) {
      collect(fields, path === '' ? name : `${path}.${name}`, member, position, counter);
    }
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
