import type { CoveredKeys, KeyPattern } from '../../../functions/domain/key-pattern.ts';
import {
  evolvePattern,
  type PatternEvent,
  type PatternExemption,
} from '../../../functions/domain/pattern-exemption.ts';
import { sentenceAnswer } from '../../../functions/messages/command-answer.ts';
import { patternRefusalSentence } from '../../../functions/messages/pattern-event.ts';
import { renderPatternMessage } from '../../../functions/messages/pattern-message.ts';
import { renderPatternModal } from '../../../functions/messages/pattern-modal.ts';
import { renderPatternOwnerNotice } from '../../../functions/messages/pattern-owner-notice.ts';
import { later } from '../../builders.ts';
import { APPROVER, ENGINEER, key, POLICY, SECOND_APPROVER, VIEWER } from '../cast.ts';
import type { Posted, Section } from '../picture.ts';

const ID = 'exemption-of-a-pattern';
const PATTERN: KeyPattern = { accountId: '123456789012', by: 'alias', alias: 'test-*' };
const COVERED: CoveredKeys = {
  isAll: true,
  keys: [
    { arn: key(31, PATTERN.accountId).arn, alias: 'test-cache', status: 'open' },
    { arn: key(32, PATTERN.accountId).arn, alias: 'test-session', status: 'open' },
    { arn: key(33, PATTERN.accountId).arn, alias: 'test-mail', status: 'exempt' },
  ],
};
const UNTIL = later({ days: 60, hours: 15 });
const TERMS = { owner: ENGINEER, reason: 'Keys of the test stage hold made-up data only', ticket: null, until: UNTIL };

const requested: PatternEvent = {
  ...{ type: 'pattern-requested', at: later({ minutes: 5 }), id: ID, pattern: PATTERN },
  request: { by: APPROVER, at: later({ minutes: 5 }), terms: TERMS, lapsesAt: later({ days: 1, minutes: 5 }) },
};
const confirmed: PatternEvent = {
  ...{ type: 'pattern-confirmed', at: later({ minutes: 20 }), by: SECOND_APPROVER, until: UNTIL },
};
const applied: PatternEvent = {
  ...{ type: 'pattern-applied', at: later({ minutes: 21 }), coverage: { exempt: 3, leftOut: 0 }, isLast: true },
};
const reminded: PatternEvent = { type: 'pattern-reminded', at: later({ days: 46 }), daysLeft: 15, owner: ENGINEER };
const revoked: PatternEvent = { type: 'pattern-revoked', at: later({ days: 3 }), by: APPROVER };

function after(...events: PatternEvent[]): PatternExemption {
  const exemption = events.reduce<PatternExemption | undefined>(evolvePattern, undefined);
  if (exemption === undefined) throw new Error('nothing happened');
  return exemption;
}

function message(exemption: PatternExemption, now: string, covered: CoveredKeys | null = COVERED): Posted {
  return renderPatternMessage(exemption, { policy: POLICY, now, covered });
}

function notice(event: PatternEvent, exemption: PatternExemption): Posted {
  const told = renderPatternOwnerNotice(event, { exemption, policy: POLICY, link: null });
  if (told === null) throw new Error(`${event.type} tells the owner nothing`);
  return told;
}

const form = renderPatternModal(
  { metadata: { purpose: 'exempt', id: ID, pattern: PATTERN }, pattern: PATTERN, covered: COVERED, grant: null },
  { policy: POLICY, now: later({}) },
);
const allExempt = { isAll: true, keys: COVERED.keys.map((each) => ({ ...each, status: 'exempt' as const })) };

const exemptionsOfPatterns: Section = {
  title: 'Exemptions of a tag or alias pattern',
  words:
    'Those whom the policy names for it (`exemptions.patterns`) can exempt all keys of one account that a tag or an alias means, those made later included. It always takes two of them, and both see what it covers before they decide.',
  pictures: [
    {
      name: 'command-exempt',
      title: '`/kms-rotation exempt <account> alias:<pattern> or tag:<Key>=<value>`',
      words:
        'Opens the form. What it covers comes first, then the terms. The account may be given by its name in the policy.',
      shows: { place: 'modal', view: form },
    },
    {
      name: 'pattern-refused',
      title: 'Not everybody may',
      words: 'Whom the policy does not name is told so, privately, and no form opens.',
      shows: {
        ...{ place: 'private', to: VIEWER },
        message: sentenceAnswer(patternRefusalSentence({ reason: 'not-an-approver' })),
      },
    },
    {
      name: 'pattern-asked',
      title: 'Asked for',
      words:
        'In the channel that the policy names. Nothing changes before somebody else confirms it; who asked cannot.',
      shows: { place: 'channel', message: message(after(requested), later({ minutes: 10 })) },
    },
    {
      name: 'pattern-confirm',
      title: 'Confirming asks back',
      words: 'The dialog repeats what is covered.',
      shows: {
        ...{ place: 'confirm', button: 'Confirm exemption' },
        message: message(after(requested), later({ minutes: 10 })),
      },
    },
    {
      name: 'pattern-in-force',
      title: 'In force',
      words:
        'Says who decided it and how many keys follow it. Renewing opens the form again and takes two people again.',
      shows: {
        place: 'channel',
        message: message(after(requested, confirmed, applied), later({ days: 1 }), allExempt),
      },
    },
    {
      name: 'pattern-owner',
      title: 'The owner is told once for all keys',
      words: 'By direct message, when it is confirmed.',
      shows: { place: 'direct message', message: notice(confirmed, after(requested, confirmed)) },
    },
    {
      name: 'pattern-reminded',
      title: 'The owner is reminded once for all keys',
      words: 'They can let it run out; an approver can ask to renew it.',
      shows: { place: 'direct message', message: notice(reminded, after(requested, confirmed, applied, reminded)) },
    },
    {
      name: 'pattern-ended',
      title: 'Ended',
      words: 'No button is left. Every key that followed it is looked at again, and its approvers are asked.',
      shows: {
        place: 'channel',
        message: message(after(requested, confirmed, applied, revoked), later({ days: 4 }), null),
      },
    },
  ],
};

export const patterns: readonly Section[] = [exemptionsOfPatterns];
