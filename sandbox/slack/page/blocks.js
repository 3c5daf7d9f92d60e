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
 * @typedef {{ names: Names, onButton: (block: Block, button: BlockElement) => void }} Surroundings
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
 * One block of a message or view; input blocks are drawn by the dialog.
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
    case 'rich_text':
      return drawRichText(/** @type {import('./sandbox-api.js').RichTextPart[]} */ (block.elements ?? []), names);
    case 'markdown':
      return element('div', {}, ...mrkdwn(String(block.text), names));
    default:
      return element('p', { class: 'not-drawn' }, block.alt_text ?? `(${block.type}: not drawn in the simulation)`);
  }
}
