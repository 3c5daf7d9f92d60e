import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import type { Assessment } from '../../../functions/domain/assessment.ts';
import { type AuditEvent, type ChainHead, EMPTY_CHAIN, seal, verifyChain } from '../../../functions/domain/audit.ts';
import { type AuthorityVerdict, comparePeople } from '../../../functions/domain/authority.ts';
import type { Command, FourEyes } from '../../../functions/domain/commands.ts';
import { type DueWork, dueWork, nextDeadline } from '../../../functions/domain/deadlines.ts';
import { type Decision, decide, refusalEvent } from '../../../functions/domain/decide.ts';
import { evolve, replay } from '../../../functions/domain/evolve.ts';
import { isLive } from '../../../functions/domain/exemption.ts';
import {
  type Finding,
  isDriftLoop,
  isWaiting,
  type Mode,
  requestOf,
  type Status,
} from '../../../functions/domain/finding.ts';
import type { FindingEvent, FindingEventType } from '../../../functions/domain/finding-events.ts';
import type { Trigger } from '../../../functions/domain/people.ts';
import {
  aKey,
  anAssessment,
  aPersonRef,
  aProof,
  aTrigger,
  commandsOfEveryType,
  DAY_ONE,
  PROBLEMS,
  someRules,
  someTerms,
} from '../../builders.ts';

const RULES = someRules({ maximumDays: 20, maximumTotalDays: 30, reminderDays: [7, 1] });
const DAY = 86_400_000;

/** One step: some time passes, then somebody commands something. The command is made for the state it meets. */
type Step = { minutes: number; make: (at: string, finding: Finding | undefined) => Command };

const people = ['U0000000001', 'U0000000002', 'U0000000003'].map((userId) =>
  aPersonRef({ userId, name: userId, email: `${userId}@corp.example` }),
);
const by = fc.constantFrom(...people);
const verdict = fc.oneof(
  { weight: 6, arbitrary: fc.constant<AuthorityVerdict>({ allowed: true }) },
  { weight: 1, arbitrary: fc.constant<AuthorityVerdict>({ allowed: false, reason: 'not-an-approver' }) },
);
const fourEyes = fc.constantFrom<FourEyes | null>(null, null, { because: 'route-asks', confirmWithinHours: 24 });
const facts = fc.constantFrom(aKey(), aKey({ tags: [] }), null);
const settled = fc.constantFrom<Extract<Assessment, { verdict: 'compliant' | 'not-applicable' }>>(
  { verdict: 'compliant' },
  { verdict: 'not-applicable', reason: 'disabled' },
);
const assessment = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Assessment>({ verdict: 'rotation-off' }) },
  { weight: 2, arbitrary: fc.constantFrom<Assessment>(...PROBLEMS) },
  { weight: 1, arbitrary: settled },
);
const mode = fc.constantFrom<Mode>('ask', 'ask', 'auto', 'observe');
const trigger = fc.constantFrom<Trigger>(aTrigger(), aTrigger({ eventName: 'DisableKeyRotation' }), {
  kind: 'recheck',
  at: DAY_ONE,
  by: aPersonRef(),
});
const terms = fc.record({
  days: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: -1, max: 22 })),
  reason: fc.oneof(
    { weight: 5, arbitrary: fc.constant('The vendor pins the key material') },
    { weight: 1, arbitrary: fc.constant('no') },
  ),
  ownerIsFullMember: fc.constantFrom(true, true, true, false),
});
const minutes = fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 12 * 24 * 60 }));

const commands = commandsOfEveryType();
const types = Object.values(commands).map(({ type }) => type);

/** What usually comes next in a state, so that sequences come far. */
const ONWARD: Record<Status | 'none', Command['type'][]> = {
  none: ['assess'],
  open: ['approve', 'exempt', 'follow-pattern'],
  approved: ['start-remediation', 'confirm-remediation', 'confirm-remediation'],
  remediated: ['back-out'],
  failed: ['approve', 'report-overdue'],
  exempt: [
    ...(['follow-pattern', 'leave-pattern'] as const),
    ...(['expire-exemption', 'renew-exemption', 'revoke-exemption', 'remind-owner'] as const),
    ...(['shorten-exemption', 'let-exemption-end', 'renew-exemption'] as const),
  ],
  closed: ['assess'],
};
const ONWARD_WITH_REQUEST: Command['type'][] = [
  'confirm-request',
  'confirm-request',
  'withdraw-request',
  'lapse-request',
];
const type = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom<Command['type'] | 'onward'>(...types) },
  { weight: 2, arbitrary: fc.constant('onward' as const) },
);

