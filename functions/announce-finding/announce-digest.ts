import type { AuditEvent } from '../domain/audit.ts';
import { type Batch, certainUntil, type DigestSummary, type JoinedMember, summarise } from '../domain/digest.ts';
import type { Finding } from '../domain/finding.ts';
import type { Policy } from '../domain/policy.ts';
import { renderDigest } from '../messages/digest-message.ts';
import { renderDigestReply } from '../messages/digest-reply.ts';
import { type KeepCurrentDeps, keepCurrent } from './keep-current.ts';
import { type MessageSlot, postOnce } from './post-once.ts';
import { type ReportDeps, refusalOf, reportRefusal } from './refused-by-slack.ts';

type StoredDigest = { id: string; channel: string; beganAt: string; version: number; timeKey?: string | undefined };

export type AnnounceDigestDeps = KeepCurrentDeps &
  ReportDeps & {
    digests: {
      load: (id: string, now: string) => Promise<StoredDigest | null>;
      members: (id: string) => Promise<JoinedMember[]>;
      batches: (id: string) => Promise<{ batch: Batch; doneAt?: string | undefined; refused: number }[]>;
      takeTurn: (id: string, turn: { now: string; until: string }) => Promise<boolean>;
      endTurn: (id: string, until: string) => Promise<void>;
      shown: (id: string, what: { version: number; summary: DigestSummary; isSettled: boolean }) => Promise<boolean>;
    };
  };

/** Longer than the function may run: when the turn is over, whoever had it is dead. */
const TURN_MS = 90_000;

/** Another run renders this digest; the stream brings the order again when that has come to an end. */
export class BeingRendered extends Error {
  public override readonly name = 'BeingRendered';
}

/**
 * Makes the message of a digest show its members as they are. Safe to repeat, and only ever by one run at a time: the
 * later of two must not be overwritten by the earlier. What Slack refuses for good is reported once, as for a finding.
 * @throws what may pass by itself, and BeingRendered: to be retried
 */
export async function refreshDigest(id: string, policy: Policy, deps: AnnounceDigestDeps): Promise<void> {
  const stored = await deps.digests.load(id, deps.now());
  if (stored?.timeKey === undefined) return;
  const until = new Date(Date.parse(deps.now()) + TURN_MS).toISOString();
  if (!(await deps.digests.takeTurn(id, { now: deps.now(), until }))) {
    throw new BeingRendered(`digest ${id} is being rendered by another run`);
  }
  try {
    await render(id, policy, deps);
  } finally {
    await deps.digests.endTurn(id, until);
  }
}

async function render(id: string, policy: Policy, deps: AnnounceDigestDeps): Promise<void> {
  // In this order: what changes after the version is read makes another version.
  const digest = await deps.digests.load(id, deps.now());
  if (digest === null) return;
  const now = deps.now();
  const members = await deps.digests.members(id);
  try {
    await show(digest, { members, now, policy }, deps);
  } catch (error) {
    const code = refusalOf(error);
    if (code === null) throw error;
    const slot: MessageSlot = { digest: id, part: 'root' };
    const what = `show the digest of channel ${digest.channel}`;
    await reportRefusal(slot, { code, what, keyArn: null }, deps);
  }
  // Members too new to be offered for approval yet will be: a change that only time makes.
  const isSettled = members.every(({ joinedAt }) => joinedAt <= certainUntil(now));
  await deps.digests.shown(id, { version: digest.version, summary: summarise(members), isSettled });
}

async function show(
  { id, channel, beganAt, version }: StoredDigest,
  { members, now, policy }: { members: JoinedMember[]; now: string; policy: Policy },
  deps: AnnounceDigestDeps,
): Promise<void> {
  const batches = (await deps.digests.batches(id)).map(({ doneAt = null, ...batch }) => ({ ...batch, doneAt }));
  const content = renderDigest({ id, beganAt, members, batches }, { policy, now });
  await keepCurrent({ slot: { digest: id, part: 'root' }, channel, content, version }, deps);
}

/**
 * What an event of a member has to say below the digest. For all members together where many would say the same: one
 * reminder, one escalation, and of failures one a minute. Everything else the digest itself shows.
 */
export async function tellBelowDigest(
  record: AuditEvent,
  id: string,
  { finding, policy }: { finding: Finding; policy: Policy },
  deps: AnnounceDigestDeps,
): Promise<void> {
  const reply = renderDigestReply(record, { policy, finding, now: deps.now() });
  if (reply === null) return;
  const root = await deps.claims.read({ digest: id, part: 'root' });
  // Before the digest stands in its channel there is no thread, and it will show what the reply would have said.
  if (root?.state !== 'posted') return;
  const { part, broadcast, ...content } = reply;
  const place = { channel: root.channel, threadTs: root.ts };
  await postOnce({ slot: { digest: id, part }, ...place, broadcast, content, version: record.sequence }, deps);
}
