import * as z from 'zod/mini';

/** `action_id`s of the buttons under a finding. */
export const BUTTON = {
  approve: 'approve',
  exempt: 'exempt',
  recheck: 're-check',
  renew: 'renew-exemption',
  revoke: 'revoke-exemption',
  backOut: 'back-out',
} as const;
export type ButtonId = (typeof BUTTON)[keyof typeof BUTTON];

/** `callback_id` of the modal that takes an exemption's terms. */
export const EXEMPTION_MODAL = 'exemption-terms';

/** `block_id`s and `action_id`s of the modal's inputs; the same word for both. */
export const EXEMPTION_FIELD = { owner: 'owner', reason: 'reason', ticket: 'ticket', until: 'until' } as const;

/** What the modal's terms are for. */
export const exemptionPurpose = z.enum(['exempt', 'renew-exemption', 'back-out']);
export type ExemptionPurpose = z.infer<typeof exemptionPurpose>;

/** The `value` of every button: which finding it was rendered for. State is always read anew. */
export const findingRef = z.strictObject({
  key: z.string().check(z.minLength(1), z.maxLength(300)),
  episode: z.int().check(z.minimum(1)),
});
export type FindingRef = z.infer<typeof findingRef>;

/** The modal's `private_metadata`. It comes back inside Slack's signed request; state is read anew all the same. */
export const exemptionModalMetadata = z.strictObject({ finding: findingRef, purpose: exemptionPurpose });
export type ExemptionModalMetadata = z.infer<typeof exemptionModalMetadata>;

/** `metadata.event_type` of the bot's messages: how a post whose outcome is unknown is found again. */
export const MESSAGE_EVENT_TYPE = 'kms_rotation_finding';
