import type { Exemption, ExemptionTerms } from '../domain/exemption.ts';
import { patternSource } from './pattern-words.ts';
import type { Phrase } from './phrase.ts';
import { plain } from './plain.ts';

/** The terms of an exemption as the end of a sentence: until when, by which pattern if any, who answers for it, and why. */
export function termsWords(terms: ExemptionTerms & Pick<Exemption, 'pattern'>, longestReason = 300): Phrase[] {
  const { until, owner, reason, ticket } = terms;
  return [
    ...['until ', { time: until }, patternSource(terms), ', owner ', { person: owner }],
    `, reason: ${plain(reason, longestReason)}${ticket === null ? '' : ` (ticket ${plain(ticket, 100)})`}.`,
  ];
}
