import { printable, type Style, styled } from '../terminal.ts';
import type { CheckResult, Verdict } from './check.ts';

type Outcome = Verdict['outcome'];

/** Words of one width, so that they stand in a column; the word alone says it, colour only helps. */
const WORDS: Record<Outcome, { word: string; style: Style }> = {
  ok: { word: 'ok       ', style: 'green' },
  failed: { word: 'FAILED   ', style: ['red', 'bold'] },
  unchecked: { word: 'unchecked', style: 'yellow' },
  'not-applicable': { word: '-        ', style: 'dim' },
};

/** The results for people: a line per check, what was seen, and what to do about it. */
export function doctorReport(results: readonly CheckResult[]): string {
  const width = Math.max(...results.map(({ id }) => id.length));
  const lines = results.map((result) => {
    const { word, style } = WORDS[result.outcome];
    const indent = ' '.repeat('unchecked'.length + width + 4);
    const seen = result.seen.split('\n').map((line) => `${indent}${printable(line)}`);
    const todo =
      'todo' in result
        ? result.todo.split('\n').map((line) => `${indent}${styled('bold', '->')} ${printable(line)}`)
        : [];
    const head = `${styled(style, word)}  ${result.id.padEnd(width)}  ${result.title}`;
    return [head, ...seen, ...todo].join('\n');
  });
  return `${lines.join('\n')}\n\n${summary(results)}`;
}

/** `16 ok, 1 failed, 2 could not be checked, 3 not applicable`. */
function summary(results: readonly CheckResult[]): string {
  const count = (outcome: Outcome) => results.filter((result) => result.outcome === outcome).length;
  return [
    `${count('ok')} ok`,
    `${count('failed')} failed`,
    `${count('unchecked')} could not be checked`,
    `${count('not-applicable')} not applicable`,
  ].join(', ');
}
