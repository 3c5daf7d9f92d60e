import * as z from 'zod/mini';
import { digest } from '../../../functions/adapters/digest.ts';
import { auditEventSchema } from '../../../functions/contracts/records.ts';
import { verifyChain } from '../../../functions/domain/audit.ts';
import { anActor, anAssessment, aTrigger, DAY_ONE, KEY } from '../../builders.ts';
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
