import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/** Hex SHA-256 over the canonical JSON (RFC 8785) of a value: the same for the same content in any key order. */
export function digest(value: unknown): string {
  return createHash('sha256')
    .update(canonicalize(value) ?? '')
    .digest('hex');
}
