import {
  BUTTON,
  DIGEST_BUTTON,
  parseFindingRef,
  parseModalMetadata,
} from '../../../functions/contracts/slack-actions.ts';
import { click, KEYS, submission } from '../bot.ts';
import { eventOf } from '../http-request.ts';
import { sendTwice } from '../signed-request.ts';

/*
 * What the bot itself wrote into a message and gets back: the value of a button, the private_metadata of a modal. A
 * message may be older than the code, or be another app's. The first byte says which control it is.
 */
const button = (id: string) => ({ of: (value: string) => click(id, KEYS[0], value), isModal: false });
// In this order: the corpus knows controls by their place.
const CONTROLS = [
  ...Object.values(BUTTON).map(button),
  { of: (value: string) => submission('exempt', KEYS[0], value), isModal: true },
  ...Object.values(DIGEST_BUTTON).map(button),
];

export async function fuzz(data: Buffer): Promise<void> {
  const control = CONTROLS[(data[0] ?? 0) % CONTROLS.length];
  if (control === undefined) return;
  const value = data.toString('utf8', 1);
  const body = Buffer.from(`payload=${encodeURIComponent(JSON.stringify(control.of(value)))}`);
  const headers: [string, string][] = [['content-type', 'application/x-www-form-urlencoded']];
  const about = control.isModal ? parseModalMetadata(value)?.finding.key : parseFindingRef(value)?.key;
  await sendTwice(eventOf({ method: 'POST', flags: new Set(), headers, body }), { about: about ?? 'no key' });
}

/** Values of today, of an imaginary yesterday and tomorrow, and of nobody. */
export function seeds(): Buffer[] {
  const key = KEYS[0]?.arn;
  const values = [
    { key, episode: 1 },
    { key: KEYS[4]?.arn, episode: 1 },
    { key, episode: 7 },
    { key, episode: 1, version: 2 },
    { key },
    { finding: { key, episode: 1 }, purpose: 'exempt' },
    { finding: { key, episode: 1 }, purpose: 'renew-exemption' },
    { finding: { key, episode: 1 }, purpose: 'approve' },
    { digest: 'C0SECURITY#2026-03-02T09:00:00.000Z', after: '' },
    { digest: 'C0SECURITY#2026-03-02T09:00:00.000Z', upTo: '2026-03-02T09:05:00.000Z', count: 12 },
    'approve',
    null,
    [],
  ].map((value) => JSON.stringify(value));
  return CONTROLS.flatMap((_, index) =>
    [...values, ''].map((value) => Buffer.from(String.fromCharCode(index) + value)),
  );
}
