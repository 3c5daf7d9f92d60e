import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import type { Deployment } from '../deployment.ts';

/**
 * Where alarms are told, and that they are over. It is not the topic of the notices: those who are woken up need not read
 * every audit event. E-mail addresses have to confirm; other subscribers (chat, pager) are added to the topic by its ARN.
 */
export class AlarmTopic extends Topic {
  public constructor(scope: Construct, id: string, { deployment, key }: { deployment: Deployment; key: IKey }) {
    super(scope, id, { topicName: `${deployment.name}-alarms`, masterKey: key, enforceSSL: true });
    const { account, partition, region } = Stack.of(this);
    const cloudWatch = new ServicePrincipal('cloudwatch.amazonaws.com');
    // A topic with a policy of its own (TLS only) has no longer the default one, which lets the account's alarms in.
    this.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsOfTheAccount',
        principals: [cloudWatch],
        actions: ['sns:Publish'],
        resources: [this.topicArn],
        conditions: {
          StringEquals: { 'aws:SourceAccount': account },
          ArnLike: {
            'aws:SourceArn': `arn:${partition}:cloudwatch:${region}:${account}:alarm:${deployment.name}-*`,
          },
        },
      }),
    );
    // SNS Developer Guide, "Enable compatibility between event sources from AWS services and encrypted topics".
    key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'CloudWatchAlarmsIntoTopic',
        principals: [cloudWatch],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': account } },
      }),
    );
    for (const address of deployment.operations.alarmEmails) this.addSubscription(new EmailSubscription(address));
  }
}