const step: fc.Arbitrary<Step> = fc
  .record({
    minutes,
    type,
    by,
    verdict,
    fourEyes,
    facts,
    assessment,
    settled,
    mode,
    presentMode: mode,
    trigger,
    terms,
    stale: fc.nat({ max: 9 }),
  })
  .map(({ minutes: wait, ...drawn }) => ({ minutes: wait, make: (at, finding) => commandOf(drawn, at, finding) }));

type Drawn = {
  type: Command['type'] | 'onward';
  by: (typeof people)[number];
  verdict: AuthorityVerdict;
  fourEyes: FourEyes | null;
  facts: ReturnType<typeof aKey> | null;
  assessment: Assessment;
  settled: Extract<Assessment, { verdict: 'compliant' | 'not-applicable' }>;
  mode: Mode;
  presentMode: Mode;
  trigger: Trigger;
  terms: { days: number; reason: string; ownerIsFullMember: boolean };
  stale: number;
};

function commandOf(drawn: Drawn, at: string, finding: Finding | undefined): Command {
  const pending = finding === undefined ? null : requestOf(finding);
  const onward = pending === null ? ONWARD[finding?.status ?? 'none'] : ONWARD_WITH_REQUEST;
  const command = commands[drawn.type === 'onward' ? (onward[drawn.stale % onward.length] ?? 'assess') : drawn.type];
  const now = Date.parse(at);
  const person = {
    ...{ at, by: drawn.by, verdict: drawn.verdict },
    episode: (finding?.episode ?? 1) - (drawn.stale === 0 ? 1 : 0),
  };
  const excuse = { ...person, rules: RULES, ownerIsFullMember: drawn.terms.ownerIsFullMember, backOutWindowDays: 14 };
  const requestedAt = drawn.stale === 1 ? null : (pending?.at ?? null);
  const withTerms = {
    ...excuse,
    fourEyes: drawn.fourEyes,
    terms: someTerms({ reason: drawn.terms.reason, until: new Date(now + drawn.terms.days * DAY).toISOString() }),
  };
  switch (command.type) {
    case 'assess': {
      const { facts: seen, assessment: judged, mode: how, trigger: because } = drawn;
      const { presentMode } = drawn;
      return anAssessment({ at, facts: seen, assessment: judged, mode: how, presentMode, trigger: because });
    }
    case 'approve':
    case 'fix-now':
    case 'let-exemption-end':
    case 'revoke-exemption':
    case 're-check':
      return { ...command, ...person };
    case 'shorten-exemption':
      return { ...command, ...person, until: withTerms.terms.until };
    case 'withdraw-request':
      return { ...command, ...person, requestedAt };
    case 'confirm-request':
      return { ...command, ...excuse, requestedAt };
    case 'exempt':
    case 'renew-exemption':
    case 'back-out':
      return { ...command, ...withTerms };
    case 'start-remediation':
    case 'fail-remediation':
    case 'escalate':
    case 'lapse-request':
    case 'report-overdue':
    case 'leave-pattern':
      return { ...command, at };
    case 'follow-pattern': {
      const { exemption } = command;
      const { until } = withTerms.terms;
      return { ...command, at, rules: RULES, exemption: { ...exemption, until, grantedAt: at, since: at } };
    }
    case 'remind':
      return { ...command, at, reminder: drawn.stale };
    case 'remind-owner':
      return { ...command, at, daysLeft: drawn.stale };
    case 'confirm-remediation':
      return { ...command, at, proof: aProof({ readAt: at }) };
    case 'close-unneeded':
      return { ...command, at, assessment: drawn.settled };
    case 'expire-exemption':
      return { ...command, at, facts: drawn.facts, assessment: drawn.assessment, presentMode: drawn.presentMode };
  }
}

type Taken = {
  command: Command;
  before: Finding | undefined;
  decision: Decision;
  events: FindingEvent[];
  after: Finding | undefined;
};

