import type { PatternEvent } from '../domain/pattern-exemption.ts';
import type { Phrase } from './phrase.ts';
import { plain } from './plain.ts';
import { refusalSentence } from './refusal-sentence.ts';

/** What happened to an exemption of a pattern, and who answers for it. */
export function patternEventPhrases(event: PatternEvent): Phrase[] {
  switch (event.type) {
    case 'pattern-requested': {
      const { by, terms } = event.request;
      return ['Asked for by ', { person: by }, ' until ', { time: terms.until }, `: ${plain(terms.reason, 200)}.`];
    }
    case 'pattern-confirmed':
      return ['Confirmed by ', { person: event.by }, '; in force until ', { time: event.until }, '.'];
    case 'pattern-withdrawn':
      return ['Request withdrawn by ', { person: event.by }, '.'];
    case 'pattern-lapsed':
      return ['Request lapsed: nobody confirmed it.'];
    case 'pattern-applied': {
      const { exempt, leftOut } = event.coverage;
      return [`${exempt} ${exempt === 1 ? 'key is' : 'keys are'} exempt by it, ${leftOut} left out.`];
    }
    case 'pattern-reminded':
      return [
        'Owner ',
        { person: event.owner },
        ` reminded, ${event.daysLeft === 1 ? '1 day' : `${event.daysLeft} days`} before the end.`,
      ];
    case 'pattern-end-accepted':
      return ['Left to run out by ', { person: event.by }, '.'];
    case 'pattern-revoked':
      return ['Ended by ', { person: event.by }, '.'];
    case 'pattern-expired':
      return ['It ran out.'];
    case 'pattern-refused':
      return ['Refused to ', { person: event.by }, ` (${event.command}): ${patternRefusalSentence(event.refusal)}`];
  }
}

/** The one sentence that tells a person, privately, why nothing was changed; fit for mrkdwn and for plain text alike. */
export function patternRefusalSentence(refusal: Extract<PatternEvent, { type: 'pattern-refused' }>['refusal']): string {
  switch (refusal.reason) {
    case 'pattern-too-broad':
      return 'That would mean nearly all keys of the account: give at least three letters besides *. Nothing was changed.';
    case 'pattern-ended':
      return 'This exemption has ended; whoever still wants it has to ask for a new one. Nothing was changed.';
    case 'pattern-not-granted':
      return 'Nobody has confirmed this exemption, so there is nothing to end; nothing was changed.';
    case 'not-an-approver':
      return 'The rotation policy names who may exempt the keys of a pattern, and you are not among them; nothing was changed.';
    case 'group-gone':
      return 'You are not among those who may exempt the keys of a pattern: a user group that the rotation policy names does not exist any more, is disabled or has no members. Whoever keeps the policy has to name another. Nothing was changed.';
    case 'requester-may-not':
      return `${plain(refusal.by, 80).replace(/[<>&`]/g, '')}, who asked for this, may not exempt the keys of a pattern any more; somebody who may has to ask again. Nothing was changed.`;
    case 'outside-organisation':
    case 'guest':
    case 'bot':
    case 'deactivated':
    case 'groups-unavailable':
    case 'caused-the-finding':
    case 'reason-too-short':
    case 'ticket-missing':
    case 'until-not-in-future':
    case 'until-beyond-maximum':
    case 'until-beyond-total':
    case 'owner-not-a-full-member':
    case 'request-pending':
    case 'no-request':
    case 'request-lapsed':
    case 'request-changed':
    case 'own-request':
    case 'second-person-not-told':
    case 'end-accepted':
      return refusalSentence(refusal);
  }
}
