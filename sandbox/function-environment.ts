import type * as z from 'zod/mini';
import type {
  announceFindingEnv,
  decideFindingEnv,
  detectFindingEnv,
  remediateKeyEnv,
  sweepKeysEnv,
} from '../functions/contracts/env.ts';
import type { SlackSecret } from '../functions/contracts/slack-secret.ts';
import type { SecretsManager } from './aws/secrets-manager.ts';
import { type Deployed, TABLE_NAME } from './deploy.ts';
import { HUB_ACCOUNT, READ_ROLE, REGIONS, REMEDIATE_ROLE, UNIT_ID, WORKSPACE } from './world.ts';

const [HOME_REGION] = REGIONS;

/** Name of the secret with the Slack credentials. */
export const SLACK_SECRET_ID = 'kms-rotation-bot/slack';

/** Every variable that any of the functions reads. */
type Variables = z.input<typeof detectFindingEnv> &
  z.input<typeof decideFindingEnv> &
  z.input<typeof remediateKeyEnv> &
  z.input<typeof announceFindingEnv> &
  z.input<typeof sweepKeysEnv>;

/** The credentials of a Slack app, as the functions read them; by default of the simulated one. */
export function slackSecretOf(
  { signingSecret, botToken }: Pick<SlackSecret, 'signingSecret' | 'botToken'>,
  { botId, botUserId }: Pick<SlackSecret, 'botId' | 'botUserId'> = WORKSPACE,
): string {
  return JSON.stringify({ signingSecret, botToken, botId, botUserId } satisfies SlackSecret);
}

/** Puts this, and nothing else, where the functions look for the credentials; null leaves no secret there. */
export function storeSlackSecret(secrets: SecretsManager, content: string | null): void {
  const secret = { accountId: HUB_ACCOUNT.id, region: HOME_REGION, name: SLACK_SECRET_ID };
  secrets.remove(secret);
  if (content !== null) secrets.create({ ...secret, content });
}

/**
 * The environment of the functions, all of them in one process: in the names of functions/contracts/env.ts, and what
 * Lambda and the AWS SDK need besides.
 */
export function functionEnvironment({
  awsUrl,
  slackUrl,
  queues,
  topicArn,
  externalId,
  secretAccessKey,
}: {
  awsUrl: string;
  slackUrl: string;
  queues: Record<'creations' | 'changes', Pick<Deployed['creations'], 'url'>>;
  topicArn: string;
  externalId: string;
  secretAccessKey: string;
}): Record<string, string> {
  // The SDK takes a queue URL for the address to send to.
  const queueUrl = ({ url }: { url: string }) => awsUrl + new URL(url).pathname;
  const variables = {
    LOG_LEVEL: 'ERROR',
    TABLE_NAME,
    TOPIC_ARN: topicArn,
    CREATIONS_QUEUE_URL: queueUrl(queues.creations),
    CHANGES_QUEUE_URL: queueUrl(queues.changes),
    READ_ROLE_NAME: READ_ROLE,
    REMEDIATE_ROLE_NAME: REMEDIATE_ROLE,
    EXTERNAL_ID: externalId,
    WATCHED_REGIONS: REGIONS.join(','),
    WATCHED_UNITS: UNIT_ID,
    SLACK_API_URL: `${slackUrl}/api/`,
    SLACK_SECRET_ID,
  } satisfies Variables;
  return {
    AWS_ENDPOINT_URL: awsUrl,
    AWS_REGION: HOME_REGION,
    AWS_ACCESS_KEY_ID: HUB_ACCOUNT.id,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    // There is no CloudWatch that would read them out of the log.
    POWERTOOLS_METRICS_DISABLED: 'true',
    ...variables,
  };
}
