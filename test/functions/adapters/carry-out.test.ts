import { createCarryOut } from '../../../functions/adapters/carry-out.ts';
import { digest } from '../../../functions/adapters/digest.ts';
import { VersionConflict } from '../../../functions/adapters/findings-table.ts';
import { EMPTY_CHAIN } from '../../../functions/domain/audit.ts';
import { anAssessment, aPolicy, KEY } from '../../builders.ts';

/** A table whose first `conflicts` appends lose the race. */
function aBusyTable(conflicts: number) {
  let appends = 0;
  return {
    load: () => Promise.resolve(EMPTY_CHAIN),
    append() {
      appends += 1;
      return appends <= conflicts ? Promise.reject(new VersionConflict('moved')) : Promise.resolve();
    },
    appends: () => appends,
  };
}

function open(table: ReturnType<typeof aBusyTable>, pauses: number[]) {
  const carryOut = createCarryOut({
    table,
    loadPolicy: () => Promise.resolve({ policy: aPolicy(), version: 'policy-1' }),
    newId: () => 'audit-1',
    digest,
    pause(lostRaces) {
      pauses.push(lostRaces);
      return Promise.resolve();
    },
  });
  return carryOut({
    keyArn: KEY.arn,
    cause: { kind: 'clock', id: 'run-1' },
    onceId: null,
    command: () => anAssessment(),
  });
}

it('decides again after each lost race, and lets the others go first', async () => {
  const table = aBusyTable(9);
  const pauses: number[] = [];
  await expect(open(table, pauses)).resolves.toMatchObject({ decision: { outcome: 'accepted' } });
  expect(table.appends()).toBe(10);
  expect(pauses).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

it('gives up when the race is lost again and again', async () => {
  const table = aBusyTable(10);
  await expect(open(table, [])).rejects.toBeInstanceOf(VersionConflict);
  expect(table.appends()).toBe(10);
});
