import { READ_ACTIONS } from '../contracts/remedies.ts';
import type { DeniedBy } from '../domain/assessment.ts';
import { plain } from './plain.ts';

/** What AWS refused, to whom, and by which kind of policy as far as AWS said. */
export type Denial = { operation: string; deniedBy: DeniedBy; principal: string; keyArn: string };

/** One thing to add: where, in words, and exactly what. `json` is indented. */
export type PolicyAddition = { where: string; json: string };

const ASSUMED_ROLE = /^arn:(aws[a-z-]*):sts::(\d{12}):assumed-role\/([\w+=,.@-]+)\/[\w+=,.@-]+$/;
const ON_ANY_RESOURCE = ['kms:ListAliases'];

/**
 * What has to be added to which policy before the denied operation works. Reading takes several operations, so a
 * refused read asks for all of them at once, not for the next refusal. Where AWS did not say which policy refuses,
 * there are two answers, the likelier first. AWS KMS Developer Guide, "Key policies in AWS KMS"; Organizations User
 * Guide, "Service control policies": an SCP grants nothing, it can only stop to deny.
 */
export function policyAdditions(denial: Denial): [PolicyAddition, ...PolicyAddition[]] {
  const role = roleArn(denial.principal);
  const action = actionOf(denial.operation);
  if (action === 'sts:AssumeRole') return [inTrustPolicy(role)];
  switch (denial.deniedBy) {
    case 'key-policy':
      return [inKeyPolicy(role, action)];
    case 'identity-policy':
      return [inIdentityPolicy(action, denial.keyArn)];
    case 'service-control-policy':
      return [inServiceControlPolicy(role, action)];
    case 'unspecified':
      return [inKeyPolicy(role, action), inIdentityPolicy(action, denial.keyArn)];
  }
}

/** The policy in a reader's words, for sentences. */
export function policyName(deniedBy: DeniedBy): string {
  switch (deniedBy) {
    case 'key-policy':
      return 'the key policy';
    case 'identity-policy':
      return 'the identity policy of the role';
    case 'service-control-policy':
      return 'a service control policy of the organization';
    case 'unspecified':
      return 'a policy that AWS does not name';
  }
}

function inKeyPolicy(role: string, action: string): PolicyAddition {
  return {
    where: 'Add to the Statement list of the key policy:',
    json: indented({
      Sid: 'AllowKmsRotationBot',
      Effect: 'Allow',
      Principal: { AWS: role },
      Action: actionsFor(action),
      Resource: '*',
    }),
  };
}

function inIdentityPolicy(action: string, keyArn: string): PolicyAddition {
  const anyResource = ON_ANY_RESOURCE.includes(action);
  return {
    where: 'Add to the Statement list of the identity policy of the role:',
    json: indented({
      Sid: 'AllowKmsRotationBot',
      Effect: 'Allow',
      Action: anyResource ? [action] : actionsFor(action),
      Resource: anyResource ? '*' : keyArn,
    }),
  };
}

function inServiceControlPolicy(role: string, action: string): PolicyAddition {
  return {
    where: `Add to the service control policy's statement that denies ${action}:`,
    json: indented({ Condition: { ArnNotLike: { 'aws:PrincipalArn': role } } }),
  };
}

function inTrustPolicy(principal: string): PolicyAddition {
  return {
    where: "Add to the trust policy of the bot's role in the key's account, with the bot's external ID as a condition:",
    json: indented({
      Sid: 'AllowKmsRotationBot',
      Effect: 'Allow',
      Principal: { AWS: principal },
      Action: 'sts:AssumeRole',
    }),
  };
}

function actionsFor(action: string): string[] {
  const reads: string[] = READ_ACTIONS.filter((read) => !ON_ANY_RESOURCE.includes(read));
  return reads.includes(action) ? reads : [action];
}

function actionOf(operation: string): string {
  const name = plain(operation, 80);
  if (name === 'AssumeRole') return 'sts:AssumeRole';
  return name.includes(':') ? name : `kms:${name}`;
}

/** Policies name the role; CloudTrail and error messages name its session. */
function roleArn(principal: string): string {
  const [, partition, account, role] = ASSUMED_ROLE.exec(principal) ?? [];
  if (partition === undefined || account === undefined || role === undefined) return plain(principal, 300);
  return `arn:${partition}:iam::${account}:role/${role}`;
}

function indented(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
