import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { anything, type CallKms } from './kms-caller.ts';

const parameters = z.object({ ImportToken: z.string() });

/** Imports new random key material. It is not wrapped: the sandbox takes such bytes for key material of their own. */
export function importMaterial(call: CallKms, keyId: string): void {
  const { ImportToken } = call(
    'GetParametersForImport',
    { KeyId: keyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' },
    parameters,
  );
  call(
    'ImportKeyMaterial',
    {
      KeyId: keyId,
      ImportToken,
      EncryptedKeyMaterial: randomBytes(256).toString('base64'),
      ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      ImportType: 'NEW_KEY_MATERIAL',
    },
    anything,
  );
}
