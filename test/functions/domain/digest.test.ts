import fc from 'fast-check';
import {
  approvedSince,
  type Batch,
  certainUntil,
  type DigestMember,
  inOrder,
  isApprovable,
  isInTime,
  isMeant,
  isWaiting,
  joinsDigest,
  leavesDigest,
  memberOf,
  minutesOf,
  sortTextOf,
  summarise,
  takesMembers,
} from '../../../functions/domain/digest.ts';
import type { Status } from '../../../functions/domain/finding.ts';
import { aFinding, aKey, anActor, anOpening, aPerson, aTrigger, given, KEY, later, PROBLEMS } from '../../builders.ts';

const RULES = { threshold: 20, firstTags: { environment: ['prod', 'production'], exposure: ['internet'] } };
const STATUSES: readonly Status[] = ['open', 'approved', 'remediated', 'failed', 'exempt', 'closed'];

const member = fc.record<DigestMember>({
  key: fc
    .nat({ max: 30 })
    .map((index) => ({ ...KEY, arn: `${KEY.arn}-${index}`, accountId: `11112222333${index % 3}` })),
  episode: fc.integer({ min: 1, max: 2 }),
  alias: fc.option(fc.string({ maxLength: 20 })),
  status: fc.constantFrom(...STATUSES, 'observed', 'moved'),
  reason: fc.constantFrom('rotation-off', 'period-too-long', 'manual-rotation-due', 'unknown'),
  severity: fc.constantFrom('LOW', 'MEDIUM', 'HIGH'),
  causedBy: fc.option(fc.constantFrom('deployer', 'somebody')),
  comesFirst: fc.boolean(),
  isApprovable: fc.boolean(),
  approvedBy: fc.constant(null),
});
const members = fc.uniqueArray(member, { maxLength: 40, selector: ({ key, episode }) => `${key.arn}#${episode}` });

function aBatch(changes: Partial<Batch> = {}): Batch {
  return {
    ...{ digest: 'C0SECURITY#1', requestId: 'request-1', at: later({ hours: 1 }), person: aPerson() },
    ...{ groups: { known: false }, policyVersion: '1', upTo: later({ minutes: 30 }), count: 3 },
    ...changes,
  };
}

describe('joining', () => {
  it('begins above the threshold, and goes on in the minute after one that was above', () => {
    expect(joinsDigest({ arrivals: 20, arrivalsBefore: 20 }, RULES)).toBe(false);
    expect(joinsDigest({ arrivals: 21, arrivalsBefore: 0 }, RULES)).toBe(true);
    expect(joinsDigest({ arrivals: 1, arrivalsBefore: 21 }, RULES)).toBe(true);
  });

  it('never happens when the policy says never', () => {
    expect(joinsDigest({ arrivals: 5000, arrivalsBefore: 5000 }, { threshold: null })).toBe(false);
  });

  it('counts by the minute in which the finding was opened', () => {
    expect(minutesOf('2026-03-02T09:00:59.999Z')).toEqual({ own: '2026-03-02T09:00', before: '2026-03-02T08:59' });
    expect(minutesOf('2026-01-01T00:00:00.000Z').before).toBe('2025-12-31T23:59');
  });

  it('ends ten minutes after the last one, and after a day in any case', () => {
    const began = later({});
    expect(takesMembers({ beganAt: began, lastJoinedAt: began }, later({ minutes: 10 }))).toBe(true);
    expect(takesMembers({ beganAt: began, lastJoinedAt: began }, later({ minutes: 10, milliseconds: 1 }))).toBe(false);
    const lastJoinedAt = later({ hours: 24 });
    expect(takesMembers({ beganAt: began, lastJoinedAt }, lastJoinedAt)).toBe(true);
    expect(takesMembers({ beganAt: began, lastJoinedAt }, later({ hours: 24, minutes: 1 }))).toBe(false);
  });
});

describe('a member', () => {
  it('says what its finding is', () => {
    const finding = given([anOpening({ trigger: aTrigger({ actor: anActor({ name: 'deployer' }) }) })]);
    expect(memberOf(finding, RULES)).toEqual({
      ...{ key: KEY, episode: 1, alias: 'payments/ledger', status: 'open', reason: 'rotation-off' },
      ...{ severity: 'MEDIUM', causedBy: 'deployer', comesFirst: false, isApprovable: true, approvedBy: null },
    });
  });

  it('comes first with one of the policy’s tags, in any case', () => {
    const tagged = (key: string, value: string) =>
      memberOf(given([anOpening({ facts: aKey({ tags: [{ key, value }] }) })]), RULES).comesFirst;
    expect(tagged('Environment', 'PROD')).toBe(true);
    expect(tagged('exposure', 'internet')).toBe(true);
    expect(tagged('environment', 'development')).toBe(false);
    expect(tagged('owner', 'prod')).toBe(false);
    expect(memberOf(given([anOpening({ facts: null })]), RULES).comesFirst).toBe(false);
  });

  it('knows whose approval holds', () => {
    const { approval } = aFinding('remediated');
    expect(memberOf(aFinding('remediated'), RULES).approvedBy).toEqual({ userId: 'U0123456789', at: approval.at });
    expect(memberOf(aFinding('exempt'), RULES).approvedBy).toBeNull();
  });
});

