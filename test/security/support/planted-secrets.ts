import { SECRET_MARK } from '../../../sandbox/simulated-secret.ts';

/** The mark as it looks wherever a secret with it was written: as it is, in hexadecimal, and in base64 at each offset. */
const FORMS = [
  SECRET_MARK,
  Buffer.from(SECRET_MARK).toString('hex'),
  ...[0, 1, 2].map((offset) =>
    // The first and last characters of base64 depend on the neighbours of the mark.
    Buffer.from('\0'.repeat(offset) + SECRET_MARK)
      .toString('base64url')
      .slice(offset === 0 ? 0 : offset + 1, -3),
  ),
];

/** The text around each secret of the sandbox that occurs in it; empty when none does. */
export function secretsIn(text: string): string[] {
  return FORMS.flatMap((form) => {
    const at = text.indexOf(form);
    return at === -1 ? [] : [text.slice(Math.max(0, at - 80), at + form.length)];
  });
}
