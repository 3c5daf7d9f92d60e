import * as z from 'zod/mini';
import { createCarryOut } from '../../../functions/adapters/carry-out.ts';
import { digest } from '../../../functions/adapters/digest.ts';
import { VersionConflict } from '../../../functions/adapters/table-writes.ts';
import { auditEventSchema } from '../../../functions/contracts/records.ts';
import { EMPTY_CHAIN, verifyChain } from '../../../functions/domain/audit.ts';
import { anActor, anAssessment, aPolicy, aTrigger, DAY_ONE, KEY } from '../../builders.ts';
import { createInMemoryFindings } from '../../fakes/in-memory-findings.ts';

const LONE = 'half of a key \ud83d';

async function carriedOut(changes: Parameters<typeof anAssessment>[0]) {
  const findings = createInMemoryFindings();
  const command = () => anAssessment(changes);
  await findings.carryOut({ keyArn: KEY.arn, cause: { kind: 'cloudtrail', id: LONE }, onceId: null, command });
  return findings.auditOf(KEY.arn);
}

describe('what is appended', () => {
  it('has no lone surrogates, so that it is hashed as it is stored', async () => {
    const records = await carriedOut({ trigger: aTrigger({ actor: anActor({ name: LONE }), tool: LONE }) });
    const asStored: unknown = JSON.parse(Buffer.from(JSON.stringify(records)).toString());
    expect(z.array(auditEventSchema).parse(asStored)).toEqual(records);
    expect(verifyChain(records, digest)).toEqual({ intact: true, events: 1 });
    const whole = 'half of a key \ufffd';
    expect(records).toMatchObject([{ event: { trigger: { tool: whole } }, cause: { id: whole } }]);
  });

  it('can be read again: what could not is refused', async () => {
    await expect(carriedOut({ trigger: aTrigger({ at: '-000001-12-31T23:00:00.000Z' }) })).rejects.toThrow('at');
    await expect(carriedOut({ trigger: aTrigger({ at: DAY_ONE }) })).resolves.toHaveLength(1);
  });
});

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
