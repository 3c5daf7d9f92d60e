import { element, reconcile } from './dom.js';

/** @typedef {import('./sandbox-api.js').Person} Person */
/** @typedef {{ id: string, label: string, kind: 'channel' | 'app', unread: boolean, current: boolean }} Destination */

/**
 * @param {HTMLElement} container
 * @param {readonly Destination[]} destinations
 * @param {(id: string) => void} go
 */
export function drawDestinations(container, destinations, go) {
  reconcile(
    container,
    destinations,
    ({ id }) => id,
    ({ id, label, kind, unread, current }) =>
      element(
        'li',
        {},
        element(
          'button',
          {
            type: 'button',
            class: `destination${unread ? ' unread' : ''}`,
            'aria-current': current ? 'page' : undefined,
            'data-channel': id,
            'data-focus': 'go',
            onclick: () => go(id),
          },
          kind === 'channel'
            ? element('span', { class: 'hash', 'aria-hidden': 'true' }, '#')
            : element('span', { class: 'avatar bot tiny', 'aria-hidden': 'true' }),
          element('span', {}, label),
          unread && element('span', { class: 'dot' }, element('span', { class: 'visually-hidden' }, 'unread')),
        ),
      ),
  );
}

/**
 * The switch of who is playing.
 *
 * @param {HTMLElement} container
 * @param {readonly Person[]} people
 * @param {string} current
 * @param {(id: string) => void} choose
 */
export function drawPeople(container, people, current, choose) {
  reconcile(
    container,
    people,
    ({ id }) => id,
    (person) =>
      element(
        'label',
        { class: 'person' },
        element('input', {
          type: 'radio',
          name: 'person',
          value: person.id,
          checked: person.id === current,
          'data-focus': 'person',
          onchange: () => choose(person.id),
        }),
        element('span', { class: 'avatar person-avatar', 'aria-hidden': 'true' }, initials(person.displayName)),
        element(
          'span',
          { class: 'person-words' },
          element('strong', {}, person.displayName),
          element('span', { class: 'role' }, person.role),
        ),
      ),
    ({ id }) => id === current,
  );
}

/** @param {string} name */
function initials(name) {
  return name
    .split(' ')
    .slice(0, 2)
    .map((word) => word[0]?.toUpperCase() ?? '')
    .join('');
}
