import type { IKey } from 'aws-cdk-lib/aws-kms';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { SLACK_SECRET_PLACEHOLDER } from '../functions/contracts/slack-secret.ts';
import { acknowledge } from './acknowledge.ts';

/**
 * The credentials of the Slack app. The stack makes the secret, `npm run slack:connect` fills it: a deployment that does not
 * change the placeholder leaves the value alone.
 */
export class SlackSecret extends CfnSecret {
  /** The whole ARN, with the six characters that Secrets Manager adds to the name. */
  public readonly secretArn: string;

  public constructor(scope: Construct, id: string, { secretName, key }: { secretName: string; key: IKey }) {
    super(scope, id, {
      name: secretName,
      description: 'Slack app: signing secret, bot token, bot id, bot user id',
      kmsKeyId: key.keyArn,
      secretString: SLACK_SECRET_PLACEHOLDER,
    });
    this.secretArn = this.ref;
    const reason = 'Slack issues these credentials and cannot be told to replace them; they are replaced by hand.';
    acknowledge(this, {
      'AwsSolutions-SMG4': reason,
      'NIST.800.53.R5-SecretsManagerRotationEnabled': reason,
    });
  }
}
