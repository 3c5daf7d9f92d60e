import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { simulatedSecret } from '../simulated-secret.ts';
import { ACCOUNTS, HUB_ACCOUNT, READ_ROLE, REMEDIATE_ROLE } from '../world.ts';
import { AwsError } from './aws-error.ts';
import { assumedRole, type Caller, callerArn, type IssuedSession, principalId } from './caller.ts';
import { escapeXml, queryAnswer } from './query-protocol.ts';

export const STS_NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';

/** A role's longest session and the longest one of a chained role are the same here: AWS's default of an hour. */
const MAX_SESSION_SECONDS = 3600;

export type StsOptions = {
  /** Roles that demand an external id, and which. */
  externalIds?: Partial<Record<typeof READ_ROLE | typeof REMEDIATE_ROLE, string>>;
};

export type Sts = {
  /**
   * Answers an action of the query protocol with its XML.
   * @throws AwsError that the caller turns into the protocol's error shape
   */
  call: (request: { action: string; parameters: URLSearchParams; caller: Caller; requestId: string }) => string;
  /** The session that an access key id belongs to, expired or not. */
  findSession: (accessKeyId: string) => IssuedSession | undefined;
};

const assumeRoleInput = z.object({
  RoleArn: z.string().regex(/^arn:aws:iam::\d{12}:role\/.+$/),
  RoleSessionName: z
    .string()
    .min(2)
    .max(64)
    .regex(/^[\w+=,.@-]*$/),
  DurationSeconds: z.coerce.number().int().min(900).max(43200).optional(),
  ExternalId: z.string().min(2).max(1224).optional(),
});

/**
 * A simulated AWS STS. The bot's two roles exist in every account of the sandbox and trust the hub account alone;
 * no other role can be assumed.
 */
export function createSts(options: StsOptions = {}): Sts {
  const sessions = new Map<string, IssuedSession>();

  function assumeRole(parameters: URLSearchParams, caller: Caller): string {
    const input = assumeRoleInput.safeParse(Object.fromEntries(parameters));
    if (!input.success) throw invalidParameters(input.error);
    const { RoleArn, RoleSessionName, DurationSeconds = MAX_SESSION_SECONDS, ExternalId } = input.data;
    const role = trustedRole(RoleArn);
    const isTrusted =
      role !== undefined &&
      caller.accountId === HUB_ACCOUNT.id &&
      (options.externalIds?.[role.name] === undefined || options.externalIds[role.name] === ExternalId);
    if (!isTrusted) {
      throw new AwsError(
        'AccessDenied',
        `User: ${callerArn(caller)} is not authorized to perform: sts:AssumeRole on resource: ${RoleArn}`,
        403,
      );
    }
    if (DurationSeconds > MAX_SESSION_SECONDS) {
      throw new AwsError(
        'ValidationError',
        'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
      );
    }
    const accessKeyId = `ASIA${randomBytes(8).toString('hex').toUpperCase()}`;
    const session: IssuedSession = {
      caller: assumedRole({
        accountId: role.accountId,
        roleName: role.name,
        sessionName: RoleSessionName,
        accessKeyId,
      }),
      sessionToken: simulatedSecret(96),
      expiration: Date.now() + DurationSeconds * 1000,
    };
    sessions.set(accessKeyId, session);
    return [
      '<AssumedRoleUser>',
      `<AssumedRoleId>${escapeXml(principalId(session.caller))}</AssumedRoleId>`,
      `<Arn>${escapeXml(callerArn(session.caller))}</Arn>`,
      '</AssumedRoleUser>',
      '<Credentials>',
      `<AccessKeyId>${accessKeyId}</AccessKeyId>`,
      `<SecretAccessKey>${simulatedSecret(30)}</SecretAccessKey>`,
      `<SessionToken>${session.sessionToken}</SessionToken>`,
      `<Expiration>${new Date(session.expiration).toISOString()}</Expiration>`,
      '</Credentials>',
    ].join('');
  }

  return {
    call({ action, parameters, caller, requestId }) {
      switch (action) {
        case 'AssumeRole':
          return queryAnswer({ action, namespace: STS_NAMESPACE, requestId, result: assumeRole(parameters, caller) });
        case 'GetCallerIdentity':
          return queryAnswer({ action, namespace: STS_NAMESPACE, requestId, result: identityOf(caller) });
        default:
          throw new AwsError('InvalidAction', `Could not find operation ${action} for version 2011-06-15`);
      }
    },
    findSession: (accessKeyId) => sessions.get(accessKeyId),
  };
}

function identityOf(caller: Caller): string {
  return [
    `<Arn>${escapeXml(callerArn(caller))}</Arn>`,
    `<UserId>${escapeXml(principalId(caller))}</UserId>`,
    `<Account>${caller.accountId}</Account>`,
  ].join('');
}

function trustedRole(arn: string): { accountId: string; name: typeof READ_ROLE | typeof REMEDIATE_ROLE } | undefined {
  const [, accountId, name] = /^arn:aws:iam::(\d{12}):role\/(.+)$/.exec(arn) ?? [];
  const account = ACCOUNTS.find((known) => known.id === accountId);
  return account !== undefined && (name === READ_ROLE || name === REMEDIATE_ROLE)
    ? { accountId: account.id, name }
    : undefined;
}

function invalidParameters(error: z.ZodError): AwsError {
  const fields = error.issues.map((issue) => issue.path.join('.'));
  return new AwsError(
    'ValidationError',
    `${fields.length} validation error${fields.length === 1 ? '' : 's'} detected: Value at ${fields.map((field) => `'${field.charAt(0).toLowerCase()}${field.slice(1)}'`).join(', ')} failed to satisfy constraint`,
  );
}
