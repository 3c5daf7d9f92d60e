import type { Cause } from '../domain/audit.ts';
import type { Command } from '../domain/commands.ts';
import type { Decision } from '../domain/decide.ts';
import { type Batch, inOrder, isApprovable, isInTime, isMeant, type JoinedMember } from '../domain/digest.ts';
import type { Finding } from '../domain/finding.ts';
import type { Policy } from '../domain/policy.ts';
import { verdictOn } from '../domain/verdict.ts';

export type BatchDeps = {
  now: () => string;
  /** Resolves after so many milliseconds. */
  pause: (milliseconds: number) => Promise<void>;
  /** Whether there is time for another key; the rest is left to the next run. */
  hasTime: () => boolean;
  loadPolicy: () => Promise<{ policy: Policy }>;
  digests: {
    loadBatch: (
      ref: Pick<Batch, 'digest' | 'requestId'>,
    ) => Promise<{ batch: Batch; workUntil: string; doneAt?: string | undefined } | null>;
    takeBatch: (ref: Batch, lease: { from: string; to: string }) => Promise<boolean>;
    leaveBatch: (ref: Batch, lease: { from: string; now: string }) => Promise<void>;
    askToGoOn: (ref: Batch, now: string) => Promise<void>;
    endBatch: (ref: Batch, end: { now: string; refused: number }) => Promise<void>;
    members: (digest: string) => Promise<JoinedMember[]>;
    changed: (digest: string, now: string) => Promise<boolean>;
    askForRefresh: (digest: string, now: string) => Promise<void>;
  };
  carryOut: (request: {
    keyArn: string;
    cause: Cause;
    onceId: string | null;
    command: (finding: Finding | undefined) => Command | null;
  }) => Promise<{ decision: Decision | { outcome: 'ignored'; because: string } }>;
};

/** What came of a run, for the log. */
export type BatchRun = {
  outcome: 'done' | 'passed-on' | 'with-another-run' | 'nothing-to-do';
  approved: number;
  refused: number;
};

/** Some keys could not be decided; the batch is still open, so the next run tries them again. */
export class BatchIncomplete extends AggregateError {
  public override readonly name = 'BatchIncomplete';
}

/** Longer than the function may run: when it is over, whoever had the batch is dead. */
const LEASE_MS = 90_000;

/**
 * One approval per account and Region in so long: five a second. EnableKeyRotation may be called fifteen times a second
 * there, by everybody together (KMS, "Request quotas"), and each approval leads to one call of it.
 */
const PACE_MS = 200;

/**
 * Carries out an "Approve all": one `approve` per key, as the person who clicked, by what Slack said of them then. Authority
 * is judged for each finding by its own route, and a refusal is recorded there. A key is decided once however often and
 * by how many runs this is repeated; what has been decided meanwhile, in whatever way, stays so.
 * @throws PolicyUnreadable before anything is decided; BatchIncomplete after all the other keys were
 */
export async function approveBatch(ref: Pick<Batch, 'digest' | 'requestId'>, deps: BatchDeps): Promise<BatchRun> {
  const none = { approved: 0, refused: 0 };
  const { policy } = await deps.loadPolicy();
  const stored = await deps.digests.loadBatch(ref);
  if (stored === null || stored.doneAt !== undefined) return { outcome: 'nothing-to-do', ...none };
  const { batch, workUntil } = stored;
  const now = deps.now();
  if (workUntil > now) return { outcome: 'with-another-run', ...none };
  const lease = new Date(Date.parse(now) + LEASE_MS).toISOString();
  if (!(await deps.digests.takeBatch(batch, { from: workUntil, to: lease }))) {
    return { outcome: 'with-another-run', ...none };
  }
  // At once: the message takes its "Approve all" away and says who clicked.
  await tellDigest(batch, deps);
  const run = await work(batch, policy, deps);
  const { approved, refused, errors } = run;
  if (errors.length === 0 && run.isComplete) {
    await deps.digests.endBatch(batch, { now: deps.now(), refused });
    await tellDigest(batch, deps);
    return { outcome: 'done', approved, refused };
  }
  await deps.digests.leaveBatch(batch, { from: lease, now: deps.now() });
  // The stream brings the order again, and the clock comes by every minute.
  if (errors.length > 0) throw new BatchIncomplete(errors, `${errors.length} keys of batch ${batch.requestId} failed`);
  await deps.digests.askToGoOn(batch, deps.now());
  return { outcome: 'passed-on', approved, refused };
}

async function tellDigest({ digest }: Batch, { digests, now }: BatchDeps): Promise<void> {
  if (await digests.changed(digest, now())) await digests.askForRefresh(digest, now());
}

type Work = { isComplete: boolean; approved: number; refused: number; errors: Error[] };

/** In rounds of one key of each account and Region, a round per PACE_MS. */
async function work(batch: Batch, policy: Policy, deps: BatchDeps): Promise<Work> {
  const run: Work = { isComplete: false, approved: 0, refused: 0, errors: [] };
  const meant = (await deps.digests.members(batch.digest)).filter((member) => isMeant(member, batch));
  const places = [...Map.groupBy(inOrder(meant), ({ key }) => `${key.accountId} ${key.region}`).values()];
  for (let round = 0; places.some((members) => members.length > round); round += 1) {
    const startedAt = Date.parse(deps.now());
    let hasDecided = false;
    for (const members of places) {
      const member = members[round];
      if (member === undefined) continue;
      if (!deps.hasTime() || !isInTime(batch, deps.now())) {
        run.isComplete = !isInTime(batch, deps.now());
        return run;
      }
      hasDecided = (await decideOne(member, { batch, policy, deps, run })) || hasDecided;
    }
    const rest = startedAt + PACE_MS - Date.parse(deps.now());
    // What was decided before costs no call of KMS, so nobody has to wait for it.
    if (hasDecided && rest > 0) await deps.pause(Math.min(rest, PACE_MS));
  }
  run.isComplete = true;
  return run;
}

/** Answers whether the key was approved by this run. */
async function decideOne(
  { key, episode }: JoinedMember,
  { batch, policy, deps, run }: { batch: Batch; policy: Policy; deps: BatchDeps; run: Work },
): Promise<boolean> {
  const { person, groups, requestId } = batch;
  const { userId, teamId, name, email } = person;
  try {
    const { decision } = await deps.carryOut({
      keyArn: key.arn,
      cause: { kind: 'slack', id: requestId },
      onceId: `slack#${requestId}#${key.arn}`,
      command(finding) {
        // Somebody may have decided since the digest was read, or it may be another story by now.
        if (finding?.episode !== episode || !isApprovable(finding)) return null;
        return {
          type: 'approve',
          at: deps.now(),
          episode,
          by: { userId, teamId, name, email },
          verdict: verdictOn(finding, { action: 'approve', person, groups, policy }),
          rotationPeriodInDays: policy.rotation.periodInDays,
        };
      },
    });
    if (decision.outcome === 'accepted') run.approved += 1;
    if (isRefusal(decision)) run.refused += 1;
    return decision.outcome === 'accepted';
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'PolicyUnreadable') throw cause;
    run.errors.push(new Error(`key ${key.arn}`, { cause }));
    return false;
  }
}

type BatchDecision = Awaited<ReturnType<BatchDeps['carryOut']>>['decision'];

/** Now or by an earlier run: what this batch had approved would not be approvable any more. */
function isRefusal(decision: BatchDecision): boolean {
  return (
    decision.outcome === 'refused' || (decision.outcome === 'ignored' && decision.because === 'duplicate-delivery')
  );
}
