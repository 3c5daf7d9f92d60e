import * as z from 'zod/mini';

const name = z.string().check(z.minLength(1));

/** Every function's environment. Names exist once, here; infra's environment has the type of these keys. */
const shared = {
  TABLE_NAME: name,
  LOG_LEVEL: z._default(z.enum(['DEBUG', 'INFO', 'WARN', 'ERROR']), 'INFO'),
};

const keyAccess = {
  /** Name of the role in every account; its ARN is built from the key's own partition and account. */
  READ_ROLE_NAME: name,
  EXTERNAL_ID: name,
};

const slack = {
  /** Name or ARN of the secret that holds the Slack credentials, see slack-secret.ts. */
  SLACK_SECRET_ID: name,
  /** Only for stand-ins and proxies; Slack's own address when unset. */
  SLACK_API_URL: z.optional(z.url()),
};

export const detectFindingEnv = z.object({
  ...shared,
  ...keyAccess,
  CREATIONS_QUEUE_URL: z.url(),
  CHANGES_QUEUE_URL: z.url(),
});

export const decideFindingEnv = z.object({ ...shared, ...slack });

export const remediateKeyEnv = z.object({ ...shared, ...keyAccess, REMEDIATE_ROLE_NAME: name });

export const announceFindingEnv = z.object({ ...shared, ...slack, TOPIC_ARN: name });

export const sweepKeysEnv = z.object({
  ...shared,
  ...keyAccess,
  TOPIC_ARN: name,
  /** Regions whose keys the sweep looks at, separated by commas. */
  WATCHED_REGIONS: z.string().check(z.regex(/^[a-z]{2}(-[a-z]+)+-\d(,[a-z]{2}(-[a-z]+)+-\d)*$/)),
  /** Units or roots of the organization, separated by commas, whose accounts are watched; without it only the function's own is. */
  WATCHED_UNITS: z.optional(name),
});

/** The environment is incomplete; named variable by variable, at start, not at the first use. */
export class InvalidEnvironment extends Error {
  public override readonly name = 'InvalidEnvironment';
}

/** @throws InvalidEnvironment */
export function parseEnv<T extends z.ZodMiniType>(schema: T, env: Record<string, string | undefined>): z.infer<T> {
  const result = schema.safeParse(env);
  if (result.success) return result.data;
  // What a variable holds may be a secret, so the complaint does not repeat it.
  const problems = result.error.issues.map(({ path, code }) => {
    const variable = path.join('.');
    return `${variable}: ${env[variable] === undefined ? 'is not set' : `is not usable (${code})`}`;
  });
  throw new InvalidEnvironment(`environment is not usable: ${problems.join('; ')}`);
}
