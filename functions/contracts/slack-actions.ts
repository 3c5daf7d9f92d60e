import * as z from 'zod/mini';
import { keyPattern } from './records.ts';

/** `action_id`s of the buttons under a finding. */
export const BUTTON = {
  approve: 'approve',
  exempt: 'exempt',
  recheck: 're-check',
  renew: 'renew-exemption',
  revoke: 'revoke-exemption',
  shorten: 'shorten-exemption',
  letEnd: 'let-exemption-end',
  fixNow: 'fix-now',
  backOut: 'back-out',
  confirm: 'confirm-request',
  withdraw: 'withdraw-request',
} as const;

/** `action_id`s of the buttons under a digest, and in the list that "Review" opens. */
export const DIGEST_BUTTON = {
  review: 'review-digest',
  approveAll: 'approve-all',
  firstPage: 'first-page',
  samePage: 'same-page',
  nextPage: 'next-page',
} as const;

/** `action_id`s of the buttons under the exemption of a pattern. */
export const PATTERN_BUTTON = {
  confirm: 'confirm-pattern',
  withdraw: 'withdraw-pattern',
  renew: 'renew-pattern',
  revoke: 'revoke-pattern',
  letEnd: 'let-pattern-end',
} as const;

export type ButtonId =
  | (typeof BUTTON)[keyof typeof BUTTON]
  | (typeof DIGEST_BUTTON)[keyof typeof DIGEST_BUTTON]
  | (typeof PATTERN_BUTTON)[keyof typeof PATTERN_BUTTON];

/** `callback_id` of the modal that takes an exemption's terms. */
export const EXEMPTION_MODAL = 'exemption-terms';

/** `block_id`s and `action_id`s of the modal's inputs; the same word for both. */
export const EXEMPTION_FIELD = { owner: 'owner', reason: 'reason', ticket: 'ticket', until: 'until' } as const;

/** What the modal's terms are for. */
export const exemptionPurpose = z.enum(['exempt', 'renew-exemption', 'back-out', 'shorten-exemption']);
export type ExemptionPurpose = z.infer<typeof exemptionPurpose>;

/**
 * The `value` of every button: which finding it was rendered for, and which request that waits for a second person (by
 * the time it was made). State is always read anew.
 */
export const findingRef = z.strictObject({
  key: z.string().check(z.minLength(1), z.maxLength(300)),
  episode: z.int().check(z.minimum(1)),
  request: z.optional(z.iso.datetime()),
});
export type FindingRef = z.infer<typeof findingRef>;

const digestId = z.string().check(z.minLength(1), z.maxLength(200));
const placeInList = z.string().check(z.maxLength(1000));

/** The `value` of "Approve all": the keys that joined until `upTo`, of which the person was shown `count`. */
export const approveAllRef = z.strictObject({
  digest: digestId,
  upTo: z.iso.datetime(),
  count: z.int().check(z.minimum(1)),
});
export type ApproveAllRef = z.infer<typeof approveAllRef>;

/**
 * A page of the list that "Review" opens: what comes after a place, `''` for the beginning. It is the value of the buttons
 * that turn pages, and the `private_metadata` of the list.
 */
export const pageRef = z.strictObject({ digest: digestId, after: placeInList });
export type PageRef = z.infer<typeof pageRef>;

/** The `value` of a button under the exemption of a pattern: which one, and which request was shown (when it was made). */
export const patternRef = z.strictObject({
  pattern: z.string().check(z.minLength(1), z.maxLength(100)),
  request: z.optional(z.iso.datetime()),
});
export type PatternRef = z.infer<typeof patternRef>;

/** `callback_id` of the form for an exemption of a pattern. */
export const PATTERN_MODAL = 'pattern-terms';

/** The form's `private_metadata`: a new exemption of these keys, or the renewal of the one of that id. */
export const patternModalMetadata = z.discriminatedUnion('purpose', [
  z.strictObject({ purpose: z.literal('exempt'), id: patternRef.shape.pattern, pattern: keyPattern }),
  z.strictObject({ purpose: z.literal('renew'), id: patternRef.shape.pattern, fromHome: z.optional(z.literal(true)) }),
]);
export type PatternModalMetadata = z.infer<typeof patternModalMetadata>;

