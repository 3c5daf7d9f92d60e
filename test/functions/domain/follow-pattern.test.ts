import { decide } from '../../../functions/domain/decide.ts';
import { evolve } from '../../../functions/domain/evolve.ts';
import { nextExemptionReminder } from '../../../functions/domain/exemption.ts';
import type { ExemptFinding, Finding } from '../../../functions/domain/finding.ts';
import type { FindingEvent } from '../../../functions/domain/finding-events.ts';
import { exemptionByPatterns, followCommand } from '../../../functions/domain/follow-pattern.ts';
import type { PatternExemption } from '../../../functions/domain/pattern-exemption.ts';
import {
  aKey,
  anActor,
  anAssessment,
  anExemption,
  anOpening,
  aPattern,
  aPatternConfirmation,
  aPatternRequest,
  aPersonRef,
  aPolicy,
  aRequest,
  aTrigger,
  commandsOfEveryType,
  DEV_KEYS,
  given,
  KEY,
  later,
  someRules,
  someTerms,
} from '../../builders.ts';

const AT = later({ minutes: 30 });
const FACTS = aKey({ aliases: ['dev-ledger'] });
const POLICY = aPolicy();
POLICY.exemptions.patterns = { channel: 'C0PATTERNS', approvers: { users: [], userGroups: ['S0PATTERNS'] } };
const seen = { key: KEY, facts: FACTS, trigger: aTrigger() };
const opening = anOpening({ facts: FACTS });
const revoked = () =>
  aPattern([
    aPatternRequest(),
    aPatternConfirmation(),
    { type: 'revoke-pattern', at: later({ minutes: 40 }), by: aPersonRef(), verdict: { allowed: true } },
  ]);
const renewed = () => {
  const at = later({ days: 20 });
  const request = aPatternRequest({ at, terms: someTerms({ until: later({ days: 80 }) }) });
  return aPattern([
    aPatternRequest(),
    aPatternConfirmation(),
    request,
    aPatternConfirmation({ at: later({ days: 20, minutes: 1 }), requestedAt: at }),
  ]);
};

function follow(pattern: PatternExemption, finding: Finding, at = AT, policy = POLICY): FindingEvent[] {
  const command = followCommand(pattern, finding, { policy, at });
  const decision = command === null ? null : decide(command, finding);
  return decision?.outcome === 'accepted' ? decision.events : [];
}
const followed = (pattern: PatternExemption, finding: Finding, at = AT) =>
  follow(pattern, finding, at).reduce<Finding>(evolve, finding);
function exempt(): ExemptFinding {
  const finding = followed(aPattern(), given([opening]));
  if (finding.status !== 'exempt') throw new Error('expected an exempt finding');
  return finding;
}

