import { AwsError } from '../aws-error.ts';
import { type Caller, callerArn } from '../caller.ts';
import { faultAnswer } from '../faults.ts';
import { denied } from './errors.ts';

/** The error that a planted fault stands for, with the key and the caller in the text where KMS has them there. */
export function plantedError(error: string, about: { caller: Caller; operation: string; resource: string }): AwsError {
  const deny = (reason: Parameters<typeof denied>[3]) =>
    denied(callerArn(about.caller), about.operation, about.resource, reason);
  const answer = faultAnswer('kms', error);
  switch (error) {
    case 'AccessDeniedException':
      return deny('unstated');
    case 'AccessDeniedException:scp':
      return deny('service-control-policy-deny');
    case 'AccessDeniedException:role':
      return deny('no-identity-policy');
    case 'AccessDeniedException:key-policy':
      return deny('no-key-policy');
    case 'NotFoundException':
      return new AwsError(answer.code, `Key '${about.resource}' does not exist`);
    case 'DisabledException':
      return new AwsError(answer.code, `${about.resource} is disabled.`);
    case 'KMSInvalidStateException':
      return new AwsError(answer.code, `${about.resource} is updating.`);
    default:
      return new AwsError(answer.code, answer.message, answer.status);
  }
}
