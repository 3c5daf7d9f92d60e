import type { AssessCommand, Command } from '../../../functions/domain/commands.ts';
import { type Decision, decide } from '../../../functions/domain/decide.ts';
import { evolve } from '../../../functions/domain/evolve.ts';
import type { Finding, Mode, Status } from '../../../functions/domain/finding.ts';
import type { FindingEvent } from '../../../functions/domain/finding-events.ts';
import {
  aFinding,
  anAssessment,
  anOpening,
  aRequest,
  commandsOfEveryType,
  given,
  HISTORY,
  later,
} from '../../builders.ts';

const at = later({ hours: 1 });
const commands = commandsOfEveryType(at);
const unreadable = { verdict: 'unknown', reason: { because: 'rotation-not-read' } } as const;
const auto = { mode: 'auto', presentMode: 'auto' } as const;

function typesOf(decision: Decision): FindingEvent['type'][] {
  return decision.outcome === 'accepted' ? decision.events.map(({ type }) => type) : [];
}

function afterwards(command: Command, finding: Finding | undefined): Finding {
  const decision = decide(command, finding);
  const [first, ...rest] = decision.outcome === 'accepted' ? decision.events : [];
  if (first === undefined) throw new Error(JSON.stringify(decision));
  return rest.reduce(evolve, evolve(finding, first));
}

const look = (changes: Partial<Omit<AssessCommand, 'type'>> = {}) => anAssessment({ at, ...auto, ...changes });

describe('a route in auto mode', () => {
  it('remediates a key that could not be read at first', () => {
    const opened = given([anOpening({ mode: 'auto', assessment: unreadable })]);
    expect(opened.status).toBe('open');
    const decision = decide(look(), opened);
    expect(typesOf(decision)).toEqual(['finding-reassessed', 'remediation-approved']);
    expect(afterwards(look(), opened)).toMatchObject({ approval: { by: { kind: 'policy', route: 'default' } } });
  });

  it('remediates a key whose exemption has ended, found by the clock or by an event', () => {
    const exempt: Finding = { ...aFinding('exempt'), mode: 'auto' };
    const end = later({ days: 30 });
    const expire = { ...commands['expire-exemption'], at: end, presentMode: 'auto' as const };
    expect(typesOf(decide(expire, exempt))).toEqual(['exemption-expired', 'remediation-approved']);
    expect(typesOf(decide(look({ at: end }), exempt))).toEqual(['exemption-expired', 'remediation-approved']);
  });

  it('remediates when the look that follows the end of an exemption finds what was known', () => {
    const revoked = afterwards(commands['revoke-exemption'], { ...aFinding('exempt'), mode: 'auto' });
    expect(revoked.status).toBe('open');
    expect(typesOf(decide(look(), revoked))).toEqual(['remediation-approved']);
  });

  it('can be backed out', () => {
    const [, , ...remediation] = HISTORY.remediated;
    const approved = afterwards(anAssessment(auto), undefined);
    expect(approved.status).toBe('approved');
    const remediated = remediation.reduce(evolve, approved);
    expect(typesOf(decide(commands['back-out'], remediated))).toEqual(['back-out-approved']);
  });

  it('does not repeat by itself what failed', () => {
    const failed: Finding = { ...aFinding('failed'), mode: 'auto' };
    expect(decide(look(), failed)).toEqual({ outcome: 'ignored', because: 'already-known' });
  });

  it('waits while a request waits for a second person', () => {
    const pending: Finding = { ...aFinding('open'), mode: 'auto', request: aRequest() };
    expect(decide(look(), pending)).toEqual({ outcome: 'ignored', because: 'already-known' });
  });

  it('asks in a drift loop', () => {
    const history = { ...aFinding('open').history, switchedOffAgain: [{ at, by: 'deployer', tool: 'Terraform' }] };
    expect(decide(look(), { ...aFinding('open'), mode: 'auto', history }).outcome).toBe('ignored');
  });

  it('of another route does not decide about a finding that was put to people', () => {
    expect(decide(look({ presentMode: 'ask' }), aFinding('open')).outcome).toBe('ignored');
  });
});

describe('a mode that the policy has changed', () => {
  const changed = (from: Mode, to: Mode) => ({ type: 'mode-changed', at, from, to });

  it('is in the trail at the next look, also when nothing else is new', () => {
    const observed = look({ mode: 'observe', presentMode: 'observe' });
    expect(decide(observed, aFinding('open'))).toEqual({ outcome: 'accepted', events: [changed('ask', 'observe')] });
    expect(afterwards(observed, aFinding('open')).mode).toBe('observe');
    expect(decide(observed, afterwards(observed, aFinding('open'))).outcome).toBe('ignored');
  });

  it('decides at once where it is auto now', () => {
    expect(typesOf(decide(look(), aFinding('open')))).toEqual(['mode-changed', 'remediation-approved']);
  });

  it('asks anew where nobody was asked before', () => {
    const observed: Finding = { ...aFinding('open'), mode: 'observe', remindersSent: 0 };
    expect(afterwards(look({ mode: 'ask', presentMode: 'ask' }), observed)).toMatchObject({ mode: 'ask', askedAt: at });
  });

  it.each<[Status, AssessCommand['assessment'], FindingEvent['type'][]]>([
    ['exempt', { verdict: 'rotation-off' }, ['mode-changed']],
    ['failed', { verdict: 'rotation-off' }, ['mode-changed']],
    ['remediated', { verdict: 'compliant' }, ['mode-changed']],
    // What opens has its mode with it.
    ['remediated', { verdict: 'rotation-off' }, ['finding-opened']],
    ['closed', { verdict: 'compliant' }, []],
    // Nobody changes what is under way.
    ['approved', { verdict: 'rotation-off' }, []],
  ])('of a finding in status %s that is found %j: %j', (status, assessment, types) => {
    const modes = { mode: 'observe', presentMode: 'observe' } as const;
    expect(typesOf(decide(look({ ...modes, assessment }), aFinding(status)))).toEqual(types);
  });

  it('is in the trail when an exemption ends', () => {
    const expire = { ...commands['expire-exemption'], at: later({ days: 30 }), presentMode: 'auto' as const };
    expect(typesOf(decide(expire, aFinding('exempt')))).toEqual([
      ...['mode-changed', 'exemption-expired', 'remediation-approved'],
    ]);
  });
});

describe('a route in observe mode', () => {
  const types = ['approve', 'exempt', 'confirm-request', 'withdraw-request'] as const;

  test.each(types)('lets nobody %s', (type) => {
    const finding: Finding = { ...aFinding('open'), mode: 'observe' };
    expect(decide(commands[type], finding)).toEqual({ outcome: 'refused', refusal: { reason: 'only-observed' } });
  });

  it('lets people look again', () => {
    expect(decide(commands['re-check'], { ...aFinding('open'), mode: 'observe' }).outcome).toBe('accepted');
  });
});
