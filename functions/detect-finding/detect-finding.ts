import { type KeyEvent, type KeyEventName, parseKeyEvent } from '../contracts/kms-event.ts';
import { assess, isProblem, type KeyObservation } from '../domain/assessment.ts';
import type { AuditEvent, Cause } from '../domain/audit.ts';
import type { AssessCommand } from '../domain/commands.ts';
import type { Finding } from '../domain/finding.ts';
import { type KeyIdentity, parseKeyArn } from '../domain/key.ts';
import type { Trigger } from '../domain/people.ts';
import { graceOf, type Policy, routeFor, routeOf } from '../domain/policy.ts';

export type DetectDeps = {
  now: () => Date;
  loadPolicy: () => Promise<{ policy: Policy }>;
  loadFinding: (keyArn: string) => Promise<Finding | undefined>;
  /** Throws when the key cannot be looked at now but perhaps later. */
  observeKey: (key: KeyIdentity) => Promise<KeyObservation>;
  carryOut: (request: {
    keyArn: string;
    cause: Cause;
    onceId: string | null;
    command: (finding: Finding | undefined) => AssessCommand | null;
  }) => Promise<unknown>;
};

/** Look again after so many seconds. */
export type Wait = { waitSeconds: number };

/**
 * Events after which rotation is as it was, or cannot be asked of the key any more: without a finding that waits for
 * something they change nothing, and the key need not be looked at. Tagging by infrastructure as code is most of them.
 */
const ONLY_SETTLING: readonly KeyEventName[] = [
  'TagResource',
  'UntagResource',
  'DisableKey',
  'ScheduleKeyDeletion',
  'CancelKeyDeletion',
  'DeleteImportedKeyMaterial',
];

/** KMS is eventually consistent: Terraform waits as long for a new key to be found. */
const NOT_FOUND_YET_MS = 10 * 60_000;
const NOT_FOUND_WAIT_SECONDS = 30;
/**
 * For so many further grace periods an event is believed against what KMS shows, which may be the old state for a while
 * (AWS KMS Developer Guide, "Eventual consistency").
 */
const SETTLING_LOOKS = 5;

/**
 * Looks at the key that an EventBridge event is about, once its grace period is over, and brings the finding of that
 * key up to date. The event only says where to look: what counts is what the key is like now.
 * @throws ZodError or KeyNotNamed for an event that cannot be read; whatever the deps throw, to be tried again
 */
export async function detectFinding(message: unknown, deps: DetectDeps): Promise<'done' | Wait> {
  const event = parseKeyEvent(message);
  if (event.errorCode !== null) return 'done';
  const { policy } = await deps.loadPolicy();
  const grace = secondsUntil(event.at, graceOf(policy, event.eventName), deps.now());
  if (grace > 0) return { waitSeconds: grace };
  if (ONLY_SETTLING.includes(event.eventName) && !isUnsettled(await deps.loadFinding(event.key.arn))) return 'done';

  const seen = await lookAt(event.key, deps.observeKey);
  const patience = await patienceFor(event, seen, policy, deps);
  if (patience > 0) return { waitSeconds: patience };
  const { trigger, eventId } = event;
  const cause: Cause = { kind: trigger.kind, id: eventId };
  await judge({ seen, trigger, cause, onceId: eventId, policy, deps });
  return 'done';
}

/**
 * Looks at a key again at once: because a person asked for it, because the permission not to rotate it was taken back, or
 * because the finding has just been written, and what it says may have changed since somebody looked.
 * @throws whatever the deps throw, to be tried again
 */
export async function lookAgain({ event, key, id }: AuditEvent, deps: DetectDeps): Promise<void> {
  const { policy } = await deps.loadPolicy();
  const seen = await lookAt(key, deps.observeKey);
  if (event.type === 'recheck-requested' || event.type === 'exemption-revoked') {
    const trigger: Trigger = { kind: 'recheck', at: event.at, by: event.by };
    await judge({ seen, trigger, cause: { kind: 'slack', id }, onceId: `recheck#${id}`, policy, deps });
  } else {
    // Who cannot see the key now has nothing to say against what was seen before.
    if (assess(seen.observation, policy.rotation, deps.now().toISOString()).verdict === 'unknown') return;
    const trigger: Trigger = { kind: 'second-look', at: event.at };
    await judge({ seen, trigger, cause: { kind: 'second-look', id }, onceId: null, policy, deps });
  }
}

/** A key and what was seen of it; for a replica also the replica, whose rotation is that of its primary. */
type Looked = { key: KeyIdentity; observation: KeyObservation; replica: Sight | null };
type Sight = { key: KeyIdentity; observation: KeyObservation };

