import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Scalar,
  visit,
  type YAMLMap,
} from 'yaml';
import { InvalidPolicy, type PolicyProblem, parsePolicy } from '../contracts/policy.ts';
import type { Policy } from '../domain/policy.ts';

/** The table cannot hold more; a policy for a thousand accounts has a fifth of it. */
const MAXIMUM_CHARACTERS = 400_000;

/** Deeper than any policy; below the depth at which recursion over the document runs out of stack. */
const MAXIMUM_DEPTH = 50;

/**
 * Reads the text of a rotation policy. `document` is what was written, before defaults are filled in: the form to
 * store and to compare. Plain data only: anchors that would multiply, tags and key repetitions are mistakes here.
 * @throws InvalidPolicy naming line and column, and, where the YAML is right and what it says is not, the path too.
 */
export function readPolicyYaml(text: string): { policy: Policy; document: unknown } {
  if (text.length > MAXIMUM_CHARACTERS) {
    throw new InvalidPolicy([{ path: '(document)', problem: `expected at most ${MAXIMUM_CHARACTERS} characters` }]);
  }
  const lines = new LineCounter();
  const yaml = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    resolveKnownTags: false,
    // Checked below: the library compares every key with every other.
    uniqueKeys: false,
    strict: true,
    stringKeys: true,
    prettyErrors: false,
    lineCounter: lines,
  });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `line ${line}, column ${col}`;
  };
  // Warnings are unresolved tags: the value would silently become something other than what was meant.
  const problems: PolicyProblem[] = [...yaml.errors, ...yaml.warnings].map(({ pos, message }) => ({
    path: at(pos[0]),
    problem: message,
  }));
  visit(yaml, {
    Node(_, node, path) {
      if (path.length > MAXIMUM_DEPTH) {
        problems.push({ path: at(startOf(node)), problem: 'nested too deeply' });
        return visit.BREAK;
      }
      if (isAlias(node)) {
        problems.push({ path: at(startOf(node)), problem: `alias "*${node.source}": write the value out` });
      }
      if (isMap(node)) {
        for (const key of repeatedKeys(node)) {
          problems.push({ path: at(startOf(key)), problem: `Map keys must be unique: "${String(key.value)}"` });
        }
      }
      return undefined;
    },
  });
  if (problems.length > 0) throw new InvalidPolicy(problems);
  const document: unknown = yaml.toJS({ maxAliasCount: 0 });
  const policy = parsePolicy(document, (path) => {
    const offset = offsetOf(yaml.contents, path);
    return offset === null ? null : at(offset);
  });
  return { policy, document };
}

/** Where the deepest part of a path that exists begins: what is missing is missing there. Null for an empty file. */
function offsetOf(contents: unknown, path: readonly PropertyKey[]): number | null {
  let offset: number | null = isNode(contents) ? startOf(contents) : null;
  let node = contents;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) break;
      offset = startOf(pair.key);
      node = pair.value;
    } else if (isSeq(node) && typeof step === 'number') {
      node = node.items[step];
      if (!isNode(node)) break;
      offset = startOf(node);
    } else break;
  }
  return offset;
}

/** Of scalars only: maps and lists as keys are mistakes anyway, and to write one out can take exponential room. */
function repeatedKeys({ items }: YAMLMap): Scalar[] {
  const seen = new Set<unknown>();
  return items.flatMap(({ key }) => {
    if (!isScalar(key)) return [];
    const isRepeated = seen.has(key.value);
    seen.add(key.value);
    return isRepeated ? [key] : [];
  });
}

function startOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}
