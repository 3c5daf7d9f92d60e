import type { PatternExemption } from '../domain/pattern-exemption.ts';
import type { Block } from './block.ts';
import { type PatternContext, patternButtons, patternStatePhrases } from './pattern-message.ts';
import { coverageSentence, patternWords } from './pattern-words.ts';
import { richText } from './phrase.ts';

/** One exemption of a pattern among others, with the same buttons as its own message. At most two blocks. */
export function renderPatternRow(exemption: PatternExemption, context: PatternContext): Block[] {
  const buttons = patternButtons(exemption, context);
  const { covered, policy, now } = context;
  return [
    {
      type: 'rich_text',
      elements: [
        richText({ bold: `Keys with ${patternWords(exemption.pattern, policy)}` }),
        richText(...patternStatePhrases(exemption, now), covered === null ? '' : ` ${coverageSentence(covered)}`),
      ],
    },
    ...(buttons.length === 0 ? [] : [{ type: 'actions' as const, elements: buttons }]),
  ];
}
