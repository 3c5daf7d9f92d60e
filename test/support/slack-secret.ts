import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { parseSlackSecret, type SlackSecret } from '../../functions/contracts/slack-secret.ts';
import { SLACK_SECRET_ID } from '../../sandbox/function-environment.ts';
import { HUB_ACCOUNT, REGIONS } from '../../sandbox/world.ts';

/** A client of the simulated Secrets Manager in the hub account. */
export function secretsManagerAt(awsUrl: string): SecretsManagerClient {
  const [region] = REGIONS;
  const credentials = { accessKeyId: HUB_ACCOUNT.id, secretAccessKey: 'any' };
  return new SecretsManagerClient({ endpoint: awsUrl, region, credentials, maxAttempts: 1 });
}

/** The credentials of a sandbox's Slack app, as the functions get them. */
export async function readSlackSecret(awsUrl: string): Promise<SlackSecret> {
  const client = secretsManagerAt(awsUrl);
  const { SecretString: content = '' } = await client.send(new GetSecretValueCommand({ SecretId: SLACK_SECRET_ID }));
  client.destroy();
  return parseSlackSecret(content);
}
