import type { PatternRecord } from '../../functions/domain/pattern-audit.ts';
import type { PatternEvent } from '../../functions/domain/pattern-exemption.ts';
import { patternEventPhrases } from '../../functions/messages/pattern-event.ts';
import { utc } from '../../functions/messages/phrase.ts';
import { sentence, table } from '../terminal.ts';
import { person } from './event-words.ts';

/** Events of exemptions of patterns as a table, as `eventTable` has those of keys. `withId` adds of which one. */
export function patternEventTable(records: readonly PatternRecord[], withId: boolean): string {
  return table(
    ['AT', '#', ...(withId ? ['PATTERN'] : []), 'EVENT', 'WHO', 'WHAT'],
    records.map(({ sequence, patternId, event }) => [
      utc(event.at),
      String(sequence),
      ...(withId ? [patternId] : []),
      ...[event.type, whoOf(event), sentence(patternEventPhrases(event))],
    ]),
  );
}

/** Who is behind an event; empty when it is the clock. */
function whoOf(event: PatternEvent): string {
  if (event.type === 'pattern-requested') return person(event.request.by);
  return 'by' in event ? person(event.by) : '';
}
