import { printable, styled } from '../terminal.ts';
import type { Difference } from './differences.ts';

/** The differences as lines, each with a sign that tells what it is without colour. */
export function differenceLines(found: readonly Difference[]): string {
  return found
    .map(({ path, before, after }) => {
      if (before === null) return styled('green', `+ ${printable(path)}: ${shown(after)}`);
      if (after === null) return styled('red', `- ${printable(path)}: ${shown(before)}`);
      return styled('yellow', `~ ${printable(path)}: ${shown(before)} -> ${shown(after)}`);
    })
    .join('\n');
}

function shown(value: unknown): string {
  return printable(JSON.stringify(value));
}
