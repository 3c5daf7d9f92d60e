import { SLASH_COMMAND } from '../contracts/slack-requests.ts';
import type { KeyPattern } from '../domain/key-pattern.ts';
import type { PatternExemption } from '../domain/pattern-exemption.ts';
import { utc } from './phrase.ts';
import { plain } from './plain.ts';

/** Which keys somebody means: of an account by its id, or by the name that the policy gives it. */
export type WantedPattern = { account: string } & KeysOf<KeyPattern>;
type KeysOf<T> = T extends unknown ? Omit<T, 'accountId'> : never;

/** Why it cannot be told which keys are meant. */
export type PatternProblem = { problem: 'misspelt' | 'tag' | 'alias' };

const WORDS = /^(\S+)\s+(tag|alias):\s*(.*)$/is;
/** AWS KMS API Reference, CreateAlias: letters, digits, and these; `*` is the pattern's. */
const ALIAS = /^[a-zA-Z0-9/_*-]{1,256}$/;
/** AWS KMS API Reference, Tag: 1 to 128 characters, and 0 to 256. The first `=` ends the tag's key. */
const TAG = /^([^=]{1,128})=(.{0,256})$/s;

/** Reads `<account> tag:<Key>=<value>` or `<account> alias:<pattern>`. */
export function parsePattern(text: string): WantedPattern | PatternProblem {
  const [, account, by, keys] = WORDS.exec(text) ?? [];
  if (account === undefined || by === undefined || keys === undefined) return { problem: 'misspelt' };
  if (by.toLowerCase() === 'alias') {
    const alias = keys.replace(/^alias\//, '');
    return ALIAS.test(alias) ? { account, by: 'alias', alias } : { problem: 'alias' };
  }
  const [, key, value] = TAG.exec(keys) ?? [];
  // What is granted has to be what people see: no character that is left out when it is shown.
  if (key === undefined || value === undefined || !isShownAsIs(key) || !isShownAsIs(value)) return { problem: 'tag' };
  return { account, by: 'tag', key, value };
}

function isShownAsIs(text: string): boolean {
  return plain(text, text.length) === text;
}

const EXAMPLES = `For example: ${SLASH_COMMAND} exempt 111122223333 alias:dev-*  or  ${SLASH_COMMAND} exempt 111122223333 tag:Stage=dev*`;

/** Why no form opens, with examples of what is understood. */
export function patternProblemSentence({ problem }: PatternProblem): string {
  switch (problem) {
    case 'misspelt':
      return `Say which account, and which of its keys. ${EXAMPLES}`;
    case 'tag':
      return `A tag is written as key=value, without invisible characters; * stands for any text in the value. ${EXAMPLES}`;
    case 'alias':
      return `An alias has letters, digits, / _ and - only; * stands for any text. ${EXAMPLES}`;
  }
}

/** There is no such account. */
export function unknownAccountSentence(account: string): string {
  return `"${plain(account, 60)}" is neither the 12-digit id of an account nor the name of one in the rotation policy. ${EXAMPLES}`;
}

/** Somebody asked for the same keys before. */
export function thereAlreadySentence({ request, grant }: PatternExemption): string {
  return grant === null
    ? `${disarmed(request?.by.name ?? 'Somebody')} has asked for an exemption of exactly these keys already: its message waits for another approver.`
    : `These keys are exempt already, until ${utc(grant.until)}: "Renew…" under the message of that exemption prolongs it.`;
}

function disarmed(name: string): string {
  return plain(name, 80).replace(/[<>&`]/g, '');
}
