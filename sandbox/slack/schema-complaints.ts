import type * as z from 'zod';

type Issue = z.ZodError['issues'][number];

const article = (expected: string) => (/^[aeio]/.test(expected) ? 'an' : 'a');

function tooBig(origin: string, maximum: number): string {
  if (origin === 'string') return `must be less than ${maximum + 1} characters`;
  if (origin === 'array') return `no more than ${maximum} items allowed`;
  return `must be at most ${maximum}`;
}

function tooSmall(origin: string, minimum: number): string {
  if (origin === 'string') return `must be more than ${minimum - 1} characters`;
  if (origin === 'array') return `no fewer than ${minimum} items allowed`;
  return `must be at least ${minimum}`;
}

function complaints(issue: Issue, root: string): string[] {
  const pointer = (path: readonly PropertyKey[]) => `[json-pointer:${[root, ...path.map(String)].join('/')}]`;
  const here = pointer(issue.path);
  const parent = pointer(issue.path.slice(0, -1));
  const missing = `missing required field: ${String(issue.path.at(-1))} ${parent}`;
  switch (issue.code) {
    case 'invalid_type':
      return [
        issue.input === undefined ? missing : `must provide ${article(issue.expected)} ${issue.expected} ${here}`,
      ];
    case 'invalid_union':
      return typeof issue.input === 'object' && issue.input !== null && 'type' in issue.input
        ? [`unsupported type: ${String(issue.input.type)} ${parent}`]
        : [missing];
    case 'invalid_value':
      return [issue.input === undefined ? missing : `must be one of: ${issue.values.map(String).join(', ')} ${here}`];
    case 'too_big':
      return [`${tooBig(issue.origin, Number(issue.maximum))} ${here}`];
    case 'too_small':
      return [`${tooSmall(issue.origin, Number(issue.minimum))} ${here}`];
    case 'unrecognized_keys':
      return issue.keys.map((key) => `invalid additional property: ${key} ${here}`);
    case 'invalid_format':
    case 'not_multiple_of':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return [`${issue.message} ${here}`];
  }
}

/** Says what is wrong with a block or a view, in the words and with the JSON pointer that Slack uses; parse with `reportInput`. */
export function schemaComplaints(error: z.ZodError, root: string): string[] {
  return error.issues.flatMap((issue) => complaints(issue, root));
}
