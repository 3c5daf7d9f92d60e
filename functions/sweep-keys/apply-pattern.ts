import pMap from 'p-map';
import type { Cause } from '../domain/audit.ts';
import type { Command } from '../domain/commands.ts';
import type { Decision } from '../domain/decide.ts';
import type { Finding, Status } from '../domain/finding.ts';
import { followCommand } from '../domain/follow-pattern.ts';
import { isMeantBy } from '../domain/key-pattern.ts';
import type { PatternCommand, PatternExemption } from '../domain/pattern-exemption.ts';
import type { Policy } from '../domain/policy.ts';

export type ApplyPatternDeps = {
  now: () => string;
  /** Whether there is time for another finding; the rest is left to the next run. */
  hasTime: () => boolean;
  loadPolicy: () => Promise<{ policy: Policy }>;
  loadPattern: (id: string) => Promise<PatternExemption | undefined>;
  findingsPage: (
    status: Status,
    page: { after: string | null; limit: number },
  ) => Promise<{ findings: Finding[]; next: string | null }>;
  carryOut: (request: {
    keyArn: string;
    cause: Cause;
    onceId: string | null;
    command: (finding: Finding | undefined) => Command | null;
  }) => Promise<{
    decision: Decision | { outcome: 'ignored'; because: string };
    finding: Finding | undefined;
  }>;
  carryOutPattern: (request: {
    id: string;
    cause: Cause;
    onceId: string | null;
    command: (current: PatternExemption | undefined) => PatternCommand | null;
  }) => Promise<unknown>;
};

/** What came of a run, for the log. */
export type AppliedPattern = { outcome: 'done' | 'out-of-time' | 'nothing-to-do'; changed: number };

/** Some findings could not be made to follow the pattern; it is still to be applied, so the next run tries again. */
export class PatternIncomplete extends AggregateError {
  public override readonly name = 'PatternIncomplete';
}

const PAGE = 200;
const AT_ONCE = 4;

/**
 * Makes the findings of the account follow an exemption of a pattern: those that it means get an exemption of their own
 * or have it renewed; when it was ended theirs are. Each is decided by itself, so that repeating it is harmless and what
 * a person decided about one key stays. What it comes to is noted in the pattern's own trail.
 * @throws PolicyUnreadable before anything is decided; PatternIncomplete after all the other findings were
 */
export async function applyPattern(id: string, deps: ApplyPatternDeps): Promise<AppliedPattern> {
  const { policy } = await deps.loadPolicy();
  const pattern = await deps.loadPattern(id);
  if (pattern === undefined || pattern.isApplied) return { outcome: 'nothing-to-do', changed: 0 };
  const cause: Cause = { kind: 'clock', id: `pattern#${id}#${deps.now()}` };
  const statuses: Status[] = pattern.ended === null ? ['open', 'failed', 'exempt'] : ['exempt'];
  const run = { pattern, policy, cause, deps, changed: 0, exempt: new Set<string>(), leftOut: 0, errors: [] };
  for (const status of statuses) {
    if (!(await followAll(status, run))) return { outcome: 'out-of-time', changed: run.changed };
  }
  if (run.errors.length > 0) throw new PatternIncomplete(run.errors, `${run.errors.length} findings of pattern ${id}`);
  const coverage = { exempt: run.exempt.size, leftOut: run.leftOut };
  await deps.carryOutPattern({
    ...{ id, cause, onceId: null },
    // Another decision has another look to come, and it is that one's result which counts.
    command: (current) =>
      isSameDecision(current, pattern) ? { type: 'note-coverage', at: deps.now(), coverage } : null,
  });
  return { outcome: 'done', changed: run.changed };
}

type Run = {
  pattern: PatternExemption;
  policy: Policy;
  cause: Cause;
  deps: ApplyPatternDeps;
  changed: number;
  exempt: Set<string>;
  leftOut: number;
  errors: Error[];
};

/** False when the time was over before all were looked at. */
async function followAll(status: Status, run: Run): Promise<boolean> {
  const { pattern, deps } = run;
  for (let after: string | null = null; ; ) {
    const page: { findings: Finding[]; next: string | null } = await deps.findingsPage(status, { after, limit: PAGE });
    const concerned = page.findings.filter(
      (finding) => isByPattern(finding, pattern) || isMeantBy(pattern.pattern, finding.key, finding.facts),
    );
    const done = await pMap(concerned, (finding) => deps.hasTime() && follow(finding, run), { concurrency: AT_ONCE });
    if (done.includes(false)) return false;
    after = page.next;
    if (after === null) return true;
    if (!deps.hasTime()) return false;
  }
}

async function follow(listed: Finding, run: Run): Promise<true> {
  const { pattern, policy, cause, deps } = run;
  try {
    const { decision, finding } = await deps.carryOut({
      ...{ keyArn: listed.key.arn, cause, onceId: null },
      command: (current) =>
        current === undefined ? null : followCommand(pattern, current, { policy, at: deps.now() }),
    });
    if (decision.outcome === 'accepted') run.changed += 1;
    if (isByPattern(finding, pattern)) run.exempt.add(listed.key.arn);
    else if (finding?.status === 'open' || finding?.status === 'failed') run.leftOut += 1;
  } catch (error) {
    run.errors.push(new Error(`finding of ${listed.key.arn}`, { cause: error }));
  }
  return true;
}

function isByPattern(finding: Finding | undefined, { id }: PatternExemption): boolean {
  return finding?.status === 'exempt' && finding.exemption.pattern?.id === id;
}

function isSameDecision(current: PatternExemption | undefined, seen: PatternExemption): boolean {
  return current?.ended?.at === seen.ended?.at && current?.grant?.grantedAt === seen.grant?.grantedAt;
}
