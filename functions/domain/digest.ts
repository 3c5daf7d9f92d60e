import type { Problem } from './assessment.ts';
import type { GroupMembership } from './authority.ts';
import { type Finding, isDriftLoop, type Severity, type Status, severityOf } from './finding.ts';
import type { FindingEvent } from './finding-events.ts';
import type { KeyFacts, KeyIdentity } from './key.ts';
import type { SlackPerson } from './people.ts';

/** Tag key to values: findings of keys with such a tag come first. Case does not matter. */
export type FirstTags = Record<string, string[]>;

export type DigestRules = {
  /** Findings in a minute and channel above which they become one message; null: never. */
  threshold: number | null;
  firstTags: FirstTags;
};

/** What a digest counts by: `observed` is a finding that waits, and that the policy lets nobody decide about any more. */
export type MemberState = Status | 'observed';

/**
 * A finding as its digest knows it: enough to count it, list it, and say whether "Approve all" is for it. `moved` is
 * one that has a message of its own again.
 */
export type DigestMember = {
  key: KeyIdentity;
  episode: number;
  alias: string | null;
  status: MemberState | 'moved';
  reason: Problem['verdict'];
  severity: Severity;
  /** Name of the AWS identity that caused it; null when nobody did. */
  causedBy: string | null;
  /** Whether one of the policy's first tags is on the key. */
  comesFirst: boolean;
  isApprovable: boolean;
  /** The person's approval that holds, if there is one. */
  approvedBy: { userId: string; at: string } | null;
};

/** A member and when it came in. */
export type JoinedMember = DigestMember & { joinedAt: string };

/** How much of something there is. */
export type Count = { of: string; count: number };

/** What the digest says before it names any key. Counts are in falling order. */
export type DigestSummary = {
  /** Without those that have a message of their own again. */
  total: number;
  moved: number;
  byStatus: Record<MemberState, number>;
  byAccount: Count[];
  byReason: { of: Problem['verdict']; count: number }[];
  byCause: Count[];
};

/** One person's "Approve all": judged when it was clicked, carried out key by key. */
export type Batch = {
  digest: string;
  requestId: string;
  at: string;
  /** The person and their user groups as Slack told at that moment. */
  person: SlackPerson;
  groups: GroupMembership;
  policyVersion: string;
  /** Members that joined until then are meant. */
  upTo: string;
  /** How many the person was shown. */
  count: number;
};

/** A digest takes members until nobody has joined for so long; then the storm is over. */
const STORM_PAUSE_MS = 10 * 60_000;
/** And no longer than a day: a message has to stay one that somebody can finish. */
const LONGEST_STORM_MS = 24 * 3_600_000;

/** A write may take so long to land: a member that joined later may have been missing from what the person saw. */
const LANDING_MS = 10_000;

/** An "Approve all" that could not be finished in this time is not carried out any further. */
const BATCH_LASTS_MS = 24 * 3_600_000;

/**
 * Whether a newly opened finding joins a digest instead of being a message of its own. `arrivals` and `arrivalsBefore`
 * are the findings of its channel in its own minute, itself included, and in the minute before: while a storm goes on,
 * a new minute is no reason for another row of messages.
 */
export function joinsDigest(
  { arrivals, arrivalsBefore }: { arrivals: number; arrivalsBefore: number },
  { threshold }: Pick<DigestRules, 'threshold'>,
): boolean {
  return threshold !== null && (arrivals > threshold || arrivalsBefore > threshold);
}

/** The minute that a finding is counted in (`yyyy-mm-ddThh:mm`, UTC), and the one before. */
export function minutesOf(openedAt: string): { own: string; before: string } {
  const minute = (time: number) => new Date(time).toISOString().slice(0, 16);
  const time = Date.parse(openedAt);
  return { own: minute(time), before: minute(time - 60_000) };
}

/** Whether a digest still takes members. */
export function takesMembers(
  { beganAt, lastJoinedAt }: { beganAt: string; lastJoinedAt: string },
  now: string,
): boolean {
  const since = (at: string) => Math.abs(Date.parse(now) - Date.parse(at));
  return since(lastJoinedAt) <= STORM_PAUSE_MS && since(beganAt) <= LONGEST_STORM_MS;
}

/** A finding as a member of a digest. */
export function memberOf(finding: Finding, { firstTags }: Pick<DigestRules, 'firstTags'>): DigestMember {
  const { key, episode, facts, assessment, trigger, status } = finding;
  return {
    ...{ key, episode },
    status: finding.mode === 'observe' && isWaiting({ status }) ? 'observed' : status,
    alias: facts?.aliases[0] ?? null,
    reason: assessment.verdict,
    severity: severityOf(finding),
    causedBy: trigger.kind === 'cloudtrail' ? trigger.actor.name : null,
    comesFirst: hasFirstTag(facts, firstTags),
    isApprovable: isApprovable(finding),
    approvedBy: approvedBy(finding),
  };
}

