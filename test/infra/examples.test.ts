import { readFile } from 'node:fs/promises';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { parse } from 'yaml';
import * as z from 'zod/mini';
import { app } from '../../docs/examples/cdk/app.ts';
import { type Assessment, assess } from '../../functions/domain/assessment.ts';
import { readMaximumPeriodInDays } from '../../infra/guardrails/guardrail-stacks.ts';
import { aKey, DAY_ONE } from '../builders.ts';

const maximumPeriodInDays = await readMaximumPeriodInDays('rotation-policy.yaml');

const cloudFormationKey = z.looseObject({
  Type: z.literal('AWS::KMS::Key'),
  // What AWS::KMS::Key does when a property is not there.
  Properties: z.looseObject({
    EnableKeyRotation: z._default(z.boolean(), false),
    RotationPeriodInDays: z._default(z.number(), 365),
    KeySpec: z._default(z.string(), 'SYMMETRIC_DEFAULT'),
    KeyUsage: z._default(z.string(), 'ENCRYPT_DECRYPT'),
    Origin: z._default(z.string(), 'AWS_KMS'),
    Enabled: z._default(z.boolean(), true),
  }),
});

/** What the bot would say of the keys of a CloudFormation template once they are deployed. */
function judgeTemplate(document: unknown): Assessment[] {
  const { Resources } = z.object({ Resources: z.record(z.string(), z.unknown()) }).parse(document);
  return Object.values(Resources).flatMap((resource) => {
    const key = cloudFormationKey.safeParse(resource);
    if (!key.success) return [];
    const { EnableKeyRotation: enabled, RotationPeriodInDays: periodInDays, ...given } = key.data.Properties;
    return judge({
      enabled,
      periodInDays,
      keySpec: given.KeySpec,
      keyUsage: given.KeyUsage,
      origin: given.Origin,
      isOn: given.Enabled,
    });
  });
}

type Described = {
  enabled: boolean;
  periodInDays: number;
  keySpec: string;
  keyUsage: string;
  origin: string;
  isOn: boolean;
};

function judge({ enabled, periodInDays, isOn, ...facts }: Described): Assessment {
  const key = aKey({ ...facts, keyState: isOn ? 'Enabled' : 'Disabled' });
  const reading = enabled
    ? { kind: 'automatic' as const, enabled, periodInDays }
    : { kind: 'automatic' as const, enabled };
  return assess({ seen: 'key', facts: key, reading }, { maximumPeriodInDays }, DAY_ONE);
}

/**
 * The same for Terraform, as far as it is read here: the plain `name = value` lines at the top of each aws_kms_key
 * block, formatted as `terraform fmt` does it. Variables, modules and everything else of the language are not
 * understood, and a value that is no literal is a failure.
 */
function judgeTerraform(text: string): Assessment[] {
  return [...text.matchAll(/^resource "aws_kms_key" "[\w-]+" \{\n(?<body>.*?)^\}/gms)].map(({ groups }) => {
    const values = new Map(
      [...(groups?.['body'] ?? '').matchAll(/^ {2}(?<name>\w+) += (?<value>.+)$/gm)].map(
        ({ groups: line }) => [line?.['name'], line?.['value'] ?? ''] as const,
      ),
    );
    const literal = <T>(name: string, schema: z.ZodMiniType<T>, otherwise: T): T => {
      const value = values.get(name);
      return value === undefined ? otherwise : schema.parse(JSON.parse(value));
    };
    return judge({
      enabled: literal('enable_key_rotation', z.boolean(), false),
      periodInDays: literal('rotation_period_in_days', z.number(), 365),
      keySpec: literal('customer_master_key_spec', z.string(), 'SYMMETRIC_DEFAULT'),
      keyUsage: literal('key_usage', z.string(), 'ENCRYPT_DECRYPT'),
      origin: 'AWS_KMS',
      isOn: literal('is_enabled', z.boolean(), true),
    });
  });
}

const compliant: Assessment = { verdict: 'compliant' };
const off: Assessment = { verdict: 'rotation-off' };
const tooLong: Assessment = { verdict: 'period-too-long', periodInDays: 366, maximumPeriodInDays };

describe('CloudFormation', () => {
  const judgeYaml = (text: string) => judgeTemplate(parse(text));

  it('makes a key that the bot has nothing to say about', async () => {
    expect(judgeYaml(await readFile('docs/examples/cloudformation/key.yaml', 'utf8'))).toEqual([compliant]);
  });

  it('makes a finding without the lines about rotation', async () => {
    const example = await readFile('docs/examples/cloudformation/key.yaml', 'utf8');
    expect(judgeYaml(example.replace('EnableKeyRotation: true', 'EnableKeyRotation: false'))).toEqual([off]);
    expect(judgeYaml(example.replace(/^ +EnableKeyRotation: true\n/m, ''))).toEqual([off]);
    expect(judgeYaml(example.replace('RotationPeriodInDays: 365', 'RotationPeriodInDays: 366'))).toEqual([tooLong]);
  });
});

describe('Terraform', () => {
  it('makes a key that the bot has nothing to say about', async () => {
    expect(judgeTerraform(await readFile('docs/examples/terraform/main.tf', 'utf8'))).toEqual([compliant]);
  });

  it('makes a finding without the lines about rotation', async () => {
    const example = await readFile('docs/examples/terraform/main.tf', 'utf8');
    expect(judgeTerraform(example.replace(/(enable_key_rotation +=) true/, '$1 false'))).toEqual([off]);
    expect(judgeTerraform(example.replace(/^ +enable_key_rotation .*\n/m, ''))).toEqual([off]);
    expect(judgeTerraform(example.replace('in_days = 365', 'in_days = 366'))).toEqual([tooLong]);
  });
});

it('CDK makes keys that the bot has nothing to say about', () => {
  const [stack] = app.node.children.filter((child) => Stack.isStack(child));
  expect(judgeTemplate(Template.fromStack(stack ?? new Stack()).toJSON())).toEqual([compliant, compliant]);
});
