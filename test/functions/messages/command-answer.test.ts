import { expect } from '@jest/globals';
import { digest } from '../../../functions/adapters/digest.ts';
import { verifyChain } from '../../../functions/domain/audit.ts';
import {
  auditAnswer,
  type CommandAnswer,
  exemptionsAnswer,
  helpAnswer,
  listAnswer,
  sentenceAnswer,
  showAnswer,
  statusAnswer,
} from '../../../functions/messages/command-answer.ts';
import { aFinding, aPattern, aPatternRequest, aPolicy, later } from '../../builders.ts';
import { expectSlackTakes, wordsOf } from './slack-limits.ts';
import { trailOf } from './trail.ts';

const CONTEXT = { policy: aPolicy(), now: later({ days: 1 }) };
const ATTACK = '<!channel> *x*\n\u202e'.repeat(60);

function words(answer: CommandAnswer): string {
  expectSlackTakes(answer);
  expect(answer.response_type).toBe('ephemeral');
  return answer.blocks.map(wordsOf).join('');
}

it('names every command when it is asked for help', () => {
  for (const name of ['status', 'open', 'show', 'exemptions', 'audit']) {
    expect(words(helpAnswer(null))).toContain(`/kms-rotation ${name}`);
  }
});

it('repeats what it did not understand, disarmed', () => {
  const answer = helpAnswer(ATTACK);
  expect(words(answer)).toContain('is not understood');
  expect(answer.text).not.toMatch(/<!|\u202e/);
});

it('counts, and says where it stopped counting', () => {
  const zero = { exactly: 0 };
  const counts = { open: { atLeast: 500 }, approved: zero, failed: zero, exempt: { exactly: 3 }, remediated: zero };
  const text = words(statusAnswer(counts, 'abc'));
  expect(text).toContain('more than 500 waiting for a decision');
  expect(text).toContain('3 exempt');
  expect(text).toContain('Policy version abc.');
});

it('lists as many as fit, each with its buttons', () => {
  const findings = Array.from({ length: 100 }, () => aFinding('open'));
  const text = words(listAnswer('Waiting', findings, { nothing: 'Nothing.', more: 'There are more.' }, CONTEXT));
  expect(text.match(/\[Approve\]/g)).toHaveLength(15);
  expect(text).toContain('And 85 more');
  expect(text).toContain('There are more.');
});

it('says that a list is empty, and whether that is all that is known', () => {
  const empty = (more: string | null) =>
    words(listAnswer('Waiting', [], { nothing: 'Nothing.', more }, CONTEXT)).trim();
  expect(empty(null)).toBe('Nothing.');
  expect(empty('Not all were seen.')).toBe('Nothing. Not all were seen.');
});

it.each([
  [true, 'No exemption ends soon.'],
  [false, 'No key is exempt.'],
])('says that there is no exemption, expiring only: %s', (expiringOnly, sentence) => {
  expect(words(exemptionsAnswer([], [], { expiringOnly, more: null }, CONTEXT)).trim()).toBe(sentence);
});

it('lists exemptions of patterns above those of keys, and confirms none without what it covers', () => {
  const patterns = [
    aPattern(),
    ...Array.from({ length: 9 }, () => aPattern([aPatternRequest({ at: later({ hours: 20 }) })])),
  ];
  const answer = exemptionsAnswer([aFinding('exempt')], patterns, { expiringOnly: false, more: null }, CONTEXT);
  expect(words(answer)).toMatch(
    /Exemptions of many keys\n.*Keys with alias dev-\* in .*And 5 more\..*the next to end first/s,
  );
  expect(words(answer)).not.toContain('[Confirm');
  expect(answer.text).toMatch(/^Exemptions of many keys: alias dev-\* in .* Exemptions, the next to end first: alias/);
});

it('shows a finding as its own message does', () => {
  expect(words(showAnswer(aFinding('open'), CONTEXT))).toContain('[Approve] [Exempt…] [Re-check]');
});

describe('the audit answer', () => {
  const trail = trailOf('remediated');

  it('tells the newest first and proves the whole', () => {
    const text = words(auditAnswer(aFinding('remediated'), trail, verifyChain(trail, digest)));
    expect(text).toContain(`All ${trail.length} events are there and unaltered.`);
    expect(text.indexOf('Remediated, read back')).toBeLessThan(text.indexOf('Finding opened'));
  });

  it('says where a trail is broken', () => {
    const broken = trail.filter(({ sequence }) => sequence !== 2);
    expect(words(auditAnswer(aFinding('remediated'), broken, verifyChain(broken, digest)))).toContain(
      'The trail is not intact: event 2 is missing, found 3',
    );
  });

  it('stays within the limits with a long trail', () => {
    const long = Array.from({ length: 40 }, () => trailOf('exempt')).flat();
    expect(words(auditAnswer(aFinding('exempt'), long, { intact: true, events: long.length }))).toMatch(
      /And \d+ older/,
    );
  });
});

it('has one sentence for what cannot be answered', () => {
  expect(words(sentenceAnswer('Nothing.')).trim()).toBe('Nothing.');
});
