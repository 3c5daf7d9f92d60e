import { randomBytes } from 'node:crypto';

/** What somebody without the signing secret can send. */
export type Forgery = { headers: Record<string, string>; body: Buffer };

/** Sizes of the bodies, and how many of a thousand have that size: mostly scanners, some who try to be expensive. */
const SIZES = [
  { bytes: 1024, of1000: 949 },
  { bytes: 10 * 1024, of1000: 40 },
  { bytes: 100 * 1024, of1000: 10 },
  { bytes: 1_000_000, of1000: 1 },
] as const;

const FORM = 'application/x-www-form-urlencoded';

/**
 * A thousand forgeries to be sent in turn: no signature, a malformed one, the right form with a wrong secret, the
 * right form with an old timestamp, another scheme, a JSON body; in sizes from 1 KB to 1 MB.
 */
export function forgeries(): Forgery[] {
  const bodies = SIZES.flatMap(({ bytes, of1000 }) => Array.from<Buffer>({ length: of1000 }).fill(bodyOf(bytes)));
  const kinds = [noSignature, malformed, wrongSecret, oldTimestamp, otherScheme, jsonBody];
  return bodies
    .map((body, index) => ({
      body,
      headers: (kinds[index % kinds.length] ?? noSignature)(),
      place: (index * 7) % 1000,
    }))
    .sort((a, b) => a.place - b.place)
    .map(({ body, headers }) => ({ body, headers }));
}

function bodyOf(bytes: number): Buffer {
  const start = 'payload=%7B%22type%22%3A%22block_actions%22%2C%22x%22%3A%22';
  return Buffer.from(`${start.padEnd(bytes - 6, 'a')}%22%7D`);
}

const now = () => String(Math.floor(Date.now() / 1000));
const hex = () => randomBytes(32).toString('hex');

function noSignature() {
  return { 'content-type': FORM };
}
function malformed() {
  return { 'content-type': FORM, 'x-slack-request-timestamp': now(), 'x-slack-signature': 'v0=nonsense' };
}
function wrongSecret() {
  return { 'content-type': FORM, 'x-slack-request-timestamp': now(), 'x-slack-signature': `v0=${hex()}` };
}
function oldTimestamp() {
  return { 'content-type': FORM, 'x-slack-request-timestamp': '1500000000', 'x-slack-signature': `v0=${hex()}` };
}
function otherScheme() {
  return { 'content-type': FORM, 'x-slack-request-timestamp': now(), 'x-slack-signature': `v1=${hex()}` };
}
function jsonBody() {
  return { 'content-type': 'application/json', 'x-slack-request-timestamp': now(), 'x-slack-signature': `v0=${hex()}` };
}
