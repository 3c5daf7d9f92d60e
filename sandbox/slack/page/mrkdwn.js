import { element } from './dom.js';
import { emoji } from './emoji.js';

/** @typedef {{ people: Map<string, string>, channels: Map<string, string>, groups: Map<string, string> }} Names */

const CODE = /```([\s\S]+?)```|`([^`\n]+)`/;
const BOLD = /(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])/;
const ITALIC = /(?<!\w)_(?=\S)([^_\n]+?)(?<=\S)_(?!\w)/;
const STRIKE = /(?<![\w~])~(?=\S)([^~\n]+?)(?<=\S)~(?![\w~])/;
const TOKEN = new RegExp(
  [CODE, /<([^<>\n]+)>/, BOLD, ITALIC, STRIKE, /:([a-z0-9_+-]+):/, /(https?:\/\/[^\s<>]+)/, /(\n)/]
    .map(({ source }) => source)
    .join('|'),
);

/**
 * Takes Slack's three escapes back. The result only ever becomes a text node.
 *
 * @param {string} text
 */
function unescaped(text) {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

/**
 * A link, if the address is one that a browser may follow; otherwise its words.
 *
 * @param {string} url
 * @param {Node[]} words
 * @returns {Node}
 */
export function link(url, words) {
  if (!/^(https?:\/\/|mailto:)/i.test(url)) return element('span', {}, ...words);
  return element('a', { href: url, target: '_blank', rel: 'noreferrer noopener' }, ...words);
}

/**
 * @param {string} name
 * @returns {HTMLElement}
 */
export function mention(name) {
  return element('span', { class: 'mention' }, `@${name}`);
}

/**
 * A moment in the words of Slack's date format tokens.
 *
 * @param {number} seconds
 * @param {string} format
 */
export function slackDate(seconds, format) {
  const date = new Date(seconds * 1000);
  /** @param {Intl.DateTimeFormatOptions} options */
  const as = (options) => date.toLocaleString('en-GB', options);
  const day = as({ day: 'numeric', month: 'short', year: 'numeric' });
  /** @type {Record<string, string>} */
  const tokens = {
    date_num: date.toISOString().slice(0, 10),
    date: as({ day: 'numeric', month: 'long', year: 'numeric' }),
    date_short: day,
    date_long: as({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }),
    date_pretty: day,
    date_short_pretty: day,
    date_long_pretty: day,
    time: as({ hour: '2-digit', minute: '2-digit' }),
    time_secs: as({ hour: '2-digit', minute: '2-digit', second: '2-digit' }),
    ago: day,
  };
  return format.replace(/\{(\w+)\}/g, (all, token) => tokens[token] ?? all);
}

/**
 * What stands between `<` and `>`: a mention, a date, a special mention or a link.
 *
 * @param {string} inner
 * @param {Names} names
 * @returns {Node}
 */
function angle(inner, names) {
  const bar = inner.indexOf('|');
  const target = bar < 0 ? inner : inner.slice(0, bar);
  const label = bar < 0 ? undefined : unescaped(inner.slice(bar + 1));
  if (target.startsWith('@')) return mention(names.people.get(target.slice(1)) ?? label ?? target.slice(1));
  if (target.startsWith('#')) {
    return element('span', { class: 'mention' }, `#${names.channels.get(target.slice(1)) ?? label ?? target.slice(1)}`);
  }
  if (target.startsWith('!subteam^')) {
    const id = target.slice('!subteam^'.length);
    return mention(names.groups.get(id) ?? label?.replace(/^@/, '') ?? id);
  }
  if (target.startsWith('!date^')) {
    const [, seconds, format, url] = target.split('^');
    const words = document.createTextNode(slackDate(Number(seconds), format ?? '') || (label ?? ''));
    return url === undefined ? words : link(url, [words]);
  }
  if (target.startsWith('!')) {
    return element('span', { class: 'mention mention-all' }, label ?? `@${target.slice(1)}`);
  }
  return link(unescaped(target), [document.createTextNode(label ?? unescaped(target))]);
}

/**
 * Inline mrkdwn as nodes.
 *
 * @param {string} text
 * @param {Names} names
 * @returns {Node[]}
 */
function inline(text, names) {
  /** @type {Node[]} */
  const nodes = [];
  let rest = text;
  let before = '';
  while (rest !== '') {
    // The look-behinds must see what stood before, so the search runs over the whole text.
    const pattern = new RegExp(TOKEN, 'g');
    pattern.lastIndex = before.length;
    const match = pattern.exec(before + rest);
    if (match === null) break;
    const start = match.index - before.length;
    if (start > 0) nodes.push(document.createTextNode(unescaped(rest.slice(0, start))));
    const [all, pre, code, inAngle, bold, italic, strike, emojiName, url] = match;
    if (pre !== undefined) nodes.push(element('pre', {}, unescaped(pre.replace(/^\n|\n$/g, ''))));
    else if (code !== undefined) nodes.push(element('code', {}, unescaped(code)));
    else if (inAngle !== undefined) nodes.push(angle(inAngle, names));
    else if (bold !== undefined) nodes.push(element('strong', {}, ...inline(bold, names)));
    else if (italic !== undefined) nodes.push(element('em', {}, ...inline(italic, names)));
    else if (strike !== undefined) nodes.push(element('s', {}, ...inline(strike, names)));
    else if (emojiName !== undefined) nodes.push(document.createTextNode(emoji(emojiName)));
    else if (url !== undefined) nodes.push(link(unescaped(url), [document.createTextNode(unescaped(url))]));
    else nodes.push(element('br'));
    before += rest.slice(0, start) + all;
    rest = rest.slice(start + all.length);
  }
  if (rest !== '') nodes.push(document.createTextNode(unescaped(rest)));
  return nodes;
}

/**
 * mrkdwn as nodes: lines that start with `>` become a quote, everything else is inline.
 *
 * @param {string} text
 * @param {Names} names
 * @returns {Node[]}
 */
export function mrkdwn(text, names) {
  if (!/(^|\n)(&gt;|>)/.test(text) || text.includes('```')) return inline(text, names);
  /** @type {Node[]} */
  const nodes = [];
  /** @type {{ quoted: boolean, lines: string[] }[]} */
  const groups = [];
  for (const line of text.split('\n')) {
    const quote = /^(?:&gt;|>) ?(.*)$/.exec(line);
    const last = groups.at(-1);
    const content = quote?.[1] ?? line;
    if (last !== undefined && last.quoted === (quote !== null)) last.lines.push(content);
    else groups.push({ quoted: quote !== null, lines: [content] });
  }
  for (const { quoted, lines } of groups) {
    const content = inline(lines.join('\n'), names);
    nodes.push(quoted ? element('blockquote', {}, ...content) : element('div', {}, ...content));
  }
  return nodes;
}

/**
 * A text object: mrkdwn is formatted, plain_text is not.
 *
 * @param {import('./sandbox-api.js').TextObject} text
 * @param {Names} names
 * @returns {Node[]}
 */
export function textNodes(text, names) {
  return text.type === 'mrkdwn' ? mrkdwn(text.text, names) : [document.createTextNode(plainText(text))];
}

/**
 * The words of a plain_text object, with emoji unless it says no.
 *
 * @param {import('./sandbox-api.js').TextObject} text
 * @returns {string}
 */
export function plainText({ text, emoji: withEmoji }) {
  return withEmoji === false ? text : text.replace(/:([a-z0-9_+-]+):/g, (_, name) => emoji(name));
}
