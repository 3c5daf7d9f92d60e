import { drawBlock } from './blocks.js';
import { element } from './dom.js';
import { emoji } from './emoji.js';
import { mrkdwn } from './mrkdwn.js';

/** @typedef {import('./sandbox-api.js').Block} Block */
/** @typedef {import('./sandbox-api.js').BlockElement} BlockElement */
/** @typedef {import('./sandbox-api.js').Channel} Channel */
/** @typedef {import('./sandbox-api.js').Ephemeral} Ephemeral */
/** @typedef {import('./sandbox-api.js').Message} Message */
/** @typedef {import('./mrkdwn.js').Names} Names */

/**
 * One entry of the timeline: a message, or one that only this person sees.
 *
 * @typedef {object} Entry
 * @property {string} ts
 * @property {string} text
 * @property {Block[]} blocks
 * @property {boolean} ephemeral
 * @property {boolean} edited
 * @property {boolean} deleted
 * @property {{ name: string, count: number }[]} reactions
 * @property {{ count: number, last: string, onlyYou: number } | null} thread
 * @property {{ ts: string, text: string } | null} replyTo set on a reply that is shown in the channel too
 * @property {string | null} newDay the day, on the first entry of it
 */
/**
 * @typedef {object} EntryActions
 * @property {Names} names
 * @property {string} channel
 * @property {(entry: Entry, block: Block, button: BlockElement) => void} press
 * @property {(rootTs: string) => void} openThread
 * @property {(ts: string) => void} dismiss
 */

/** @param {string} ts */
const moment = (ts) => new Date(Number(ts) * 1000);
/** @param {string} ts */
const day = (ts) =>
  moment(ts).toLocaleDateString('en-GB', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
/** @param {string} ts */
const time = (ts) => moment(ts).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });

/**
 * @param {Message} message
 * @param {readonly Ephemeral[]} ephemerals
 * @param {{ ts: string, text: string } | null} [replyTo]
 * @returns {Entry}
 */
function messageEntry(message, ephemerals, replyTo = null) {
  const replies = message.replies ?? [];
  const onlyYou = ephemerals.filter(({ thread_ts }) => thread_ts === message.ts).length;
  return {
    ts: message.ts,
    text: message.text,
    blocks: message.blocks ?? [],
    ephemeral: false,
    edited: message.edited !== undefined,
    deleted: message.deleted === true,
    reactions: message.reactions ?? [],
    thread:
      replies.length + onlyYou === 0
        ? null
        : { count: replies.length, last: replies.at(-1)?.ts ?? message.ts, onlyYou },
    replyTo,
    newDay: null,
  };
}

/**
 * @param {Ephemeral} shown
 * @returns {Entry}
 */
function ephemeralEntry({ ts, text, blocks = [] }) {
  const none = { edited: false, deleted: false, reactions: [], thread: null, replyTo: null, newDay: null };
  return { ts, text, blocks, ephemeral: true, ...none };
}

/**
 * @param {Entry[]} entries
 * @returns {Entry[]}
 */
function inOrder(entries) {
  const sorted = entries.toSorted((a, b) => Number(a.ts) - Number(b.ts));
  return sorted.map((entry, index) => {
    const previous = sorted[index - 1];
    const isNew = previous === undefined || day(previous.ts) !== day(entry.ts);
    return { ...entry, newDay: isNew ? day(entry.ts) : null };
  });
}

/**
 * What a person sees in a channel, oldest first: messages, broadcast replies, and what only they see.
 *
 * @param {Channel} channel
 * @param {readonly Ephemeral[]} ephemerals of this person in this channel
 * @returns {Entry[]}
 */
export function channelEntries(channel, ephemerals) {
  return inOrder([
    ...channel.messages.flatMap((message) => [
      messageEntry(message, ephemerals),
      ...(message.replies ?? [])
        .filter(({ broadcast }) => broadcast === true)
        .map((reply) => messageEntry(reply, ephemerals, { ts: message.ts, text: message.text })),
    ]),
    ...ephemerals.filter(({ thread_ts }) => thread_ts === undefined).map(ephemeralEntry),
  ]);
}

