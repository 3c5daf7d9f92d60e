import { type Environment, Stack } from 'aws-cdk-lib';
import { CfnConfigRule, CfnOrganizationConformancePack } from 'aws-cdk-lib/aws-config';
import type { Construct } from 'constructs';
import type { Deployment } from '../deployment.ts';

/** AWS Config Developer Guide, "cmk-backing-key-rotation-enabled": periodic, no parameters. */
const RULE = {
  configRuleName: 'cmk-backing-key-rotation-enabled',
  description: 'Customer-managed KMS keys rotate. The rule does not look at the period.',
  maximumExecutionFrequency: 'TwentyFour_Hours',
  source: { owner: 'AWS', sourceIdentifier: 'CMK_BACKING_KEY_ROTATION_ENABLED' },
};

export type ConfigRuleStackProps = { env: Environment; deployment: Deployment };

/**
 * The managed rule of AWS Config about rotation, for one Region: a second opinion that does not depend on the bot, and
 * evidence for auditors. Of the account where there is no organization; otherwise of all its accounts, as a conformance
 * pack, which takes credentials of the management account or of a delegated administrator of AWS Config. AWS Config
 * has to record in every account and Region, or the deployment fails.
 */
export class ConfigRuleStack extends Stack {
  public constructor(scope: Construct, id: string, { env, deployment }: ConfigRuleStackProps) {
    super(scope, id, { env, description: 'AWS Config: customer-managed KMS keys rotate.' });
    if (deployment.organization === undefined) {
      new CfnConfigRule(this, 'Rotation', RULE);
      return;
    }
    new CfnOrganizationConformancePack(this, 'Rotation', {
      organizationConformancePackName: `${deployment.name}-rotation`,
      templateBody: JSON.stringify({
        Resources: {
          Rotation: {
            Type: 'AWS::Config::ConfigRule',
            Properties: {
              ConfigRuleName: RULE.configRuleName,
              Description: RULE.description,
              MaximumExecutionFrequency: RULE.maximumExecutionFrequency,
              Source: { Owner: RULE.source.owner, SourceIdentifier: RULE.source.sourceIdentifier },
            },
          },
        },
      }),
    });
  }
}
