import type { CoveredKeys, KeyPattern } from '../domain/key-pattern.ts';
import type { PatternHead, PatternRecord } from '../domain/pattern-audit.ts';
import type { PatternEvent, PatternExemption } from '../domain/pattern-exemption.ts';
import type { Policy } from '../domain/policy.ts';
import type { Block } from '../messages/block.ts';
import { patternEventPhrases } from '../messages/pattern-event.ts';
import { renderPatternMessage } from '../messages/pattern-message.ts';
import { concernsPatternOwner, renderPatternOwnerNotice } from '../messages/pattern-owner-notice.ts';
import { richText, spoken } from '../messages/phrase.ts';
import { type KeepCurrentDeps, keepCurrent } from './keep-current.ts';
import { type MessageSlot, postOnce, type Standing } from './post-once.ts';
import { linkTo, postElsewhere, type ReportDeps, refusalOf, reportRefusal } from './refused-by-slack.ts';

export type AnnouncePatternDeps = KeepCurrentDeps &
  ReportDeps & {
    topic: { publishPattern: (record: PatternRecord, pattern: PatternExemption) => Promise<void> };
    patterns: { load: (id: string) => Promise<PatternHead> };
    coverage: (pattern: KeyPattern, most: { atMost: number }) => Promise<CoveredKeys>;
    loadPolicy: () => Promise<{ policy: Policy }>;
    slack: { permalink: (message: { channel: string; ts: string }) => Promise<string> };
  };

/** As many covered keys are counted; whoever means more reads "at least". */
const COUNTED_KEYS = 200;

/**
 * Tells the world about one event of an exemption of a pattern: subscribers through SNS, people through its message in the
 * channel that the policy names (always the present state) and a reply below it, its owner by direct message. Safe to
 * repeat. Answers Slack's word when it refuses for good; people who run the bot are alerted.
 * @throws what may pass by itself: to be retried
 */
export async function announcePattern(record: PatternRecord, deps: AnnouncePatternDeps): Promise<string | null> {
  const { pattern, sequence } = await deps.patterns.load(record.patternId);
  if (pattern === undefined) throw new Error(`there is an event of ${record.patternId}, but no exemption`);
  await deps.topic.publishPattern(record, pattern);
  // A refusal leaves it as it was, and whoever was refused has been told.
  if (record.event.type === 'pattern-refused') return null;
  const { policy } = await deps.loadPolicy();
  let root: Standing | null = null;
  let refused: string | null = null;
  try {
    root = await show({ pattern, sequence }, policy, deps);
    if (root !== null) await tellInThread(record, root, deps);
  } catch (error) {
    refused = refusalOf(error);
    if (refused === null) throw error;
    const what = `show the exemption of pattern ${record.patternId}`;
    await reportRefusal(slotOf(record.patternId, 'root'), { code: refused, what, keyArn: null }, deps);
  }
  // Who answers for it hears of it, whatever became of the message in the channel.
  await tellOwner(record, { root, pattern, policy }, deps);
  return refused;
}

/** Null when the policy names no channel for it, and it was never shown in one. */
async function show(
  { pattern, sequence }: { pattern: PatternExemption; sequence: number },
  policy: Policy,
  deps: AnnouncePatternDeps,
): Promise<Standing | null> {
  const slot = slotOf(pattern.id, 'root');
  const stored = await deps.claims.read(slot);
  const channel =
    policy.exemptions.patterns?.channel ?? (stored !== null && 'channel' in stored ? stored.channel : null);
  if (channel === null) return null;
  const covered = pattern.ended === null ? await deps.coverage(pattern.pattern, { atMost: COUNTED_KEYS }) : null;
  const content = renderPatternMessage(pattern, { policy, now: deps.now(), covered });
  return await keepCurrent({ slot, channel, content, version: sequence }, deps);
}

async function tellInThread(
  { event, patternId, sequence }: PatternRecord,
  { channel, ts }: Standing,
  deps: AnnouncePatternDeps,
): Promise<void> {
  if (!isNews(event, sequence)) return;
  const phrases = patternEventPhrases(event);
  const blocks: Block[] = [{ type: 'rich_text', elements: [richText(...phrases)] }];
  await postOnce(
    {
      ...{ slot: slotOf(patternId, String(sequence)), channel, threadTs: ts, version: sequence },
      // Somebody has to confirm it.
      broadcast: event.type === 'pattern-requested',
      content: { text: spoken(...phrases), blocks },
    },
    deps,
  );
}

/** Whether an event has a reply of its own: the message itself is the news of the first, and of what it covers. */
function isNews({ type }: PatternEvent, sequence: number): boolean {
  switch (type) {
    case 'pattern-requested':
      return sequence > 1;
    case 'pattern-confirmed':
    case 'pattern-withdrawn':
    case 'pattern-lapsed':
    case 'pattern-reminded':
    case 'pattern-end-accepted':
    case 'pattern-revoked':
    case 'pattern-expired':
      return true;
    case 'pattern-applied':
    case 'pattern-refused':
      return false;
  }
}

/** Tells the owner by direct message, once for all keys. Whom Slack cannot tell reads it in the channel. */
async function tellOwner(
  { event, patternId, sequence }: PatternRecord,
  { root, pattern, policy }: { root: Standing | null; pattern: PatternExemption; policy: Policy },
  deps: AnnouncePatternDeps,
): Promise<void> {
  if (!concernsPatternOwner(event)) return;
  const slot = slotOf(patternId, `owner-${sequence}`);
  if ((await deps.claims.read(slot))?.state === 'posted') return;
  const notice = renderPatternOwnerNotice(event, { exemption: pattern, policy, link: await linkTo(root, deps) });
  if (notice === null) return;
  const { owner, ...content } = notice;
  const post = { slot, channel: owner.userId, content, version: sequence, ifUnknown: 'post-again' as const };
  await postElsewhere(post, { what: `tell the owner of the exemption of pattern ${patternId}`, keyArn: null }, deps);
}

function slotOf(pattern: string, part: string): MessageSlot {
  return { pattern, part };
}
