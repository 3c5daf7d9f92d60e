import type { Command } from '../../../functions/domain/commands.ts';
import { decide, refusalEvent } from '../../../functions/domain/decide.ts';
import { evolve } from '../../../functions/domain/evolve.ts';
import type { Status } from '../../../functions/domain/finding.ts';
import { aFinding, commandsOfEveryType } from '../../builders.ts';

type Outcome = 'accepted' | 'ignored' | 'refused';

/** What every command does in every state, an hour after the finding opened. Whoever adds a state fills in its row. */
const CHART: Record<Status, Record<Command['type'], Outcome>> = {
  open: {
    assess: 'accepted',
    approve: 'accepted',
    exempt: 'accepted',
    'renew-exemption': 'refused',
    'revoke-exemption': 'refused',
    'back-out': 'refused',
    're-check': 'accepted',
    'start-remediation': 'ignored',
    'confirm-remediation': 'ignored',
    'fail-remediation': 'ignored',
    'close-unneeded': 'ignored',
    'expire-exemption': 'ignored',
    'remind-owner': 'ignored',
    remind: 'accepted',
    escalate: 'accepted',
    'report-overdue': 'ignored',
  },
  approved: {
    assess: 'ignored',
    approve: 'refused',
    exempt: 'refused',
    'renew-exemption': 'refused',
    'revoke-exemption': 'refused',
    'back-out': 'refused',
    're-check': 'refused',
    'start-remediation': 'accepted',
    // Not before it was started; see remediation.test.ts.
    'confirm-remediation': 'ignored',
    'fail-remediation': 'accepted',
    'close-unneeded': 'accepted',
    'expire-exemption': 'ignored',
    'remind-owner': 'ignored',
    remind: 'ignored',
    escalate: 'ignored',
    'report-overdue': 'accepted',
  },
  remediated: {
    assess: 'ignored',
    approve: 'refused',
    exempt: 'refused',
    'renew-exemption': 'refused',
    'revoke-exemption': 'refused',
    'back-out': 'accepted',
    're-check': 'refused',
    'start-remediation': 'ignored',
    'confirm-remediation': 'ignored',
    'fail-remediation': 'ignored',
    'close-unneeded': 'ignored',
    'expire-exemption': 'ignored',
    'remind-owner': 'ignored',
    remind: 'ignored',
    escalate: 'ignored',
    'report-overdue': 'ignored',
  },
  failed: {
    assess: 'accepted',
    approve: 'accepted',
    exempt: 'accepted',
    'renew-exemption': 'refused',
    'revoke-exemption': 'refused',
    'back-out': 'refused',
    're-check': 'accepted',
    'start-remediation': 'ignored',
    'confirm-remediation': 'ignored',
    'fail-remediation': 'ignored',
    'close-unneeded': 'ignored',
    'expire-exemption': 'ignored',
    'remind-owner': 'ignored',
    remind: 'accepted',
    escalate: 'accepted',
    'report-overdue': 'ignored',
  },
  exempt: {
    assess: 'ignored',
    approve: 'refused',
    exempt: 'refused',
    'renew-exemption': 'accepted',
    'revoke-exemption': 'accepted',
    'back-out': 'refused',
    're-check': 'refused',
    'start-remediation': 'ignored',
    'confirm-remediation': 'ignored',
    'fail-remediation': 'ignored',
    'close-unneeded': 'ignored',
    'expire-exemption': 'ignored',
    'remind-owner': 'accepted',
    remind: 'ignored',
    escalate: 'ignored',
    'report-overdue': 'ignored',
  },
  closed: {
    assess: 'ignored',
    approve: 'refused',
    exempt: 'refused',
    'renew-exemption': 'refused',
    'revoke-exemption': 'refused',
    'back-out': 'refused',
    're-check': 'refused',
    'start-remediation': 'ignored',
    'confirm-remediation': 'ignored',
    'fail-remediation': 'ignored',
    'close-unneeded': 'ignored',
    'expire-exemption': 'ignored',
    'remind-owner': 'ignored',
    remind: 'ignored',
    escalate: 'ignored',
    'report-overdue': 'ignored',
  },
};

const WITHOUT_FINDING: Record<Command['type'], Outcome> = {
  ...CHART.closed,
  're-check': 'refused',
};

const statuses = Object.keys(CHART).filter((status): status is Status => status in CHART);
const commands = Object.values(commandsOfEveryType());

const pairs = statuses.flatMap((status) =>
  commands.map((command) => ({ status, type: command.type, command, outcome: CHART[status][command.type] })),
);

describe('every state and every command', () => {
  test.each(pairs)('$status, $type: $outcome', ({ status, command, outcome }) => {
    expect(decide(command, aFinding(status)).outcome).toBe(outcome);
  });

  test.each(commands.map((command) => ({ type: command.type, command, outcome: WITHOUT_FINDING[command.type] })))(
    'no finding, $type: $outcome',
    ({ command, outcome }) => {
      expect(decide(command, undefined).outcome).toBe(outcome);
    },
  );

  test.each(pairs.filter(({ outcome }) => outcome === 'refused'))(
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
