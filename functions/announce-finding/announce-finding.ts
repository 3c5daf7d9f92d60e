import type { Alert } from '../contracts/notice.ts';
import type { AuditEvent, ChainHead } from '../domain/audit.ts';
import { replay } from '../domain/evolve.ts';
import { asksNobody, type Finding } from '../domain/finding.ts';
import { escalationChannelOf, type Policy, routeOf } from '../domain/policy.ts';
import { renderDigestEscalation, renderEscalation } from '../messages/escalation-notice.ts';
import { renderFinding } from '../messages/finding-message.ts';
import { concernsOwner, renderOwnerNotice } from '../messages/owner-notice.ts';
import { renderReply } from '../messages/thread-reply.ts';
import { type AnnounceDigestDeps, refreshDigest, tellBelowDigest } from './announce-digest.ts';
import { keepCurrent } from './keep-current.ts';
import { type PlaceDeps, placeFinding } from './place-finding.ts';
import { isNamed, type MessageSlot, postOnce, type Standing } from './post-once.ts';
import { linkTo, postElsewhere, refusalOf, reportRefusal } from './refused-by-slack.ts';

export type AnnounceFindingDeps = AnnounceDigestDeps &
  PlaceDeps & {
    topic: { publishAudit: (event: AuditEvent) => Promise<void> };
    findings: {
      load: (keyArn: string) => Promise<ChainHead>;
      auditOf: (keyArn: string) => Promise<AuditEvent[]>;
    };
    loadPolicy: () => Promise<{ policy: Policy }>;
    slack: { permalink: (message: { channel: string; ts: string }) => Promise<string> };
  };

/** The last state of the episode, where it was needed, and Slack's word when it refuses to show it for good. */
export type Announced = { finding: Finding | null; slackRefused: string | null };

/** A finding and the sequence of the last event that is in it. */
type Version = { finding: Finding; sequence: number };

/**
 * Tells the world about one audit event: subscribers through SNS, people through the episode's Slack message (always
 * the present state) and a reply below it, or, in a storm, through the digest that the finding is in. Safe to repeat: an
 * event told before tells nobody again, except SNS.
 * Resolves when Slack refuses for good, so that the findings behind this one go on; people who run the bot are alerted.
 * @throws what may pass by itself (SlackRateLimited, SlackUnavailable, PolicyUnreadable, AWS): to be retried
 */
export async function announceFinding(record: AuditEvent, deps: AnnounceFindingDeps): Promise<Announced> {
  await deps.topic.publishAudit(record);
  const alert = alertOf(record);
  if (alert !== null) await deps.topic.publishAlert(alert);
  // A refusal leaves the finding, and so its message, as it was. Rendered anew for each, anybody who can click could use
  // up chat.update's rate limit, and nobody would hear of anything else.
  if (record.event.type === 'command-refused') return { finding: null, slackRefused: null };
  const version = await latestOfEpisode(record, deps);
  if (version === null) return { finding: null, slackRefused: null };
  const { finding, sequence } = version;
  // What was shown before it came to that says so, and goes on.
  if (asksNobody(finding) && (await deps.claims.read(rootOf(record))) === null) {
    return { finding, slackRefused: null };
  }
  const policy = await readPolicy(deps);
  const digest = await placeFinding({ finding, version: sequence, event: record.event.type }, policy, deps);
  const { root, slackRefused } = await showInChannel(record, { version, digest, policy }, deps);
  // Whoever else has to hear of it does, whatever became of the message in the channel.
  await tellOwner(record, root, finding, policy, deps);
  await tellSecondChannel(record, { root, digest }, { finding, policy }, deps);
  return { finding, slackRefused };
}

/**
 * Shows the finding in its channel, in a message of its own or in its digest, and says below what the event was. A refusal
 * of Slack is reported, and no error.
 */
async function showInChannel(
  record: AuditEvent,
  { version, digest, policy }: { version: Version; digest: string | null; policy: Policy },
  deps: AnnounceFindingDeps,
): Promise<{ root: Standing | null; slackRefused: string | null }> {
  const { finding } = version;
  let root: Standing | null = null;
  try {
    if (digest === null) {
      root = await showFinding(version, policy, deps);
      await tellInThread(record, root, finding, policy, deps);
    } else {
      await tellBelowDigest(record, digest, { finding, policy }, deps);
      const stored = await deps.claims.read({ digest, part: 'root' });
      root = stored?.state === 'posted' ? stored : null;
    }
    return { root, slackRefused: null };
  } catch (error) {
    const code = refusalOf(error);
    if (code === null) throw error;
    const { arn } = record.key;
    await reportRefusal(rootOf(record), { code, what: `show the finding of ${arn}`, keyArn: arn }, deps);
    return { root, slackRefused: code };
  }
}

/** Carries out an order to render a digest. @throws what may pass by itself: to be retried */
export async function announceDigest(id: string, deps: AnnounceFindingDeps): Promise<void> {
  await refreshDigest(id, await readPolicy(deps), deps);
}

