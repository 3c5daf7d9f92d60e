import { createHash } from 'node:crypto';
import { DEFAULT_ACCOUNT, REGIONS, type Region } from '../world.ts';
import { AwsError } from './aws-error.ts';

type Credentials = { accessKeyId: string; fromConsole?: boolean; invokedBy?: string };

export type IamUserCaller = Credentials & { type: 'IAMUser'; accountId: string; userName: string };
export type AssumedRoleCaller = Credentials & {
  type: 'AssumedRole';
  accountId: string;
  roleName: string;
  /** With both slashes, as in `/aws-reserved/sso.amazonaws.com/`; an STS ARN never shows it, a role ARN does. */
  rolePath: string;
  sessionName: string;
  /** Milliseconds since 1970. */
  sessionStart: number;
};
export type RootCaller = Credentials & { type: 'Root'; accountId: string };
export type ServiceCaller = { type: 'AWSService'; accountId: string; invokedBy: string };

/** The identity that signed a request, with what CloudTrail says about it. */
export type Caller = IamUserCaller | AssumedRoleCaller | RootCaller | ServiceCaller;

/** Everything that a caller inside this process (the sandbox page) needs to act as somebody: who, from where, with what. */
export type RequestOrigin = { caller: Caller; sourceIp: string; userAgent: string };

/** Credentials that AssumeRole issued; `expiration` in milliseconds since 1970, simulated time. */
export type IssuedSession = { caller: AssumedRoleCaller; sessionToken: string; expiration: number };

export type SignedHeaders = { authorization: string | undefined; securityToken: string | undefined };

// TEST-NET-3 (RFC 5737): an address that cannot belong to anybody.
const OFFICE_IP = '203.0.113.24';
const PIPELINE_IP = '203.0.113.80';

const digest = (text: string, length: number) => createHash('sha256').update(text).digest('hex').slice(0, length);
const uniqueId = (prefix: 'AIDA' | 'AROA' | 'AKIA' | 'ASIA', seed: string) =>
  prefix + digest(prefix + seed, 16).toUpperCase();

/** Says whether the sandbox simulates that Region. */
export function isRegion(name: string): name is Region {
  return (REGIONS as readonly string[]).includes(name);
}

/**
 * Answers who signed a request and for which Region; signatures themselves are not verified. An access key id of 12
 * digits is that account, one issued by AssumeRole is its session, any other belongs to the default account.
 * @throws AwsError when there is no signature, the Region is not simulated, or the session is expired or forged
 */
export function readSignature(
  headers: SignedHeaders,
  findSession: (accessKeyId: string) => IssuedSession | undefined,
): { caller: Caller; region: Region } {
  if (headers.authorization === undefined || headers.authorization === '') {
    throw new AwsError('MissingAuthenticationTokenException', 'Request is missing Authentication Token');
  }
  const scope = /Credential=([^/,\s]+)\/\d{8}\/([^/,\s]+)\/[^/,\s]+\/aws4_request/.exec(headers.authorization);
  const [, accessKeyId, region] = scope ?? [];
  if (accessKeyId === undefined || region === undefined) {
    throw new AwsError(
      'IncompleteSignatureException',
      'The Authorization header has no Credential of the form <access key id>/<date>/<region>/<service>/aws4_request.',
    );
  }
  if (!isRegion(region)) {
    throw new AwsError(
      'UnrecognizedClientException',
      `The security token included in the request is invalid. The sandbox simulates ${REGIONS.join(' and ')}, not ${region}.`,
    );
  }
  const session = findSession(accessKeyId);
  if (session === undefined) return { caller: iamUser(accountOf(accessKeyId), 'cli-user', accessKeyId), region };
  if (headers.securityToken !== session.sessionToken) {
    throw new AwsError('UnrecognizedClientException', 'The security token included in the request is invalid.');
  }
  if (session.expiration <= Date.now()) {
    throw new AwsError('ExpiredTokenException', 'The security token included in the request is expired');
  }
  return { caller: session.caller, region };
}

function accountOf(accessKeyId: string): string {
  return /^\d{12}$/.test(accessKeyId) ? accessKeyId : DEFAULT_ACCOUNT;
}

/** An IAM user with a long-term access key. */
export function iamUser(accountId: string, userName: string, accessKeyId?: string): IamUserCaller {
  return {
    type: 'IAMUser',
    accountId,
    userName,
    accessKeyId: accessKeyId ?? uniqueId('AKIA', `${accountId}/${userName}`),
  };
}

/** A session of a role that begins now. */
export function assumedRole(role: {
  accountId: string;
  roleName: string;
  sessionName: string;
  rolePath?: string;
  accessKeyId?: string;
}): AssumedRoleCaller {
  return {
    type: 'AssumedRole',
    accountId: role.accountId,
    roleName: role.roleName,
    rolePath: role.rolePath ?? '/',
    sessionName: role.sessionName,
    sessionStart: Date.now(),
    accessKeyId: role.accessKeyId ?? uniqueId('ASIA', `${role.accountId}/${role.roleName}/${role.sessionName}`),
  };
}

/** The root user of an account, signed in to the console. */
export function rootUser(accountId: string): RequestOrigin {
  return {
    caller: { type: 'Root', accountId, accessKeyId: uniqueId('ASIA', `${accountId}/root`), fromConsole: true },
    sourceIp: OFFICE_IP,
    userAgent: 'AWS Internal',
  };
}

