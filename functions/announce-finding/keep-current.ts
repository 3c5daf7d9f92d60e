import { type Content, type PostOnceDeps, type PostOnceRequest, postOnce, type Standing } from './post-once.ts';
import { refusalOf } from './refused-by-slack.ts';

export type KeepCurrentDeps = PostOnceDeps & {
  slack: {
    updateMessage: (
      message: { channel: string; ts: string } & Content & { blocks: NonNullable<Content['blocks']> },
    ) => Promise<void>;
  };
  claims: { rendered: (slot: PostOnceRequest['slot'], version: number) => Promise<boolean> };
};

type Shown = PostOnceRequest & { content: { blocks: NonNullable<Content['blocks']> } };

/**
 * Makes a message stand in its channel and show this version or a newer one.
 * @throws like postOnce, and what chat.update may throw
 */
export async function keepCurrent(request: Shown, deps: KeepCurrentDeps): Promise<Standing> {
  const { slot, content, version } = request;
  const root = await postOnce(request, deps);
  if (root.renderedVersion >= version) return root;
  try {
    await deps.slack.updateMessage({ channel: root.channel, ts: root.ts, ...content });
  } catch (error) {
    if (refusalOf(error) !== 'message_not_found') throw error;
    // Somebody deleted it; what it said still needs an answer.
    await deps.claims.release(slot, { ts: root.ts });
    return await postOnce(request, deps);
  }
  await deps.claims.rendered(slot, version);
  return { ...root, renderedVersion: version };
}
