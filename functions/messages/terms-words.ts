import type { ExemptionTerms } from '../domain/exemption.ts';
import type { Phrase } from './phrase.ts';
import { plain } from './plain.ts';

/** The terms of an exemption as the end of a sentence: until when, who answers for it, and why. */
export function termsWords({ until, owner, reason, ticket }: ExemptionTerms, longestReason = 300): Phrase[] {
  return [
    ...['until ', { time: until }, ', owner ', { person: owner }],
    `, reason: ${plain(reason, longestReason)}${ticket === null ? '' : ` (ticket ${plain(ticket, 100)})`}.`,
  ];
}
