/** Modals and App Home views as the server checks them (Slack's pages "Modals" and "App Home"). */
import * as z from 'zod';
import { blockList, plainText } from './block-schema.ts';

const MAX_VIEW_BLOCKS = 100;

const common = {
  blocks: blockList(MAX_VIEW_BLOCKS),
  private_metadata: z.string().max(3000).default(''),
  callback_id: z.string().max(255).default(''),
  external_id: z.string().max(255).default(''),
};

const modal = z
  .strictObject({
    type: z.literal('modal'),
    title: plainText(24),
    submit: plainText(24).nullable().default(null),
    close: plainText(24).nullable().default(null),
    clear_on_close: z.boolean().default(false),
    notify_on_close: z.boolean().default(false),
    submit_disabled: z.boolean().default(false),
    ...common,
  })
  .refine((view) => view.submit !== null || view.blocks.every(({ type }) => type !== 'input'), {
    error: 'submit is required when an input block is within the blocks array',
  });
const home = z.strictObject({ type: z.literal('home'), ...common });

/** A view as an app sends it to views.open, views.push, views.update or in a `response_action`. */
export const modalInput = modal;
/** A view as an app sends it to views.publish. */
export const homeInput = home;

const ids = {
  id: z.string(),
  team_id: z.string(),
  app_id: z.string(),
  bot_id: z.string(),
  app_installed_team_id: z.string(),
  hash: z.string(),
  root_view_id: z.string(),
  previous_view_id: z.string().nullable(),
  state: z.object({ values: z.record(z.string(), z.record(z.string(), z.unknown())) }),
};

/** A view as Slack stores it and sends it in payloads. */
export const storedView = z.discriminatedUnion('type', [
  z.object({ ...modal.shape, ...ids }),
  z.object({ ...home.shape, ...ids }),
]);
export type StoredView = z.infer<typeof storedView>;
