import type { KeyObservation, Problem } from '../functions/domain/assessment.ts';
import type { AssessCommand, Command, PersonCommand } from '../functions/domain/commands.ts';
import { evolve } from '../functions/domain/evolve.ts';
import type { Exemption, ExemptionRules, ExemptionTerms } from '../functions/domain/exemption.ts';
import type { Finding, PendingRequest, Proof, Status } from '../functions/domain/finding.ts';
import type { FindingEvent } from '../functions/domain/finding-events.ts';
import type { KeyFacts, KeyIdentity } from '../functions/domain/key.ts';
import type { KeyPattern } from '../functions/domain/key-pattern.ts';
import {
  decidePattern,
  evolvePattern,
  exemptionBy,
  type PatternCommand,
  type PatternExemption,
} from '../functions/domain/pattern-exemption.ts';
import type { AwsActor, PersonRef, SlackPerson, Trigger } from '../functions/domain/people.ts';
import type { Policy } from '../functions/domain/policy.ts';

/** The day on which everything in these builders begins. */
export const DAY_ONE = '2026-03-02T09:00:00.000Z';

/** An instant some time after DAY_ONE. */
export function later({ days = 0, hours = 0, minutes = 0, milliseconds = 0 }): string {
  return new Date(Date.parse(DAY_ONE) + ((days * 24 + hours) * 60 + minutes) * 60_000 + milliseconds).toISOString();
}

export const KEY: KeyIdentity = {
  arn: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
  partition: 'aws',
  region: 'eu-central-1',
  accountId: '111122223333',
  keyId: '1234abcd-12ab-34cd-56ef-1234567890ab',
};

/** A customer-managed symmetric key with KMS's own material, enabled: the kind that rotates. */
export function aKey(changes: Partial<KeyFacts> = {}): KeyFacts {
  return {
    ...KEY,
    aliases: ['payments/ledger'],
    description: 'Ledger entries at rest',
    tags: [{ key: 'team', value: 'payments' }],
    keyManager: 'CUSTOMER',
    keyState: 'Enabled',
    keySpec: 'SYMMETRIC_DEFAULT',
    keyUsage: 'ENCRYPT_DECRYPT',
    origin: 'AWS_KMS',
    customKeyStoreId: null,
    multiRegionKeyType: null,
    primaryArn: null,
    createdAt: DAY_ONE,
    ...changes,
  };
}

export function anObservation(
  facts: Partial<KeyFacts> = {},
  reading: Extract<KeyObservation, { seen: 'key' }>['reading'] = { kind: 'automatic', enabled: false },
): KeyObservation {
  return { seen: 'key', facts: aKey(facts), reading };
}

export function anActor(changes: Partial<AwsActor> = {}): AwsActor {
  return {
    type: 'IAMUser',
    name: 'deployer',
    arn: 'arn:aws:iam::111122223333:user/deployer',
    accountId: '111122223333',
    email: null,
    invokedBy: null,
    ...changes,
  };
}

type CloudTrailTrigger = Extract<Trigger, { kind: 'cloudtrail' }>;

export function aTrigger(changes: Partial<CloudTrailTrigger> = {}): CloudTrailTrigger {
  return {
    kind: 'cloudtrail',
    eventId: '00000000-0000-4000-8000-000000000001',
    eventName: 'CreateKey',
    at: DAY_ONE,
    actor: anActor(),
    tool: 'Terraform',
    sourceIp: '192.0.2.10',
    ...changes,
  };
}

export function aPersonRef(changes: Partial<PersonRef> = {}): PersonRef {
  return { userId: 'U0123456789', teamId: 'T0123456789', name: 'Key Owner', email: 'owner@corp.example', ...changes };
}

/** A full, active member of the organisation of `aPolicy`. */
export function aPerson(changes: Partial<SlackPerson> = {}): SlackPerson {
  return {
    ...aPersonRef(),
    enterpriseId: null,
    isBot: false,
    isGuest: false,
    isStranger: false,
    isDeactivated: false,
    ...changes,
  };
}

