import * as z from 'zod';

const name = z.string().min(1);

/** Every function's environment. Names exist once, here; infra's environment has the type of these keys. */
const shared = {
  TABLE_NAME: name,
  LOG_LEVEL: z.enum(['DEBUG', 'INFO', 'WARN', 'ERROR']).default('INFO'),
};

const keyAccess = {
  /** Name of the role in every account; its ARN is built from the key's own partition and account. */
  READ_ROLE_NAME: name,
  EXTERNAL_ID: name,
};

const slack = {
  SLACK_BOT_TOKEN: name,
  /** Only for stand-ins and proxies; Slack's own address when unset. */
  SLACK_API_URL: z.url().optional(),
};

export const detectFindingEnv = z.object({
  ...shared,
  ...keyAccess,
  CREATIONS_QUEUE_URL: z.url(),
  CHANGES_QUEUE_URL: z.url(),
});

export const decideFindingEnv = z.object({
  ...shared,
  ...slack,
  SLACK_SIGNING_SECRET: name,
  SLACK_BOT_ID: name,
  SLACK_BOT_USER_ID: name,
});

export const remediateKeyEnv = z.object({ ...shared, ...keyAccess, REMEDIATE_ROLE_NAME: name });

export const announceFindingEnv = z.object({ ...shared, ...slack, TOPIC_ARN: name });

export const sweepKeysEnv = z.object({ ...shared, ...keyAccess, TOPIC_ARN: name });

/** The environment is incomplete; named variable by variable, at start, not at the first use. */
export class InvalidEnvironment extends Error {
  public override readonly name = 'InvalidEnvironment';
}

/** @throws InvalidEnvironment */
export function parseEnv<T extends z.ZodType>(schema: T, env: Record<string, string | undefined>): z.infer<T> {
  const result = schema.safeParse(env);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new InvalidEnvironment(`environment is not usable: ${problems.join('; ')}`);
}
