import { randomBytes } from 'node:crypto';

/**
 * Part of every secret that the sandbox hands out: bot token, signing secret, external id, credentials, trigger ids,
 * response_urls. Whatever prints a secret prints this, so a leak can be found by looking for one word. Hexadecimal, as
 * such ids are.
 */
export const SECRET_MARK = '5ec2e75ec2e75ec2e7d0';

/** A new secret; `bytes` of randomness. */
export function simulatedSecret(bytes = 16): string {
  return `${SECRET_MARK}${randomBytes(bytes).toString('hex')}`;
}
