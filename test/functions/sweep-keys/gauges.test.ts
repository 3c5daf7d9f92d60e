import type { Finding } from '../../../functions/domain/finding.ts';
import { countFindings, countStuck } from '../../../functions/sweep-keys/gauges.ts';
import { aFinding, later } from '../../builders.ts';

const findingsOf = (findings: Finding[]) => ({
  findingsByStatus: (status: string) => Promise.resolve(findings.filter((finding) => finding.status === status)),
});

it('counts an approved finding as stuck once the watchdog would have waited long enough', async () => {
  const deps = findingsOf([aFinding('approved')]);
  expect(await countStuck(later({ minutes: 25 }), deps)).toEqual([{ name: 'FindingsStuck', value: 0 }]);
  expect(await countStuck(later({ minutes: 26 }), deps)).toEqual([{ name: 'FindingsStuck', value: 1 }]);
});

it('goes on counting it after the watchdog has reported it', async () => {
  const reported = { ...aFinding('approved'), overdueReports: 1, lastActivityAt: later({ minutes: 30 }) };
  expect(await countStuck(later({ minutes: 31 }), findingsOf([reported]))).toEqual([
    { name: 'FindingsStuck', value: 1 },
  ]);
});

it('counts findings that wait, and exemptions that hold and that end within seven days', async () => {
  const deps = findingsOf([aFinding('open'), aFinding('failed'), aFinding('exempt'), aFinding('closed')]);
  const counts = async (now: string) => (await countFindings(now, deps)).map(({ name, value }) => [name, value]);
  const waiting = ['FindingsOpen', 2];
  expect(await counts(later({ days: 22 }))).toEqual([waiting, ['ExemptionsLive', 1], ['ExemptionsExpiring', 0]]);
  expect(await counts(later({ days: 23 }))).toEqual([waiting, ['ExemptionsLive', 1], ['ExemptionsExpiring', 1]]);
  expect(await counts(later({ days: 30 }))).toEqual([waiting, ['ExemptionsLive', 0], ['ExemptionsExpiring', 0]]);
});