describe('a finding that opens while a pattern means its key', () => {
  const byPattern = exemptionByPatterns([aPattern()], seen, { policy: POLICY, at: AT }) ?? undefined;

  it.each(['ask', 'auto'] as const)('is exempt at once in mode %s, and nobody is asked', (mode) => {
    const decision = decide(anAssessment({ at: AT, facts: FACTS, mode, byPattern }), undefined);
    if (decision.outcome !== 'accepted') throw new Error('expected an opening');
    expect(decision.events.map(({ type }) => type)).toEqual(['finding-opened', 'exemption-granted']);
    const finding = decision.events.reduce<Finding | undefined>(evolve, undefined);
    expect(finding).toMatchObject({
      status: 'exempt',
      exemptSince: AT,
      exemption: {
        ...{ until: later({ days: 30 }), grantedBy: { userId: 'U0FIRST' }, confirmedBy: { userId: 'U0SECOND' } },
        pattern: { id: 'pattern-1', means: DEV_KEYS },
      },
    });
  });

  it('is only recorded in mode observe', () => {
    const decision = decide(anAssessment({ at: AT, facts: FACTS, mode: 'observe', byPattern }), undefined);
    expect(decision).toMatchObject({ outcome: 'accepted', events: [{ type: 'finding-opened' }] });
  });

  it('is not exempt by a later look: what was revoked stays so in its episode', () => {
    const open = given([opening, { type: 'exemption-granted', at: AT, exemption: anExemption() }]);
    const asked = evolve(open, { type: 'exemption-revoked', at: AT, by: aPersonRef() });
    const look = decide(anAssessment({ at: AT, facts: aKey({ tags: [] }), byPattern }), asked);
    expect(look).toMatchObject({ outcome: 'accepted', events: [{ type: 'finding-reassessed' }] });
  });

  it('has the exemption that holds longest', () => {
    const longer = { ...renewed(), id: 'pattern-2' };
    const at = later({ days: 21 });
    expect(exemptionByPatterns([longer, aPattern()], seen, { policy: POLICY, at })?.pattern?.id).toBe('pattern-2');
    expect(exemptionByPatterns([aPattern(), longer], seen, { policy: POLICY, at })?.pattern?.id).toBe('pattern-2');
  });

  it.each([
    ['nobody has confirmed it', aPattern([aPatternRequest()]), seen],
    ['it was ended', revoked(), seen],
    ['the key is not meant', aPattern(), { ...seen, facts: aKey() }],
    ['nothing is known of the key', aPattern(), { ...seen, facts: null }],
    ['it is of another account', aPattern(), { ...seen, key: { ...KEY, accountId: '999988887777' } }],
    [
      'who asked for it caused the finding',
      aPattern(),
      { ...seen, trigger: aTrigger({ actor: anActor({ arn: null, email: 'FIRST@corp.example' }) }) },
    ],
    [
      'who confirmed it caused the finding',
      aPattern(),
      { ...seen, trigger: aTrigger({ actor: anActor({ arn: 'arn:aws:iam::111122223333:user/second' }) }) },
    ],
  ])('is asked about when %s', (_, pattern, key) => {
    const policy = { ...POLICY, identities: [{ awsArn: 'arn:aws:iam::*:user/second', slackUserId: 'U0SECOND' }] };
    expect(exemptionByPatterns([pattern], key, { policy, at: later({ hours: 1 }) })).toBeNull();
  });

  it('is asked about when it has run out, or when the policy lets nobody exempt patterns any more', () => {
    expect(exemptionByPatterns([aPattern()], seen, { policy: POLICY, at: later({ days: 30 }) })).toBeNull();
    expect(exemptionByPatterns([aPattern()], seen, { policy: aPolicy(), at: AT })).toBeNull();
  });

  it('may be the doing of the two where the policy allows that for one key', () => {
    const policy = { ...POLICY, exemptions: { ...POLICY.exemptions, selfExemption: true } };
    const own = { ...seen, trigger: aTrigger({ actor: anActor({ arn: null, email: 'first@corp.example' }) }) };
    expect(exemptionByPatterns([aPattern()], own, { policy, at: AT })).not.toBeNull();
  });
});