describe('"Approve all"', () => {
  it.each(STATUSES)('is for open findings: %s', (status) => {
    expect(isApprovable(aFinding(status))).toBe(status === 'open');
  });

  it.each(PROBLEMS)('is for what switching rotation on settles: $verdict', (assessment) => {
    const isForIt = assessment.verdict === 'rotation-off' || assessment.verdict === 'period-too-long';
    expect(isApprovable(given([anOpening({ assessment })]))).toBe(isForIt);
  });

  it('is not for keys that are only observed, nor for those in a drift loop', () => {
    expect(isApprovable(given([anOpening({ mode: 'observe' })]))).toBe(false);
    expect(memberOf(given([anOpening({ mode: 'observe' })]), RULES)).toMatchObject({ status: 'observed' });
    const history = { switchedOnByBot: [], switchedOffAgain: [{ at: later({}), by: 'pipeline', tool: 'Terraform' }] };
    expect(isApprovable({ ...aFinding('open'), history })).toBe(false);
  });

  it('means who is certain to have been shown', () => {
    const now = later({ minutes: 5 });
    const joined = { ...memberOf(aFinding('open'), RULES), joinedAt: later({ minutes: 4 }) };
    expect(isMeant(joined, { upTo: certainUntil(now) })).toBe(true);
    expect(isMeant({ ...joined, joinedAt: now }, { upTo: certainUntil(now) })).toBe(false);
    expect(isMeant({ ...joined, isApprovable: false }, { upTo: certainUntil(now) })).toBe(false);
  });

  it('is carried out for a day', () => {
    const batch = aBatch({ at: later({}) });
    expect(isInTime(batch, later({ hours: 24 }))).toBe(true);
    expect(isInTime(batch, later({ hours: 24, milliseconds: 1 }))).toBe(false);
  });

  it('counts what the person has approved since', () => {
    const base = memberOf(aFinding('open'), RULES);
    const by = (userId: string, at: string) => ({ ...base, approvedBy: { userId, at } });
    const all = [
      base,
      by('U0123456789', later({ hours: 1 })),
      by('U0123456789', later({ minutes: 59 })),
      by('U0OTHER', later({ hours: 2 })),
    ];
    expect(approvedSince(all, aBatch())).toBe(1);
  });
});

describe('the order', () => {
  it('is total: the same members come in the same order however they came in', () => {
    fc.assert(
      fc.property(members, fc.func(fc.nat()), (all, shuffle) => {
        const shuffled = [...all].sort((a, b) => shuffle(a.key.arn) - shuffle(b.key.arn));
        expect(inOrder(shuffled)).toEqual(inOrder(all));
      }),
    );
  });

  it('has what waits before what does not, and of that the first tags before the rest', () => {
    fc.assert(
      fc.property(members, (all) => {
        const ranks = inOrder(all).map((each) => (isWaiting(each) ? 0 : 2) + (each.comesFirst ? 0 : 1));
        expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
      }),
    );
  });

  it('is the one of the table’s index: text by text', () => {
    fc.assert(
      fc.property(members, (all) => {
        const texts = inOrder(all).map(sortTextOf);
        expect(texts).toEqual([...texts].sort());
        expect(new Set(texts).size).toBe(all.length);
      }),
    );
  });
});

describe('the summary', () => {
  it('loses nobody and counts nobody twice', () => {
    fc.assert(
      fc.property(members, (all) => {
        const { total, moved, byStatus, byAccount, byReason, byCause } = summarise(all);
        const sum = (counts: readonly { count: number }[]) => counts.reduce((n, { count }) => n + count, 0);
        expect(total + moved).toBe(all.length);
        expect(Object.values(byStatus).reduce((a, b) => a + b, 0)).toBe(total);
        expect(sum(byAccount)).toBe(total);
        expect(sum(byReason)).toBe(total);
        expect(sum(byCause)).toBe(all.filter(({ causedBy, status }) => causedBy !== null && status !== 'moved').length);
        for (const counts of [byAccount, byReason, byCause]) {
          expect(counts.map(({ count }) => count)).toEqual(counts.map(({ count }) => count).sort((a, b) => b - a));
        }
      }),
    );
  });
});

it.each([
  ['exemption-reminded', true],
  ['exemption-expired', true],
  ['exemption-revoked', true],
  ['back-out-approved', true],
  ['finding-opened', false],
  ['remediation-approved', false],
  ['remediation-failed', false],
  ['reminded', false],
] as const)('after %s a member has a message of its own: %s', (event, leaves) => {
  expect(leavesDigest(event)).toBe(leaves);
});
