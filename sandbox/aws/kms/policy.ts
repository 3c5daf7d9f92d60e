import * as z from 'zod';
import { type Caller, callerArn, principalArn } from '../caller.ts';
import { malformedPolicy } from './errors.ts';

const oneOrMore = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());
const statementSchema = z.looseObject({
  Effect: z.enum(['Allow', 'Deny']),
  Principal: z.union([z.literal('*'), z.record(z.string(), oneOrMore)]).optional(),
  Action: oneOrMore.optional(),
  Resource: oneOrMore.optional(),
  Condition: z.record(z.string(), z.record(z.string(), oneOrMore)).optional(),
});
type Statement = z.infer<typeof statementSchema>;
const policySchema = z.looseObject({
  Statement: z.union([statementSchema, z.array(statementSchema)]).transform((value) => [value].flat()),
});

/** What a key policy says about one request: `delegated` when only the account's root is named, so that IAM decides. */
export type PolicyAnswer = 'denied' | 'allowed' | 'delegated' | 'silent';

export type PolicyRequest = {
  caller: Caller;
  /** As in `kms:EnableKeyRotation`. */
  action: string;
  keyArn: string;
  /** Values of condition keys besides those that follow from the caller, such as `kms:KeySpec`. */
  conditionValues: Record<string, string>;
};

/** The policy that KMS gives a key made without one (KMS Developer Guide, "Default key policy"). */
export function defaultKeyPolicy(accountId: string): string {
  return JSON.stringify(
    {
      Version: '2012-10-17',
      Id: 'key-default-1',
      Statement: [
        {
          Sid: 'Enable IAM User Permissions',
          Effect: 'Allow',
          Principal: { AWS: `arn:aws:iam::${accountId}:root` },
          Action: 'kms:*',
          Resource: '*',
        },
      ],
    },
    undefined,
    2,
  );
}

/** @throws AwsError MalformedPolicyDocumentException when the text is no policy */
export function checkPolicy(text: string): void {
  parsePolicy(text);
}

/**
 * Evaluates a key policy for one request: principals as ARNs, account ids and `*`, actions with wildcards, and the
 * string, ARN and numeric conditions on the keys known here. A statement with anything else counts as the strict reading
 * would: an Allow does not apply, a Deny does.
 */
export function evaluateKeyPolicy(policy: string, request: PolicyRequest): PolicyAnswer {
  const statements = parsePolicy(policy).Statement;
  const about = statements.filter((statement) => coversAction(statement, request));
  if (about.some((statement) => statement.Effect === 'Deny' && reaches(statement, request) !== 'nobody')) {
    return 'denied';
  }
  const reached = about.filter((statement) => statement.Effect === 'Allow').map((each) => reaches(each, request));
  if (reached.includes('caller')) return 'allowed';
  return reached.includes('account') ? 'delegated' : 'silent';
}

function parsePolicy(text: string): z.infer<typeof policySchema> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw malformedPolicy('The key policy is not valid JSON.');
  }
  const policy = policySchema.safeParse(json);
  if (!policy.success) throw malformedPolicy('Policy contains a statement with one or more invalid elements.');
  return policy.data;
}

function coversAction(statement: Statement, request: PolicyRequest): boolean {
  const actions = statement.Action;
  // NotAction is not understood here.
  if (actions === undefined) return statement.Effect === 'Deny';
  const resources = statement.Resource ?? ['*'];
  return (
    actions.some((action) => matches(action.toLowerCase(), request.action.toLowerCase())) &&
    resources.some((resource) => matches(resource, request.keyArn))
  );
}

/** Whom a statement reaches: the caller, the caller's whole account (an Allow then still needs IAM), or neither. */
function reaches(statement: Statement, request: PolicyRequest): 'caller' | 'account' | 'nobody' {
  const condition = conditionHolds(statement, request);
  if (condition === 'no' || (condition === 'unknown' && statement.Effect === 'Allow')) return 'nobody';
  if (statement.Principal === undefined) return statement.Effect === 'Deny' ? 'caller' : 'nobody';
  if (statement.Principal === '*') return 'caller';
  const named = statement.Principal['AWS'] ?? [];
  const caller = request.caller;
  if (named.some((arn) => arn === '*' || arn === principalArn(caller) || arn === callerArn(caller))) return 'caller';
  const account = named.some((arn) => arn === caller.accountId || arn === `arn:aws:iam::${caller.accountId}:root`);
  return account ? 'account' : 'nobody';
}

type Test = (actual: string, wanted: string) => boolean;
const equal: Test = (actual, wanted) => actual === wanted;
const like: Test = (actual, wanted) => matches(wanted, actual);
const numeric =
  (compare: (a: number, b: number) => boolean): Test =>
  (actual, wanted) =>
    compare(Number(actual), Number(wanted));

const OPERATORS: Record<string, { test: Test; negated: boolean } | undefined> = {
  StringEquals: { test: equal, negated: false },
  StringNotEquals: { test: equal, negated: true },
  StringLike: { test: like, negated: false },
  StringNotLike: { test: like, negated: true },
  ArnEquals: { test: like, negated: false },
  ArnNotEquals: { test: like, negated: true },
  ArnLike: { test: like, negated: false },
  ArnNotLike: { test: like, negated: true },
  NumericEquals: { test: numeric((a, b) => a === b), negated: false },
  NumericLessThan: { test: numeric((a, b) => a < b), negated: false },
  NumericLessThanEquals: { test: numeric((a, b) => a <= b), negated: false },
  NumericGreaterThan: { test: numeric((a, b) => a > b), negated: false },
  NumericGreaterThanEquals: { test: numeric((a, b) => a >= b), negated: false },
};

const KNOWN_CONDITION_KEYS = new Set([
  'aws:principalarn',
  'aws:principalaccount',
  'kms:calleraccount',
  'kms:keyspec',
  'kms:keyorigin',
  'kms:rotationperiodindays',
]);

function conditionHolds(statement: Statement, request: PolicyRequest): 'yes' | 'no' | 'unknown' {
  const values = new Map(
    Object.entries({
      'aws:PrincipalArn': principalArn(request.caller),
      'aws:PrincipalAccount': request.caller.accountId,
      'kms:CallerAccount': request.caller.accountId,
      ...request.conditionValues,
    }).map(([name, value]) => [name.toLowerCase(), value]),
  );
  let unknown = false;
  for (const [operatorName, tests] of Object.entries(statement.Condition ?? {})) {
    const operator = Object.hasOwn(OPERATORS, operatorName) ? OPERATORS[operatorName] : undefined;
    for (const [key, wanted] of Object.entries(tests)) {
      if (operator === undefined || !KNOWN_CONDITION_KEYS.has(key.toLowerCase())) {
        unknown = true;
        continue;
      }
      const actual = values.get(key.toLowerCase());
      const found = actual !== undefined && wanted.some((value) => operator.test(actual, value));
      if (found === operator.negated) return 'no';
    }
  }
  return unknown ? 'unknown' : 'yes';
}

/** `*` stands for any text, `?` for one character. */
export function matches(pattern: string, text: string): boolean {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's').test(text);
}
