import { AwsError } from '../aws-error.ts';

/** Every status here is 400, as recorded from KMS; the two that are the service's own fault are 500. */
const kmsError = (code: string) => (message: string) => new AwsError(code, message);

export const validationException = kmsError('ValidationException');
export const notFound = kmsError('NotFoundException');
export const invalidArn = kmsError('InvalidArnException');
export const invalidState = kmsError('KMSInvalidStateException');
export const disabled = kmsError('DisabledException');
export const unsupported = kmsError('UnsupportedOperationException');
export const limitExceeded = kmsError('LimitExceededException');
export const conflict = kmsError('ConflictException');
export const alreadyExists = kmsError('AlreadyExistsException');
export const invalidMarker = kmsError('InvalidMarkerException');
export const tagException = kmsError('TagException');
export const malformedPolicy = kmsError('MalformedPolicyDocumentException');
export const accessDenied = kmsError('AccessDeniedException');

/** Why a call was denied; the ending of the sentence is how a bot can tell whose policy has to change. */
export type DenialReason =
  | 'no-key-policy'
  | 'key-policy-deny'
  | 'no-identity-policy'
  | 'service-control-policy-deny'
  | 'unstated';

/** AccessDeniedException in IAM's wording (IAM User Guide, "Troubleshoot access denied error messages"). */
export function denied(callerArn: string, operation: string, resource: string, reason: DenialReason): AwsError {
  const action = `kms:${operation}`;
  const sentence = `User: ${callerArn} is not authorized to perform: ${action} on resource: ${resource}`;
  switch (reason) {
    case 'no-key-policy':
      return accessDenied(`${sentence} because no resource-based policy allows the ${action} action`);
    case 'key-policy-deny':
      return accessDenied(`${sentence} with an explicit deny in a resource-based policy`);
    case 'no-identity-policy':
      return accessDenied(`${sentence} because no identity-based policy allows the ${action} action`);
    case 'service-control-policy-deny':
      return accessDenied(`${sentence} with an explicit deny in a service control policy`);
    case 'unstated':
      return accessDenied(sentence);
  }
}
