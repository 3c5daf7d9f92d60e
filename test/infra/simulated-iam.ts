import * as z from 'zod/mini';

const oneOrMore = z.pipe(
  z.union([z.string(), z.array(z.string())]),
  z.transform((value: string | string[]) => (typeof value === 'string' ? [value] : value)),
);

const statement = z.strictObject({
  Sid: z.optional(z.string()),
  Effect: z.enum(['Allow', 'Deny']),
  Action: oneOrMore,
  Resource: z.optional(oneOrMore),
  Principal: z.optional(z.record(z.string(), oneOrMore)),
  Condition: z._default(z.record(z.string(), z.record(z.string(), oneOrMore)), {}),
});

export const policyDocument = z.strictObject({ Version: z.literal('2012-10-17'), Statement: z.array(statement) });

/** One API call. The context holds condition keys; a key that is not there is missing from the request. */
export type SimulatedRequest = { action: string; resource?: string; context: Record<string, string> };

/**
 * A simulation of how IAM evaluates one policy document, as far as the policies of this project go: wildcards in
 * actions and resources, and the condition operators listed below. Principals are not judged. IAM User Guide, "Policy
 * evaluation logic" and "IAM JSON policy elements: Condition operators". An operator that is not simulated throws.
 * @returns the effect that the document alone has, `none` when no statement applies
 */
export function simulatePolicy(document: unknown, request: SimulatedRequest): 'Allow' | 'Deny' | 'none' {
  const applying = policyDocument
    .parse(document)
    .Statement.filter(
      ({ Action, Resource, Condition }) =>
        Action.some((pattern) => like(pattern.toLowerCase(), request.action.toLowerCase())) &&
        (Resource === undefined || Resource.some((pattern) => like(pattern, request.resource ?? ''))) &&
        Object.entries(Condition).every(([operator, keys]) =>
          Object.entries(keys).every(([key, values]) => holds(operator, values, request.context[key])),
        ),
    );
  if (applying.some(({ Effect }) => Effect === 'Deny')) return 'Deny';
  return applying.length > 0 ? 'Allow' : 'none';
}

/** Several values are alternatives, for a negated operator none of them may match; a missing key matches only negated ones. */
function holds(operator: string, values: string[], actual: string | undefined): boolean {
  const some = (matches: (value: string, actual: string) => boolean) =>
    actual !== undefined && values.some((value) => matches(value, actual));
  switch (operator) {
    case 'StringEquals':
      return some((value, given) => value === given);
    // ArnEquals and ArnLike behave the same.
    case 'ArnEquals':
    case 'ArnLike':
      return some(arnLike);
    case 'ArnNotLike':
      return !some(arnLike);
    case 'NumericGreaterThan':
      return some((value, given) => Number(given) > Number(value));
    case 'Null':
      return values.some((value) => (value === 'true') === (actual === undefined));
    default:
      throw new Error(`${operator} is not simulated`);
  }
}

/** Each of the six components is compared on its own: a wildcard does not reach across a colon. */
function arnLike(pattern: string, arn: string): boolean {
  const [wanted, given] = [pattern, arn].map((text) => {
    const parts = text.split(':');
    return [...parts.slice(0, 5), parts.slice(5).join(':')];
  });
  return wanted !== undefined && given !== undefined && wanted.every((part, index) => like(part, given[index] ?? ''));
}

function like(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}