/**
 * Whether "Approve all" is for this finding: what switching rotation on settles, and nobody has decided yet. A key in a
 * drift loop would be switched off again, and a remediation that failed would fail again: they deserve a look of their own.
 */
export function isApprovable(finding: Finding): boolean {
  const { verdict } = finding.assessment;
  const isSettledByEnabling = verdict === 'rotation-off' || verdict === 'period-too-long';
  return finding.status === 'open' && finding.mode !== 'observe' && isSettledByEnabling && !isDriftLoop(finding);
}

/**
 * The last moment at which a member can have joined and is certain to be in what is rendered now: "Approve all" is for
 * these, so that nobody approves what they were not shown.
 */
export function certainUntil(now: string): string {
  return new Date(Date.parse(now) - LANDING_MS).toISOString();
}

/** Whether a batch, or a button that says `upTo`, means this member. */
export function isMeant(member: JoinedMember, { upTo }: Pick<Batch, 'upTo'>): boolean {
  return member.isApprovable && member.joinedAt <= upTo;
}

/** Whether a batch may still be carried out. */
export function isInTime(batch: Batch, now: string): boolean {
  return Date.parse(now) - Date.parse(batch.at) <= BATCH_LASTS_MS;
}

/** Members that the person of a batch has approved since. */
export function approvedSince(members: readonly DigestMember[], { person, at }: Batch): number {
  return members.filter(({ approvedBy: by }) => by !== null && by.userId === person.userId && by.at >= at).length;
}

/** Whether somebody still has to decide. */
export function isWaiting({ status }: Pick<DigestMember, 'status'>): boolean {
  return status === 'open' || status === 'failed';
}

/**
 * Text by which members sort: what waits for somebody, then what the policy's first tags are on, then the graver, then
 * by account and key. Kept in the table, so that a page of members is read in this order.
 */
export function sortTextOf(member: DigestMember): string {
  const { key, episode, comesFirst, severity } = member;
  const rank = [isWaiting(member) ? 0 : 1, comesFirst ? 0 : 1, SEVERITY_RANK[severity]].join('');
  return `${rank}#${key.accountId}#${key.arn}#${episode}`;
}

const SEVERITY_RANK: Record<Severity, number> = { HIGH: 0, MEDIUM: 1, LOW: 2 };

/** Members in the order in which people should see them. */
export function inOrder<T extends DigestMember>(members: readonly T[]): T[] {
  const sorted = members.map((member) => ({ member, text: sortTextOf(member) }));
  return sorted.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0)).map(({ member }) => member);
}

/** Counts the members. */
export function summarise(members: readonly DigestMember[]): DigestSummary {
  const byStatus: Record<MemberState, number> = {
    ...{ open: 0, failed: 0, approved: 0, remediated: 0, exempt: 0, closed: 0, observed: 0 },
  };
  const here: DigestMember[] = [];
  for (const member of members) {
    if (member.status === 'moved') continue;
    byStatus[member.status] += 1;
    here.push(member);
  }
  return {
    total: here.length,
    moved: members.length - here.length,
    byStatus,
    byAccount: counted(here.map(({ key }) => key.accountId)),
    byReason: counted(here.map(({ reason }) => reason)),
    byCause: counted(here.flatMap(({ causedBy }) => (causedBy === null ? [] : [causedBy]))),
  };
}

/**
 * Whether an event gives a member a message of its own again: after the storm somebody has to decide about this one key,
 * with the buttons that only its own message has. What fails in a storm fails for many at once and stays in the digest.
 */
export function leavesDigest(event: FindingEvent['type']): boolean {
  return LEAVING.includes(event);
}

const LEAVING: readonly FindingEvent['type'][] = [
  'exemption-reminded',
  'exemption-expired',
  'exemption-revoked',
  'back-out-approved',
];

function counted<T extends string>(values: readonly T[]): { of: T; count: number }[] {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].map(([of, count]) => ({ of, count })).sort((a, b) => b.count - a.count || (a.of < b.of ? -1 : 1));
}

function hasFirstTag(facts: KeyFacts | null, firstTags: FirstTags): boolean {
  const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
  return Object.entries(firstTags).some(([name, values]) =>
    (facts?.tags ?? []).some((tag) => same(tag.key, name) && values.some((value) => same(tag.value, value))),
  );
}

function approvedBy(finding: Finding): DigestMember['approvedBy'] {
  if (!('approval' in finding) || finding.approval.by.kind !== 'person') return null;
  return { userId: finding.approval.by.person.userId, at: finding.approval.at };
}
