import type { MessagePart } from '../contracts/table.ts';

/** Which message: of an episode, or of a digest or a pattern, its own or one of the replies that it has by name. */
export type MessageSlot =
  | { keyArn: string; episode: number; part: MessagePart }
  | { digest: string; part: string }
  | { pattern: string; part: string };

/** Where a message stands, and which version of what it is about it shows. */
export type Standing = { channel: string; ts: string; renderedVersion: number };

export type Claim =
  | {
      state: 'claimed';
      postId: string;
      claimedAt: string;
      leaseUntil: string | null;
      channel: string;
      refusedWith: string | null;
    }
  | (Standing & { state: 'posted'; refusedWith: string | null })
  | { state: 'released'; refusedWith: string | null }
  | { state: 'in-digest'; digest: string; refusedWith: string | null };

/** A message as Slack takes it; what is in the blocks is the renderer's business. */
export type Content = { text: string; blocks?: readonly { type: string }[] | undefined };

export type PostOnceDeps = {
  now: () => string;
  claims: {
    read: (slot: MessageSlot) => Promise<Claim | null>;
    claim: (
      slot: MessageSlot,
      claim: { postId: string; claimedAt: string; leaseUntil: string; channel: string },
    ) => Promise<boolean>;
    moveLease: (slot: MessageSlot, lease: { from: string | null; to: string }) => Promise<boolean>;
    posted: (slot: MessageSlot, standing: Standing) => Promise<boolean>;
    release: (slot: MessageSlot, seen: { leaseUntil: string } | { ts: string }) => Promise<boolean>;
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
  /**
   * What to do about a claim whose outcome is unknown. `post-again` is for direct messages, which the bot may not read: a
   * second one harms less than none.
   */
  ifUnknown?: 'look' | 'post-again';
  /** Version of the finding or digest that the content shows. */
  version: number;
};

/** Slack's clock and ours may differ; looking further back than needed costs nothing. */
const CLOCK_DIFFERENCE_MS = 60_000;

/**
 * Whoever claims a message has it for so long. Longer than the function may run: when the lease is over, its holder is
 * dead, and no two runs ever look and post side by side.
 */
const LEASE_MS = 90_000;

/** Another run is at this very message; the stream brings the record again when that has come to an end. */
export class BeingPosted extends Error {
  public override readonly name = 'BeingPosted';
}

/**
 * Makes sure that the message stands in the channel, once, however often it is asked for, by how many runs at once, and
 * wherever one was interrupted. A claim whose outcome is unknown is settled by looking for the message first.
 * @throws SlackRefused and SlackRateLimited (then the message is not there), SlackUnavailable (then it may be), BeingPosted
 */
export async function postOnce(request: PostOnceRequest, deps: PostOnceDeps): Promise<Standing> {
  const { slot } = request;
  const stored = await deps.claims.read(slot);
  if (stored?.state === 'posted') return stored;

  if (stored?.state === 'claimed') {
    const claim = await takeOver(stored, slot, deps);
    if (request.ifUnknown === 'post-again') return await post(claim, request, deps);
    const found = await look(claim, request, deps);
    // What it shows was rendered at the time of the claim: 0 makes it be rendered again.
    return found === null
      ? await post(claim, request, deps)
      : await settle(slot, { ...found, renderedVersion: 0 }, deps);
  }
  return await post(await claimAnew(request, deps), request, deps);
}

async function look(
  claim: HeldClaim,
  { slot, threadTs }: PostOnceRequest,
  deps: PostOnceDeps,
): Promise<{ channel: string; ts: string } | null> {
  const { channel, postId, claimedAt } = claim;
  const oldest = new Date(Date.parse(claimedAt) - CLOCK_DIFFERENCE_MS).toISOString();
  try {
    return await deps.slack.findPosted({ channel, oldest, postId, threadTs });
  } catch (error) {
    await endLease(claim, slot, deps);
    throw error;
  }
}

async function post(claim: HeldClaim, request: PostOnceRequest, deps: PostOnceDeps): Promise<Standing> {
  const { slot, threadTs, broadcast, content, version } = request;
  const { channel, postId } = claim;
  let place: { channel: string; ts: string };
  try {
    place = await deps.slack.postMessage({ ...content, channel, postId, threadTs, broadcast });
  } catch (error) {
    const certainlyNotThere = isNamed(error, 'SlackRefused') || isNamed(error, 'SlackRateLimited');
    if (certainlyNotThere) await deps.claims.release(slot, claim);
    else await endLease(claim, slot, deps);
    throw error;
  }
  return await settle(slot, { ...place, renderedVersion: version }, deps);
}

/** A run that fails is done with the message, so the next one need not wait for the lease to end. */
async function endLease({ leaseUntil }: HeldClaim, slot: MessageSlot, { claims, now }: PostOnceDeps): Promise<void> {
  await claims.moveLease(slot, { from: leaseUntil, to: now() });
}

/** Tells errors of an adapter apart by their literal name. */
export function isNamed(error: unknown, name: string): error is Error {
  return error instanceof Error && error.name === name;
}

type StoredClaim = Extract<Claim, { state: 'claimed' }>;
type HeldClaim = { postId: string; claimedAt: string; leaseUntil: string; channel: string };

async function claimAnew({ slot, channel }: PostOnceRequest, { claims, now }: PostOnceDeps): Promise<HeldClaim> {
  const postId = postIdOf(slot);
  const claimedAt = now();
  const claim = { postId, claimedAt, leaseUntil: leaseFrom(claimedAt), channel };
  if (!(await claims.claim(slot, claim))) throw new BeingPosted(`message ${postId} was claimed by another run`);
  return claim;
}

function postIdOf(slot: MessageSlot): string {
  if ('digest' in slot) return `digest#${slot.digest}#${slot.part}`;
  return 'pattern' in slot ? `pattern#${slot.pattern}#${slot.part}` : `${slot.keyArn}#${slot.episode}#${slot.part}`;
}

async function takeOver(stored: StoredClaim, slot: MessageSlot, { claims, now }: PostOnceDeps): Promise<HeldClaim> {
  const { postId, leaseUntil } = stored;
  if (leaseUntil !== null && leaseUntil > now())
    throw new BeingPosted(`message ${postId} is with another run until ${leaseUntil}`);
  const claim = { ...stored, leaseUntil: leaseFrom(now()) };
  if (!(await claims.moveLease(slot, { from: leaseUntil, to: claim.leaseUntil }))) {
    throw new BeingPosted(`message ${postId} was taken over by another run`);
  }
  return claim;
}

function leaseFrom(at: string): string {
  return new Date(Date.parse(at) + LEASE_MS).toISOString();
}

async function settle(slot: MessageSlot, standing: Standing, { claims }: PostOnceDeps): Promise<Standing> {
  if (!(await claims.posted(slot, standing))) throw new Error(`the claim on message ${slot.part} was taken away`);
  return standing;
}
