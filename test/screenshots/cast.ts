import { digest } from '../../functions/adapters/digest.ts';
import { parsePolicy } from '../../functions/contracts/policy.ts';
import { type AuditEvent, type ChainVerdict, EMPTY_CHAIN, seal, verifyChain } from '../../functions/domain/audit.ts';
import type { Exemption } from '../../functions/domain/exemption.ts';
import type { Approval, Finding, PendingRequest } from '../../functions/domain/finding.ts';
import type { FindingEvent } from '../../functions/domain/finding-events.ts';
import type { KeyFacts, KeyIdentity } from '../../functions/domain/key.ts';
import type { PersonRef } from '../../functions/domain/people.ts';
import type { Policy } from '../../functions/domain/policy.ts';
import { graceOf, sandboxPolicy } from '../../sandbox/sandbox-policy.ts';
import { PEOPLE } from '../../sandbox/world.ts';
import { aKey, anActor, anExemption, anOpening, aProof, aRequest, aTrigger, later } from '../builders.ts';

/** What all pictures show: the people, accounts and channels of the sandbox, some keys, and what happens to them. */

/** The sandbox's own policy, read as the bot reads it. */
export const POLICY: Policy = parsePolicy(sandboxPolicy(graceOf(undefined)));

export const APPROVER = person('U0APPROVER');
export const SECOND_APPROVER = person('U0APPROVER2');
export const ENGINEER = person('U0ENGINEER');
export const VIEWER = person('U0VIEWER');

export const LEDGER = key(1);
const LEDGER_FACTS: Partial<KeyFacts> = {
  aliases: ['payments/ledger'],
  description: 'Ledger entries at rest',
  tags: [
    { key: 'environment', value: 'prod' },
    { key: 'team', value: 'payments' },
  ],
};
export const READER = 'arn:aws:sts::444455556666:assumed-role/kms-rotation-bot-read/kms-rotation-bot';
export const REMEDIATOR = 'arn:aws:sts::444455556666:assumed-role/kms-rotation-bot-remediate/kms-rotation-bot';
export const REQUEST_ID = 'b1b6a3a2-5c4e-4f3d-9a57-0c1d2e3f4a5b';
export const MATERIAL = '0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9';

/** A key of payments-prod, told apart by a number. */
export function key(index: number, account = '444455556666'): KeyIdentity {
  const keyId = `1234abcd-12ab-34cd-56ef-${String(index).padStart(12, '0')}`;
  const arn = `arn:aws:kms:eu-central-1:${account}:key/${keyId}`;
  return { arn, keyId, partition: 'aws', region: 'eu-central-1', accountId: account };
}

export function facts(of: KeyIdentity, changes: Partial<KeyFacts> = {}): KeyFacts {
  return aKey({ ...of, ...LEDGER_FACTS, ...changes });
}

/** The engineer's Terraform. */
export function byEngineer(eventName = 'CreateKey', at = later({})) {
  const name = `payments-deploy/${ENGINEER.email ?? ''}`;
  const arn = `arn:aws:sts::444455556666:assumed-role/${name}`;
  const actor = anActor({ type: 'AssumedRole', name, arn, accountId: '444455556666', email: ENGINEER.email });
  return aTrigger({ eventName, at, actor, tool: 'Terraform', sourceIp: '192.0.2.10' });
}

type Opening = NonNullable<Parameters<typeof anOpening>[0]>;

/** The finding opens at nine on the first day. */
export function opens(changes: Opening = {}): FindingEvent {
  const of = changes.key ?? LEDGER;
  return anOpening({ key: of, facts: facts(of), trigger: byEngineer(), route: 'payments', ...changes });
}

export function approval(by: PersonRef = APPROVER, at = later({ minutes: 5 })): Approval {
  return { by: { kind: 'person', person: by }, at };
}

export const ENABLE = { id: 'enable-rotation', rotationPeriodInDays: 365 } as const;
export const DISABLE = { id: 'disable-rotation' } as const;

export function approves(by: Approval = approval()): FindingEvent {
  return { type: 'remediation-approved', at: by.at, approval: by, remedy: ENABLE };
}

export function fixes(at = later({ minutes: 6 })): FindingEvent[] {
  const proof = aProof({ readAt: at, agreeingReads: 3, nextRotationAt: later({ days: 365 }) });
  return [
    { type: 'remediation-started', at, remedy: ENABLE },
    { type: 'remediated', at, remedy: ENABLE, proof, kmsRequestId: REQUEST_ID },
  ];
}

export function exemption(changes: Partial<Exemption> = {}): Exemption {
  return anExemption({
    ...{
      owner: ENGINEER,
      grantedBy: APPROVER,
      grantedAt: later({ minutes: 5 }),
      until: later({ days: 60, hours: 15 }),
    },
    ...{
      reason: 'Retired with the old ledger in May; nothing new is written with it',
      ticket: 'PAY-1234',
      since: later({ minutes: 5 }),
    },
    ...changes,
  });
}

export function exempts(granted: Exemption = exemption()): FindingEvent {
  return { type: 'exemption-granted', at: granted.grantedAt, exemption: granted };
}

export function request(changes: Partial<PendingRequest> = {}): PendingRequest {
  const { owner, reason, ticket, until } = exemption();
  return aRequest({
    ...{ by: APPROVER, at: later({ minutes: 5 }), lapsesAt: later({ days: 1, minutes: 5 }) },
    ...{ terms: { owner, reason, ticket, until } },
    ...changes,
  });
}

/** A key that the bot fixed, and that Terraform switched off again. */
export function driftLoop(): [FindingEvent, ...FindingEvent[]] {
  const off = byEngineer('DisableKeyRotation', later({ days: 1 }));
  return [opens(), approves(), ...fixes(), opens({ at: off.at, episode: 2, trigger: off })];
}

/** Events as the audit trail has them, and whether the trail proves to be whole. */
export function trailOf(events: readonly FindingEvent[]): {
  records: AuditEvent[];
  verdict: ChainVerdict;
  finding: Finding;
} {
  let ids = 0;
  const newId = () => {
    ids += 1;
    return `event-${ids}`;
  };
  const cause = { kind: 'slack' as const, id: 'click' };
  const { records, head } = seal(EMPTY_CHAIN, events, { cause, policyVersion: 'b3f1c2d4', newId }, digest);
  if (head.finding === undefined) throw new Error('a trail begins with an event');
  return { records, verdict: verifyChain(records, digest, head), finding: head.finding };
}

function person(id: string): PersonRef {
  const found = PEOPLE.find((each) => each.id === id);
  if (found === undefined) throw new Error(`the sandbox has no person ${id}`);
  return { userId: found.id, teamId: found.teamId, name: found.displayName, email: found.email };
}
