import type { FindingEvent } from '../../functions/domain/finding-events.ts';
import type { KeyIdentity } from '../../functions/domain/key.ts';
import type { PersonRef } from '../../functions/domain/people.ts';
import { ACCOUNTS } from '../../sandbox/world.ts';
import { aKey, anActor, anOpening, aProof, aTrigger } from '../builders.ts';
import { CAUSER, type Kind, slackPerson } from './people.ts';

/** A state that a finding can be in when somebody wants something of it. */
export type Situation = {
  name: string;
  /** Whether its route asks for two people. */
  fourEyes: boolean;
  events: (story: Story) => [FindingEvent, ...FindingEvent[]];
};
type Story = { key: KeyIdentity; at: (minutesAgo: number) => string; kind: Kind };

const MINUTES_PER_DAY = 1440;
const REMEDY = { id: 'enable-rotation', rotationPeriodInDays: 365 } as const;

const refOf = (userId: string): PersonRef => {
  const { teamId, name, email } = slackPerson(userId);
  return { userId, teamId, name, email };
};
const approver = refOf('U0APPROVER');

function opened({ key, at }: Story, changes: Partial<Parameters<typeof anOpening>[0]> = {}): FindingEvent {
  const actor = anActor({ type: 'AssumedRole', name: 'dev', arn: null, email: slackPerson(CAUSER).email });
  return anOpening({
    ...{ at: at(60), key, facts: aKey({ ...key, createdAt: at(60) }) },
    trigger: aTrigger({ at: at(60), actor, eventName: 'DisableKeyRotation' }),
    ...changes,
  });
}

function terms({ at, kind }: Story) {
  const owner = refOf(kind.ownsExemption ? kind.userId : 'U0APPROVER2');
  return { owner, reason: 'The vendor pins the key material', ticket: null, until: at(-30 * MINUTES_PER_DAY) };
}

function approved({ at }: Story): FindingEvent {
  return {
    ...{ type: 'remediation-approved', at: at(50), remedy: REMEDY },
    approval: { by: { kind: 'person', person: approver }, at: at(50) },
  };
}

function remediated(story: Story): FindingEvent[] {
  const at = story.at(40);
  return [
    approved(story),
    { type: 'remediation-started', at, remedy: REMEDY },
    { type: 'remediated', at, remedy: REMEDY, proof: aProof({ readAt: at }), kmsRequestId: 'request' },
  ];
}

function exempted(story: Story): FindingEvent {
  const at = story.at(50);
  const exemption = { ...terms(story), grantedBy: approver, grantedAt: at, remindedDays: [], since: at };
  return { type: 'exemption-granted', at, exemption };
}

function requested(story: Story, action: 'exempt' | 'renew-exemption' | 'back-out'): FindingEvent {
  const at = story.at(30);
  const request = { action, by: refOf(story.kind.requestedBy), at, terms: terms(story), lapsesAt: story.at(-600) };
  return { type: 'confirmation-requested', at, request: { ...request, because: 'route-asks' } };
}

export const SITUATIONS: readonly Situation[] = [
  { name: 'open', fourEyes: false, events: (story) => [opened(story)] },
  { name: 'open, on a route that asks for two people', fourEyes: true, events: (story) => [opened(story)] },
  {
    ...{ name: 'open, a request to exempt waits', fourEyes: true },
    events: (story) => [opened(story), requested(story, 'exempt')],
  },
  {
    ...{ name: 'open, and nobody can tell who caused it', fourEyes: false },
    events: (story) => [opened(story, { trigger: aTrigger({ actor: anActor({ arn: null }) }) })],
  },
  { name: 'open, only observed', fourEyes: false, events: (story) => [opened(story, { mode: 'observe' })] },
  { name: 'approved', fourEyes: false, events: (story) => [opened(story), approved(story)] },
  { name: 'remediated', fourEyes: false, events: (story) => [opened(story), ...remediated(story)] },
  {
    ...{ name: 'remediated, a request to back out waits', fourEyes: true },
    events: (story) => [opened(story), ...remediated(story), requested(story, 'back-out')],
  },
  {
    ...{ name: 'failed', fourEyes: false },
    events: (story) => [
      opened(story),
      approved(story),
      {
        ...{ type: 'remediation-failed', at: story.at(40), kmsRequestId: null },
        failure: { because: 'rotation-limit-reached' },
      },
    ],
  },
  { name: 'exempt', fourEyes: false, events: (story) => [opened(story), exempted(story)] },
  {
    ...{ name: 'exempt, a request to renew waits', fourEyes: true },
    events: (story) => [opened(story), exempted(story), requested(story, 'renew-exemption')],
  },
  {
    ...{ name: 'closed', fourEyes: false },
    events: (story) => {
      const at = story.at(40);
      const closing = { because: 'compliant' as const, by: null };
      return [opened(story), { type: 'finding-closed', at, trigger: aTrigger({ at }), closing }];
    },
  },
];

/** A key of its own for every story that is told. */
export function keyNumber(number: number): KeyIdentity {
  const accountId = ACCOUNTS[0]?.id ?? '';
  const keyId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  const region = 'eu-central-1';
  return { arn: `arn:aws:kms:${region}:${accountId}:key/${keyId}`, partition: 'aws', region, accountId, keyId };
}