/** Carries out the steps one after the other, as the functions do it. */
function run(steps: readonly Step[]): Taken[] {
  const taken: Taken[] = [];
  let now = Date.parse(DAY_ONE);
  let finding: Finding | undefined;
  for (const { minutes: wait, make } of steps) {
    now += wait * 60_000;
    const before = finding;
    const command = make(new Date(now).toISOString(), before);
    const decision = decide(command, before);
    const events = eventsOf(command, decision, before);
    for (const event of events) finding = evolve(finding, event);
    taken.push({ command, before, decision, events, after: finding });
  }
  return taken;
}

/** A refusal is recorded where there is a finding to record it at. */
function eventsOf(command: Command, decision: Decision, before: Finding | undefined): FindingEvent[] {
  if (decision.outcome === 'accepted') return decision.events;
  if (decision.outcome === 'ignored' || before === undefined) return [];
  if (!('by' in command)) throw new Error(`${command.type} is nobody's command and was refused`);
  return [refusalEvent(command, decision.refusal)];
}

const steps = fc.array(step, { minLength: 1, maxLength: 40, size: 'max' });
const RUNS = { numRuns: 200 };

function always(holds: (taken: Taken[]) => void): void {
  fc.assert(
    fc.property(steps, (drawn) => {
      holds(run(drawn));
    }),
    RUNS,
  );
}

/** Whether a finding is exempt at an instant. */
function exemptAt(finding: Finding | undefined, at: string): boolean {
  return finding?.status === 'exempt' && isLive(finding.exemption, at);
}

/** Every type of event; a new one does not compile without being met here. */
const EVENT_TYPES: Record<FindingEventType, true> = {
  'finding-opened': true,
  'finding-reassessed': true,
  'finding-closed': true,
  'mode-changed': true,
  'recheck-requested': true,
  rechecked: true,
  'remediation-approved': true,
  'back-out-approved': true,
  'remediation-started': true,
  remediated: true,
  'backed-out': true,
  'remediation-failed': true,
  'remediation-overdue': true,
  'confirmation-requested': true,
  'request-withdrawn': true,
  'request-lapsed': true,
  'exemption-granted': true,
  'exemption-renewed': true,
  'exemption-shortened': true,
  'exemption-end-accepted': true,
  'exemption-revoked': true,
  'exemption-expired': true,
  'exemption-reminded': true,
  reminded: true,
  escalated: true,
  'command-refused': true,
};

