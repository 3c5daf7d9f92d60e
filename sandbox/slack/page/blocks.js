import { element } from './dom.js';
import { mrkdwn, plainText, textNodes } from './mrkdwn.js';
import { drawRichText } from './rich-text.js';

/** @typedef {import('./sandbox-api.js').Block} Block */
/** @typedef {import('./sandbox-api.js').BlockElement} BlockElement */
/** @typedef {import('./sandbox-api.js').TextObject} TextObject */
/** @typedef {import('./mrkdwn.js').Names} Names */
/**
 * What blocks need from the page: names for ids, and what a click on a button does.
 *
 * `onEnter` is for fields that are sent at once; only the Home tab has them.
 *
 * @typedef {object} Surroundings
 * @property {Names} names
 * @property {(block: Block, button: BlockElement) => void} onButton
 * @property {(block: Block, value: string) => void} [onEnter]
 */

/**
 * @param {Block} block
 * @param {BlockElement} item
 * @param {Surroundings} surroundings
 * @returns {HTMLElement}
 */
function drawElement(block, item, { onButton }) {
  if (item.type !== 'button' || item.text === undefined) {
    return element('span', { class: 'not-drawn' }, item.alt_text ?? `(${item.type}: not drawn in the simulation)`);
  }
  return element(
    'button',
    {
      type: 'button',
      class: `button ${item.style ?? ''}`.trim(),
      'aria-label': item.accessibility_label,
      'data-action-id': item.action_id,
      'data-block-id': block.block_id,
      'data-focus': `${block.block_id}/${item.action_id}`,
      onclick: () => {
        onButton(block, item);
      },
    },
    plainText(item.text),
  );
}

/**
 * A text field outside a dialog, which sends what is in it with Enter.
 *
 * @param {Block} block
 * @param {Surroundings} surroundings
 * @returns {HTMLElement}
 */
function drawField(block, { onEnter }) {
  const id = `field-${block.block_id}`;
  const { element: input } = block;
  const field = element('input', {
    ...{ id, type: 'text', placeholder: input?.placeholder === undefined ? undefined : plainText(input.placeholder) },
    ...{ maxlength: input?.max_length, 'data-action-id': input?.action_id, 'data-focus': id },
  });
  field.value = input?.initial_value ?? '';
  return element(
    'form',
    {
      class: 'form-field',
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        onEnter?.(block, field.value);
      },
    },
    element('label', { for: id }, block.label === undefined ? '' : plainText(block.label)),
    field,
  );
}

/**
 * One block of a message or view; input blocks of a modal are drawn by the dialog.
 *
 * @param {Block} block
 * @param {Surroundings} surroundings
 * @returns {HTMLElement}
 */
export function drawBlock(block, surroundings) {
  const { names } = surroundings;
  const text = typeof block.text === 'object' ? block.text : undefined;
  switch (block.type) {
    case 'header':
      return element('h3', { class: 'block-header' }, text === undefined ? '' : plainText(text));
    case 'divider':
      return element('hr');
    case 'section': {
      const fields = (block.fields ?? []).map((field) =>
        element('div', { class: 'field' }, ...textNodes(field, names)),
      );
      return element(
        'div',
        { class: 'block-section' },
        element(
          'div',
          { class: 'block-section-words' },
          text && element('div', {}, ...textNodes(text, names)),
          fields.length > 0 && element('div', { class: 'fields' }, ...fields),
        ),
        block.accessory && drawElement(block, block.accessory, surroundings),
      );
    }
    case 'context': {
      const parts = /** @type {TextObject[]} */ (block.elements ?? []);
      return element(
        'div',
        { class: 'block-context' },
        ...parts.map((part) => element('span', {}, ...(part.text === undefined ? [] : textNodes(part, names)))),
      );
    }
    case 'actions': {
      const items = /** @type {BlockElement[]} */ (block.elements ?? []);
      return element('div', { class: 'block-actions' }, ...items.map((item) => drawElement(block, item, surroundings)));
    }
    case 'input':
      return drawField(block, surroundings);
    case 'rich_text':
      return drawRichText(/** @type {import('./sandbox-api.js').RichTextPart[]} */ (block.elements ?? []), names);
    case 'markdown':
      return element('div', {}, ...mrkdwn(String(block.text), names));
    default:
      return element('p', { class: 'not-drawn' }, block.alt_text ?? `(${block.type}: not drawn in the simulation)`);
  }
}
