import fc from 'fast-check';
import { digest } from '../../../functions/adapters/digest.ts';
import { patternEventSchema } from '../../../functions/contracts/pattern-records.ts';
import { comparePeople } from '../../../functions/domain/authority.ts';
import { isMeantBy, isTooBroad, type KeyPattern } from '../../../functions/domain/key-pattern.ts';
import { EMPTY_PATTERN_CHAIN, sealPattern, verifyPatternChain } from '../../../functions/domain/pattern-audit.ts';
import {
  decidePattern,
  duePatternWork,
  evolvePattern,
  isInForce,
  nextPatternDeadline,
  type PatternCommand,
  type PatternEvent,
  type PatternExemption,
} from '../../../functions/domain/pattern-exemption.ts';
import {
  aKey,
  aPattern,
  aPatternConfirmation,
  aPatternRequest,
  aPersonRef,
  DAY_ONE,
  DEV_KEYS,
  KEY,
  later,
  someRules,
  someTerms,
} from '../../builders.ts';

const ALLOWED = { allowed: true as const };
const BY = aPersonRef({ userId: 'U0THIRD', email: 'third@corp.example' });
const renewal = (at: string, until: string) =>
  aPatternRequest({ at, terms: someTerms({ until }), pattern: { ...DEV_KEYS, by: 'alias', alias: 'prod-*' } });
const refused = (reason: string): unknown =>
  expect.objectContaining({ outcome: 'refused', refusal: expect.objectContaining({ reason }) as unknown });

describe('which keys a pattern means', () => {
  const byTag: KeyPattern = { accountId: KEY.accountId, by: 'tag', key: 'stage', value: 'dev*' };

  it.each([
    ['alias', DEV_KEYS, aKey({ aliases: ['ledger', 'dev-ledger'] }), true],
    ['another alias', DEV_KEYS, aKey({ aliases: ['prod-dev-ledger'] }), false],
    ['no alias', DEV_KEYS, aKey({ aliases: [] }), false],
    ['tag', byTag, aKey({ tags: [{ key: 'stage', value: 'development' }] }), true],
    ['another value', byTag, aKey({ tags: [{ key: 'stage', value: 'prod' }] }), false],
    ['another tag', byTag, aKey({ tags: [{ key: 'Stage', value: 'dev' }] }), false],
    ['nothing that is known', DEV_KEYS, null, false],
  ] as const)('by %s', (_, pattern, facts, isMeant) => {
    expect(isMeantBy(pattern, KEY, facts)).toBe(isMeant);
    expect(isMeantBy(pattern, { accountId: '999988887777' }, facts)).toBe(false);
  });

  it('are never those of another account, or those of which nothing is known', () => {
    const text = fc.string({ maxLength: 8 });
    const pattern = fc.oneof(
      fc.record({ accountId: fc.constant(KEY.accountId), by: fc.constant('alias' as const), alias: text }),
      fc.record({ accountId: fc.constant(KEY.accountId), by: fc.constant('tag' as const), key: text, value: text }),
    );
    fc.assert(
      fc.property(pattern, text, text, (one, alias, value) => {
        const facts = aKey({ aliases: [alias], tags: [{ key: 'key' in one ? one.key : 'any', value }] });
        expect(isMeantBy(one, { accountId: '999988887777' }, facts)).toBe(false);
        expect(isMeantBy(one, KEY, null)).toBe(false);
      }),
    );
  });

  it.each([
    ['*', true],
    ['', true],
    ['**', true],
    ['de*', true],
    ['*de*', true],
    ['dev*', false],
    ['a', false],
  ])('“%s” says too little: %s', (text, isBroad) => {
    expect(isTooBroad({ accountId: KEY.accountId, by: 'alias', alias: text })).toBe(isBroad);
    expect(isTooBroad({ accountId: KEY.accountId, by: 'tag', key: 'environment', value: text })).toBe(isBroad);
  });
});

