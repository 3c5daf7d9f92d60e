import type { RemediationFailure } from '../domain/remedy.ts';
import type { Phrase } from './phrase.ts';
import { plain } from './plain.ts';
import { policyName } from './policy-statement.ts';
import { problemSentence } from './problem-sentence.ts';

/** Why a remediation did not succeed, in plain words. */
export function failureSentence(failure: RemediationFailure): Phrase[] {
  switch (failure.because) {
    case 'policy-denies': {
      const { operation, deniedBy, principal } = failure;
      return [
        `${plain(operation, 80)} was refused to ${plain(principal, 300)} by ${policyName(deniedBy)}; somebody has to change it first.`,
      ];
    }
    case 'not-confirmed':
      return [
        `KMS accepted the call, but the key did not read back as expected in time: expected ${plain(failure.expected, 200)}, last read ${plain(failure.lastRead, 200)}. It may still take effect; a re-check tells.`,
      ];
    case 'key-changed':
      return ['The key was no longer what had been approved, so nothing was done: ', ...problemSentence(failure.found)];
    case 'rotation-limit-reached':
      return [
        'KMS allows 25 on-demand rotations per key, and this key has used them. The quota cannot be raised: the key has to be replaced by a new one.',
      ];
    case 'kms-refused':
      return [`KMS refused ${plain(failure.operation, 80)} with ${plain(failure.code, 80)}.`];
    case 'no-result':
      return [
        `No result came in, after ${failure.attempts} reports that it is overdue. Nobody knows yet what happened.`,
      ];
  }
}
