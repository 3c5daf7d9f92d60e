import {
  DisableKeyRotationCommand,
  EnableKeyRotationCommand,
  type KMSClient,
  RotateKeyOnDemandCommand,
} from '@aws-sdk/client-kms';
import type { KeyIdentity } from '../domain/key.ts';
import type { RemediationFailure } from '../domain/remedy.ts';
import { createKmsClients, type KeyAccess } from './kms-clients.ts';
import { failureOf, type KmsFailure } from './kms-errors.ts';

/** What became of a change. `key-not-ready`: the key must be looked at again before anything can be said. */
export type Change =
  | { outcome: 'accepted'; kmsRequestId: string | null }
  | { outcome: 'refused'; failure: RemediationFailure; kmsRequestId: string | null }
  | { outcome: 'key-not-ready' };

/** The only three calls with which the bot changes a key. They throw TransientKmsError for what may pass by itself. */
export type KeyChanges = {
  enableRotation: (key: KeyIdentity, rotationPeriodInDays: number) => Promise<Change>;
  disableRotation: (key: KeyIdentity) => Promise<Change>;
  rotateOnDemand: (key: KeyIdentity) => Promise<Change>;
};

type Answer = { $metadata: { requestId?: string | undefined } };

/** Changes keys in every account and Region through the role of `access`. */
export function createKeyChanges(access: KeyAccess): KeyChanges {
  const { clientFor, principalFor } = createKmsClients(access);

  async function change(
    key: KeyIdentity,
    operation: string,
    call: (client: KMSClient) => Promise<Answer>,
  ): Promise<Change> {
    try {
      const { $metadata: metadata } = await call(clientFor(key));
      return { outcome: 'accepted', kmsRequestId: metadata.requestId ?? null };
    } catch (error) {
      return refusedChange(failureOf(error, { operation, principal: principalFor(key) }), operation);
    }
  }

  return {
    enableRotation: (key, rotationPeriodInDays) =>
      change(key, 'kms:EnableKeyRotation', (client) =>
        // Always with the period: without it KMS would take 365 days, whatever was approved.
        client.send(new EnableKeyRotationCommand({ KeyId: key.arn, RotationPeriodInDays: rotationPeriodInDays })),
      ),
    disableRotation: (key) =>
      change(key, 'kms:DisableKeyRotation', (client) => client.send(new DisableKeyRotationCommand({ KeyId: key.arn }))),
    rotateOnDemand: (key) =>
      change(key, 'kms:RotateKeyOnDemand', (client) => client.send(new RotateKeyOnDemandCommand({ KeyId: key.arn }))),
  };
}

function refusedChange(failure: KmsFailure, operation: string): Change {
  const { requestId: kmsRequestId } = failure;
  switch (failure.kind) {
    case 'not-found':
    case 'key-state':
      return { outcome: 'key-not-ready' };
    case 'access-denied': {
      const { operation: denied, deniedBy, principal } = failure;
      return {
        outcome: 'refused',
        failure: { because: 'policy-denies', operation: denied, deniedBy, principal },
        kmsRequestId,
      };
    }
    case 'limit-exceeded':
      return {
        outcome: 'refused',
        kmsRequestId,
        // Only RotateKeyOnDemand has a limit; from any other call the code would mean something unknown.
        failure:
          operation === 'kms:RotateKeyOnDemand'
            ? { because: 'rotation-limit-reached' }
            : { because: 'kms-refused', operation, code: 'LimitExceededException' },
      };
    case 'refused': {
      const { operation: refused, code } = failure;
      return { outcome: 'refused', failure: { because: 'kms-refused', operation: refused, code }, kmsRequestId };
    }
  }
}
