import type { Verdict } from './check.ts';

/** The schema has checked the rest. The external id of the example is everybody's, so it keeps nobody out. */
export function judgeExternalId(externalId: string, regions: readonly string[]): Verdict {
  if (!externalId.startsWith('replace-this')) return { outcome: 'ok', seen: `Watches ${regions.join(', ')}.` };
  return {
    outcome: 'failed',
    seen: 'externalId is still the one of the example, which other deployments may have as well.',
    todo: 'Put there what this prints: uuidgen',
  };
}
