import { type Assessment, assess, isProblem, type KeyObservation, type Problem } from '../domain/assessment.ts';
import type { AuditEvent, Cause } from '../domain/audit.ts';
import type { RemediatorCommand } from '../domain/commands.ts';
import { isAboutToBeGivenUp } from '../domain/deadlines.ts';
import type { ApprovedFinding, Finding, Proof } from '../domain/finding.ts';
import type { KeyIdentity } from '../domain/key.ts';
import type { Policy } from '../domain/policy.ts';
import type { ReadBack } from '../domain/read-back.ts';
import type { RemediationFailure, Remedy } from '../domain/remedy.ts';
import { same } from '../domain/same.ts';

/** What an approved remedy can do, with its parameters already in it. */
export type ApprovedRemedy = {
  isStillNeeded: (seen: { observation: KeyObservation; assessment: Assessment }) => boolean;
  apply: (key: KeyIdentity) => Promise<Applied>;
  isDone: (read: ReadBack) => boolean;
  /** What `isDone` waits for, in words. */
  expects: string;
  confirmWithinSeconds: number;
};

type Applied =
  | { outcome: 'accepted'; kmsRequestId: string | null }
  | { outcome: 'refused'; failure: RemediationFailure; kmsRequestId: string | null }
  | { outcome: 'key-not-ready' };

export type RemediateDeps = {
  now: () => Date;
  /** Resolves after so many milliseconds. */
  sleep: (milliseconds: number) => Promise<void>;
  loadPolicy: () => Promise<{ policy: Policy }>;
  loadFinding: (keyArn: string) => Promise<Finding | undefined>;
  /** Throws when the key cannot be looked at now but perhaps later; so do `readBack` and a remedy's `apply`. */
  observeKey: (key: KeyIdentity) => Promise<KeyObservation>;
  readBack: (key: KeyIdentity) => Promise<ReadBack>;
  remedyOf: (remedy: Remedy) => ApprovedRemedy;
  carryOut: (request: {
    keyArn: string;
    cause: Cause;
    onceId: string | null;
    command: (finding: Finding | undefined) => RemediatorCommand | null;
  }) => Promise<{ decision: { outcome: 'accepted' | 'ignored' | 'refused' } }>;
};

/** What came of it, for the log. `skipped`: the record is not about a remediation that still has to be done. */
export type Remediated = 'skipped' | 'remediated' | 'failed' | 'closed';

/** KMS refused because of the key's state, but the key looks as before. */
export class KeyNotReady extends Error {
  public override readonly name = 'KeyNotReady';
}

const STARTING_EVENTS: readonly AuditEvent['event']['type'][] = [
  'remediation-approved',
  'back-out-approved',
  'remediation-overdue',
];
const AGREEING_READS = 3;
const BETWEEN_READS_MS = 1000;

/**
 * Does what was approved: looks at the key again, changes it, reads it back until three reads in a row agree, and
 * appends what came of it. The start is appended before the change, so that after a crash in between the repeated
 * delivery finds the effect, knows it for its own, and confirms it instead of changing anything twice.
 *
 * Only a finding in status `approved` is acted upon, so a live exemption or another person's later decision stops it.
 * @throws whatever the deps throw, and KeyNotReady: the stream delivers the record again
 */
export async function remediateKey(record: AuditEvent, deps: RemediateDeps): Promise<Remediated> {
  if (!STARTING_EVENTS.includes(record.event.type)) return 'skipped';
  // Before anything else: without a readable policy nothing may be changed.
  const { policy } = await deps.loadPolicy();
  const finding = await deps.loadFinding(record.key.arn);
  if (finding?.status !== 'approved' || finding.episode !== record.episode) return 'skipped';
  if (isAboutToBeGivenUp(finding, deps.now().toISOString())) return 'skipped';
  return await attempt({ record, finding, policy, deps }).run();
}