export function someRules(changes: Partial<ExemptionRules> = {}): ExemptionRules {
  return {
    maximumDays: 90,
    maximumTotalDays: 730,
    minimumReasonLength: 10,
    ticketRequired: false,
    reminderDays: [14, 7, 1],
    ...changes,
  };
}

export function someTerms(changes: Partial<ExemptionTerms> = {}): ExemptionTerms {
  return {
    owner: aPersonRef(),
    reason: 'The vendor pins the key material until its next release',
    ticket: null,
    until: later({ days: 30 }),
    ...changes,
  };
}

/** Granted ten minutes after DAY_ONE, for thirty days. */
export function anExemption(changes: Partial<Exemption> = {}): Exemption {
  return { ...someTerms(), grantedBy: aPersonRef(), grantedAt: later({ minutes: 10 }), remindedDays: [], ...changes };
}

/** Asked for ten minutes after DAY_ONE by somebody who is not `aPersonRef`. */
export function aRequest(changes: Partial<PendingRequest> = {}): PendingRequest {
  return {
    action: 'exempt',
    by: aPersonRef({ userId: 'U0FIRST', name: 'First Approver', email: 'first@corp.example' }),
    at: later({ minutes: 10 }),
    terms: someTerms(),
    because: 'route-asks',
    lapsesAt: later({ days: 1, minutes: 10 }),
    ...changes,
  };
}

export function aProof(changes: Partial<Proof> = {}): Proof {
  return {
    readAt: later({ minutes: 31 }),
    agreeingReads: 2,
    rotationEnabled: true,
    rotationPeriodInDays: 365,
    nextRotationAt: later({ days: 365 }),
    currentKeyMaterialId: null,
    ...changes,
  };
}

export function aPolicy(changes: Partial<Policy> = {}): Policy {
  return {
    version: 1,
    rotation: { periodInDays: 365, maximumPeriodInDays: 365 },
    graceSeconds: { default: 30, byEventName: { CreateKey: 180 } },
    organisation: { teamIds: ['T0123456789'], enterpriseIds: [] },
    accounts: { '111122223333': { name: 'payments-production', organizationalUnit: 'production' } },
    identities: [{ awsArn: 'arn:aws:iam::111122223333:user/deployer', slackUserId: 'U0DEPLOYER' }],
    routes: [],
    defaultRoute: {
      name: 'default',
      channel: 'C0123456789',
      approvers: { users: ['U0123456789'], userGroups: [] },
      mode: 'ask',
      fourEyes: false,
      workingHours: null,
      escalationChannel: null,
    },
    exemptions: { ...someRules(), selfExemption: false, patterns: null },
    unanswered: { remindAfterHours: [4, 24, 72], escalateAfterHours: 48, escalationChannel: null },
    backOut: { windowDays: 14 },
    fourEyes: { confirmWithinHours: 24 },
    identity: { cacheSeconds: 60 },
    digest: { threshold: 20, firstTags: { environment: ['prod', 'production'] } },
    ...changes,
  };
}

export function anAssessment(changes: Partial<Omit<AssessCommand, 'type'>> = {}): AssessCommand {
  return {
    type: 'assess',
    at: DAY_ONE,
    key: KEY,
    facts: aKey(),
    assessment: { verdict: 'rotation-off' },
    trigger: aTrigger(),
    route: 'default',
    mode: 'ask',
    presentMode: changes.mode ?? 'ask',
    rotationPeriodInDays: 365,
    ...changes,
  };
}

