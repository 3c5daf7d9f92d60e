import type { FourEyesReason } from '../domain/authority.ts';
import type { PendingRequest } from '../domain/finding.ts';
import type { Phrase } from './phrase.ts';
import { termsWords } from './terms-words.ts';

/** What somebody asked for that waits for a second person: what, on which terms, why it takes two, until when. */
export function requestSentence({ action, by, at, terms, because, lapsesAt }: PendingRequest): Phrase[] {
  return [
    ...[{ person: by }, ' asked ', { time: at }, ` to ${WISH[action]} `, ...termsWords(terms, 500)],
    ` ${whyTwoPeople(because)} `,
    ...['Another approver has to confirm it before ', { time: lapsesAt }, '; until then nothing changes.'],
  ];
}

const WISH: Record<PendingRequest['action'], string> = {
  exempt: 'exempt the key',
  'renew-exemption': 'renew the exemption',
  'back-out': 'back out the remediation and exempt the key',
};

/** Why one person is not enough, in one sentence. */
export function whyTwoPeople(because: FourEyesReason): string {
  switch (because) {
    case 'route-asks':
      return 'The policy asks for two people here.';
    case 'cause-not-told':
      return 'Nobody can tell who caused this finding, so one person alone may not excuse it.';
  }
}

/** What the button that confirms is called. */
export function confirmLabel(action: PendingRequest['action']): string {
  switch (action) {
    case 'exempt':
      return 'Confirm exemption';
    case 'renew-exemption':
      return 'Confirm renewal';
    case 'back-out':
      return 'Confirm back-out';
  }
}
