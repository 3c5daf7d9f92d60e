import * as z from 'zod';

/** What the sandbox answers, as far as scenarios look at it. */
const message = z.object({
  ts: z.string(),
  text: z.string(),
  blocks: z.array(z.unknown()),
  metadata: z.object({ event_payload: z.object({ post_id: z.string().optional() }).optional() }).optional(),
});
const thread = message.extend({ replies: z.array(message) });
const view = z.object({ id: z.string(), user: z.string(), view: z.unknown() });

export const stateAnswer = z.object({
  clock: z.object({ now: z.string() }),
  channels: z.array(z.object({ id: z.string(), name: z.string(), messages: z.array(thread) })),
  views: z.array(view),
});
export const clickAnswer = z.object({
  ok: z.boolean(),
  error: z.string().optional(),
  ephemerals: z.array(z.object({ text: z.string() })),
  views: z.array(view),
  errors: z.record(z.string(), z.string()).optional(),
  body: z.string(),
});
export const sweepAnswer = z.object({
  places: z.int(),
  keys: z.int(),
  changed: z.int(),
  failedPlaces: z.array(z.string()),
});
export const keyAnswer = z.object({ arn: z.string() });
export const auditAnswer = z.object({
  events: z.array(
    z.object({
      sequence: z.int(),
      episode: z.int(),
      statusAfter: z.string(),
      event: z.looseObject({ type: z.string() }),
    }),
  ),
  chain: z.object({ intact: z.boolean(), problem: z.string().optional() }),
});
export const patternTrailAnswer = auditAnswer.pick({ chain: true });
export const noticesAnswer = z.object({ notices: z.array(z.looseObject({ kind: z.string() })) });

export type Message = z.infer<typeof thread>;
export type ClickAnswer = z.infer<typeof clickAnswer>;
export type AuditAnswer = z.infer<typeof auditAnswer>;

/** A message and where it stands. */
export type Shown = Message & { channel: string };

/** The blocks of a view. */
export function blocksOf(shown: unknown): unknown[] {
  return z.object({ blocks: z.array(z.unknown()) }).parse(shown).blocks;
}

/** All the words of a message, those in its blocks too, in one text. */
export function wordsOf({ text, blocks }: Pick<Message, 'text' | 'blocks'>): string {
  return [text, ...strings(blocks)].join(' ');
}

/** The `action_id`s of a message's buttons. */
export function buttonsOf({ blocks }: Pick<Message, 'blocks'>): string[] {
  return z
    .array(z.looseObject({ type: z.string(), elements: z.unknown().optional() }))
    .parse(blocks)
    .filter(({ type }) => type === 'actions')
    .flatMap(({ elements }) => z.array(z.object({ action_id: z.string() })).parse(elements))
    .map(({ action_id }) => action_id);
}

/** The `block_id` of the first row that has such a button. */
export function rowWith(actionId: string, blocks: readonly unknown[]): string | undefined {
  const row = z.object({ block_id: z.string(), elements: z.array(z.looseObject({ action_id: z.string() })) });
  return blocks
    .flatMap((block) => row.safeParse(block).data ?? [])
    .find(({ elements }) => elements.some(({ action_id }) => action_id === actionId))?.block_id;
}

function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(strings);
}
