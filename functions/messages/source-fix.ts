import type { Problem } from '../domain/assessment.ts';
import type { KeyIdentity } from '../domain/key.ts';
import { plain } from './plain.ts';

/** Lines that mend the problem where it comes from. */
export type SourceFix = { title: string; code: string };

/** What the key's owner can do without the bot: AWS CLI, and infrastructure as code where that has a setting for it. */
export function sourceFixes(problem: Problem, key: KeyIdentity, periodInDays: number): SourceFix[] {
  const target = `--key-id ${plain(key.arn, 200)} --region ${plain(key.region, 40)}`;
  switch (problem.verdict) {
    case 'rotation-off':
    case 'period-too-long':
      return [
        {
          title: 'AWS CLI',
          code: `aws kms enable-key-rotation ${target} --rotation-period-in-days ${periodInDays}`,
        },
        ...infrastructureFixes(periodInDays),
      ];
    case 'manual-rotation-due':
      return [
        {
          title: 'AWS CLI (on-demand rotation is an operation, so there is no Terraform or CDK line for it)',
          code: [
            ...(problem.pendingKeyMaterialId === null ? importCommands(target) : []),
            `aws kms rotate-key-on-demand ${target}`,
          ].join('\n'),
        },
      ];
    case 'unknown':
      return [];
  }
}

/** Settings of infrastructure as code that rotate a key at this period. */
export function infrastructureFixes(periodInDays: number): SourceFix[] {
  return [
    { ...TERRAFORM, code: `enable_key_rotation     = true\nrotation_period_in_days = ${periodInDays}` },
    { ...CDK, code: `enableKeyRotation: true,\nrotationPeriod: cdk.Duration.days(${periodInDays}),` },
  ];
}

const TERRAFORM: SourceFix = { title: 'Terraform, resource aws_kms_key', code: 'enable_key_rotation = true' };
const CDK: SourceFix = { title: 'AWS CDK, properties of kms.Key', code: 'enableKeyRotation: true,' };

/**
 * The one line of infrastructure as code that ends a drift loop, in the language of the tool that caused it; in
 * Terraform's and CDK's when the tool has no source, or is not known.
 */
export function driftFixes(tool: string | undefined): [SourceFix, ...SourceFix[]] {
  switch (tool ?? 'unknown tool') {
    case 'Terraform':
      return [TERRAFORM];
    case 'OpenTofu':
      return [{ ...TERRAFORM, title: 'OpenTofu, resource aws_kms_key' }];
    case 'AWS CloudFormation':
      return [{ title: 'AWS CloudFormation, AWS::KMS::Key', code: 'EnableKeyRotation: true' }, CDK];
    case 'Pulumi':
      return [{ title: 'Pulumi, aws.kms.Key', code: 'enableKeyRotation: true,' }];
    case 'Ansible':
      return [{ title: 'Ansible, amazon.aws.kms_key', code: 'enable_key_rotation: true' }];
    default:
      return [TERRAFORM, CDK];
  }
}

function importCommands(target: string): string[] {
  return [
    `aws kms get-parameters-for-import ${target} --wrapping-algorithm RSAES_OAEP_SHA_256 --wrapping-key-spec RSA_4096`,
    '# wrap the new key material with the public key of that answer, then:',
    `aws kms import-key-material ${target} --import-type NEW_KEY_MATERIAL --import-token fileb://import-token.bin --encrypted-key-material fileb://key-material.bin --expiration-model KEY_MATERIAL_DOES_NOT_EXPIRE`,
  ];
}
