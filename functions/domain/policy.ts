import type { Approvers, Culprit, Organisation } from './authority.ts';
import type { DeadlineRules } from './deadlines.ts';
import type { DigestRules } from './digest.ts';
import type { ExemptionRules } from './exemption.ts';
import type { FindingBase, Mode } from './finding.ts';
import { glob } from './glob.ts';
import type { KeyFacts, KeyIdentity } from './key.ts';
import type { AwsActor, Trigger } from './people.ts';
import { nextOpening, type OffsetAt, type WorkingHours } from './working-hours.ts';

/** Conditions of a route; every one that is given must hold. Lists are alternatives. */
export type RouteMatch = {
  accounts?: string[] | undefined;
  organizationalUnits?: string[] | undefined;
  regions?: string[] | undefined;
  /** Tag key to one of these values; `*` stands for any text. */
  tags?: Record<string, string[]> | undefined;
  /** Alias names without `alias/`; `*` stands for any text. */
  aliases?: string[] | undefined;
};

/** Where the findings of some keys go and who decides on them. */
export type Route = {
  name: string;
  channel: string;
  approvers: Approvers;
  mode: Mode;
  /** Whether exempting, renewing and backing out take two people. */
  fourEyes: boolean;
  /** When people of this route may be reminded and escalated to; null: at any time. */
  workingHours: WorkingHours | null;
  /** Where unanswered findings of this route are escalated to; null: where the policy says for all. */
  escalationChannel: string | null;
};

type RoutedFinding = Pick<FindingBase, 'route' | 'key' | 'facts'>;

export type Policy = {
  version: 1;
  rotation: { periodInDays: number; maximumPeriodInDays: number };
  /** Seconds to wait after an event before the key is looked at, by CloudTrail event name. */
  graceSeconds: { default: number; byEventName: Record<string, number> };
  organisation: Organisation;
  accounts: Record<string, { name: string; organizationalUnit?: string | undefined }>;
  /**
   * AWS identities (ARN patterns) that belong to a Slack user whose e-mail address does not tell so; null for a machine
   * behind which nobody in particular stands.
   */
  identities: { awsArn: string; slackUserId: string | null }[];
  routes: (Route & { match: RouteMatch })[];
  defaultRoute: Route;
  exemptions: ExemptionRules & {
    selfExemption: boolean;
    /** Who may exempt all keys of a tag or alias pattern, and where that is told; null: nobody may. */
    patterns: { channel: string; approvers: Approvers } | null;
  };
  unanswered: Pick<DeadlineRules, 'remindAfterHours' | 'escalateAfterHours'> & { escalationChannel: string | null };
  backOut: { windowDays: number };
  fourEyes: { confirmWithinHours: number };
  /** How old, at most, what Slack said of a person or a user group may be when it counts. */
  identity: { cacheSeconds: number };
  /** When many findings become one message, and which of them come first in it. */
  digest: DigestRules;
};

/** The first route whose conditions all hold, else the default route. What is not known about a key matches nothing. */
export function routeFor(policy: Policy, key: KeyIdentity, facts: KeyFacts | null): Route {
  const unit = policy.accounts[key.accountId]?.organizationalUnit;
  const matching = policy.routes.find(({ match }) => matches(match, key, facts, unit));
  return matching ?? policy.defaultRoute;
}

/**
 * The route in which people were asked about a finding: its channel shows the message, its approvers decide. It stays
 * while the policy has a route of that name, so that tagging a key afterwards does not choose other approvers.
 */
export function routeOf(policy: Policy, finding: RoutedFinding): Route {
  const named = [...policy.routes, policy.defaultRoute].find(({ name }) => name === finding.route);
  return named ?? routeFor(policy, finding.key, finding.facts);
}

/** Seconds of patience that an event of this name deserves. */
export function graceOf(policy: Policy, eventName: string): number {
  return policy.graceSeconds.byEventName[eventName] ?? policy.graceSeconds.default;
}

/** What the policy says about the deadlines of a finding. */
export function deadlineRules(policy: Policy, finding: RoutedFinding, offsetAt: OffsetAt): DeadlineRules {
  const { remindAfterHours, escalateAfterHours } = policy.unanswered;
  const { workingHours } = routeOf(policy, finding);
  const opening = (instant: number) => (workingHours === null ? instant : nextOpening(workingHours, instant, offsetAt));
  return { remindAfterHours, escalateAfterHours, exemption: policy.exemptions, opening };
}

/** Where else people are told of a finding that nobody answered; null: nowhere. */
export function escalationChannelOf(policy: Policy, finding: RoutedFinding): string | null {
  return routeOf(policy, finding).escalationChannel ?? policy.unanswered.escalationChannel;
}

/** What people call the account; its id when the policy does not list it. */
export function accountName(policy: Policy, accountId: string): string {
  return policy.accounts[accountId]?.name ?? accountId;
}

const NOBODY: Culprit = { causedBy: null, causedByUserIds: [], isTold: true };

/** Who caused a finding. What only a look at the key brought up was caused by somebody nobody knows. */
export function culpritOf(policy: Policy, trigger: Trigger): Culprit {
  switch (trigger.kind) {
    case 'cloudtrail':
      return culpritBehind(policy, trigger.actor);
    case 'kms-event':
    case 'exemption-end':
      return NOBODY;
    case 'recheck':
    case 'second-look':
    case 'sweep':
      return { ...NOBODY, isTold: false };
  }
}

function culpritBehind(policy: Policy, actor: AwsActor): Culprit {
  const { arn } = actor;
  const mapped = policy.identities.filter(({ awsArn }) => arn !== null && glob(awsArn, arn));
  const causedByUserIds = mapped.flatMap(({ slackUserId }) => (slackUserId === null ? [] : [slackUserId]));
  const isMachine = mapped.length > 0 && causedByUserIds.length === 0;
  // A record without a type is read as a service's; a real one names the service.
  const isService = actor.type === 'AWSService' && actor.invokedBy !== null;
  if (isMachine || isService) return NOBODY;
  return { causedBy: actor, causedByUserIds, isTold: causedByUserIds.length > 0 || actor.email !== null };
}

function matches(match: RouteMatch, key: KeyIdentity, facts: KeyFacts | null, unit: string | undefined): boolean {
  const { accounts, organizationalUnits, regions, tags, aliases } = match;
  if (accounts !== undefined && !accounts.includes(key.accountId)) return false;
  if (regions !== undefined && !regions.includes(key.region)) return false;
  if (organizationalUnits !== undefined && !organizationalUnits.some((name) => name === unit)) return false;
  if (aliases !== undefined) {
    if (facts === null || !facts.aliases.some((alias) => aliases.some((pattern) => glob(pattern, alias)))) return false;
  }
  if (tags !== undefined) {
    if (facts === null) return false;
    return Object.entries(tags).every(([name, values]) =>
      facts.tags.some((tag) => tag.key === name && values.some((pattern) => glob(pattern, tag.value))),
    );
  }
  return true;
}