describe('an exemption of a pattern', () => {
  it('holds from the second person’s word until its end', () => {
    const asked = aPattern([aPatternRequest()]);
    expect(isInForce(asked, later({ minutes: 10 }))).toBe(false);
    const pattern = aPattern();
    expect(isInForce(pattern, later({ minutes: 20 }))).toBe(true);
    expect(isInForce(pattern, later({ days: 30, milliseconds: -1 }))).toBe(true);
    expect(isInForce(pattern, later({ days: 30 }))).toBe(false);
    expect(pattern.grant).toMatchObject({ grantedBy: { userId: 'U0FIRST' }, confirmedBy: { userId: 'U0SECOND' } });
  });

  it.each([
    ['who asked', aPersonRef({ userId: 'U0FIRST', email: 'first@corp.example' }), 'own-request'],
    ['their other account', aPersonRef({ userId: 'U0OTHER', email: 'First@corp.example' }), 'own-request'],
    ['somebody who cannot be told apart', aPersonRef({ userId: 'U0OTHER', email: null }), 'second-person-not-told'],
  ])('is not confirmed by %s', (_, by, reason) => {
    expect(decidePattern(aPatternConfirmation({ by }), aPattern([aPatternRequest()]))).toEqual(refused(reason));
  });

  it('is not confirmed when who asked may not any more, when it is another request, or when it has lapsed', () => {
    const asked = aPattern([aPatternRequest()]);
    const requester = { allowed: false, reason: 'deactivated' } as const;
    expect(decidePattern(aPatternConfirmation({ requester }), asked)).toEqual(refused('requester-may-not'));
    expect(decidePattern(aPatternConfirmation({ requestedAt: DAY_ONE }), asked)).toEqual(refused('request-changed'));
    const at = later({ days: 1, minutes: 10 });
    expect(decidePattern(aPatternConfirmation({ at }), asked)).toEqual(refused('request-lapsed'));
    const rules = someRules({ ticketRequired: true });
    expect(decidePattern(aPatternConfirmation({ rules }), asked)).toEqual(refused('ticket-missing'));
  });

  it('is renewed for the same keys, and counts from its beginning', () => {
    const at = later({ days: 20 });
    const confirmed = aPatternConfirmation({ at: later({ days: 20, minutes: 1 }), requestedAt: at });
    const renewed = aPattern([aPatternRequest(), aPatternConfirmation(), renewal(at, later({ days: 80 })), confirmed]);
    expect(renewed.pattern).toEqual(DEV_KEYS);
    expect(renewed.grant).toMatchObject({
      until: later({ days: 80 }),
      since: later({ minutes: 20 }),
      remindedDays: [],
    });
    const rules = someRules({ maximumTotalDays: 90 });
    const beyond = { ...renewal(later({ days: 70 }), later({ days: 100 })), rules };
    expect(decidePattern(beyond, renewed)).toEqual(refused('until-beyond-total'));
  });

  it('keeps what was granted when a renewal comes to nothing', () => {
    const at = later({ days: 20 });
    const asked = [aPatternRequest(), aPatternConfirmation(), renewal(at, later({ days: 80 }))];
    const withdrawn = aPattern([...asked, { type: 'withdraw-pattern', at, by: BY, verdict: ALLOWED, requestedAt: at }]);
    const lapsed = aPattern([...asked, { type: 'lapse-pattern', at: later({ days: 21 }) }]);
    for (const pattern of [withdrawn, lapsed]) {
      expect(pattern).toMatchObject({ request: null, ended: null, grant: { until: later({ days: 30 }) } });
    }
  });

  it.each([
    [
      {
        type: 'withdraw-pattern',
        at: later({ minutes: 15 }),
        by: BY,
        verdict: ALLOWED,
        requestedAt: later({ minutes: 10 }),
      },
      'withdrawn',
    ],
    [{ type: 'lapse-pattern', at: later({ days: 1, minutes: 10 }) }, 'never-confirmed'],
  ] as const)('ends before it was one: $type', (command, because) => {
    const ended = aPattern([aPatternRequest(), command]);
    expect(ended).toMatchObject({ request: null, grant: null, ended: { because } });
    expect(nextPatternDeadline(ended, someRules())).toBeNull();
    expect(decidePattern(aPatternConfirmation(), ended)).toEqual(refused('pattern-ended'));
    expect(decidePattern(aPatternRequest(), ended)).toEqual(refused('pattern-ended'));
  });

  it('cannot be renewed, revoked or confirmed once it has run out, though no clock came by', () => {
    const at = later({ days: 30 });
    for (const command of [
      renewal(at, later({ days: 60 })),
      { type: 'revoke-pattern', at, by: BY, verdict: ALLOWED },
      { type: 'let-pattern-end', at, by: BY, verdict: ALLOWED },
    ] as const) {
      expect(decidePattern(command, aPattern())).toEqual(refused('pattern-ended'));
    }
  });

  it('is let to end once, and then nobody is reminded', () => {
    const end = { type: 'let-pattern-end' as const, at: later({ days: 17 }), by: BY, verdict: ALLOWED };
    const pattern = aPattern([aPatternRequest(), aPatternConfirmation(), end]);
    expect(decidePattern(end, pattern)).toEqual(refused('end-accepted'));
    const remind = { type: 'remind-pattern-owner' as const, at: later({ days: 23 }), daysLeft: 7 };
    expect(decidePattern(remind, pattern)).toEqual({ outcome: 'ignored' });
  });

  it('is gone over until ten minutes after it was decided', () => {
    const apply = (minutes: number, exempt: number) =>
      ({ type: 'note-coverage', at: later({ minutes }), coverage: { exempt, leftOut: 0 } }) as const;
    const first = aPattern([aPatternRequest(), aPatternConfirmation(), apply(20, 3)]);
    expect(first).toMatchObject({ coverage: { exempt: 3 }, isApplied: false });
    expect(decidePattern(apply(25, 3), first)).toEqual({ outcome: 'ignored' });
    expect(duePatternWork(first, someRules(), later({ minutes: 25 }))).toEqual([
      { type: 'apply', at: later({ minutes: 25 }) },
    ]);
    const last = aPattern([aPatternRequest(), aPatternConfirmation(), apply(20, 3), apply(30, 3)]);
    expect(last.isApplied).toBe(true);
    expect(duePatternWork(last, someRules(), later({ minutes: 31 }))).toEqual([]);
    expect(nextPatternDeadline(last, someRules())).toBe(later({ days: 16 }));
    const revoke = { type: 'revoke-pattern' as const, at: later({ days: 1 }), by: BY, verdict: ALLOWED };
    const revoked = aPattern([aPatternRequest(), aPatternConfirmation(), apply(20, 3), apply(30, 3), revoke]);
    expect(nextPatternDeadline(revoked, someRules())).toBe(later({ days: 1 }));
  });
});

