import { glob } from './glob.ts';
import type { KeyFacts, KeyIdentity } from './key.ts';

/**
 * Which keys of one account: those with a tag, or those with an alias. `*` stands for any text in `value` and `alias`;
 * `alias` is without `alias/`, as in the policy's routes.
 */
export type KeyPattern = { accountId: string } & (
  | { by: 'tag'; key: string; value: string }
  | { by: 'alias'; alias: string }
);

/**
 * The keys with a finding that a pattern means, as people see them before they ask for its exemption or confirm it. The bot
 * knows keys by their findings; `isAll` is false when there was no time to look at all of them.
 */
export type CoveredKeys = {
  keys: readonly { arn: string; alias: string | null; status: 'open' | 'failed' | 'exempt' }[];
  isAll: boolean;
};

/** Without so many letters that stand for themselves a pattern would be the whole account by another name. */
const LEAST_LITERAL_LENGTH = 3;

/** Whether a key is one of those that the pattern means. What is not known about a key is not meant. */
export function isMeantBy(pattern: KeyPattern, key: Pick<KeyIdentity, 'accountId'>, facts: KeyFacts | null): boolean {
  if (facts === null || key.accountId !== pattern.accountId) return false;
  switch (pattern.by) {
    case 'tag':
      return facts.tags.some((tag) => tag.key === pattern.key && glob(pattern.value, tag.value));
    case 'alias':
      return facts.aliases.some((alias) => glob(pattern.alias, alias));
  }
}

/** Whether a pattern says too little about which keys it means. */
export function isTooBroad(pattern: KeyPattern): boolean {
  const literal = pattern.by === 'tag' ? pattern.value : pattern.alias;
  const isExact = !literal.includes('*') && literal !== '';
  return !isExact && literal.replaceAll('*', '').length < LEAST_LITERAL_LENGTH;
}
