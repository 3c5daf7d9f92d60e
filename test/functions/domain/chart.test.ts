import type { Command } from '../../../functions/domain/commands.ts';
import { type Decision, decide, type IgnoredBecause, refusalEvent } from '../../../functions/domain/decide.ts';
import { evolve } from '../../../functions/domain/evolve.ts';
import type { Status } from '../../../functions/domain/finding.ts';
import type { Refusal } from '../../../functions/domain/refusal.ts';
import { aFinding, commandsOfEveryType } from '../../builders.ts';

type Outcome = 'accepted' | `ignored: ${IgnoredBecause}` | `refused: ${Refusal['reason']}`;

/** What every command does in every state, an hour after the finding opened. Whoever adds a state fills in its row. */
const CHART: Record<Status, Record<Command['type'], Outcome>> = {
  open: {
    assess: 'accepted',
    approve: 'accepted',
    exempt: 'accepted',
    'renew-exemption': 'refused: not-exempt',
    'fix-now': 'refused: not-exempt',
    'shorten-exemption': 'refused: not-exempt',
    'let-exemption-end': 'refused: not-exempt',
    'revoke-exemption': 'refused: not-exempt',
    'back-out': 'refused: not-remediated',
    'confirm-request': 'refused: no-request',
    'withdraw-request': 'refused: no-request',
    're-check': 'accepted',
    'start-remediation': 'ignored: not-awaiting-a-result',
    'confirm-remediation': 'ignored: not-awaiting-a-result',
    'fail-remediation': 'ignored: not-awaiting-a-result',
    'close-unneeded': 'ignored: not-awaiting-a-result',
    'expire-exemption': 'ignored: not-exempt',
    'remind-owner': 'ignored: not-exempt',
    'lapse-request': 'ignored: no-request-to-lapse',
    remind: 'accepted',
    escalate: 'accepted',
    'report-overdue': 'ignored: not-awaiting-a-result',
    'follow-pattern': 'accepted',
    'leave-pattern': 'ignored: does-not-follow',
  },
  approved: {
    assess: 'ignored: remediation-under-way',
    approve: 'refused: already-decided',
    exempt: 'refused: already-decided',
    'renew-exemption': 'refused: not-exempt',
    'fix-now': 'refused: not-exempt',
    'shorten-exemption': 'refused: not-exempt',
    'let-exemption-end': 'refused: not-exempt',
    'revoke-exemption': 'refused: not-exempt',
    'back-out': 'refused: not-remediated',
    'confirm-request': 'refused: no-request',
    'withdraw-request': 'refused: no-request',
    're-check': 'refused: already-decided',
    'start-remediation': 'accepted',
    // Not before it was started; see lifecycle.test.ts.
    'confirm-remediation': 'ignored: not-awaiting-a-result',
    'fail-remediation': 'accepted',
    'close-unneeded': 'accepted',
    'expire-exemption': 'ignored: not-exempt',
    'remind-owner': 'ignored: not-exempt',
    'lapse-request': 'ignored: no-request-to-lapse',
    remind: 'ignored: not-waiting-for-an-answer',
    escalate: 'ignored: not-waiting-for-an-answer',
    'report-overdue': 'accepted',
    'follow-pattern': 'ignored: does-not-follow',
    'leave-pattern': 'ignored: does-not-follow',
  },
  remediated: {
    assess: 'ignored: nothing-wrong',
    approve: 'refused: already-decided',
    exempt: 'refused: already-decided',
    'renew-exemption': 'refused: not-exempt',
    'fix-now': 'refused: not-exempt',
    'shorten-exemption': 'refused: not-exempt',
    'let-exemption-end': 'refused: not-exempt',
    'revoke-exemption': 'refused: not-exempt',
    'back-out': 'accepted',
    'confirm-request': 'refused: no-request',
    'withdraw-request': 'refused: no-request',
    're-check': 'refused: already-decided',
    'start-remediation': 'ignored: not-awaiting-a-result',
    'confirm-remediation': 'ignored: not-awaiting-a-result',
    'fail-remediation': 'ignored: not-awaiting-a-result',
    'close-unneeded': 'ignored: not-awaiting-a-result',
    'expire-exemption': 'ignored: not-exempt',
    'remind-owner': 'ignored: not-exempt',
    'lapse-request': 'ignored: no-request-to-lapse',
    remind: 'ignored: not-waiting-for-an-answer',
    escalate: 'ignored: not-waiting-for-an-answer',
    'report-overdue': 'ignored: not-awaiting-a-result',
    'follow-pattern': 'ignored: does-not-follow',
    'leave-pattern': 'ignored: does-not-follow',
  },
  failed: {
    assess: 'accepted',
    approve: 'accepted',
    exempt: 'accepted',
    'renew-exemption': 'refused: not-exempt',
    'fix-now': 'refused: not-exempt',
    'shorten-exemption': 'refused: not-exempt',
    'let-exemption-end': 'refused: not-exempt',
    'revoke-exemption': 'refused: not-exempt',
    'back-out': 'refused: not-remediated',
    'confirm-request': 'refused: no-request',
    'withdraw-request': 'refused: no-request',
    're-check': 'accepted',
    'start-remediation': 'ignored: not-awaiting-a-result',
    'confirm-remediation': 'ignored: not-awaiting-a-result',
    'fail-remediation': 'ignored: not-awaiting-a-result',
    'close-unneeded': 'ignored: not-awaiting-a-result',
    'expire-exemption': 'ignored: not-exempt',
    'remind-owner': 'ignored: not-exempt',
    'lapse-request': 'ignored: no-request-to-lapse',
    remind: 'accepted',
    escalate: 'accepted',
    'report-overdue': 'ignored: not-awaiting-a-result',
    'follow-pattern': 'accepted',
    'leave-pattern': 'ignored: does-not-follow',
  },
  exempt: {
    assess: 'ignored: exempt',
    approve: 'refused: already-decided',
    exempt: 'refused: already-decided',
    'renew-exemption': 'accepted',
    'fix-now': 'accepted',
    'shorten-exemption': 'accepted',
    'let-exemption-end': 'accepted',
    'revoke-exemption': 'accepted',
    'back-out': 'refused: not-remediated',
    'confirm-request': 'refused: no-request',
    'withdraw-request': 'refused: no-request',
    're-check': 'refused: already-decided',
    'start-remediation': 'ignored: not-awaiting-a-result',
    'confirm-remediation': 'ignored: not-awaiting-a-result',
    'fail-remediation': 'ignored: not-awaiting-a-result',
    'close-unneeded': 'ignored: not-awaiting-a-result',
    'expire-exemption': 'ignored: exemption-still-live',
    'remind-owner': 'accepted',
    'lapse-request': 'ignored: no-request-to-lapse',
    remind: 'ignored: not-waiting-for-an-answer',
    escalate: 'ignored: not-waiting-for-an-answer',
    'report-overdue': 'ignored: not-awaiting-a-result',
    'follow-pattern': 'ignored: does-not-follow',
    'leave-pattern': 'ignored: does-not-follow',
  },
  closed: {
    assess: 'ignored: nothing-wrong',
    approve: 'refused: already-decided',
    exempt: 'refused: already-decided',
    'renew-exemption': 'refused: not-exempt',
    'fix-now': 'refused: not-exempt',
    'shorten-exemption': 'refused: not-exempt',
    'let-exemption-end': 'refused: not-exempt',
    'revoke-exemption': 'refused: not-exempt',
    'back-out': 'refused: not-remediated',
    'confirm-request': 'refused: no-request',
    'withdraw-request': 'refused: no-request',
    're-check': 'refused: already-decided',
    'start-remediation': 'ignored: not-awaiting-a-result',
    'confirm-remediation': 'ignored: not-awaiting-a-result',
    'fail-remediation': 'ignored: not-awaiting-a-result',
    'close-unneeded': 'ignored: not-awaiting-a-result',
    'expire-exemption': 'ignored: not-exempt',
    'remind-owner': 'ignored: not-exempt',
    'lapse-request': 'ignored: no-request-to-lapse',
    remind: 'ignored: not-waiting-for-an-answer',
    escalate: 'ignored: not-waiting-for-an-answer',
    'report-overdue': 'ignored: not-awaiting-a-result',
    'follow-pattern': 'ignored: does-not-follow',
    'leave-pattern': 'ignored: does-not-follow',
  },
};

