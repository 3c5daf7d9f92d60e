import { element } from './dom.js';
import { emoji } from './emoji.js';
import { link, mention, slackDate } from './mrkdwn.js';

/** @typedef {import('./sandbox-api.js').Leaf} Leaf */
/** @typedef {import('./sandbox-api.js').RichTextPart} RichTextPart */
/** @typedef {import('./mrkdwn.js').Names} Names */

/**
 * @param {Leaf} leaf
 * @param {Names} names
 * @returns {Node}
 */
function plainLeaf(leaf, names) {
  switch (leaf.type) {
    case 'text':
      return document.createTextNode(leaf.text ?? '');
    case 'link':
      return link(leaf.url ?? '', [document.createTextNode(leaf.text ?? leaf.url ?? '')]);
    case 'user':
      return mention(names.people.get(leaf.user_id ?? '') ?? leaf.user_id ?? '');
    case 'usergroup':
      return mention(names.groups.get(leaf.usergroup_id ?? '') ?? leaf.usergroup_id ?? '');
    case 'channel':
      return element('span', { class: 'mention' }, `#${names.channels.get(leaf.channel_id ?? '') ?? leaf.channel_id}`);
    case 'emoji':
      return document.createTextNode(emoji(leaf.name ?? ''));
    case 'broadcast':
      return element('span', { class: 'mention mention-all' }, `@${leaf.range}`);
    case 'date':
      return document.createTextNode(slackDate(leaf.timestamp ?? 0, leaf.format ?? '') || (leaf.fallback ?? ''));
    default:
      return document.createTextNode(leaf.value ?? '');
  }
}

/**
 * @param {Leaf} leaf
 * @param {Names} names
 * @returns {Node}
 */
function styled(leaf, names) {
  let node = plainLeaf(leaf, names);
  if (leaf.style?.['code']) node = element('code', {}, node);
  if (leaf.style?.['bold']) node = element('strong', {}, node);
  if (leaf.style?.['italic']) node = element('em', {}, node);
  if (leaf.style?.['strike']) node = element('s', {}, node);
  return node;
}

/**
 * @param {RichTextPart} part
 * @param {Names} names
 * @returns {HTMLElement}
 */
function drawPart(part, names) {
  const leaves = () => part.elements.map((leaf) => styled(leaf, names));
  switch (part.type) {
    case 'rich_text_preformatted':
      return element('pre', {}, ...leaves());
    case 'rich_text_quote':
      return element('blockquote', {}, ...leaves());
    case 'rich_text_list': {
      const items = part.elements.map((item) =>
        element('li', {}, ...(item.elements ?? []).map((leaf) => styled(leaf, names))),
      );
      return part.style === 'ordered'
        ? element('ol', { start: (part.offset ?? 0) + 1, class: `indent-${part.indent ?? 0}` }, ...items)
        : element('ul', { class: `indent-${part.indent ?? 0}` }, ...items);
    }
    default:
      return element('div', { class: 'rich-text-section' }, ...leaves());
  }
}

/**
 * @param {RichTextPart[]} parts
 * @param {Names} names
 * @returns {HTMLElement}
 */
export function drawRichText(parts, names) {
  return element('div', { class: 'rich-text' }, ...parts.map((part) => drawPart(part, names)));
}
