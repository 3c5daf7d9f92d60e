import { policyAdditions } from '../../../functions/messages/policy-statement.ts';
import { KEY } from '../../builders.ts';

const denial = {
  operation: 'EnableKeyRotation',
  principal: 'arn:aws-cn:sts::111122223333:assumed-role/kms-rotation-remediate/remediate-key',
  keyArn: KEY.arn,
};
const role = 'arn:aws-cn:iam::111122223333:role/kms-rotation-remediate';

function statements(over: Partial<Parameters<typeof policyAdditions>[0]>): unknown[] {
  return policyAdditions({ ...denial, deniedBy: 'key-policy', ...over }).map(({ json }) => JSON.parse(json) as unknown);
}

describe('policyAdditions', () => {
  it('lets the role, not its session, do what was denied in the key policy', () => {
    expect(statements({})).toEqual([
      {
        Sid: 'AllowKmsRotationBot',
        Effect: 'Allow',
        Principal: { AWS: role },
        Action: ['kms:EnableKeyRotation'],
        Resource: '*',
      },
    ]);
  });

  it('asks for everything that reading takes at once', () => {
    expect(statements({ deniedBy: 'identity-policy', operation: 'DescribeKey' })).toEqual([
      {
        Sid: 'AllowKmsRotationBot',
        Effect: 'Allow',
        Action: ['kms:DescribeKey', 'kms:GetKeyRotationStatus', 'kms:ListKeyRotations', 'kms:ListResourceTags'],
        Resource: KEY.arn,
      },
    ]);
  });

  it('allows ListAliases on every resource, because it names no key', () => {
    expect(statements({ deniedBy: 'identity-policy', operation: 'ListAliases' })).toMatchObject([
      { Action: ['kms:ListAliases'], Resource: '*' },
    ]);
  });

  it('exempts the role from a service control policy, which grants nothing', () => {
    expect(statements({ deniedBy: 'service-control-policy' })).toEqual([
      { Condition: { ArnNotLike: { 'aws:PrincipalArn': role } } },
    ]);
  });

  it('has two answers when AWS does not say which policy refuses', () => {
    expect(statements({ deniedBy: 'unspecified' })).toHaveLength(2);
  });

  it('points to the trust policy when the role cannot be assumed', () => {
    expect(statements({ operation: 'AssumeRole' })).toMatchObject([
      { Action: 'sts:AssumeRole', Principal: { AWS: role } },
    ]);
  });
});