describe('whatever people and the clock do', () => {
  const people = ['U0A', 'U0B', 'U0C'].flatMap((userId) => [
    aPersonRef({ userId, email: `${userId}@corp.example` }),
    aPersonRef({ userId: `${userId}2`, email: userId === 'U0C' ? null : `${userId}@corp.example` }),
  ]);
  const step = fc.record({
    type: fc.constantFrom(
      ...(['request-pattern', 'confirm-pattern', 'confirm-pattern', 'withdraw-pattern', 'revoke-pattern'] as const),
      ...(['let-pattern-end', 'lapse-pattern', 'expire-pattern', 'remind-pattern-owner', 'note-coverage'] as const),
    ),
    minutes: fc.oneof(fc.nat({ max: 30 }), fc.nat({ max: 10 * 24 * 60 })),
    by: fc.constantFrom(...people),
    mayNot: fc.nat({ max: 9 }),
    number: fc.nat({ max: 25 }),
  });
  type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

  function commandOf(
    { type, by, mayNot, number }: Step,
    at: string,
    current: PatternExemption | undefined,
  ): PatternCommand {
    const verdict = mayNot === 0 ? ({ allowed: false, reason: 'guest' } as const) : ALLOWED;
    const requestedAt = mayNot === 1 ? DAY_ONE : (current?.request?.at ?? at);
    const until = new Date(Date.parse(at) + number * 86_400_000).toISOString();
    const rules = someRules({ maximumDays: 20, maximumTotalDays: 40 });
    switch (type) {
      case 'request-pattern':
        return aPatternRequest({ at, by, verdict, rules, terms: someTerms({ until }) });
      case 'confirm-pattern':
        return aPatternConfirmation({ at, by, verdict, rules, requestedAt });
      case 'withdraw-pattern':
        return { type, at, by, verdict, requestedAt };
      case 'revoke-pattern':
      case 'let-pattern-end':
        return { type, at, by, verdict };
      case 'lapse-pattern':
      case 'expire-pattern':
        return { type, at };
      case 'remind-pattern-owner':
        return { type, at, daysLeft: number };
      case 'note-coverage':
        return { type, at, coverage: { exempt: number, leftOut: 0 } };
    }
  }

  function play(
    steps: readonly Step[],
    look: (current: PatternExemption, now: string, events: PatternEvent[]) => void,
  ) {
    let current: PatternExemption | undefined;
    let now = Date.parse(DAY_ONE);
    const all: PatternEvent[] = [];
    for (const one of steps) {
      now += one.minutes * 60_000;
      const at = new Date(now).toISOString();
      const decision = decidePattern(commandOf(one, at, current), current);
      const events = decision.outcome === 'accepted' ? decision.events : [];
      for (const event of events) current = evolvePattern(current, event);
      all.push(...events);
      if (current !== undefined) look(current, at, events);
    }
    return { current, events: all };
  }

  const steps = fc.array(step, { minLength: 1, maxLength: 30, size: 'max' });

  it('it never holds without two different people, nor longer than the policy allows', () => {
    let inForce = 0;
    fc.assert(
      fc.property(steps, (all) => {
        play(all, (current, now) => {
          if (!isInForce(current, now) || current.grant === null) return;
          inForce += 1;
          const { grantedBy, confirmedBy, since, until } = current.grant;
          expect(comparePeople(grantedBy, confirmedBy)).toBe('different');
          expect(Date.parse(until) - Date.parse(since)).toBeLessThanOrEqual(40 * 86_400_000);
        });
      }),
    );
    expect(inForce).toBeGreaterThan(0);
  });

  it('what has ended never holds again, and nothing happens to it but that its keys follow', () => {
    fc.assert(
      fc.property(steps, (all) => {
        let hasEnded = false;
        play(all, (current, now, events) => {
          if (hasEnded) expect(events.every(({ type }) => type === 'pattern-applied')).toBe(true);
          hasEnded = current.ended !== null;
          if (hasEnded) expect(isInForce(current, now)).toBe(false);
        });
      }),
    );
  });

  it('its trail leads to what is stored, and what is stored can be read again', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const { events } = play(all, () => undefined);
        const stored = events.map((event) => patternEventSchema.parse(JSON.parse(JSON.stringify(event))));
        expect(stored).toEqual(events);
        const context = { cause: { kind: 'slack' as const, id: 'click' }, policyVersion: '1', newId: () => 'id' };
        const { records, head } = sealPattern(EMPTY_PATTERN_CHAIN, stored, context, digest);
        expect(verifyPatternChain(records, digest, head)).toEqual({ intact: true, events: events.length });
        const [first] = records;
        if (first === undefined) return;
        const altered = [{ ...first, cause: { kind: 'slack' as const, id: 'another' } }, ...records.slice(1)];
        expect(verifyPatternChain(altered, digest, head)).toMatchObject({ intact: false, sequence: 1 });
      }),
    );
  });
});