function attempt({
  record,
  finding,
  policy,
  deps,
}: {
  record: AuditEvent;
  finding: ApprovedFinding;
  policy: Policy;
  deps: RemediateDeps;
}) {
  const { key } = finding;
  const remedy = deps.remedyOf(finding.remedy);

  async function append(command: RemediatorCommand): Promise<boolean> {
    const { decision } = await deps.carryOut({
      keyArn: key.arn,
      cause: { kind: 'remediation', id: record.id },
      onceId: null,
      command: (current) => (isSameApproval(current, finding) ? command : null),
    });
    return decision.outcome === 'accepted';
  }
  const at = () => deps.now().toISOString();

  async function close(assessment: Exclude<Assessment, Problem>): Promise<Remediated> {
    return (await append({ type: 'close-unneeded', at: at(), assessment })) ? 'closed' : 'skipped';
  }
  async function fail(failure: RemediationFailure, kmsRequestId: string | null): Promise<Remediated> {
    return (await append({ type: 'fail-remediation', at: at(), failure, kmsRequestId })) ? 'failed' : 'skipped';
  }

  async function look() {
    const observation = await deps.observeKey(key);
    return { observation, assessment: assess(observation, policy.rotation, at()) };
  }

  async function run(): Promise<Remediated> {
    const seen = await look();
    const { assessment } = seen;
    if (assessment.verdict === 'not-applicable') return close(assessment);
    if (assessment.verdict === 'unknown') return fail(failureOf(assessment), null);
    if (remedy.isStillNeeded(seen)) return change();
    // Off is what a back-out wants, whoever switched it off: the exemption that was asked with it still has to begin.
    const isBackOut = finding.thenExempt !== null;
    if (finding.startedAt === null && !isBackOut) return settle(assessment);
    if (!remedy.isDone(await deps.readBack(key)) && !isBackOut) return settle(assessment);
    return (await start()) ? confirm(null) : 'skipped';
  }

  /** The key is as somebody else made it: either fine now, or wrong in another way than the one approved. */
  function settle(assessment: Exclude<Assessment, { verdict: 'not-applicable' }>): Promise<Remediated> {
    return isProblem(assessment) ? fail(failureOf(assessment), null) : close(assessment);
  }

  async function start(): Promise<boolean> {
    return finding.startedAt !== null || (await append({ type: 'start-remediation', at: at() }));
  }

  async function change(): Promise<Remediated> {
    if (!(await start())) return 'skipped';
    const applied = await remedy.apply(key);
    switch (applied.outcome) {
      case 'accepted':
        return confirm(applied.kmsRequestId);
      case 'refused':
        return fail(applied.failure, applied.kmsRequestId);
      case 'key-not-ready':
        return explainRefusal();
    }
  }

  async function explainRefusal(): Promise<Remediated> {
    const seen = await look();
    if (seen.assessment.verdict === 'not-applicable') return close(seen.assessment);
    if (remedy.isStillNeeded(seen)) throw new KeyNotReady(`${key.arn} cannot be changed in its present state`);
    return settle(seen.assessment);
  }

  async function confirm(kmsRequestId: string | null): Promise<Remediated> {
    const { proof, lastRead } = await prove(key, remedy, deps);
    if (proof === null) return fail({ because: 'not-confirmed', expected: remedy.expects, lastRead }, kmsRequestId);
    return (await append({ type: 'confirm-remediation', at: at(), proof, kmsRequestId })) ? 'remediated' : 'skipped';
  }

  return { run };
}

/**
 * Reads until three reads in a row agree with each other and with the remedy. KMS may show the old state for a while
 * after a change ("eventual consistency", AWS KMS Developer Guide). Counts reads rather than measuring time, so that a
 * clock that is set does not cut the wait short.
 */
async function prove(
  key: KeyIdentity,
  remedy: ApprovedRemedy,
  deps: RemediateDeps,
): Promise<{ proof: Proof; lastRead: string } | { proof: null; lastRead: string }> {
  let agreeing: { read: ReadBack; reads: number } | null = null;
  let lastRead = 'nothing';
  for (let left = remedy.confirmWithinSeconds; left > 0; left -= 1) {
    const read = await deps.readBack(key);
    lastRead = inWords(read);
    if (!remedy.isDone(read)) agreeing = null;
    else if (agreeing !== null && same(agreeing.read, read)) agreeing = { read, reads: agreeing.reads + 1 };
    else agreeing = { read, reads: 1 };
    if (agreeing !== null && agreeing.reads >= AGREEING_READS) {
      return { proof: { ...read, readAt: deps.now().toISOString(), agreeingReads: agreeing.reads }, lastRead };
    }
    await deps.sleep(BETWEEN_READS_MS);
  }
  return { proof: null, lastRead };
}

/** Whether the finding still waits for the result of the very approval that this run is about. */
function isSameApproval(current: Finding | undefined, approved: ApprovedFinding): boolean {
  return (
    current?.status === 'approved' &&
    current.episode === approved.episode &&
    same(current.approval, approved.approval) &&
    same(current.remedy, approved.remedy)
  );
}

function failureOf(problem: Problem): RemediationFailure {
  if (problem.verdict !== 'unknown') return { because: 'key-changed', found: problem };
  const { reason } = problem;
  switch (reason.because) {
    case 'access-denied': {
      const { operation, deniedBy, principal } = reason;
      return { because: 'policy-denies', operation, deniedBy, principal };
    }
    case 'kms-refused':
      return { because: 'kms-refused', operation: reason.operation, code: reason.code };
    case 'unrecognised-key-state':
    case 'unrecognised-origin':
    case 'rotation-not-read':
    case 'period-not-reported':
      return { because: 'key-changed', found: problem };
  }
}

function inWords(read: ReadBack): string {
  const { rotationEnabled, rotationPeriodInDays, currentKeyMaterialId } = read;
  if (rotationEnabled === null) {
    return currentKeyMaterialId === null ? 'nothing' : `key material ${currentKeyMaterialId} in use`;
  }
  if (!rotationEnabled) return 'rotation off';
  return rotationPeriodInDays === null ? 'rotation on' : `rotation on, every ${rotationPeriodInDays} days`;
}
