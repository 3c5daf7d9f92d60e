/**
 * Block Kit as the server checks it: fields, lengths and counts of Slack's Block Kit reference. Parsing a block also
 * fills in what Slack fills in when it stores one (block_id, action_id, `emoji`, `verbatim`), so the parsed value is
 * what conversations.history and interaction payloads give back.
 */
import { randomBytes } from 'node:crypto';
import * as z from 'zod';

const generatedId = () => randomBytes(6).toString('base64url').slice(0, 5);

const id = z.string().min(1).max(255);
const generated = id.default(generatedId);
const characters = (max: number) => z.string().min(1).max(max);
const isoDate = z.iso.date({ error: 'must be a date in the format YYYY-MM-DD' });

/** A `plain_text` object of at most `max` characters. */
export const plainText = (max: number) =>
  z.strictObject({ type: z.literal('plain_text'), text: characters(max), emoji: z.boolean().default(true) });

const anyText = (max: number) =>
  z.discriminatedUnion('type', [
    plainText(max),
    z.strictObject({ type: z.literal('mrkdwn'), text: characters(max), verbatim: z.boolean().default(false) }),
  ]);

const confirm = z.strictObject({
  title: plainText(100),
  text: anyText(300),
  confirm: plainText(30),
  deny: plainText(30),
  style: z.enum(['primary', 'danger']).optional(),
});

const option = z.strictObject({
  text: plainText(75),
  value: characters(75),
  description: plainText(75).optional(),
  url: characters(3000).optional(),
});
const optionGroup = z.strictObject({ label: plainText(75), options: z.array(option).min(1).max(100) });

const button = z.strictObject({
  type: z.literal('button'),
  action_id: generated,
  text: plainText(75),
  value: characters(2000).optional(),
  url: characters(3000).optional(),
  style: z.enum(['primary', 'danger']).optional(),
  confirm: confirm.optional(),
  accessibility_label: characters(75).optional(),
});

const interactive = {
  action_id: generated,
  placeholder: plainText(150).optional(),
  focus_on_load: z.boolean().optional(),
  confirm: confirm.optional(),
};

const staticSelect = z
  .strictObject({
    type: z.literal('static_select'),
    ...interactive,
    options: z.array(option).min(1).max(100).optional(),
    option_groups: z.array(optionGroup).min(1).max(100).optional(),
    initial_option: option.optional(),
  })
  .refine((select) => (select.options === undefined) !== (select.option_groups === undefined), {
    error: 'must define either `options` or `option_groups`, but not both',
  });

const usersSelect = z.strictObject({ type: z.literal('users_select'), ...interactive, initial_user: id.optional() });
const datepicker = z.strictObject({ type: z.literal('datepicker'), ...interactive, initial_date: isoDate.optional() });

const plainTextInput = z.strictObject({
  type: z.literal('plain_text_input'),
  action_id: generated,
  placeholder: plainText(150).optional(),
  initial_value: z.string().max(3000).optional(),
  multiline: z.boolean().optional(),
  min_length: z.number().int().min(0).max(3000).optional(),
  max_length: z.number().int().min(1).max(3000).optional(),
  focus_on_load: z.boolean().optional(),
  dispatch_action_config: z.strictObject({ trigger_actions_on: z.array(z.string()) }).optional(),
});

/** Real element types that the sandbox stores unchecked and does not draw. */
const otherElement = z.looseObject({
  type: z.enum([
    'overflow',
    'checkboxes',
    'radio_buttons',
    'timepicker',
    'datetimepicker',
    'conversations_select',
    'channels_select',
    'external_select',
    'multi_static_select',
    'multi_users_select',
    'multi_conversations_select',
    'multi_channels_select',
    'multi_external_select',
    'email_text_input',
    'url_text_input',
    'number_input',
    'rich_text_input',
    'file_input',
    'workflow_button',
    'icon_button',
    'feedback_buttons',
  ]),
  action_id: generated,
});

const image = z.looseObject({ type: z.literal('image'), alt_text: characters(2000) });

const style = z.record(z.string(), z.boolean()).optional();
const richTextLeaf = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: z.string().min(1), style }),
  z.strictObject({
    type: z.literal('link'),
    url: z.string().min(1),
    text: z.string().optional(),
    unsafe: z.boolean().optional(),
    style,
  }),
  z.strictObject({ type: z.literal('user'), user_id: id, style }),
  z.strictObject({ type: z.literal('usergroup'), usergroup_id: id, style }),
  z.strictObject({ type: z.literal('channel'), channel_id: id, style }),
  z.strictObject({
    type: z.literal('emoji'),
    name: z.string().min(1),
    unicode: z.string().optional(),
    skin_tone: z.number().optional(),
    style,
  }),
  z.strictObject({ type: z.literal('broadcast'), range: z.enum(['here', 'channel', 'everyone']), style }),
  z.strictObject({
    type: z.literal('date'),
    timestamp: z.number(),
    format: z.string().min(1),
    url: z.string().optional(),
    fallback: z.string().optional(),
    style,
  }),
  z.strictObject({ type: z.literal('color'), value: z.string(), style }),
]);
const leaves = z.array(richTextLeaf);
const border = z.number().int().min(0).optional();
const richTextSection = z.strictObject({ type: z.literal('rich_text_section'), elements: leaves });
const richTextPart = z.discriminatedUnion('type', [
  richTextSection,
  z.strictObject({
    type: z.literal('rich_text_list'),
    style: z.enum(['bullet', 'ordered']),
    elements: z.array(richTextSection),
    indent: z.number().int().min(0).max(8).optional(),
    offset: z.number().int().min(0).optional(),
    border,
  }),
  z.strictObject({
    type: z.literal('rich_text_preformatted'),
    elements: leaves,
    border,
    language: z.string().optional(),
  }),
  z.strictObject({ type: z.literal('rich_text_quote'), elements: leaves, border }),
]);

