import type { ModalView } from '@slack/types';
import { parsePatternMetadata } from '../../../functions/contracts/slack-actions.ts';
import { parseSubcommand } from '../../../functions/contracts/slack-requests.ts';
import type { KeyPattern } from '../../../functions/domain/key-pattern.ts';
import { type PatternForm, renderPatternModal } from '../../../functions/messages/pattern-modal.ts';
import {
  parsePattern,
  patternProblemSentence,
  thereAlreadySentence,
  unknownAccountSentence,
} from '../../../functions/messages/pattern-text.ts';
import { modalInput } from '../../../sandbox/slack/view-schema.ts';
import { aPattern, aPatternRequest, aPersonRef, aPolicy, DAY_ONE, DEV_KEYS, KEY, someTerms } from '../../builders.ts';
import { wordsOf } from './slack-limits.ts';

const COVERED = { keys: [{ arn: KEY.arn, alias: 'dev-ledger', status: 'open' as const }], isAll: true };
const ASK: PatternForm['metadata'] = { purpose: 'exempt', id: 'pattern-1', pattern: DEV_KEYS };

function form(changes: Partial<PatternForm> = {}, policy = aPolicy()) {
  const view = renderPatternModal(
    { metadata: ASK, pattern: DEV_KEYS, covered: COVERED, grant: null, ...changes },
    { policy, now: DAY_ONE },
  );
  view satisfies ModalView;
  modalInput.parse(view);
  return view;
}

describe('the form for an exemption of a pattern', () => {
  it('shows what is covered before it asks for anything', () => {
    expect(form()).toMatchSnapshot();
    expect(wordsOf(form().blocks[0])).toContain('alias/dev-ledger, waits for a decision');
  });

  it('begins a renewal with the present terms', () => {
    const view = form({ metadata: { purpose: 'renew', id: 'pattern-1' }, grant: aPattern().grant });
    expect(view.title.text).toBe('Renew exemption');
    expect(JSON.stringify(view.blocks)).toContain(`"initial_value":"${someTerms().reason}"`);
    expect(wordsOf(view.blocks)).toContain('What is in force stays so until then.');
  });

  it('says so when nothing is covered yet, or not all could be looked at', () => {
    expect(wordsOf(form({ covered: { keys: [], isAll: true } }).blocks)).toContain(
      'knows no key with a finding that it means.',
    );
    expect(wordsOf(form({ covered: { keys: [], isAll: false } }).blocks)).toContain(
      'so far; not all could be looked at.',
    );
  });

  it('carries which keys are meant, and stays within the limits with the longest', () => {
    const patterns: KeyPattern[] = [
      { accountId: KEY.accountId, by: 'alias', alias: '-'.repeat(256) },
      { accountId: KEY.accountId, by: 'tag', key: 'ß'.repeat(128), value: '"\\'.repeat(128) },
    ];
    for (const pattern of patterns) {
      const metadata = { purpose: 'exempt', id: 'p'.repeat(100), pattern } as const;
      const keys = Array.from({ length: 5000 }, () => ({
        arn: KEY.arn,
        alias: '<!channel>\u202e'.repeat(30),
        status: 'failed' as const,
      }));
      const view = form({ metadata, pattern, covered: { keys, isAll: false } });
      expect(parsePatternMetadata(view.private_metadata)).toEqual(metadata);
      expect(wordsOf(view.blocks)).not.toContain('\u202e');
    }
  });
});

describe('the words after /kms-rotation exempt', () => {
  const read = (text: string) => {
    const asked = parseSubcommand(text);
    return asked.name === 'exempt' ? parsePattern(asked.keys) : asked.name;
  };

  it.each([
    ['exempt 111122223333 alias:dev-*', { account: '111122223333', by: 'alias', alias: 'dev-*' }],
    ['  EXEMPT  payments-prod  ALIAS: alias/dev/* ', { account: 'payments-prod', by: 'alias', alias: 'dev/*' }],
    ['exempt 111122223333 tag:Stage=dev*', { account: '111122223333', by: 'tag', key: 'Stage', value: 'dev*' }],
    ['exempt 1 tag:Cost Center=a b=c', { account: '1', by: 'tag', key: 'Cost Center', value: 'a b=c' }],
    ['exempt', { problem: 'misspelt' }],
    ['exempt 111122223333', { problem: 'misspelt' }],
    ['exempt 111122223333 dev-*', { problem: 'misspelt' }],
    ['exempt alias:dev-*', { problem: 'misspelt' }],
    ['exempt 111122223333 alias:', { problem: 'alias' }],
    ['exempt 111122223333 alias:dev *', { problem: 'alias' }],
    [`exempt 111122223333 alias:${'a'.repeat(257)}`, { problem: 'alias' }],
    ['exempt 111122223333 tag:Stage', { problem: 'tag' }],
    ['exempt 111122223333 tag:=dev', { problem: 'tag' }],
    [`exempt 111122223333 tag:Stage=${'a'.repeat(257)}`, { problem: 'tag' }],
    // People would read "dev": what is granted has to be what is shown.
    ['exempt 111122223333 tag:Stage=de\u200bv', { problem: 'tag' }],
    ['exempt 111122223333 tag:Stage=\u202evedx', { problem: 'tag' }],
    ['exempt 111122223333 tag:Stage=a  b', { problem: 'tag' }],
    ['exempted 111122223333 alias:dev-*', 'help'],
  ])('%j', (text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it.each(['misspelt', 'tag', 'alias'] as const)(
    'are answered with an example when they are not understood: %s',
    (problem) => {
      expect(patternProblemSentence({ problem })).toMatch(
        /For example: \/kms-rotation exempt 111122223333 alias:dev-\*/,
      );
    },
  );

  it('are answered when the account is not known, or somebody has asked before', () => {
    expect(unknownAccountSentence('nowhere\u202e')).toMatch(/^"nowhere" is neither the 12-digit id/);
    expect(thereAlreadySentence(aPattern())).toBe(
      'These keys are exempt already, until 2026-04-01 09:00 UTC: "Renew…" under the message of that exemption prolongs it.',
    );
    const asked = aPattern([aPatternRequest({ by: aPersonRef({ name: '<!here> First' }) })]);
    expect(thereAlreadySentence(asked)).toMatch(
      /^!here First has asked for an exemption of exactly these keys already/,
    );
  });
});
