import type { MetricDatum } from '../contracts/metrics.ts';
import { isOverdue } from '../domain/deadlines.ts';
import { isLive } from '../domain/exemption.ts';
import type { Finding, Status } from '../domain/finding.ts';

const EXPIRING_WITHIN_MS = 7 * 86_400_000;

export type GaugeDeps = { findingsByStatus: (status: Status) => Promise<Finding[]> };

/** How many approved findings are stuck. Hardly ever is any approved, so this costs half a read unit. */
export async function countStuck(now: string, { findingsByStatus }: GaugeDeps): Promise<MetricDatum<'sweep-keys'>[]> {
  const approved = await findingsByStatus('approved');
  const stuck = approved.filter((finding) => finding.status === 'approved' && isOverdue(finding, now));
  return [{ name: 'FindingsStuck', value: stuck.length }];
}

/**
 * Counts what waits and what is exempt. Reads each of those findings, at half a read unit per 4 KB: 1,000 of 3 KB
 * are 375 read units a count, so this is not done every minute.
 */
export async function countFindings(
  now: string,
  { findingsByStatus }: GaugeDeps,
): Promise<MetricDatum<'sweep-keys'>[]> {
  const open = await findingsByStatus('open');
  const failed = await findingsByStatus('failed');
  const exemptions = (await findingsByStatus('exempt')).flatMap((finding) =>
    finding.status === 'exempt' && isLive(finding.exemption, now) ? [finding.exemption] : [],
  );
  const expiring = exemptions.filter(({ until }) => Date.parse(until) - Date.parse(now) <= EXPIRING_WITHIN_MS);
  return [
    { name: 'FindingsOpen', value: open.length + failed.length },
    { name: 'ExemptionsLive', value: exemptions.length },
    { name: 'ExemptionsExpiring', value: expiring.length },
  ];
}
