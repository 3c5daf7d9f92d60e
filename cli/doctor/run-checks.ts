import pMap from 'p-map';
import { awsSentence } from '../command-line.ts';
import { type Check, type CheckResult, Missing, type Verdict } from './check.ts';

const AT_ONCE = 8;

/** Looks at everything, several at once; the results are in the order of the checks. No check stops another. */
export function runChecks(checks: readonly Check[], timeoutMs: number): Promise<CheckResult[]> {
  return pMap(checks, async (check) => ({ id: check.id, title: check.title, ...(await lookAt(check, timeoutMs)) }), {
    concurrency: AT_ONCE,
  });
}

async function lookAt(check: Check, timeoutMs: number): Promise<Verdict> {
  const { promise: late, resolve } = Promise.withResolvers<Verdict>();
  const timer = setTimeout(() => {
    resolve({
      outcome: 'unchecked',
      seen: `No answer within ${timeoutMs / 1000} s.`,
      todo: 'Look again; or give it more time with --timeout <seconds>.',
    });
  }, timeoutMs);
  try {
    return await Promise.race([check.look(), late]);
  } catch (error) {
    return whyUnchecked(error);
  } finally {
    clearTimeout(timer);
  }
}

/** What an error says about a check that met it. */
export function whyUnchecked(error: unknown): Verdict {
  if (error instanceof Missing) {
    if (error.isYetToCome) return { outcome: 'not-applicable', seen: error.message };
    return { outcome: 'unchecked', seen: error.message, todo: `See the check ${error.check}.` };
  }
  const seen = error instanceof Error ? awsSentence(error) : String(error);
  const todo = /AccessDenied|NotAuthorized|UnauthorizedOperation/.test(seen)
    ? 'Run it with the permissions that docs/commands.md lists for the doctor.'
    : 'Look again; if it stays so, the call itself says what is wrong.';
  return { outcome: 'unchecked', seen, todo };
}
