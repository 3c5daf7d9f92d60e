/** What KMS knows of each key spec (KMS Developer Guide, "Key spec reference"): its usages, and the algorithms of each usage. */
type SpecFacts = Partial<Record<KeyUsage, readonly string[]>>;

export const KEY_USAGES = [
  'ENCRYPT_DECRYPT',
  'SIGN_VERIFY',
  'GENERATE_VERIFY_MAC',
  'KEY_AGREEMENT',
  'ENCAPSULATE_DECAPSULATE',
] as const;
export type KeyUsage = (typeof KEY_USAGES)[number];

const RSA: SpecFacts = {
  ENCRYPT_DECRYPT: ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'],
  SIGN_VERIFY: [
    'RSASSA_PKCS1_V1_5_SHA_256',
    'RSASSA_PKCS1_V1_5_SHA_384',
    'RSASSA_PKCS1_V1_5_SHA_512',
    'RSASSA_PSS_SHA_256',
    'RSASSA_PSS_SHA_384',
    'RSASSA_PSS_SHA_512',
  ],
};
const nistCurve = (hash: string): SpecFacts => ({ SIGN_VERIFY: [`ECDSA_SHA_${hash}`], KEY_AGREEMENT: ['ECDH'] });
const hmac = (bits: string): SpecFacts => ({ GENERATE_VERIFY_MAC: [`HMAC_SHA_${bits}`] });
const ML_DSA: SpecFacts = { SIGN_VERIFY: ['ML_DSA_SHAKE_256'] };
const ML_KEM: SpecFacts = { ENCAPSULATE_DECAPSULATE: ['ML_KEM'] };

const SPECS = {
  SYMMETRIC_DEFAULT: { ENCRYPT_DECRYPT: ['SYMMETRIC_DEFAULT'] },
  RSA_2048: RSA,
  RSA_3072: RSA,
  RSA_4096: RSA,
  ECC_NIST_P256: nistCurve('256'),
  ECC_NIST_P384: nistCurve('384'),
  ECC_NIST_P521: nistCurve('512'),
  ECC_NIST_EDWARDS25519: { SIGN_VERIFY: ['ED25519_SHA_512', 'ED25519_PH_SHA_512'] },
  ECC_SECG_P256K1: { SIGN_VERIFY: ['ECDSA_SHA_256'] },
  HMAC_224: hmac('224'),
  HMAC_256: hmac('256'),
  HMAC_384: hmac('384'),
  HMAC_512: hmac('512'),
  ML_DSA_44: ML_DSA,
  ML_DSA_65: ML_DSA,
  ML_DSA_87: ML_DSA,
  ML_KEM_512: ML_KEM,
  ML_KEM_768: ML_KEM,
  ML_KEM_1024: ML_KEM,
  // AWS offers SM2 in its China Regions only; the sandbox has none and takes it anyway.
  SM2: { ENCRYPT_DECRYPT: ['SM2PKE'], SIGN_VERIFY: ['SM2DSA'], KEY_AGREEMENT: ['ECDH'] },
} as const satisfies Record<string, SpecFacts>;

export type KeySpec = keyof typeof SPECS;
export const KEY_SPECS = Object.keys(SPECS) as [KeySpec, ...KeySpec[]];

/** The algorithms that a key of this spec offers for this usage; undefined when the two do not go together. */
export function algorithmsOf(keySpec: KeySpec, keyUsage: KeyUsage): readonly string[] | undefined {
  const facts: SpecFacts = SPECS[keySpec];
  return facts[keyUsage];
}

/** Name of the DescribeKey field that lists a usage's algorithms. */
export const ALGORITHM_FIELD: Record<KeyUsage, string> = {
  ENCRYPT_DECRYPT: 'EncryptionAlgorithms',
  SIGN_VERIFY: 'SigningAlgorithms',
  GENERATE_VERIFY_MAC: 'MacAlgorithms',
  KEY_AGREEMENT: 'KeyAgreementAlgorithms',
  ENCAPSULATE_DECAPSULATE: 'EncapsulationAlgorithms',
};
