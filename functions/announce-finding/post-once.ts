/** Which message: the episode's own, or the reply for the event of that sequence. */
export type MessageSlot = { keyArn: string; episode: number; part: 'root' | number };

/** Where a message stands, and which version of the finding it shows. */
export type Standing = { channel: string; ts: string; renderedVersion: number };

type Claim =
  | { state: 'claimed'; postId: string; claimedAt: string; channel: string; refusedWith: string | null }
  | (Standing & { state: 'posted'; refusedWith: string | null })
  | { state: 'released'; refusedWith: string | null };

/** A message as Slack takes it; what is in the blocks is the renderer's business. */
export type Content = { text: string; blocks?: readonly { type: string }[] | undefined };

export type PostOnceDeps = {
  now: () => string;
  claims: {
    read: (slot: MessageSlot) => Promise<Claim | null>;
    claim: (slot: MessageSlot, claim: { postId: string; claimedAt: string; channel: string }) => Promise<boolean>;
    posted: (slot: MessageSlot, standing: Standing) => Promise<boolean>;
    release: (slot: MessageSlot) => Promise<boolean>;
  };
  slack: {
    postMessage: (
      message: Content & {
        channel: string;
        postId: string;
        threadTs?: string | undefined;
        broadcast?: boolean | undefined;
      },
    ) => Promise<{ channel: string; ts: string }>;
    findPosted: (question: {
      channel: string;
      oldest: string;
      postId: string;
      threadTs?: string | undefined;
    }) => Promise<{ channel: string; ts: string } | null>;
  };
};

export type PostOnceRequest = {
  slot: MessageSlot;
  channel: string;
  threadTs?: string;
  broadcast?: boolean;
  content: Content;
  /** Version of the finding that the content shows. */
  version: number;
};

/** Slack's clock and ours may differ; looking further back than needed costs nothing. */
const CLOCK_DIFFERENCE_MS = 60_000;

/**
 * Makes sure that the message stands in the channel, once, however often it is asked for and wherever it was
 * interrupted. A claim whose outcome is unknown is settled by looking for the message first.
 * @throws SlackRefused and SlackRateLimited (then the message is not there), SlackUnavailable (then it may be)
 */
export async function postOnce(request: PostOnceRequest, deps: PostOnceDeps): Promise<Standing> {
  const { slot, threadTs, broadcast, content, version } = request;
  const stored = await deps.claims.read(slot);
  if (stored?.state === 'posted') return stored;

  if (stored?.state === 'claimed') {
    const oldest = new Date(Date.parse(stored.claimedAt) - CLOCK_DIFFERENCE_MS).toISOString();
    const found = await deps.slack.findPosted({ channel: stored.channel, oldest, postId: stored.postId, threadTs });
    // What it shows was rendered at the time of the claim: 0 makes it be rendered again.
    if (found !== null) return await settle(slot, { ...found, renderedVersion: 0 }, deps);
  }

  const claim = stored?.state === 'claimed' ? stored : await claimAnew(request, deps);
  let place: { channel: string; ts: string };
  try {
    place = await deps.slack.postMessage({
      ...content,
      channel: claim.channel,
      postId: claim.postId,
      threadTs,
      broadcast,
    });
  } catch (error) {
    if (isNamed(error, 'SlackRefused') || isNamed(error, 'SlackRateLimited')) await deps.claims.release(slot);
    throw error;
  }
  return await settle(slot, { ...place, renderedVersion: version }, deps);
}

/** Tells errors of an adapter apart by their literal name. */
export function isNamed(error: unknown, name: string): error is Error {
  return error instanceof Error && error.name === name;
}

async function claimAnew({ slot, channel }: PostOnceRequest, { claims, now }: PostOnceDeps) {
  const claim = { postId: `${slot.keyArn}#${slot.episode}#${slot.part}`, claimedAt: now(), channel };
  // One stream shard brings the events of a key one after another, so this means a run that was thought dead.
  if (!(await claims.claim(slot, claim))) throw new Error(`message ${claim.postId} is being posted by another run`);
  return claim;
}

async function settle(slot: MessageSlot, standing: Standing, { claims }: PostOnceDeps): Promise<Standing> {
  if (!(await claims.posted(slot, standing))) throw new Error(`the claim on message ${slot.part} was taken away`);
  return standing;
}