/** One acceptable command of every type, an hour after DAY_ONE; `decide` may still find that the state forbids it. */
export function commandsOfEveryType(at: string = later({ hours: 1 })): {
  [T in Command['type']]: Extract<Command, { type: T }>;
} {
  const byPerson = { at, episode: 1, by: aPersonRef(), verdict: { allowed: true } } satisfies Partial<PersonCommand>;
  const rules = { ownerIsFullMember: true, rules: someRules(), backOutWindowDays: 14 };
  const withTerms = { ...byPerson, ...rules, terms: someTerms(), fourEyes: null };
  return {
    assess: anAssessment({ at, assessment: { verdict: 'compliant' } }),
    approve: { ...byPerson, type: 'approve', rotationPeriodInDays: 365 },
    exempt: { ...withTerms, type: 'exempt' },
    'renew-exemption': { ...withTerms, type: 'renew-exemption' },
    'fix-now': { ...byPerson, type: 'fix-now', rotationPeriodInDays: 365 },
    'shorten-exemption': { ...byPerson, type: 'shorten-exemption', until: later({ days: 20 }) },
    'let-exemption-end': { ...byPerson, type: 'let-exemption-end' },
    'revoke-exemption': { ...byPerson, type: 'revoke-exemption' },
    'back-out': { ...withTerms, type: 'back-out' },
    'confirm-request': {
      ...byPerson,
      ...rules,
      type: 'confirm-request',
      requestedAt: at,
      requester: { allowed: true },
    },
    'withdraw-request': { ...byPerson, type: 'withdraw-request', requestedAt: at },
    're-check': { ...byPerson, type: 're-check' },
    'start-remediation': { type: 'start-remediation', at },
    'confirm-remediation': { type: 'confirm-remediation', at, proof: aProof(), kmsRequestId: 'request-1' },
    'fail-remediation': {
      ...{ type: 'fail-remediation', at, kmsRequestId: null },
      failure: { because: 'rotation-limit-reached' },
    },
    'close-unneeded': { type: 'close-unneeded', at, assessment: { verdict: 'compliant' } },
    'expire-exemption': {
      ...{ type: 'expire-exemption', at, facts: null, assessment: { verdict: 'rotation-off' } },
      ...{ presentMode: 'ask', rotationPeriodInDays: 365 },
    },
    'remind-owner': { type: 'remind-owner', at, daysLeft: 14 },
    'lapse-request': { type: 'lapse-request', at },
    remind: { type: 'remind', at, reminder: 1 },
    escalate: { type: 'escalate', at },
    'report-overdue': { type: 'report-overdue', at },
    'follow-pattern': { type: 'follow-pattern', at, exemption: exemptionBy(aPattern(), at), rules: someRules() },
    'leave-pattern': { type: 'leave-pattern', at, patternId: 'pattern-1', endedBy: aPersonRef() },
  };
}

export function anOpening(
  changes: Partial<Omit<Extract<FindingEvent, { type: 'finding-opened' }>, 'type'>> = {},
): FindingEvent {
  return {
    type: 'finding-opened',
    at: DAY_ONE,
    key: KEY,
    facts: aKey(),
    assessment: { verdict: 'rotation-off' },
    trigger: aTrigger(),
    episode: 1,
    route: 'default',
    mode: 'ask',
    ...changes,
  };
}

const REMEDY = { id: 'enable-rotation', rotationPeriodInDays: 365 } as const;

export function anApproval(at: string = later({ minutes: 10 })): FindingEvent {
  return {
    type: 'remediation-approved',
    at,
    approval: { by: { kind: 'person', person: aPersonRef() }, at },
    remedy: REMEDY,
  };
}

export function aRemediation(at: string = later({ minutes: 31 })): FindingEvent[] {
  return [
    { type: 'remediation-started', at, remedy: REMEDY },
    { type: 'remediated', at, remedy: REMEDY, proof: aProof(), kmsRequestId: 'request-1' },
  ];
}

/** How a finding of each status comes about; each history is one a real key can have. */
export const HISTORY: Record<Status, [FindingEvent, ...FindingEvent[]]> = {
  open: [anOpening()],
  approved: [anOpening(), anApproval()],
  remediated: [anOpening(), anApproval(), ...aRemediation()],
  failed: [
    anOpening(),
    anApproval(),
    {
      ...{ type: 'remediation-failed', at: later({ minutes: 31 }), kmsRequestId: null },
      failure: { because: 'rotation-limit-reached' },
    },
  ],
  exempt: [
    anOpening(),
    {
      ...{ type: 'exemption-granted', at: later({ minutes: 10 }) },
      exemption: anExemption(),
    },
  ],
  closed: [
    anOpening(),
    {
      ...{ type: 'finding-closed', at: later({ minutes: 10 }), trigger: aTrigger({ eventName: 'EnableKeyRotation' }) },
      closing: { because: 'compliant', by: 'deployer' },
    },
  ],
};

