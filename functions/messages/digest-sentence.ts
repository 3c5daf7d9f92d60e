import type { PersonRef } from '../domain/people.ts';
import type { Refusal } from '../domain/refusal.ts';
import { utc } from './phrase.ts';
import { plain } from './plain.ts';
import { refusalSentence } from './refusal-sentence.ts';

/** What a digest is told of that is not kept any more. */
export const FORGOTTEN =
  'This list is more than a year old and not kept any more; nothing was changed. The next change of one of its keys gives that key a message of its own.';

/** What a person is told, privately, who clicked "Approve all"; null when the first time told it. */
export function approveAllSentence(
  reply:
    | { kind: 'accepted'; count: number }
    | { kind: 'under-way'; by: PersonRef; at: string }
    | { kind: 'refused'; refusal: Refusal }
    | { kind: 'forgotten' }
    | { kind: 'repeated' },
): string | null {
  switch (reply.kind) {
    case 'accepted':
      return `Approving ${reply.count === 1 ? 'the key' : `all ${reply.count} keys`} in your name, production first, at most five a second for each account and Region. The message shows how far it is.`;
    case 'under-way': {
      const who = plain(reply.by.name, 80).replace(/[<>&`]/g, '');
      return `${who} has approved all on ${utc(reply.at)} and it is under way; nothing was changed by your click.`;
    }
    case 'refused':
      return refusalSentence(reply.refusal);
    case 'forgotten':
      return FORGOTTEN;
    case 'repeated':
      return null;
  }
}
