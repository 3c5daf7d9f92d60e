import { createHmac, timingSafeEqual } from 'node:crypto';

/** Slack's replay window. Slack, "Verifying requests from Slack". */
const WINDOW_SECONDS = 300;

export type SignedRequest = { timestamp: string | undefined; signature: string | undefined; rawBody: Buffer };

/**
 * Whether Slack signed these very bytes within the last five minutes. Timestamps of the future are refused as well,
 * and only the `v0` scheme is accepted; Bolt's own check lets both through. The secret is asked for only when it
 * is needed to tell; what that throws is thrown on.
 */
export async function isSignedBySlack(
  { timestamp, signature, rawBody }: SignedRequest,
  signingSecret: () => Promise<string>,
  now: Date,
): Promise<boolean> {
  if (timestamp === undefined || !/^\d{1,12}$/.test(timestamp)) return false;
  if (signature === undefined || !/^v0=[0-9a-f]{64}$/.test(signature)) return false;
  if (Math.abs(now.getTime() / 1000 - Number(timestamp)) > WINDOW_SECONDS) return false;
  const secret = await signingSecret();
  const expected = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(rawBody).digest();
  return timingSafeEqual(expected, Buffer.from(signature.slice(3), 'hex'));
}
