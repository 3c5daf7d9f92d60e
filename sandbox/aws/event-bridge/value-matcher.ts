import { BlockList, isIP } from 'node:net';

/** A value that a pattern can look at: what is left of JSON without objects and arrays. */
export type Scalar = string | number | boolean | null;

/** Whether one value satisfies one alternative of a pattern's list. */
export type ValueMatcher = (value: Scalar) => boolean;

/** A pattern that EventBridge refuses; the message begins with the path of what is wrong. */
export class InvalidEventPattern extends Error {
  public override readonly name = 'InvalidEventPatternException';

  public constructor(path: string, problem: string) {
    super(`${path === '' ? 'event pattern' : path}: ${problem}`);
  }
}

/** Beyond this a double no longer tells integers apart, so EventBridge compares none (User Guide, "Numeric matching"). */
const NUMERIC_LIMIT = 2 ** 53;

/** Compiles one alternative, except for `exists: false`, which is about no value. Throws InvalidEventPattern. */
export function compileAlternative(path: string, alternative: unknown): ValueMatcher {
  if (isScalar(alternative)) return (value) => value === alternative;
  const [operator, operand] = onlyMember(path, alternative);
  const at = `${path}.${operator}`;
  switch (operator) {
    case 'prefix':
    case 'suffix':
      return compileAffix(at, operator, operand);
    case 'equals-ignore-case':
      return onStrings(equalsIgnoringCase(text(at, operand)));
    case 'wildcard':
      return onStrings(compileWildcard(at, text(at, operand)));
    case 'anything-but':
      return compileAnythingBut(at, operand);
    case 'numeric':
      return compileNumeric(at, operand);
    case 'cidr':
      return compileCidr(at, text(at, operand));
    case 'exists':
      if (operand !== true) throw new InvalidEventPattern(at, 'must be true or false');
      return () => true;
    default:
      throw new InvalidEventPattern(path, `unrecognized match type "${operator}"`);
  }
}

