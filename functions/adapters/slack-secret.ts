import * as z from 'zod/mini';
import { parseSlackSecret, type SlackSecret } from '../contracts/slack-secret.ts';
import { type AwsService, AwsUnavailable, createAwsCall, type Environment } from './aws-fetch.ts';

/** There are no Slack credentials: nothing of Slack's can be verified, and nothing can be said in Slack. */
export class SlackSecretUnreadable extends Error {
  public override readonly name = 'SlackSecretUnreadable';
}

/** @throws SlackSecretUnreadable */
export type LoadSlackSecret = () => Promise<SlackSecret>;

const SECRETS_MANAGER: AwsService = {
  name: 'Secrets Manager',
  signingName: 'secretsmanager',
  target: 'secretsmanager',
  protocol: 'json-1.1',
  endpointVariable: 'AWS_ENDPOINT_URL_SECRETS_MANAGER',
  triedAgain: new Set(['ThrottlingException', 'InternalServiceError']),
};

/** A changed secret takes effect within this time everywhere, without a deployment. */
const CACHE_MS = 5 * 60_000;
/** A failure is remembered too, though shortly: whoever sends forged requests must not decide how often AWS is asked. */
const FAILURE_CACHE_MS = 10_000;
/** While Secrets Manager is silent, the last answer counts for so long. */
const LAST_ANSWER_MS = 60 * 60_000;

/** A secret may also be binary; this one is not. */
const secretAnswer = z.object({ SecretString: z._default(z.string(), '') });

type Memory = { askedAt: number; keptMs: number };

/**
 * Reads the Slack credentials, over fetch as everything in the function that people wait for. Who asks while the
 * answer is on its way waits for that one. While Secrets Manager does not answer, the last credentials count for an
 * hour; a refusal (deleted, access taken away) or unusable content counts at once.
 */
export function createSlackSecret({
  secretId,
  environment,
  now,
}: {
  secretId: string;
  environment: Environment;
  now: () => Date;
}): LoadSlackSecret {
  const call = createAwsCall(SECRETS_MANAGER, environment);
  let current: (Memory & { answer: Promise<SlackSecret> }) | undefined;
  let last: { askedAt: number; secret: SlackSecret } | undefined;

  // A clock that went back must not keep anything for ever.
  const isWithin = (at: number, milliseconds: number) => Math.abs(now().getTime() - at) < milliseconds;

  async function read(): Promise<SlackSecret> {
    const { SecretString: content } = secretAnswer.parse(await call('GetSecretValue', { SecretId: secretId }));
    return parseSlackSecret(content);
  }

  async function ask(memory: Memory): Promise<SlackSecret> {
    const { askedAt } = memory;
    try {
      const secret = await read();
      last = { askedAt, secret };
      return secret;
    } catch (cause) {
      memory.keptMs = FAILURE_CACHE_MS;
      if (!(cause instanceof AwsUnavailable)) last = undefined;
      if (last !== undefined && isWithin(last.askedAt, LAST_ANSWER_MS)) return last.secret;
      const why = cause instanceof Error ? cause.message : 'unknown';
      throw new SlackSecretUnreadable(`the Slack credentials in the secret ${secretId} cannot be used: ${why}`, {
        cause,
      });
    }
  }

  return () => {
    if (current === undefined || !isWithin(current.askedAt, current.keptMs)) {
      // Since it was asked, not since it was answered: a function frozen meanwhile asks again.
      const memory = { askedAt: now().getTime(), keptMs: CACHE_MS };
      current = Object.assign(memory, { answer: ask(memory) });
    }
    return current.answer;
  };
}
