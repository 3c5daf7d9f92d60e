import type { Alert } from '../contracts/notice.ts';
import {
  isNamed,
  type MessageSlot,
  type PostOnceDeps,
  type PostOnceRequest,
  postOnce,
  type Standing,
} from './post-once.ts';

export type ReportDeps = PostOnceDeps & {
  claims: { reported: (slot: MessageSlot, code: string) => Promise<boolean> };
  topic: { publishAlert: (alert: Alert) => Promise<void> };
};

/** Slack's word when an error is its refusal, else null. */
export function refusalOf(error: unknown): string | null {
  if (!isNamed(error, 'SlackRefused')) return null;
  return 'code' in error && typeof error.code === 'string' ? error.code : 'unknown_error';
}

/** Tells the people who run the bot, once for each message and refusal, that it cannot be shown. */
export async function reportRefusal(
  slot: MessageSlot,
  { code, what, keyArn }: { code: string; what: string; keyArn: string | null },
  deps: ReportDeps,
): Promise<void> {
  if ((await deps.claims.read(slot))?.refusedWith === code) return;
  await alert({ code, what, keyArn }, deps);
  await deps.claims.reported(slot, code);
}

/**
 * Posts once what is told elsewhere than in the thread of the message itself: a refusal concerns that place only, and is
 * no error.
 * @throws what postOnce throws and may pass by itself
 */
export async function postElsewhere(
  post: PostOnceRequest,
  { what, keyArn }: { what: string; keyArn: string | null },
  deps: Omit<ReportDeps, 'claims'> & PostOnceDeps,
): Promise<void> {
  try {
    await postOnce(post, deps);
  } catch (error) {
    const code = refusalOf(error);
    if (code === null) throw error;
    await alert({ code, what, keyArn }, deps);
  }
}

/** Null when the message does not stand yet, or somebody has deleted it meanwhile. */
export async function linkTo(
  root: Standing | null,
  { slack }: { slack: { permalink: (message: { channel: string; ts: string }) => Promise<string> } },
): Promise<string | null> {
  if (root === null) return null;
  try {
    return await slack.permalink(root);
  } catch (error) {
    if (refusalOf(error) === null) throw error;
    return null;
  }
}

async function alert(
  { code, what, keyArn }: { code: string; what: string; keyArn: string | null },
  { topic, now }: Pick<ReportDeps, 'topic' | 'now'>,
): Promise<void> {
  const message = `Slack refuses to ${what}: ${code}.`;
  await topic.publishAlert({ kind: 'alert', alert: 'slack-refuses', at: now(), message, keyArn });
}