/** `callback_id` of the list that "Review" opens. */
export const REVIEW_MODAL = 'digest-review';

/** The modal's `private_metadata`. It comes back inside Slack's signed request; state is read anew all the same. */
export const exemptionModalMetadata = z.strictObject({
  finding: findingRef,
  purpose: exemptionPurpose,
  /** Opened from the Home tab, which is drawn again afterwards. */
  fromHome: z.optional(z.literal(true)),
  /** The list that lies under the form, when it was opened from there. */
  list: z.optional(z.strictObject({ viewId: z.string().check(z.maxLength(100)), page: pageRef })),
});
export type ExemptionModalMetadata = z.infer<typeof exemptionModalMetadata>;

/** Reads a button's `value`; null when it is not one that this version of the bot writes. */
export function parseFindingRef(value: string | undefined): FindingRef | null {
  return findingRef.safeParse(parseJson(value)).data ?? null;
}

/** Reads a modal's `private_metadata`; null when it is not one that this version of the bot writes. */
export function parseModalMetadata(text: string): ExemptionModalMetadata | null {
  return exemptionModalMetadata.safeParse(parseJson(text)).data ?? null;
}

/** Reads the value of "Approve all"; null when it is not one that this version of the bot writes. */
export function parseApproveAll(value: string | undefined): ApproveAllRef | null {
  return approveAllRef.safeParse(parseJson(value)).data ?? null;
}

/** Reads which page of which digest is meant; null when it is not one that this version of the bot writes. */
export function parsePage(text: string | undefined): PageRef | null {
  return pageRef.safeParse(parseJson(text)).data ?? null;
}

/** Reads the value of a button under the exemption of a pattern; null when this version of the bot writes no such value. */
export function parsePatternRef(value: string | undefined): PatternRef | null {
  return patternRef.safeParse(parseJson(value)).data ?? null;
}

/** Reads the form's `private_metadata`; null when it is not one that this version of the bot writes. */
export function parsePatternMetadata(text: string): PatternModalMetadata | null {
  return patternModalMetadata.safeParse(parseJson(text)).data ?? null;
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

/** Ids of people, workspaces and organisations become keys of caches and tables: never words such as `__proto__`. */
export const slackId = z.string().check(z.regex(/^[A-Z0-9]{1,50}$/));
const place = z.nullish(z.object({ id: slackId }));
const fromPerson = {
  user: z.object({ id: slackId, team_id: z.optional(slackId) }),
  team: place,
  enterprise: place,
  trigger_id: z.optional(z.string()),
};

/**
 * The payloads of Slack that the bot takes, as far as it reads them. What is not named here does not reach Bolt, which
 * infers from single fields what kind of payload it has before it. Slack, "Interaction payloads".
 */
export const slackInteraction = z.discriminatedUnion('type', [
  z.object({
    ...fromPerson,
    type: z.literal('block_actions'),
    response_url: z.optional(z.string()),
    /** Of a click in a view; a message has none. */
    view: z.optional(
      z.object({
        id: z.string().check(z.maxLength(100)),
        type: z.string(),
        hash: z.optional(z.string()),
        callback_id: z.optional(z.string()),
        private_metadata: z.optional(z.string()),
      }),
    ),
    actions: z
      .array(
        z.object({
          type: z.string(),
          action_id: z.string(),
          block_id: z.optional(z.string()),
          value: z.nullish(z.string()),
          action_ts: z.optional(z.string()),
        }),
      )
      .check(z.minLength(1)),
  }),
  z.object({
    ...fromPerson,
    type: z.literal('view_submission'),
    view: z.object({
      id: z.optional(z.string()),
      type: z.optional(z.string()),
      callback_id: z.string(),
      private_metadata: z.string(),
      state: z.object({ values: z.unknown() }),
    }),
  }),
]);
export type SlackInteraction = z.infer<typeof slackInteraction>;

/** `metadata.event_type` of the bot's messages: how a post whose outcome is unknown is found again. */
export const MESSAGE_EVENT_TYPE = 'kms_rotation_finding';
