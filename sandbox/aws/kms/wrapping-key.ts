import {
  constants,
  createDecipheriv,
  createHmac,
  generateKeyPairSync,
  type KeyObject,
  privateDecrypt,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import * as z from 'zod';

export const WRAPPING_ALGORITHMS = [
  'RSAES_PKCS1_V1_5',
  'RSAES_OAEP_SHA_1',
  'RSAES_OAEP_SHA_256',
  'RSA_AES_KEY_WRAP_SHA_1',
  'RSA_AES_KEY_WRAP_SHA_256',
] as const;
export const WRAPPING_KEY_SPECS = { RSA_2048: 2048, RSA_3072: 3072, RSA_4096: 4096 } as const;
export type WrappingKeySpec = keyof typeof WRAPPING_KEY_SPECS;

const tokenSchema = z.object({
  arn: z.string(),
  algorithm: z.enum(WRAPPING_ALGORITHMS),
  keySpec: z.enum(['RSA_2048', 'RSA_3072', 'RSA_4096']),
  validTo: z.number(),
});
/** What an import token stands for; `validTo` in milliseconds since 1970. */
export type ImportToken = z.infer<typeof tokenSchema>;

// One pair per size is enough for a simulation, and making one takes a noticeable time.
const pairs = new Map<WrappingKeySpec, { publicKey: KeyObject; privateKey: KeyObject }>();
const secret = randomBytes(32);
const MAC_LENGTH = 32;

function pairOf(keySpec: WrappingKeySpec): { publicKey: KeyObject; privateKey: KeyObject } {
  const pair = pairs.get(keySpec) ?? generateKeyPairSync('rsa', { modulusLength: WRAPPING_KEY_SPECS[keySpec] });
  pairs.set(keySpec, pair);
  return pair;
}

/** The public key, DER-encoded X.509 SubjectPublicKeyInfo, as base64. */
export function wrappingPublicKey(keySpec: WrappingKeySpec): string {
  return pairOf(keySpec).publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
}

/** An import token as base64. It carries its own content, signed by this process. */
export function issueImportToken(token: ImportToken): string {
  const content = Buffer.from(JSON.stringify(token));
  return Buffer.concat([mac(content), content]).toString('base64');
}

/** What a token says, or undefined for one that this process did not issue. */
export function readImportToken(text: string): ImportToken | undefined {
  const bytes = Buffer.from(text, 'base64');
  const content = bytes.subarray(MAC_LENGTH);
  if (bytes.length <= MAC_LENGTH || !timingSafeEqual(mac(content), bytes.subarray(0, MAC_LENGTH))) return undefined;
  return tokenSchema.parse(JSON.parse(content.toString()));
}

const mac = (content: Buffer) => createHmac('sha256', secret).update(content).digest();

/** The key material, if it was wrapped for this token's key and algorithm; undefined otherwise. */
export function unwrap(token: ImportToken, wrapped: Buffer): Buffer | undefined {
  const key = pairOf(token.keySpec).privateKey;
  const modulusBytes = WRAPPING_KEY_SPECS[token.keySpec] / 8;
  try {
    switch (token.algorithm) {
      case 'RSAES_PKCS1_V1_5':
        return undefined;
      case 'RSAES_OAEP_SHA_1':
        return oaep(key, 'sha1', wrapped);
      case 'RSAES_OAEP_SHA_256':
        return oaep(key, 'sha256', wrapped);
      case 'RSA_AES_KEY_WRAP_SHA_1':
        return keyWrap(oaep(key, 'sha1', wrapped.subarray(0, modulusBytes)), wrapped.subarray(modulusBytes));
      case 'RSA_AES_KEY_WRAP_SHA_256':
        return keyWrap(oaep(key, 'sha256', wrapped.subarray(0, modulusBytes)), wrapped.subarray(modulusBytes));
    }
  } catch {
    return undefined;
  }
}

function oaep(key: KeyObject, oaepHash: string, wrapped: Buffer): Buffer {
  return privateDecrypt({ key, oaepHash, padding: constants.RSA_PKCS1_OAEP_PADDING }, wrapped);
}

// AES key wrap with padding (RFC 5649), whose initial value is fixed.
function keyWrap(aesKey: Buffer, wrapped: Buffer): Buffer {
  const decipher = createDecipheriv('id-aes256-wrap-pad', aesKey, Buffer.from('A65959A6', 'hex'));
  return Buffer.concat([decipher.update(wrapped), decipher.final()]);
}