const WITHOUT_FINDING: Record<Command['type'], Outcome> = {
  ...CHART.closed,
  approve: 'refused: no-finding',
  exempt: 'refused: no-finding',
  'renew-exemption': 'refused: no-finding',
  'revoke-exemption': 'refused: no-finding',
  'fix-now': 'refused: no-finding',
  'shorten-exemption': 'refused: no-finding',
  'let-exemption-end': 'refused: no-finding',
  'back-out': 'refused: no-finding',
  're-check': 'refused: no-finding',
  'confirm-request': 'refused: no-finding',
  'withdraw-request': 'refused: no-finding',
};

function outcomeOf(decision: Decision): Outcome {
  switch (decision.outcome) {
    case 'accepted':
      return 'accepted';
    case 'ignored':
      return `ignored: ${decision.because}`;
    case 'refused':
      return `refused: ${decision.refusal.reason}`;
  }
}

const statuses = Object.keys(CHART).filter((status): status is Status => status in CHART);
const commands = Object.values(commandsOfEveryType());

const pairs = statuses.flatMap((status) =>
  commands.map((command) => ({ status, type: command.type, command, outcome: CHART[status][command.type] })),
);

describe('every state and every command', () => {
  test.each(pairs)('$status, $type: $outcome', ({ status, command, outcome }) => {
    expect(outcomeOf(decide(command, aFinding(status)))).toBe(outcome);
  });

  test.each(commands.map((command) => ({ type: command.type, command, outcome: WITHOUT_FINDING[command.type] })))(
    'no finding, $type: $outcome',
    ({ command, outcome }) => {
      expect(outcomeOf(decide(command, undefined))).toBe(outcome);
    },
  );

  test.each(pairs.filter(({ outcome }) => outcome.startsWith('refused')))(
    '$status is unchanged by a refused $type',
    ({ status, command }) => {
      const finding = aFinding(status);
      const decision = decide(command, finding);
      if (decision.outcome !== 'refused' || !('by' in command)) throw new Error('only people are refused');
      expect(evolve(finding, refusalEvent(command, decision.refusal))).toEqual(finding);
    },
  );

  test.each(pairs.filter(({ outcome }) => outcome === 'accepted'))(
    '$status: the events of an accepted $type fit the state',
    ({ status, command }) => {
      const finding = aFinding(status);
      const decision = decide(command, finding);
      if (decision.outcome !== 'accepted') throw new Error('expected an accepted command');
      expect(() => decision.events.reduce(evolve, finding)).not.toThrow();
    },
  );
});
