import { isAlias, isNode, LineCounter, parseDocument, visit } from 'yaml';
import { InvalidPolicy, type PolicyProblem, parsePolicy } from '../contracts/policy.ts';
import type { Policy } from '../domain/policy.ts';

/**
 * Reads the text of a rotation policy. `document` is what was written, before defaults are filled in: the form to
 * store and to compare. Plain data only: anchors that would multiply, tags and key repetitions are mistakes here.
 * @throws InvalidPolicy naming line and column for what is wrong with the YAML, else the path in the document.
 */
export function readPolicyYaml(text: string): { policy: Policy; document: unknown } {
  const lines = new LineCounter();
  const yaml = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    resolveKnownTags: false,
    uniqueKeys: true,
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
    Node(_, node) {
      if (isNode(node) && isAlias(node)) {
        problems.push({ path: at(node.range?.[0] ?? 0), problem: `alias "*${node.source}": write the value out` });
      }
    },
  });
  if (problems.length > 0) throw new InvalidPolicy(problems);
  const document: unknown = yaml.toJS({ maxAliasCount: 0 });
  return { policy: parsePolicy(document), document };
}
