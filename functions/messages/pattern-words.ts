import type { Exemption } from '../domain/exemption.ts';
import type { CoveredKeys, KeyPattern } from '../domain/key-pattern.ts';
import type { Policy } from '../domain/policy.ts';
import type { RichTextPart } from './block.ts';
import { nameOfKey } from './key-facts.ts';
import { type Phrase, richText } from './phrase.ts';
import { plain } from './plain.ts';
import { accountLabel } from './remedy-call.ts';

/** So many covered keys are named; the rest are counted. */
const NAMED_KEYS = 10;

const STATUS_WORDS: Record<CoveredKeys['keys'][number]['status'], string> = {
  open: 'waits for a decision',
  failed: 'remediation failed',
  exempt: 'exempt',
};

/** Which keys a pattern means: `alias dev-* in payments-prod (444455556666)`. In full: whoever decides has to see all of it. */
export function patternWords(pattern: KeyPattern, policy: Policy): string {
  return `${bareWords(pattern)} in ${accountLabel(pattern, policy)}`;
}

/** The same for a heading, where there is little room. */
export function shortPatternWords(pattern: KeyPattern, policy: Policy): string {
  return plain(patternWords(pattern, policy), 110);
}

/** For the exemption of a key that it follows a pattern; nothing for one of its own. The id is not for people. */
export function patternSource({ pattern }: Pick<Exemption, 'pattern'>): string {
  return pattern === undefined ? '' : ` by the exemption of all keys with ${bareWords(pattern.means)}`;
}

/** What the bot knows of the keys that a pattern means, in a sentence or two. */
export function coverageSentence({ keys, isAll }: CoveredKeys): string {
  const exempt = keys.filter(({ status }) => status === 'exempt').length;
  const count = `${isAll ? '' : 'at least '}${keys.length} ${keys.length === 1 ? 'key' : 'keys'}`;
  return keys.length === 0
    ? `The bot knows no key with a finding that it means${isAll ? '' : ' so far; not all could be looked at'}.`
    : `The bot knows ${count} with a finding: ${keys.length - exempt} without an exemption, ${exempt} exempt already.`;
}

/** What it reaches beyond the keys that can be named. */
export function laterKeysPhrases(pattern: KeyPattern, until: string, policy: Policy): Phrase[] {
  const where = accountLabel(pattern, policy);
  return [`And every key in ${where} made later that it means, until `, { time: until }, '.'];
}

/** Why keys that a pattern means may be missing. */
export const KNOWN_BY_FINDINGS =
  'The bot knows keys by their findings: a key that rotates as the policy asks is not counted, and is covered once it stops.';

/** The covered keys by name, as far as there is room. */
export function coveredKeyParts({ keys, isAll }: CoveredKeys): RichTextPart[] {
  const rest = keys.length - NAMED_KEYS;
  const more = rest > 0 ? [richText(`and ${isAll ? '' : 'at least '}${rest} more`)] : [];
  const named = keys
    .slice(0, NAMED_KEYS)
    .map((key) => richText({ bold: coveredName(key) }, `, ${STATUS_WORDS[key.status]}`));
  return keys.length === 0 ? [] : [{ type: 'rich_text_list', style: 'bullet', elements: [...named, ...more] }];
}

/** The same without the account: `alias dev-*`. */
export function bareWords(pattern: KeyPattern): string {
  return pattern.by === 'tag'
    ? `tag ${plain(pattern.key, 128)}=${plain(pattern.value, 256)}`
    : `alias ${plain(pattern.alias, 256)}`;
}

function coveredName({ arn, alias }: CoveredKeys['keys'][number]): string {
  return alias === null ? plain(arn.slice(arn.lastIndexOf('/') + 1), 100) : nameOfKey({ keyId: '' }, alias);
}