describe('a finding that is there when a pattern is confirmed', () => {
  it('is exempt as long as the pattern, counted from now', () => {
    expect(exempt().exemption).toMatchObject({ until: later({ days: 30 }), grantedAt: AT, since: AT });
    expect(follow(aPattern(), exempt())).toEqual([]);
  });

  it('stays what somebody asks about it, has decided, or only observes', () => {
    const asking = evolve(given([opening]), { type: 'confirmation-requested', at: AT, request: aRequest() });
    const own = given([opening, { type: 'exemption-granted', at: AT, exemption: anExemption() }]);
    const observed = given([anOpening({ facts: FACTS, mode: 'observe' })]);
    for (const finding of [asking, own, observed]) expect(follow(aPattern(), finding)).toEqual([]);
  });

  it('is not exempt again by what a person took it out of, but by another', () => {
    const left = (...leftPatterns: string[]) => ({ ...given([opening]), leftPatterns });
    expect(follow(aPattern(), left('another'))).toMatchObject([{ type: 'exemption-granted' }]);
    expect(follow(aPattern(), left('another', aPattern().id))).toEqual([]);
  });

  it('may have all the time that the policy allows one key', () => {
    const until = aPattern().grant?.until ?? '';
    const total = (Date.parse(until) - Date.parse(AT)) / 86_400_000;
    const allowing = (maximumTotalDays: number) => ({
      ...{ ...POLICY, exemptions: { ...POLICY.exemptions, ...someRules({ maximumDays: 3650, maximumTotalDays }) } },
    });
    expect(follow(aPattern(), given([opening]), AT, allowing(total))).toMatchObject([{ exemption: { until } }]);
    expect(follow(aPattern(), given([opening]), AT, allowing(total - 0.01))).toEqual([]);
  });

  it('does not have more time than the policy allows one key', () => {
    const policy = { ...POLICY, exemptions: { ...POLICY.exemptions, ...someRules({ maximumTotalDays: 90 }) } };
    const before = { ...anExemption(), since: later({ days: -80 }), until: later({ minutes: 5 }) };
    const open = given([
      opening,
      { type: 'exemption-granted', at: later({ days: -80 }), exemption: before },
      { type: 'exemption-expired', at: later({ minutes: 5 }), facts: null, assessment: { verdict: 'rotation-off' } },
    ]);
    expect(follow(aPattern(), open, AT, policy)).toEqual([]);
    expect(follow(aPattern(), open, AT)).toMatchObject([{ exemption: { since: later({ days: -80 }) } }]);
  });

  it('has its exemption renewed with the pattern’s', () => {
    const [event, ...more] = follow(renewed(), exempt(), later({ days: 21 }));
    expect(event).toMatchObject({ type: 'exemption-renewed', by: { userId: 'U0SECOND' } });
    expect(more).toEqual([]);
    expect(followed(renewed(), exempt(), later({ days: 21 }))).toMatchObject({
      exemption: { until: later({ days: 80 }), since: AT },
    });
  });

  it('is asked about again when the pattern’s exemption is ended, in the name of who ended it', () => {
    const events = follow(revoked(), exempt(), later({ minutes: 41 }));
    expect(events).toMatchObject([{ type: 'exemption-revoked', by: aPersonRef(), withPattern: true }]);
    const open = events.reduce<Finding>(evolve, exempt());
    expect(open).toMatchObject({ status: 'open' });
    const other = { ...aPattern(), id: 'pattern-2' };
    expect(followed(other, open, later({ minutes: 42 })).status).toBe('exempt');
  });

  it('whose exemption is its own is untouched when a pattern’s is ended', () => {
    const own = given([opening, { type: 'exemption-granted', at: AT, exemption: anExemption() }]);
    expect(follow(revoked(), own, later({ minutes: 41 }))).toEqual([]);
  });

  const commands = commandsOfEveryType(later({ minutes: 35 }));
  it.each(['revoke-exemption', 'shorten-exemption', 'renew-exemption', 'fix-now'] as const)(
    'follows no more after a person’s %s, not even a renewal of the pattern',
    (type) => {
      const decision = decide(commands[type], exempt());
      if (decision.outcome !== 'accepted') throw new Error('expected an accepted command');
      const alone = decision.events.reduce<Finding>(evolve, exempt());
      expect(alone.leftPatterns).toEqual(['pattern-1']);
      expect(alone.status === 'exempt' && alone.exemption.pattern).toBeFalsy();
      expect(follow(aPattern(), alone)).toEqual([]);
      expect(follow(renewed(), alone, later({ days: 21 }))).toEqual([]);
      expect(follow(revoked(), alone, later({ minutes: 41 }))).toEqual([]);
    },
  );

  it('reminds nobody of its own end: its pattern does', () => {
    expect(nextExemptionReminder(exempt().exemption, someRules())).toBeNull();
  });
});