/** The finding that events lead to; `after` continues a history. */
export function given(events: readonly [FindingEvent, ...FindingEvent[]]): Finding {
  const [first, ...rest] = events;
  return rest.reduce(evolve, evolve(undefined, first));
}

type InStatus<S extends Status> = Extract<Finding, { status: S }>;

/** A finding in the status, as HISTORY tells it. */
export function aFinding<S extends Status>(status: S): InStatus<S> {
  const finding = given(HISTORY[status]);
  if (!isInStatus(finding, status)) throw new Error(`the history of ${status} ends in ${finding.status}`);
  return finding;
}

function isInStatus<S extends Status>(finding: Finding, status: S): finding is InStatus<S> {
  return finding.status === status;
}

/** Problems of every kind, those that nothing can be done about included. */
export const PROBLEMS: readonly Problem[] = [
  { verdict: 'rotation-off' },
  { verdict: 'period-too-long', periodInDays: 730, maximumPeriodInDays: 365 },
  { verdict: 'manual-rotation-due', pendingKeyMaterialId: 'a'.repeat(64), lastRotatedAt: null },
  { verdict: 'manual-rotation-due', pendingKeyMaterialId: null, lastRotatedAt: null },
  { verdict: 'unknown', reason: { because: 'rotation-not-read' } },
];

/** Keys with an alias that begins with `dev-`, in the account of KEY. */
export const DEV_KEYS: KeyPattern = { accountId: KEY.accountId, by: 'alias', alias: 'dev-*' };
const FIRST = aPersonRef({ userId: 'U0FIRST', name: 'First Approver', email: 'first@corp.example' });
const SECOND = aPersonRef({ userId: 'U0SECOND', name: 'Second Approver', email: 'second@corp.example' });

type PatternCommandOf<T extends PatternCommand['type']> = Extract<PatternCommand, { type: T }>;

/** By the first approver, ten minutes after DAY_ONE. */
export function aPatternRequest(
  changes: Partial<PatternCommandOf<'request-pattern'>> = {},
): PatternCommandOf<'request-pattern'> {
  return {
    ...{ type: 'request-pattern', at: later({ minutes: 10 }), by: FIRST, verdict: { allowed: true } },
    ...{ id: 'pattern-1', pattern: DEV_KEYS, terms: someTerms(), ownerIsFullMember: true, rules: someRules() },
    confirmWithinHours: 24,
    ...changes,
  };
}

/** By the second approver, twenty minutes after DAY_ONE. */
export function aPatternConfirmation(
  changes: Partial<PatternCommandOf<'confirm-pattern'>> = {},
): PatternCommandOf<'confirm-pattern'> {
  return {
    ...{ type: 'confirm-pattern', at: later({ minutes: 20 }), by: SECOND, verdict: { allowed: true } },
    ...{ requestedAt: later({ minutes: 10 }), requester: { allowed: true }, ownerIsFullMember: true },
    rules: someRules(),
    ...changes,
  };
}

/** What accepted commands lead to. */
export function aPattern(commands: readonly PatternCommand[] = [aPatternRequest(), aPatternConfirmation()]) {
  let pattern: PatternExemption | undefined;
  for (const command of commands) {
    const decision = decidePattern(command, pattern);
    if (decision.outcome !== 'accepted') throw new Error(`${command.type}: ${JSON.stringify(decision)}`);
    pattern = decision.events.reduce<PatternExemption | undefined>(evolvePattern, pattern);
  }
  if (pattern === undefined) throw new Error('no command');
  return pattern;
}