export function isScalar(value: unknown): value is Scalar {
  return value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function compileAffix(at: string, operator: 'prefix' | 'suffix', operand: unknown): ValueMatcher {
  const matches = operator === 'prefix' ? startsWith : endsWith;
  if (typeof operand === 'string') return onStrings((value) => matches(value, operand));
  const [inner, affix] = onlyMember(at, operand);
  if (inner !== 'equals-ignore-case') throw new InvalidEventPattern(at, `unsupported ${operator} pattern "${inner}"`);
  const folded = fold(text(`${at}.${inner}`, affix));
  return onStrings((value) => matches(fold(value), folded));
}

function compileAnythingBut(at: string, operand: unknown): ValueMatcher {
  if (typeof operand === 'object' && operand !== null && !Array.isArray(operand)) {
    const [operator, values] = onlyMember(at, operand);
    const excluded = texts(`${at}.${operator}`, values).map((one) => compileExclusion(at, operator, one));
    // What is not a string begins with no prefix and equals no text, so it is "anything but" that.
    return (value) => !excluded.some((excludes) => excludes(value));
  }
  const excluded = scalars(at, operand);
  return (value) => !excluded.some((one) => one === value);
}

function compileExclusion(at: string, operator: string, operand: string): ValueMatcher {
  const inner = `${at}.${operator}`;
  switch (operator) {
    case 'prefix':
    case 'suffix':
      if (operand === '') throw new InvalidEventPattern(inner, 'must not be empty');
      return compileAffix(inner, operator, operand);
    case 'equals-ignore-case':
      return onStrings(equalsIgnoringCase(operand));
    case 'wildcard':
      return onStrings(compileWildcard(inner, operand));
    default:
      throw new InvalidEventPattern(at, `unsupported anything-but pattern "${operator}"`);
  }
}

function compileNumeric(at: string, operand: unknown): ValueMatcher {
  if (!Array.isArray(operand)) throw new InvalidEventPattern(at, 'must be an array of operators and numbers');
  const parts: unknown[] = operand;
  const [firstOperator, , secondOperator] = parts;
  const lowest = comparison(at, firstOperator, parts[1]);
  if (parts.length === 2) return onNumbers(lowest.holds);
  if (parts.length !== 4 || (firstOperator !== '>' && firstOperator !== '>=')) {
    throw new InvalidEventPattern(at, 'must be one comparison, or ">" or ">=" followed by "<" or "<="');
  }
  const highest = comparison(at, secondOperator, parts[3]);
  if (secondOperator !== '<' && secondOperator !== '<=') {
    throw new InvalidEventPattern(at, 'the second operator of a range must be "<" or "<="');
  }
  if (lowest.limit >= highest.limit) throw new InvalidEventPattern(at, 'the bottom of a range must be below its top');
  return onNumbers((value) => lowest.holds(value) && highest.holds(value));
}

function comparison(
  at: string,
  operator: unknown,
  limit: unknown,
): { limit: number; holds: (value: number) => boolean } {
  if (typeof limit !== 'number') throw new InvalidEventPattern(at, `the value of ${String(operator)} must be a number`);
  if (Math.abs(limit) > NUMERIC_LIMIT) {
    throw new InvalidEventPattern(at, `${limit} is not between -(2^53) and 2^53`);
  }
  switch (operator) {
    case '=':
      return { limit, holds: (value) => value === limit };
    case '<':
      return { limit, holds: (value) => value < limit };
    case '<=':
      return { limit, holds: (value) => value <= limit };
    case '>':
      return { limit, holds: (value) => value > limit };
    case '>=':
      return { limit, holds: (value) => value >= limit };
    default:
      throw new InvalidEventPattern(at, `unrecognized numeric operator ${JSON.stringify(operator)}`);
  }
}

function compileCidr(at: string, block: string): ValueMatcher {
  const [network = '', length = '', ...more] = block.split('/');
  const version = isIP(network);
  // A block of one address is refused too, as by aws/event-ruler.
  const longest = version === 4 ? 31 : 127;
  if (version === 0 || more.length > 0 || !/^\d{1,3}$/.test(length) || Number(length) > longest) {
    throw new InvalidEventPattern(at, `"${block}" is not a CIDR block`);
  }
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const addresses = new BlockList();
  addresses.addSubnet(network, Number(length), family);
  return onStrings((value) => isIP(value) === version && addresses.check(value, family));
}

/** `*` is any text, also none; `\*` and `\\` are the characters themselves (User Guide, "Matching using wildcards"). */
function compileWildcard(at: string, pattern: string): (value: string) => boolean {
  const [first = '', ...others] = splitAtWildcards(at, pattern);
  const last = others.pop();
  if (last === undefined) return (value) => value === first;
  return (value) => {
    if (!value.startsWith(first) || !value.endsWith(last)) return false;
    const end = value.length - last.length;
    // The leftmost place for each text in between leaves the most room for those that follow.
    let position = first.length;
    for (const text of others) {
      const found = value.indexOf(text, position);
      if (found < 0) return false;
      position = found + text.length;
    }
    return position <= end;
  };
}

function splitAtWildcards(at: string, pattern: string): string[] {
  const texts = [];
  let current = '';
  for (let index = 0; index < pattern.length; index += 1) {
    const character = pattern.charAt(index);
    const next = pattern.charAt(index + 1);
    if (character === '\\') {
      if (next !== '*' && next !== '\\') {
        throw new InvalidEventPattern(at, `a backslash may only stand before * or \\, position ${index}`);
      }
      current += next;
      index += 1;
    } else if (character === '*') {
      if (next === '*') throw new InvalidEventPattern(at, `consecutive wildcards, position ${index}`);
      texts.push(current);
      current = '';
    } else {
      current += character;
    }
  }
  return [...texts, current];
}

function startsWith(value: string, prefix: string): boolean {
  return value.startsWith(prefix);
}

function endsWith(value: string, suffix: string): boolean {
  return value.endsWith(suffix);
}

function equalsIgnoringCase(wanted: string): (value: string) => boolean {
  const folded = fold(wanted);
  return (value) => fold(value) === folded;
}

function fold(value: string): string {
  return value.toLowerCase();
}

function onStrings(matches: (value: string) => boolean): ValueMatcher {
  return (value) => typeof value === 'string' && matches(value);
}

function onNumbers(matches: (value: number) => boolean): ValueMatcher {
  return (value) => typeof value === 'number' && Math.abs(value) <= NUMERIC_LIMIT && matches(value);
}

function onlyMember(path: string, value: unknown): [string, unknown] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidEventPattern(path, 'must be a string, a number, true, false, null or a match expression');
  }
  const [member, ...more] = Object.entries(value);
  if (member === undefined || more.length > 0) {
    throw new InvalidEventPattern(path, 'a match expression has exactly one key');
  }
  return member;
}

function text(at: string, value: unknown): string {
  if (typeof value !== 'string') throw new InvalidEventPattern(at, 'must be a string');
  return value;
}

function texts(at: string, value: unknown): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) throw new InvalidEventPattern(at, 'must not be empty');
  return list.map((one) => text(at, one));
}

function scalars(at: string, value: unknown): (string | number)[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const strings = list.filter((one) => typeof one === 'string');
  const numbers = list.filter((one) => typeof one === 'number');
  if (list.length > 0 && strings.length === list.length) return strings;
  if (list.length > 0 && numbers.length === list.length) return numbers;
  throw new InvalidEventPattern(at, 'must be strings only or numbers only');
}