/**
 * What a person sees in a thread: its root, its replies, and what only they see.
 *
 * @param {Message} root
 * @param {readonly Ephemeral[]} ephemerals
 * @returns {Entry[]}
 */
export function threadEntries(root, ephemerals) {
  return inOrder([
    { ...messageEntry(root, ephemerals), thread: null },
    ...(root.replies ?? []).map((reply) => messageEntry(reply, ephemerals)),
    ...ephemerals.filter(({ thread_ts }) => thread_ts === root.ts).map(ephemeralEntry),
  ]).map((entry) => ({ ...entry, newDay: null }));
}

/** @param {{ count: number, last: string, onlyYou: number }} thread */
function threadWords({ count, onlyYou }) {
  const replies = count === 1 ? '1 reply' : `${count} replies`;
  if (onlyYou === 0) return replies;
  return count === 0 ? `${onlyYou} only visible to you` : `${replies}, ${onlyYou} only visible to you`;
}

/**
 * @param {Entry} entry
 * @param {EntryActions} actions
 * @returns {HTMLElement}
 */
export function drawEntry(entry, actions) {
  const { names, press, openThread, dismiss, channel } = actions;
  const surroundings = {
    names,
    /** @type {(block: Block, button: BlockElement) => void} */
    onButton: (block, button) => {
      press(entry, block, button);
    },
  };
  const { replyTo, thread } = entry;
  const content =
    entry.blocks.length > 0
      ? entry.blocks.map((block) => drawBlock(block, surroundings))
      : [element('div', { class: entry.deleted ? 'deleted' : undefined }, ...mrkdwn(entry.text, names))];
  return element(
    'li',
    {},
    entry.newDay !== null && element('div', { class: 'day', role: 'separator' }, element('span', {}, entry.newDay)),
    element(
      'article',
      {
        class: `message${entry.ephemeral ? ' ephemeral' : ''}`,
        'data-ts': entry.ts,
        'data-testid': entry.ephemeral ? 'ephemeral' : 'message',
        'aria-label': `${entry.ephemeral ? 'Only visible to you: ' : ''}kms-rotation-bot at ${time(entry.ts)}`,
      },
      element('span', { class: 'avatar bot', 'aria-hidden': 'true' }),
      element(
        'div',
        { class: 'message-content' },
        entry.ephemeral && element('p', { class: 'only-you' }, 'Only visible to you'),
        replyTo !== null &&
          element(
            'p',
            { class: 'replied-to' },
            'replied to a thread: ',
            element(
              'button',
              { type: 'button', class: 'link', 'data-focus': 'reply-to', onclick: () => openThread(replyTo.ts) },
              replyTo.text.slice(0, 80),
            ),
          ),
        element(
          'p',
          { class: 'byline' },
          element('strong', {}, 'kms-rotation-bot'),
          element('span', { class: 'app-badge' }, 'APP'),
          element(
            'a',
            { class: 'time', href: `/archives/${channel}/p${entry.ts.replace('.', '')}`, 'data-focus': 'time' },
            element('time', { datetime: moment(entry.ts).toISOString() }, time(entry.ts)),
          ),
        ),
        ...content,
        entry.edited && element('span', { class: 'edited' }, '(edited)'),
        entry.reactions.length > 0 &&
          element(
            'div',
            { class: 'reactions' },
            ...entry.reactions.map(({ name, count }) =>
              element('span', { class: 'reaction' }, `${emoji(name)} ${count}`),
            ),
          ),
        element('p', { class: 'press-trouble', role: 'alert', hidden: true }),
        thread !== null &&
          element(
            'button',
            {
              type: 'button',
              class: 'thread-link',
              'data-focus': 'thread',
              'data-testid': 'thread-link',
              onclick: () => openThread(entry.ts),
            },
            element('span', { class: 'avatar bot tiny', 'aria-hidden': 'true' }),
            element('strong', {}, threadWords(thread)),
            thread.count > 0 && element('span', { class: 'last-reply' }, `Last reply ${time(thread.last)}`),
          ),
        entry.ephemeral &&
          element(
            'button',
            { type: 'button', class: 'link dismiss', 'data-focus': 'dismiss', onclick: () => dismiss(entry.ts) },
            'Dismiss message',
          ),
      ),
    ),
  );
}
