import { styleText } from 'node:util';
import CliTable from 'cli-table3';
import type { Phrase } from '../functions/messages/phrase.ts';
import { utc } from '../functions/messages/phrase.ts';

export type Style = Parameters<typeof styleText>[0];

/** Colours a word where stdout is a terminal that wants colours (NO_COLOR and FORCE_COLOR count). Meaning never depends on it. */
export function styled(style: Style, text: string): string {
  return styleText(style, text);
}

const NO_BORDER = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '' },
  ...{ 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' },
};

/** Rows under their heads, without lines between: readable, and cut to pieces by awk. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const made = new CliTable({
    head: head.map((title) => styled('bold', title)),
    chars: NO_BORDER,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  made.push(...rows.map((row) => row.map(printable)));
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Text from outside without what moves the cursor, changes colours or reorders what is shown. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => (character === '\n' ? ' ' : ''));
}

/** A sentence of the bot's messages for a terminal: times in UTC, people by name. */
export function sentence(phrases: readonly Phrase[]): string {
  return phrases
    .map((phrase) => {
      if (typeof phrase === 'string') return phrase;
      if ('bold' in phrase) return phrase.bold;
      if ('time' in phrase) return utc(phrase.time);
      return 'person' in phrase ? phrase.person.name : '';
    })
    .join('');
}

export type CsvCell = string | number | null;

/** RFC 4180. A cell that a spreadsheet would take for a formula begins with an apostrophe (OWASP, "CSV Injection"). */
export function csv(rows: readonly (readonly CsvCell[])[]): string {
  return rows.map((row) => row.map(csvCell).join(',')).join('\r\n');
}

function csvCell(cell: CsvCell): string {
  if (typeof cell === 'number') return String(cell);
  const text = /^[=+\-@\t\r]/.test(cell ?? '') ? `'${cell ?? ''}` : (cell ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The text of an object as a machine reads it. */
export function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Progress and remarks: never part of what a machine reads. */
export function remark(text: string): void {
  process.stderr.write(`${text}\n`);
}
