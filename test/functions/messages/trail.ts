import { digest } from '../../../functions/adapters/digest.ts';
import { type AuditEvent, EMPTY_CHAIN, seal } from '../../../functions/domain/audit.ts';
import type { Status } from '../../../functions/domain/finding.ts';
import { HISTORY } from '../../builders.ts';

/** The trail that leads to a finding in this status, oldest first. */
export function trailOf(status: Status): AuditEvent[] {
  let ids = 0;
  const newId = () => {
    ids += 1;
    return `audit-${ids}`;
  };
  const context = { cause: { kind: 'slack' as const, id: 'given' }, policyVersion: 'policy-1', newId };
  return seal(EMPTY_CHAIN, HISTORY[status], context, digest).records;
}
