import { type DigestMember, joinsDigest, leavesDigest, memberOf, minutesOf } from '../domain/digest.ts';
import type { Finding } from '../domain/finding.ts';
import type { FindingEvent } from '../domain/finding-events.ts';
import { type Policy, routeOf } from '../domain/policy.ts';
import { BeingPosted, type Claim, type MessageSlot } from './post-once.ts';

export type PlaceDeps = {
  now: () => string;
  claims: {
    read: (slot: MessageSlot) => Promise<Claim | null>;
    intoDigest: (slot: MessageSlot, digest: string) => Promise<boolean>;
    outOfDigest: (slot: MessageSlot, digest: string) => Promise<boolean>;
  };
  digests: {
    arrive: (
      finding: { channel: string; minute: string; keyArn: string; episode: number },
      now: string,
    ) => Promise<void>;
    arrivals: (channel: string, minute: string, atMost: number) => Promise<number>;
    current: (channel: string, now: string) => Promise<string>;
    /** False when there is no such digest any more. */
    changed: (digest: string, now: string) => Promise<boolean>;
    putMember: (digest: string, member: DigestMember, version: number, now: string) => Promise<void>;
    askForRefresh: (digest: string, now: string) => Promise<void>;
  };
};

/**
 * Where a finding is shown: in the digest of that id, or, null, in a message of its own. Decided once, when the finding
 * is first told about, and kept next to the finding; only what needs somebody after the storm leaves its digest.
 * A finding in a digest is also brought up to date there, and the digest's message is asked to follow.
 */
export async function placeFinding(
  { finding, version, event }: { finding: Finding; version: number; event: FindingEvent['type'] },
  policy: Policy,
  deps: PlaceDeps,
): Promise<string | null> {
  const root: MessageSlot = { keyArn: finding.key.arn, episode: finding.episode, part: 'root' };
  const place = await digestOf(finding, root, policy, deps);
  if (place === null) return null;
  const { digest } = place;
  // What brings a finding into a digest does not take it out again.
  const leaves = !place.isNew && leavesDigest(event);
  const member = memberOf(finding, policy.digest);
  await deps.digests.putMember(digest, leaves ? { ...member, status: 'moved' } : member, version, deps.now());
  // In this order: once the digest counts as changed, what it has to show stands in the table.
  const exists = await deps.digests.changed(digest, deps.now());
  if (exists) await deps.digests.askForRefresh(digest, deps.now());
  if (exists && !leaves) return digest;
  // A digest that is forgotten shows nobody anything.
  await deps.claims.outOfDigest(root, digest);
  return null;
}

async function digestOf(
  finding: Finding,
  root: MessageSlot,
  policy: Policy,
  deps: PlaceDeps,
): Promise<{ digest: string; isNew: boolean } | null> {
  const claim = await deps.claims.read(root);
  if (claim !== null) return claim.state === 'in-digest' ? { digest: claim.digest, isNew: false } : null;
  const { channel } = routeOf(policy, finding);
  if (!(await isInStorm(finding, channel, policy, deps))) return null;
  const digest = await deps.digests.current(channel, deps.now());
  if (!(await deps.claims.intoDigest(root, digest)))
    throw new BeingPosted(`${finding.key.arn} was placed by another run`);
  return { digest, isNew: true };
}

async function isInStorm(
  finding: Finding,
  channel: string,
  { digest: rules }: Policy,
  { digests, now }: PlaceDeps,
): Promise<boolean> {
  if (rules.threshold === null) return false;
  const { key, episode, openedAt } = finding;
  // Keys whose exemption ends together are first asked about then, however long ago they were found.
  const { own, before } = minutesOf(finding.status === 'open' ? finding.askedAt : openedAt);
  await digests.arrive({ channel, minute: own, keyArn: key.arn, episode }, now());
  const enough = rules.threshold + 1;
  const arrivals = await digests.arrivals(channel, own, enough);
  const arrivalsBefore = arrivals < enough ? await digests.arrivals(channel, before, enough) : 0;
  return joinsDigest({ arrivals, arrivalsBefore }, rules);
}
