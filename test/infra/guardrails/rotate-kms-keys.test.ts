import { App, Aspects, CfnParameter, Duration, Lazy, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { CfnKey, type CfnKeyProps, CfnReplicaKey, Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { AwsSolutionsChecks } from 'cdk-nag';
import * as z from 'zod/mini';
import { RotateKmsKeys, type RotateKmsKeysProps } from '../../../infra/guardrails/rotate-kms-keys.ts';

const KEY_POLICY = { Version: '2012-10-17', Statement: [] };

function stackWith(make: (stack: Stack) => void, props: RotateKmsKeysProps = {}): Stack {
  const app = new App();
  const stack = new Stack(app, 'orders');
  make(stack);
  RotateKmsKeys.of(app, props);
  return stack;
}
const stackWithKey = (key: Partial<CfnKeyProps>, props: RotateKmsKeysProps = {}) =>
  stackWith((stack) => new CfnKey(stack, 'Key', { keyPolicy: KEY_POLICY, ...key }), props);

const keys = z.array(
  z.looseObject({
    Properties: z.looseObject({
      EnableKeyRotation: z.optional(z.boolean()),
      RotationPeriodInDays: z.optional(z.unknown()),
    }),
  }),
);

/** What the template says of the rotation of its one key. */
function rotationIn(stack: Stack): [enabled: unknown, period: unknown] {
  const [key] = keys.parse(Object.values(Template.fromStack(stack).findResources('AWS::KMS::Key')));
  return [key?.Properties.EnableKeyRotation, key?.Properties.RotationPeriodInDays];
}
const warnings = (stack: Stack) => Annotations.fromStack(stack).findWarning('*', Match.anyValue()).length;
const infos = (stack: Stack) => Annotations.fromStack(stack).findInfo('*', Match.anyValue()).length;

describe('switches rotation on', () => {
  it.each<[string, (stack: Stack) => void]>([
    ['for a Key that says nothing', (stack) => new Key(stack, 'Key')],
    ['for a CfnKey that says nothing', (stack) => new CfnKey(stack, 'Key', { keyPolicy: KEY_POLICY })],
    ['for a multi-Region primary', (stack) => new Key(stack, 'Key', { multiRegion: true })],
    [
      'for a key that spells out what is the default',
      (stack) =>
        new CfnKey(stack, 'Key', {
          ...{
            keyPolicy: KEY_POLICY,
            keySpec: 'SYMMETRIC_DEFAULT',
            keyUsage: 'ENCRYPT_DECRYPT',
            origin: 'AWS_KMS',
            enabled: true,
          },
        }),
    ],
  ])('%s, and says so', (_, make) => {
    const stack = stackWith(make);
    expect(rotationIn(stack)).toEqual([true, 365]);
    expect([infos(stack), warnings(stack)]).toEqual([1, 0]);
  });

  it('with a warning for a key that says not to', () => {
    const stack = stackWith((scope) => new Key(scope, 'Key', { enableKeyRotation: false }));
    expect(rotationIn(stack)).toEqual([true, 365]);
    expect(warnings(stack)).toBe(1);
  });

  it('with a warning for a key that leaves it open until it is deployed', () => {
    const stack = stackWithKey({ enableKeyRotation: Lazy.any({ produce: () => false }) });
    expect(rotationIn(stack)).toEqual([true, 365]);
    expect(warnings(stack)).toBe(1);
  });

  it('after aspects that were added later without a priority', () => {
    const stack = stackWith((scope) => new Key(scope, 'Key'));
    Aspects.of(stack).add({
      visit: (node) => {
        if (node instanceof CfnKey) node.enableKeyRotation = false;
      },
    });
    expect(rotationIn(stack)).toEqual([true, 365]);
  });

  it('and satisfies a rule pack that found fault before', () => {
    const app = new App();
    const stack = new Stack(app, 'orders');
    new Key(stack, 'Key');
    const rules = () => new AwsSolutionsChecks(app).validateScope(stack).violations.map(({ ruleName }) => ruleName);
    expect(rules()).toContain('AwsSolutions-KMS5');
    RotateKmsKeys.of(app);
    app.synth();
    expect(rules()).not.toContain('AwsSolutions-KMS5');
  });
});

describe('the period', () => {
  it.each<[string, Partial<CfnKeyProps>, unknown]>([
    ['is shortened when it is too long', { rotationPeriodInDays: 730 }, 180],
    ['stays when it is shorter', { rotationPeriodInDays: 90 }, 90],
    ['is stated when rotation is on without one', {}, 180],
  ])('%s', (_, key, expected) => {
    expect(rotationIn(stackWithKey({ enableKeyRotation: true, ...key }, { periodInDays: 180 }))).toEqual([
      true,
      expected,
    ]);
  });

  it('stays, with a warning, when it is a parameter', () => {
    const stack = stackWith((scope) => {
      const days = new CfnParameter(scope, 'Days', { type: 'Number' });
      new CfnKey(scope, 'Key', {
        ...{ keyPolicy: KEY_POLICY, enableKeyRotation: true },
        rotationPeriodInDays: days.valueAsNumber,
      });
    });
    expect(rotationIn(stack)).toEqual([true, { Ref: 'Days' }]);
    expect(warnings(stack)).toBe(1);
  });

  it.each([89, 2561, 365.5])('cannot be %s days', (periodInDays) => {
    expect(() => {
      RotateKmsKeys.of(new App(), { periodInDays });
    }).toThrow(RangeError);
  });
});

describe('leaves alone', () => {
  it.each<[string, (stack: Stack) => void]>([
    [
      'asymmetric keys',
      (stack) => new Key(stack, 'Key', { keySpec: KeySpec.RSA_2048, keyUsage: KeyUsage.SIGN_VERIFY }),
    ],
    [
      'HMAC keys',
      (stack) => new Key(stack, 'Key', { keySpec: KeySpec.HMAC_256, keyUsage: KeyUsage.GENERATE_VERIFY_MAC }),
    ],
    ['keys with imported material', (stack) => new CfnKey(stack, 'Key', { keyPolicy: KEY_POLICY, origin: 'EXTERNAL' })],
    ['disabled keys', (stack) => new Key(stack, 'Key', { enabled: false })],
  ])('%s', (_, make) => {
    const stack = stackWith(make);
    expect(rotationIn(stack)).toEqual([undefined, undefined]);
    expect([infos(stack), warnings(stack)]).toEqual([0, 0]);
  });

  it('replicas', () => {
    const stack = stackWith((scope) => {
      new CfnReplicaKey(scope, 'Key', {
        keyPolicy: KEY_POLICY,
        primaryKeyArn: 'arn:aws:kms:eu-central-1:111122223333:key/mrk-1',
      });
    });
    Template.fromStack(stack).hasResourceProperties('AWS::KMS::ReplicaKey', { EnableKeyRotation: Match.absent() });
  });

  it('keys that already rotate often enough, without a word', () => {
    const stack = stackWith((scope) => {
      new Key(scope, 'Key', { enableKeyRotation: true, rotationPeriod: Duration.days(90) });
    });
    expect(rotationIn(stack)).toEqual([true, 90]);
    expect([infos(stack), warnings(stack)]).toEqual([0, 0]);
  });

  it('keys of which it cannot be told whether they rotate, with a warning', () => {
    const stack = stackWith((scope) => {
      const spec = new CfnParameter(scope, 'Spec');
      new CfnKey(scope, 'Key', { keyPolicy: KEY_POLICY, keySpec: spec.valueAsString });
    });
    expect(rotationIn(stack)).toEqual([undefined, undefined]);
    expect(warnings(stack)).toBe(1);
  });
});
