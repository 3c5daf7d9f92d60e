import * as z from 'zod/mini';

const credential = z.string().check(z.regex(/^[\x21-\x7e]{16,}$/));

/**
 * The Slack credentials: the content, as JSON, of one secret in Secrets Manager, written by `npm run slack:connect`.
 * A signing secret that is short or empty would be one that anybody can guess, so it is not taken.
 */
const slackSecretSchema = z.object({
  signingSecret: credential,
  botToken: credential,
  /** The ids that Slack's auth.test gives for the token; kept here so that no function has to ask. */
  botId: z.string().check(z.regex(/^B[A-Z0-9]+$/)),
  botUserId: z.string().check(z.regex(/^[UW][A-Z0-9]+$/)),
});

export type SlackSecret = z.infer<typeof slackSecretSchema>;

/** What the deployment puts into the secret: nothing that could ever pass for credentials. */
export const SLACK_SECRET_PLACEHOLDER = JSON.stringify({ slack: 'not connected' });

/** The secret's content is of no use; the message names fields and never what they hold. */
export class InvalidSlackSecret extends Error {
  public override readonly name = 'InvalidSlackSecret';
}

/** @throws InvalidSlackSecret */
export function parseSlackSecret(content: string): SlackSecret {
  if (content === SLACK_SECRET_PLACEHOLDER) {
    throw new InvalidSlackSecret('the secret holds only the placeholder of the deployment: run npm run slack:connect');
  }
  const result = slackSecretSchema.safeParse(parsed(content));
  if (result.success) return result.data;
  const fields = result.error.issues.map(({ path }) => path.join('.') || 'the whole, which has to be a JSON object');
  throw new InvalidSlackSecret(`the secret does not hold what it should: ${fields.join(', ')}`);
}

/** Undefined for what is no JSON: what the parser says about it would quote it. */
function parsed(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}
