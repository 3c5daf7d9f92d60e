import type { AwsError } from '../aws-error.ts';
import { disabled, invalidState, unsupported } from './errors.ts';
import { arnOf, type KeyState, type KmsKey } from './key-store.ts';

/** The numbers of the notes under the key-state table (KMS Developer Guide, "Key states of AWS KMS keys"). */
type Note = 1 | 3 | 4 | 5 | 6 | 14 | 15;

const DELETING = { PendingDeletion: 3, PendingReplicaDeletion: 3 } as const;
const WHILE_USABLE = { ...DELETING, PendingImport: 5, Creating: 14, Updating: 15 } as const;
const ROTATION_SWITCH = { Disabled: 1, ...DELETING, PendingImport: 6, Creating: 14 } as const;

/** The rows of the table that can fail because of the key's state; what is not written down succeeds. */
const TABLE = {
  CancelKeyDeletion: { Enabled: 4, Disabled: 4, PendingImport: 4, Unavailable: 4, Creating: 4, Updating: 4 },
  CreateAlias: DELETING,
  DeleteImportedKeyMaterial: { Creating: 14, Updating: 15 },
  DisableKey: WHILE_USABLE,
  DisableKeyRotation: ROTATION_SWITCH,
  EnableKey: WHILE_USABLE,
  EnableKeyRotation: ROTATION_SWITCH,
  GetKeyRotationStatus: { PendingImport: 6 },
  GetParametersForImport: { ...DELETING, Creating: 14, Updating: 15 },
  ImportKeyMaterial: { ...DELETING, Creating: 14 },
  ReplicateKey: { Disabled: 1, ...WHILE_USABLE },
  RotateKeyOnDemand: { Disabled: 1, ...DELETING, PendingImport: 5, Creating: 14 },
  ScheduleKeyDeletion: { ...DELETING, Updating: 15 },
  TagResource: DELETING,
  UntagResource: DELETING,
  UpdateAlias: DELETING,
  UpdateKeyDescription: DELETING,
  UpdatePrimaryRegion: { Disabled: 1, ...DELETING, PendingImport: 5, Creating: 14 },
} as const satisfies Record<string, Partial<Record<KeyState, Note>>>;

/**
 * Lets an operation pass only in the states of the key in which AWS lets it pass.
 * @throws AwsError DisabledException, KMSInvalidStateException or UnsupportedOperationException, as the table's note says
 */
export function requireState(key: KmsKey, operation: keyof typeof TABLE): void {
  const row: Partial<Record<KeyState, Note>> = TABLE[operation];
  const note = row[key.keyState];
  if (note !== undefined) throw noteError(note, key);
}

function noteError(note: Note, key: KmsKey): AwsError {
  const arn = arnOf(key);
  switch (note) {
    case 1:
      return disabled(`${arn} is disabled.`);
    case 3:
      return invalidState(
        `${arn} is pending ${key.keyState === 'PendingReplicaDeletion' ? 'replica deletion' : 'deletion'}.`,
      );
    case 4:
      return invalidState(`${arn} is not pending deletion (or pending replica deletion).`);
    case 5:
      return invalidState(
        `${arn} is pending import because no key material has ever been imported or one of the imported key materials is deleted or expired.`,
      );
    case 6:
      return wrongOrigin(key);
    case 14:
      return invalidState(`${arn} is creating.`);
    case 15:
      return invalidState(`${arn} is updating.`);
  }
}

/** The answer of an operation that the key's origin rules out for good. */
export function wrongOrigin(key: KmsKey): AwsError {
  return unsupported(`${arnOf(key)} origin is ${key.origin} which is not valid for this operation.`);
}

/** The answer of an operation that only a multi-Region primary takes, asked of a replica or of a single-Region key. */
export function notPrimary(key: KmsKey): AwsError {
  return unsupported(`${arnOf(key)} is not a multi-region primary key.`);
}