describe('whatever happens to a key', () => {
  it('meets every state and every event, or these properties would prove little', () => {
    const statuses = new Set<string>();
    const events = new Set<string>();
    const all = fc.sample(steps, { numRuns: 400, seed: 1 }).flatMap((drawn) => run(drawn));
    for (const taken of all) {
      if (taken.after !== undefined) statuses.add(taken.after.status);
      for (const event of taken.events) events.add(event.type);
    }
    expect(statuses.size).toBe(6);
    expect([...events].sort()).toEqual(Object.keys(EVENT_TYPES).sort());
  });

  it('is never exempt and approved at once', () => {
    always((taken) => {
      for (const { after } of taken) {
        if (after === undefined) continue;
        expect('exemption' in after && ('approval' in after || 'remedy' in after)).toBe(false);
        expect('exemption' in after).toBe(after.status === 'exempt');
      }
    });
  });

  it('is not remediated, and no remediation begins, under a live exemption', () => {
    const remediating = new Set(['remediation-approved', 'back-out-approved', 'remediation-started', 'remediated']);
    always((taken) => {
      for (const { before, events, command } of taken) {
        // Who asks to fix it now ends the exemption.
        if (!exemptAt(before, command.at) || command.type === 'fix-now') continue;
        expect(events.map((event) => event.type).filter((name) => remediating.has(name))).toEqual([]);
      }
    });
  });

  it('is the same finding when its events are replayed', () => {
    always((taken) => {
      expect(replay(taken.flatMap(({ events }) => events))).toEqual(taken.at(-1)?.after);
    });
  });

  it('is never exempt for longer than the policy allows from the grant', () => {
    always((taken) => {
      for (const { after } of taken) {
        if (after?.status !== 'exempt') continue;
        const { grantedAt, until } = after.exemption;
        expect(Date.parse(until) - Date.parse(grantedAt)).toBeLessThanOrEqual(RULES.maximumDays * DAY);
      }
    });
  });

  it('is never exempt for longer than the policy allows in all, however often it is renewed', () => {
    always((taken) => {
      let first: string | null = null;
      for (const { events, after } of taken) {
        if (events.some(({ type: name }) => name === 'finding-opened')) first = null;
        if (after?.status !== 'exempt') continue;
        first ??= after.exemption.grantedAt;
        expect(Date.parse(after.exemption.until) - Date.parse(first)).toBeLessThanOrEqual(RULES.maximumTotalDays * DAY);
      }
    });
  });

  it('is exempt for less long after it was shortened, and reminds nobody once it may end', () => {
    always((taken) => {
      for (const { before, events, after, command } of taken) {
        for (const event of events) {
          if (before?.status !== 'exempt') continue;
          if (event.type === 'exemption-reminded') expect(before.exemption.endAcceptedBy).toBeUndefined();
          if (event.type !== 'exemption-shortened' || after?.status !== 'exempt') continue;
          expect(Date.parse(after.exemption.until)).toBeLessThan(Date.parse(before.exemption.until));
          expect(Date.parse(after.exemption.until)).toBeGreaterThan(Date.parse(command.at));
        }
      }
    });
  });

  it('is unchanged by a refused or ignored command', () => {
    always((taken) => {
      for (const { decision, before, after } of taken) {
        if (decision.outcome !== 'accepted') expect(after).toEqual(before);
      }
    });
  });

  it('is remediated only after an authorised approval in this episode and a start since', () => {
    always((taken) => {
      let approved = false;
      let started = false;
      for (const { command, events, after } of taken) {
        for (const event of events) {
          if (event.type === 'finding-opened') approved = started = false;
          if (event.type === 'remediation-approved' || event.type === 'back-out-approved') {
            const byPerson = 'verdict' in command && command.verdict.allowed;
            const byRoute = event.approval.by.kind === 'policy' && after?.mode === 'auto';
            approved = byPerson || byRoute;
            started = false;
          }
          if (event.type === 'remediation-started') started = approved;
          if (event.type === 'remediated' || event.type === 'backed-out') {
            expect([approved, started]).toEqual([true, true]);
            approved = started = false;
          }
        }
      }
    });
  });

  it('is decided by the policy only on a route that does so, of a finding that waits for nobody', () => {
    always((taken) => {
      for (const { before, events, after } of taken) {
        for (const event of events) {
          if (event.type !== 'remediation-approved' || event.approval.by.kind !== 'policy') continue;
          expect(after).toMatchObject({ mode: 'auto', status: 'approved', route: event.approval.by.route });
          expect(after !== undefined && isDriftLoop(after)).toBe(false);
          // What failed is asked about first, unless something else is wrong by now.
          const reassessed = events.some(({ type: name }) => name === 'finding-reassessed');
          if (before?.status === 'failed') expect(reassessed).toBe(true);
        }
      }
    });
  });

  it('is decided by nobody while it is only observed', () => {
    always((taken) => {
      for (const { before, command, decision } of taken) {
        if (before?.mode !== 'observe' || !('verdict' in command) || command.type === 're-check') continue;
        expect(decision.outcome).toBe('refused');
      }
    });
  });

  it('excuses a key that takes two people on the word of two, within the time', () => {
    always((taken) => {
      for (const { command, before, events } of taken) {
        for (const event of events) {
          const exemption = 'exemption' in event ? event.exemption : 'thenExempt' in event ? event.thenExempt : null;
          if (exemption === null || event.type === 'backed-out') continue;
          if (command.type === 'follow-pattern') {
            // Two people have decided before, about all keys of the pattern.
            const { grantedBy, confirmedBy = grantedBy } = exemption;
            expect(comparePeople(grantedBy, confirmedBy)).toBe('different');
            continue;
          }
          if (command.type !== 'confirm-request') {
            expect('fourEyes' in command && command.fourEyes === null).toBe(true);
            continue;
          }
          const request = before === undefined ? null : requestOf(before);
          expect(request !== null && isWaiting(request, command.at)).toBe(true);
          expect(exemption.grantedBy).toEqual(request?.by);
          expect(exemption.confirmedBy).toEqual(command.by);
          expect(comparePeople(exemption.grantedBy, command.by)).toBe('different');
        }
      }
    });
  });

  it('has nothing due any more once the clock has done what was due', () => {
    const rules = {
      remindAfterHours: [4, 24, 72],
      escalateAfterHours: 48,
      exemption: RULES,
      opening: (at: number) => at,
    };
    always((taken) => {
      for (const { after, command } of taken) {
        const now = new Date(Date.parse(command.at) + 3 * DAY).toISOString();
        const done = after && doneByTheClock(after, dueWork(after, rules, now));
        const next = done && nextDeadline(done, rules);
        if (next) expect(Date.parse(next)).toBeGreaterThan(Date.parse(now));
      }
    });
  });

  it('is not touched by whoever may not, except for the record of the attempt', () => {
    always((taken) => {
      for (const { command, decision, before, events } of taken) {
        if (!('verdict' in command) || command.verdict.allowed) continue;
        expect(decision).toEqual({ outcome: 'refused', refusal: { reason: 'not-an-approver' } });
        expect(events.map((event) => event.type)).toEqual(before === undefined ? [] : ['command-refused']);
      }
    });
  });
});