/** A person who signed in through IAM Identity Center and uses the AWS CLI; the session is named after the e-mail. */
export function identityCenterPerson(accountId: string, email: string, permissionSet?: string): RequestOrigin {
  return {
    caller: identityCenterSession(accountId, email, permissionSet),
    sourceIp: OFFICE_IP,
    userAgent: 'aws-cli/2.31.18 md/awscrt#0.27.6 ua/2.1 os/linux#6.8 md/arch#x86_64 lang/python#3.13.7 md/command#kms',
  };
}

/** The same person in the AWS console, which CloudTrail marks with `sessionCredentialFromConsole`. */
export function consolePerson(accountId: string, email: string, permissionSet?: string): RequestOrigin {
  return {
    caller: { ...identityCenterSession(accountId, email, permissionSet), fromConsole: true },
    sourceIp: OFFICE_IP,
    userAgent: 'AWS Internal',
  };
}

function identityCenterSession(
  accountId: string,
  email: string,
  permissionSet = 'PlatformEngineer',
): AssumedRoleCaller {
  return assumedRole({
    accountId,
    roleName: `AWSReservedSSO_${permissionSet}_${digest(`${accountId}/${permissionSet}`, 16)}`,
    rolePath: '/aws-reserved/sso.amazonaws.com/',
    sessionName: email,
  });
}

/** A Terraform run in a pipeline, under the role `terraform-deploy`. */
export function terraform(accountId: string): RequestOrigin {
  return {
    caller: assumedRole({ accountId, roleName: 'terraform-deploy', sessionName: 'aws-go-sdk-1780000000000000000' }),
    sourceIp: PIPELINE_IP,
    userAgent:
      'APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) terraform-provider-aws/5.80.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.32.5 os/linux lang/go#1.23.3 md/GOOS#linux md/GOARCH#amd64 api/kms#1.37.6',
  };
}

/** CloudFormation acting through its service role; address and agent are then the service's DNS name. */
export function cloudFormation(accountId: string): RequestOrigin {
  return {
    caller: {
      ...assumedRole({ accountId, roleName: 'cloudformation-deploy', sessionName: 'AWSCloudFormation' }),
      invokedBy: 'cloudformation.amazonaws.com',
    },
    sourceIp: 'cloudformation.amazonaws.com',
    userAgent: 'cloudformation.amazonaws.com',
  };
}

/** An AWS service acting for itself in an account, such as `ebs.amazonaws.com` when it makes `alias/aws/ebs`. */
export function awsService(accountId: string, invokedBy: string): RequestOrigin {
  return { caller: { type: 'AWSService', accountId, invokedBy }, sourceIp: invokedBy, userAgent: invokedBy };
}

/** The ARN that error messages and CloudTrail show: of a role that is the session's, not the role's. */
export function callerArn(caller: Caller): string {
  switch (caller.type) {
    case 'IAMUser':
      return `arn:aws:iam::${caller.accountId}:user/${caller.userName}`;
    case 'AssumedRole':
      return `arn:aws:sts::${caller.accountId}:assumed-role/${caller.roleName}/${caller.sessionName}`;
    case 'Root':
      return `arn:aws:iam::${caller.accountId}:root`;
    case 'AWSService':
      return caller.invokedBy;
  }
}

/** The value of `aws:PrincipalArn`: of a session that is the role's ARN (IAM User Guide, "AWS global condition context keys"). */
export function principalArn(caller: Caller): string {
  return caller.type === 'AssumedRole'
    ? `arn:aws:iam::${caller.accountId}:role${caller.rolePath}${caller.roleName}`
    : callerArn(caller);
}

/** The unique id that GetCallerIdentity calls UserId and CloudTrail principalId. */
export function principalId(caller: Caller): string {
  switch (caller.type) {
    case 'IAMUser':
      return uniqueId('AIDA', callerArn(caller));
    case 'AssumedRole':
      return `${uniqueId('AROA', principalArn(caller))}:${caller.sessionName}`;
    case 'Root':
      return caller.accountId;
    case 'AWSService':
      return caller.invokedBy;
  }
}

/** CloudTrail's `userIdentity` (CloudTrail User Guide, "userIdentity element"). */
export function userIdentity(caller: Caller): Record<string, unknown> {
  if (caller.type === 'AWSService') return { type: 'AWSService', invokedBy: caller.invokedBy };
  const base = {
    type: caller.type,
    principalId: principalId(caller),
    arn: callerArn(caller),
    accountId: caller.accountId,
    accessKeyId: caller.accessKeyId,
  };
  const invokedBy = caller.invokedBy === undefined ? {} : { invokedBy: caller.invokedBy };
  switch (caller.type) {
    case 'IAMUser':
      return { ...base, userName: caller.userName, ...invokedBy };
    case 'AssumedRole':
      return {
        ...base,
        sessionContext: {
          sessionIssuer: {
            type: 'Role',
            principalId: uniqueId('AROA', principalArn(caller)),
            arn: principalArn(caller),
            accountId: caller.accountId,
            userName: caller.roleName,
          },
          attributes: {
            creationDate: `${new Date(caller.sessionStart).toISOString().slice(0, 19)}Z`,
            mfaAuthenticated: 'false',
          },
        },
        ...invokedBy,
      };
    case 'Root':
      return { ...base, ...invokedBy };
  }
}

/** The same identity as KMS shows it where it goes on by itself, as in the new primary Region of UpdatePrimaryRegion. */
export function onBehalfOf(caller: Caller, invokedBy: string): Caller {
  return { ...caller, invokedBy };
}