async function lookAt(key: KeyIdentity, observeKey: DetectDeps['observeKey']): Promise<Looked> {
  const observation = await observeKey(key);
  if (observation.seen !== 'key' || observation.facts.multiRegionKeyType !== 'REPLICA') {
    return { key, observation, replica: null };
  }
  const primary = observation.facts.primaryArn === null ? null : parseKeyArn(observation.facts.primaryArn);
  if (primary === null) return { key, observation, replica: null };
  return { key: primary, observation: await observeKey(primary), replica: { key, observation } };
}

/** Seconds for which nothing should be said about the key yet; 0 or less when there is no reason to wait. */
async function patienceFor(event: KeyEvent, seen: Looked, policy: Policy, deps: DetectDeps): Promise<number> {
  const now = deps.now();
  const { observation } = seen;
  if (observation.seen === 'no-key') {
    return now.getTime() - Date.parse(event.at) < NOT_FOUND_YET_MS ? NOT_FOUND_WAIT_SECONDS : 0;
  }
  if (observation.facts === null) return 0;
  if (observation.seen === 'key' && CONTRADICTIONS[event.eventName]?.(observation, event) === true) {
    const grace = graceOf(policy, event.eventName);
    if (secondsUntil(event.at, grace * (1 + SETTLING_LOOKS), now) > 0) return grace;
  }
  if (!isProblem(assess(observation, policy.rotation, now.toISOString()))) return 0;
  // Terraform tags a key before it switches rotation on: no event may open a finding before CreateKey itself could.
  const rest = secondsUntil(observation.facts.createdAt, graceOf(policy, 'CreateKey'), now);
  return rest > 0 && !isUnsettled(await deps.loadFinding(seen.key.arn)) ? rest : 0;
}

type SeenKey = Extract<KeyObservation, { seen: 'key' }>;

const isInState = (state: string) => (key: SeenKey) => key.facts.keyState === state;

/** What nobody should see of a key after these events: then KMS shows an old answer, or somebody has undone it since. */
const CONTRADICTIONS: Partial<Record<KeyEventName, (key: SeenKey, event: KeyEvent) => boolean>> = {
  EnableKeyRotation({ reading }, { rotationPeriodInDays: asked }) {
    if (reading.kind !== 'automatic') return false;
    return !reading.enabled || (asked !== null && reading.periodInDays !== asked);
  },
  DisableKeyRotation: ({ reading }) => reading.kind === 'automatic' && reading.enabled,
  EnableKey: (key) => key.facts.keyState !== 'Enabled',
  DisableKey: isInState('Enabled'),
  ScheduleKeyDeletion: isInState('Enabled'),
  CancelKeyDeletion: isInState('PendingDeletion'),
  ImportKeyMaterial: isInState('PendingImport'),
};

async function judge(request: {
  seen: Looked;
  trigger: Trigger;
  cause: Cause;
  onceId: string | null;
  policy: Policy;
  deps: DetectDeps;
}): Promise<void> {
  const { seen, onceId, cause, deps } = request;
  const { replica } = seen;
  if (replica !== null) {
    // UpdatePrimaryRegion makes a primary with a finding into a replica; nobody can act on that finding any more.
    await deps.carryOut({
      ...{ keyArn: replica.key.arn, cause, onceId: onceId === null ? null : `${onceId}#replica` },
      command: (finding) => (finding === undefined ? null : assessCommand(replica, finding, request)),
    });
  }
  await deps.carryOut({
    keyArn: seen.key.arn,
    cause,
    onceId,
    command: (finding) => assessCommand(seen, finding, request),
  });
}

function assessCommand(
  { key, observation }: Sight,
  finding: Finding | undefined,
  { trigger, policy, deps }: { trigger: Trigger; policy: Policy; deps: DetectDeps },
): AssessCommand {
  const at = deps.now().toISOString();
  const facts = observation.seen === 'no-key' ? null : observation.facts;
  const { name: route, mode } = routeFor(policy, key, facts);
  return {
    ...{ type: 'assess', at, key, facts, trigger, route, mode },
    assessment: assess(observation, policy.rotation, at),
    presentMode: finding === undefined ? mode : routeOf(policy, finding).mode,
    rotationPeriodInDays: policy.rotation.periodInDays,
  };
}

/** Whether something still has to happen to the finding, so that a look at the key may settle it. */
function isUnsettled(finding: Finding | undefined): boolean {
  return finding !== undefined && finding.status !== 'closed' && finding.status !== 'remediated';
}

/** NaN, for a time that nobody knows, compares as "no reason to wait". */
function secondsUntil(from: string, graceSeconds: number, now: Date): number {
  return Math.ceil((Date.parse(from) + graceSeconds * 1000 - now.getTime()) / 1000);
}