function doneByTheClock(finding: Finding, work: readonly DueWork[]): Finding {
  return work.reduce<Finding>((present, due) => {
    const assessment = { verdict: 'rotation-off' } as const;
    const auto = { presentMode: present.mode, rotationPeriodInDays: 365 };
    const command = due.type === 'expire-exemption' ? { ...due, facts: null, assessment, ...auto } : due;
    const decision = decide(command, present);
    if (decision.outcome !== 'accepted') throw new Error(`due, but ${decision.outcome}: ${due.type}`);
    return decision.events.reduce(evolve, present);
  }, finding);
}

const digest = (value: unknown): string =>
  createHash('sha256')
    .update(canonicalize(value) ?? '')
    .digest('hex');

function sealed(taken: Taken[]): { records: AuditEvent[]; head: ChainHead } {
  const records: AuditEvent[] = [];
  let head = EMPTY_CHAIN;
  const cause = { kind: 'clock', id: 'run' } as const;
  for (const { events } of taken) {
    const newId = () => `event-${head.sequence}-${events.length}`;
    const more = seal(head, events, { cause, policyVersion: 'v1', newId }, digest);
    records.push(...more.records);
    head = more.head;
  }
  return { records, head };
}

describe('the chain of any history', () => {
  it('verifies, and leads to the finding', () => {
    always((taken) => {
      const { records, head } = sealed(taken);
      expect(verifyChain(records, digest, head)).toEqual({ intact: true, events: records.length });
      expect(head.finding).toEqual(taken.at(-1)?.after);
    });
  });

  it('betrays any single alteration, removal and exchange', () => {
    fc.assert(
      fc.property(steps, fc.nat(), fc.nat(), fc.constantFrom('alter', 'remove', 'exchange'), (drawn, at, what, how) => {
        const { records, head } = sealed(run(drawn));
        fc.pre(records.length > 0);
        const index = at % records.length;
        expect(verifyChain(tampered(records, index, what, how), digest, head).intact).toBe(false);
      }),
      RUNS,
    );
  });
});

/** One change to what is stored: a leaf of one record altered, a record removed, or two neighbours exchanged. */
function tampered(records: AuditEvent[], index: number, what: number, how: 'alter' | 'remove' | 'exchange') {
  const record = records[index];
  const next = records[index + 1];
  if (record === undefined) throw new Error('index out of range');
  if (how === 'remove') return records.toSpliced(index, 1);
  if (how === 'exchange' && next !== undefined) return records.toSpliced(index, 2, next, record);
  return records.toSpliced(index, 1, altered(record, what));
}

function altered(record: AuditEvent, what: number): AuditEvent {
  const changes: Partial<AuditEvent>[] = [
    { id: `${record.id}x` },
    { sequence: record.sequence + 1 },
    { key: { ...record.key, accountId: '999999999999' } },
    { episode: record.episode + 1 },
    { statusBefore: record.statusBefore === 'open' ? 'none' : 'open' },
    { statusAfter: record.statusAfter === 'open' ? 'closed' : 'open' },
    { event: { ...record.event, at: '2020-01-01T00:00:00.000Z' } },
    { cause: { ...record.cause, id: 'another' } },
    { policyVersion: 'v0' },
    { previousHash: record.hash },
    { hash: record.previousHash },
  ];
  return { ...record, ...changes[what % changes.length] };
}
