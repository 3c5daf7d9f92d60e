import { KMSServiceException } from '@aws-sdk/client-kms';
import type { DeniedBy } from '../domain/assessment.ts';

/** KMS or STS could not answer now and may answer later: throttling, 5xx, network, a key whose state is about to change. */
export class TransientKmsError extends Error {
  public override readonly name = 'TransientKmsError';
}

/** The role of the account could not be assumed; `cause` is what STS, or the way to it, said. */
export class AssumeRoleFailed extends Error {
  public override readonly name = 'AssumeRoleFailed';
}

/** Why a call failed for good, in the words the domain has for it. `requestId` is KMS's, when it gave one. */
export type KmsFailure = { requestId: string | null } & (
  | { kind: 'access-denied'; operation: string; deniedBy: DeniedBy; principal: string }
  | { kind: 'not-found' }
  /** Disabled, pending deletion or import, or no material to rotate to: the key is no longer what it was. */
  | { kind: 'key-state' }
  | { kind: 'limit-exceeded' }
  | { kind: 'refused'; operation: string; code: string }
);

/** The call that failed: its IAM action, and the ARN of the role that made it. */
export type FailedCall = { operation: string; principal: string };

const ACCESS_DENIED = ['AccessDeniedException', 'AccessDenied'];
const KEY_STATE = ['DisabledException', 'KMSInvalidStateException'];

/**
 * Error codes that pass by themselves although their HTTP status is 4xx. AWS KMS API Reference, "Common Error Types" and
 * RotateKeyOnDemand (ConflictException: an automatic rotation runs or starts within 20 minutes).
 */
const TRANSIENT = [
  'ThrottlingException',
  'Throttling',
  'RequestTimeoutException',
  'RequestExpired',
  'ExpiredTokenException',
  'ConflictException',
];

/**
 * What a failed call means.
 * @throws TransientKmsError, with the error as its cause, when the same call may succeed later
 */
export function failureOf(error: unknown, call: FailedCall): KmsFailure {
  if (error instanceof AssumeRoleFailed) return answerFailure(error.cause, { ...call, operation: 'sts:AssumeRole' });
  return answerFailure(error, call);
}

function answerFailure(error: unknown, { operation, principal }: FailedCall): KmsFailure {
  const answer = answerOf(error);
  if (answer === null || answer.status >= 500 || TRANSIENT.includes(answer.code)) {
    const code = answer?.code ?? (error instanceof Error ? error.name : 'no answer');
    throw new TransientKmsError(`${operation}: ${code}`, { cause: error });
  }
  const { code, message, requestId } = answer;
  if (ACCESS_DENIED.includes(code)) {
    return { kind: 'access-denied', operation, deniedBy: deniedByOf(message), principal, requestId };
  }
  if (code === 'NotFoundException') return { kind: 'not-found', requestId };
  if (KEY_STATE.includes(code)) return { kind: 'key-state', requestId };
  if (code === 'LimitExceededException') return { kind: 'limit-exceeded', requestId };
  return { kind: 'refused', operation, code, requestId };
}

/** What a service answered, or null when the call got no answer: network, timeout. */
function answerOf(error: unknown): { code: string; status: number; message: string; requestId: string | null } | null {
  if (!isServiceAnswer(error)) return null;
  const { httpStatusCode, requestId } = error.$metadata;
  if (httpStatusCode === undefined) return null;
  return { code: error.name, status: httpStatusCode, message: error.message, requestId: requestId ?? null };
}

type ServiceAnswer = Pick<KMSServiceException, 'name' | 'message' | '$metadata'>;

/** STS's exceptions are of a class that the credential provider keeps to itself, so they are told by their shape. */
function isServiceAnswer(error: unknown): error is ServiceAnswer {
  if (error instanceof KMSServiceException) return true;
  return (
    error instanceof Error && '$metadata' in error && typeof error.$metadata === 'object' && error.$metadata !== null
  );
}

/** KMS has one code for every denial; only the message says which policy it was. IAM User Guide, "Troubleshoot access denied error messages". */
const POLICY_PHRASES: [string, DeniedBy][] = [
  ['service control policy', 'service-control-policy'],
  ['resource-based policy', 'key-policy'],
  ['identity-based policy', 'identity-policy'],
];

function deniedByOf(message: string): DeniedBy {
  return POLICY_PHRASES.find(([phrase]) => message.includes(phrase))?.[1] ?? 'unspecified';
}
