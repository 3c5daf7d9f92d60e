import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import * as z from 'zod/mini';

const accountId = z.string().check(z.regex(/^\d{12}$/, 'expected a 12-digit account id in quotes'));
const region = z.string().check(z.regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'expected a Region such as eu-central-1'));
const nonEmpty = <T extends z.ZodMiniType>(item: T) => z.array(item).check(z.minLength(1));
const organizationTarget = z
  .string()
  .check(z.regex(/^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32})$/, 'expected a root (r-…) or unit (ou-…-…) id'));
const policyTarget = z.union([organizationTarget, accountId]);
const concurrency = z.nullable(z.int().check(z.minimum(1), z.maximum(1000)));

/** Days that CloudWatch Logs accepts (PutRetentionPolicy, `retentionInDays`). */
const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

/** The deployment file. Every key is documented in the example at the root, `deployment.yaml`. */
export const deploymentSchema = z
  .strictObject({
    version: z.literal(1),
    name: z._default(
      z.string().check(z.regex(/^[a-z][a-z0-9-]{0,23}$/, 'expected at most 24 lower-case letters, digits and hyphens')),
      'kms-rotation-bot',
    ),
    hub: z.strictObject({ account: accountId, region }),
    regions: nonEmpty(region),
    // sts:ExternalId, IAM User Guide, "IAM and AWS STS quotas": 2 to 1224 characters of this set.
    externalId: z
      .string()
      .check(z.regex(/^[\w+=,.@:/-]{2,1224}$/, 'expected 2 to 1224 characters of A-Z a-z 0-9 _+=,.@:/-')),
    organization: z.optional(
      z.strictObject({
        id: z.string().check(z.regex(/^o-[a-z0-9]{10,32}$/, 'expected an organization id such as o-exampleorgid')),
        targets: nonEmpty(organizationTarget),
        callAs: z._default(z.enum(['SELF', 'DELEGATED_ADMIN']), 'DELEGATED_ADMIN'),
      }),
    ),
    operations: z.strictObject({
      alarmEmails: z._default(z.array(z.email()), []),
      runbookUrl: z.url(),
      logRetentionDays: z._default(z.literal(RETENTION_DAYS), 365),
      reservedConcurrency: z._default(z.strictObject({ decideFinding: concurrency, announceFinding: concurrency }), {
        decideFinding: 20,
        announceFinding: 5,
      }),
    }),
    guardrails: z._default(
      z.strictObject({
        serviceControlPolicy: z.optional(
          z.strictObject({
            targets: nonEmpty(policyTarget),
            breakGlassRoles: nonEmpty(
              z.string().check(z.regex(/^arn:[a-z*-]+:iam::[\d*]+:role\/.+$/, 'expected a pattern of role ARNs')),
            ),
          }),
        ),
        configRule: z._default(z.boolean(), false),
      }),
      { configRule: false },
    ),
  })
  .check(
    z.refine(({ hub, regions }) => regions.includes(hub.region), {
      path: ['regions'],
      error: 'the Region of the hub has to be among the watched',
    }),
    z.refine(({ regions }) => new Set(regions).size === regions.length, { path: ['regions'], error: 'named twice' }),
    z.refine(
      ({ organization, guardrails }) => organization !== undefined || guardrails.serviceControlPolicy === undefined,
      {
        path: ['guardrails', 'serviceControlPolicy'],
        error: 'a service control policy needs an organization',
      },
    ),
  );

export type Deployment = z.infer<typeof deploymentSchema>;

/** The deployment file cannot be used; the message says where and why, line by line. */
export class InvalidDeployment extends Error {
  public override readonly name = 'InvalidDeployment';
}

/** @throws InvalidDeployment when the file is missing, is no YAML, or says something that is not allowed. */
export async function readDeployment(path: string): Promise<Deployment> {
  let document: unknown;
  try {
    document = parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new InvalidDeployment(`${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
  const result = deploymentSchema.safeParse(document);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    ({ path: place, message }) => `  ${place.join('.') || '(file)'}: ${message}`,
  );
  throw new InvalidDeployment(`${path} is not a valid deployment:\n${problems.join('\n')}`);
}

/**
 * The names by which the hub and the member accounts know each other. They are fixed and not made by CloudFormation,
 * because a trust policy in one account has to name a role of another before that role exists.
 */
export function namesOf({ name }: Pick<Deployment, 'name'>) {
  return {
    /** Roles in every watched account, assumed by the functions. */
    readRole: `${name}-read`,
    remediateRole: `${name}-remediate`,
    /** Role in every watched account with which EventBridge sends to the hub's bus. */
    forwardRole: `${name}-forward`,
    /** The rule in every watched account and Region that sends to the hub's bus. */
    forwardRule: `${name}-forward`,
    /** The hub's event bus. */
    eventBus: name,
    /** The hub's secret with the Slack credentials. */
    slackSecret: `${name}/slack`,
    /** The findings table, in the hub's Region. */
    table: name,
    /** The execution role of a function, in the hub account. */
    functionRole: (functionName: string) => `${name}-${functionName}`,
    /** Stacks. */
    hubStack: `${name}-hub`,
    memberStack: `${name}-member`,
    organizationStack: `${name}-organization`,
    guardrailsStack: `${name}-guardrails`,
  };
}