const element = z.discriminatedUnion('type', [button, staticSelect, usersSelect, datepicker, otherElement]);
const inputElement = z.discriminatedUnion('type', [
  plainTextInput,
  staticSelect,
  usersSelect,
  datepicker,
  otherElement,
]);

const withBlockId = { block_id: generated };

/** One block, of a message or of a view. */
export const block = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('header'), ...withBlockId, text: plainText(150), level: z.number().optional() }),
  z.strictObject({ type: z.literal('divider'), ...withBlockId }),
  z
    .strictObject({
      type: z.literal('section'),
      ...withBlockId,
      text: anyText(3000).optional(),
      fields: z.array(anyText(2000)).min(1).max(10).optional(),
      accessory: z.discriminatedUnion('type', [element, image]).optional(),
      expand: z.boolean().optional(),
    })
    .refine((section) => section.text !== undefined || section.fields !== undefined, {
      error: 'must define either `text` or `fields`',
    }),
  z.strictObject({
    type: z.literal('context'),
    ...withBlockId,
    elements: z
      .array(z.discriminatedUnion('type', [anyText(3000), image]))
      .min(1)
      .max(10),
  }),
  z.strictObject({ type: z.literal('actions'), ...withBlockId, elements: z.array(element).min(1).max(25) }),
  z.strictObject({
    type: z.literal('input'),
    ...withBlockId,
    label: plainText(2000),
    element: inputElement,
    hint: plainText(2000).optional(),
    optional: z.boolean().default(false),
    dispatch_action: z.boolean().default(false),
  }),
  z.strictObject({ type: z.literal('rich_text'), ...withBlockId, elements: z.array(richTextPart) }),
  z.looseObject({ type: z.literal('image'), ...withBlockId, alt_text: characters(2000) }),
  z.looseObject({ type: z.literal('markdown'), ...withBlockId, text: characters(12_000) }),
  z.looseObject({ type: z.enum(['video', 'file', 'table', 'call', 'context_actions']), ...withBlockId }),
]);

/** A block as it is stored. */
export type Block = z.infer<typeof block>;
/** A button as it is stored. */
export type Button = z.infer<typeof button>;
/** An input block as it is stored. */
export type InputBlock = Extract<Block, { type: 'input' }>;

/** A list of blocks, at most `max`, with the ids unique where Slack wants them unique. */
export const blockList = (max: number) =>
  z
    .array(block)
    .max(max)
    .superRefine((blocks, context) => {
      const seen = new Set<string>();
      for (const [index, { block_id }] of blocks.entries()) {
        if (seen.has(block_id)) {
          context.addIssue({
            code: 'custom',
            path: [index, 'block_id'],
            message: `block_id "${block_id}" already exists for another block`,
          });
        }
        seen.add(block_id);
      }
      for (const [index, each] of blocks.entries()) {
        if (each.type !== 'actions') continue;
        const actionIds = new Set<string>();
        for (const [position, { action_id }] of each.elements.entries()) {
          if (actionIds.has(action_id)) {
            context.addIssue({
              code: 'custom',
              path: [index, 'elements', position, 'action_id'],
              message: `action_id "${action_id}" already exists for another block element`,
            });
          }
          actionIds.add(action_id);
        }
      }
    });

/** The buttons of a block with the block's id, in reading order. */
export function buttonsOf(each: Block): Button[] {
  if (each.type === 'actions') return each.elements.filter((candidate) => candidate.type === 'button');
  if (each.type === 'section' && each.accessory?.type === 'button') return [each.accessory];
  return [];
}

/** What Slack writes into `text` when a message comes with blocks only: the words of the blocks, for notifications. */
export function fallbackText(blocks: readonly Block[]): string {
  const words: string[] = [];
  for (const each of blocks) {
    if (each.type === 'header') words.push(each.text.text);
    if (each.type === 'section') {
      if (each.text !== undefined) words.push(each.text.text);
      for (const field of each.fields ?? []) words.push(field.text);
    }
  }
  return words.join(' ') || "This content can't be displayed.";
}
