import type { Proof } from '../domain/finding.ts';
import type { Phrase } from './phrase.ts';
import { plain } from './plain.ts';

/** What KMS answered when the key was read again, and the request that did it: what success rests on. */
export function proofSentence(proof: Proof, kmsRequestId: string | null): Phrase[] {
  const { rotationEnabled, rotationPeriodInDays, nextRotationAt, currentKeyMaterialId } = proof;
  const facts: Phrase[][] = [
    ...(rotationEnabled === null ? [] : [[rotationEnabled ? 'rotation on' : 'rotation off']]),
    ...(rotationPeriodInDays === null ? [] : [[`period ${rotationPeriodInDays} days`]]),
    ...(nextRotationAt === null ? [] : [['next rotation ', { time: nextRotationAt }]]),
    // Which material is in use proves an on-demand rotation; for automatic rotation it would only be noise.
    ...(currentKeyMaterialId === null || rotationEnabled !== null
      ? []
      : [[`key material in use ${plain(currentKeyMaterialId, 64)}`]]),
  ];
  return [
    'Read back from KMS: ',
    ...facts.flatMap((fact, index) => (index === 0 ? fact : [', ', ...fact])),
    `${facts.length === 0 ? '' : '; '}${proof.agreeingReads} agreeing reads, the last `,
    { time: proof.readAt },
    kmsRequestId === null ? '.' : `. KMS request id: ${plain(kmsRequestId, 80)}.`,
  ];
}