/** What the people who run the bot, or answer for the keys, have to hear of outside Slack. */
function alertOf({ event: { type, at }, key: { arn: keyArn } }: AuditEvent): Alert | null {
  if (type === 'escalated') {
    const message = `Nobody has decided about ${keyArn} within the time that the policy allows.`;
    return { kind: 'alert', alert: 'finding-unanswered', at, message, keyArn };
  }
  if (type === 'remediation-overdue') {
    const message = `The approved remediation of ${keyArn} has no result yet; it is being tried again.`;
    return { kind: 'alert', alert: 'remediation-overdue', at, message, keyArn };
  }
  return null;
}

/**
 * The last state of the record's episode. Usually the stored finding; when a later episode has begun meanwhile, the
 * earlier one is replayed, so that its message ends with what became of it. Null when there is no such finding.
 */
async function latestOfEpisode(record: AuditEvent, { findings }: AnnounceFindingDeps): Promise<Version | null> {
  const { finding, sequence } = await findings.load(record.key.arn);
  if (finding?.episode === record.episode) return { finding, sequence };
  const past = (await findings.auditOf(record.key.arn)).filter(({ episode }) => episode <= record.episode);
  const ended = replay(past.map(({ event }) => event));
  const last = past.at(-1);
  return ended === undefined || last === undefined ? null : { finding: ended, sequence: last.sequence };
}

async function readPolicy({ loadPolicy, topic, now }: AnnounceFindingDeps): Promise<Policy> {
  try {
    return (await loadPolicy()).policy;
  } catch (error) {
    if (isNamed(error, 'PolicyUnreadable')) {
      await topic.publishAlert({
        kind: 'alert',
        alert: 'policy-unreadable',
        at: now(),
        message: 'The rotation policy cannot be read; nobody is told about findings in Slack until it can.',
        keyArn: null,
      });
    }
    throw error;
  }
}

/** Makes the episode's message stand in its channel and show this version or a newer one. */
async function showFinding(version: Version, policy: Policy, deps: AnnounceFindingDeps): Promise<Standing> {
  const { finding, sequence } = version;
  const slot = rootOf({ key: finding.key, episode: finding.episode });
  const content = renderFinding(finding, { policy, now: deps.now() });
  return await keepCurrent({ slot, channel: routeOf(policy, finding).channel, content, version: sequence }, deps);
}

async function tellInThread(
  record: AuditEvent,
  root: Standing,
  finding: Finding,
  policy: Policy,
  deps: AnnounceFindingDeps,
): Promise<void> {
  const reply = renderReply(record, { policy, now: deps.now(), finding });
  if (reply === null) return;
  const { broadcast, ...content } = reply;
  await postOnce(
    {
      slot: { keyArn: record.key.arn, episode: record.episode, part: record.sequence },
      channel: root.channel,
      threadTs: root.ts,
      broadcast,
      content,
      version: record.sequence,
    },
    deps,
  );
}

/**
 * Tells the owner of an exemption by direct message. Whom Slack cannot tell has left or blocked the app: the thread has the
 * same, and the people who run the bot are alerted.
 */
async function tellOwner(
  record: AuditEvent,
  root: Standing | null,
  finding: Finding,
  policy: Policy,
  deps: AnnounceFindingDeps,
): Promise<void> {
  if (!concernsOwner(record)) return;
  const slot: MessageSlot = { keyArn: record.key.arn, episode: record.episode, part: `owner-${record.sequence}` };
  if ((await deps.claims.read(slot))?.state === 'posted') return;
  const link = await linkTo(root, deps);
  const notice = renderOwnerNotice(record, { policy, now: deps.now(), finding, link });
  if (notice === null) return;
  const { owner, ...content } = notice;
  const post = { slot, channel: owner.userId, content, version: record.sequence, ifUnknown: 'post-again' as const };
  const what = `tell the owner of the exemption of ${record.key.arn}`;
  await postElsewhere(post, { what, keyArn: record.key.arn }, deps);
}

/**
 * A finding that nobody answers is shown once more where other people look, with a link to it; those of a digest all
 * together, with a link to the digest.
 */
async function tellSecondChannel(
  record: AuditEvent,
  { root, digest }: { root: Standing | null; digest: string | null },
  { finding, policy }: { finding: Finding; policy: Policy },
  deps: AnnounceFindingDeps,
): Promise<void> {
  const channel = record.event.type === 'escalated' ? escalationChannelOf(policy, finding) : null;
  if (channel === null || channel === (root?.channel ?? routeOf(policy, finding).channel)) return;
  const slot: MessageSlot =
    digest === null
      ? { keyArn: record.key.arn, episode: record.episode, part: `escalation-${record.sequence}` }
      : { digest, part: `escalation-${channel}` };
  if ((await deps.claims.read(slot))?.state === 'posted') return;
  const link = await linkTo(root, deps);
  const content = digest === null ? renderEscalation(finding, { policy, link }) : renderDigestEscalation(link);
  const what = `escalate the finding of ${record.key.arn} to ${channel}`;
  const post = { slot, channel, content, version: record.sequence };
  await postElsewhere(post, { what, keyArn: record.key.arn }, deps);
}

type EpisodeSlot = Extract<MessageSlot, { keyArn: string }>;

function rootOf({ key, episode }: Pick<AuditEvent, 'key' | 'episode'>): EpisodeSlot {
  return { keyArn: key.arn, episode, part: 'root' };
}
