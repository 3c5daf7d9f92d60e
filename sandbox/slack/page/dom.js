/** @typedef {Node | string | null | undefined | false} Child */

/**
 * Makes an element. A function is a listener (`onclick`), `true` an empty attribute; `false` and undefined leave it out.
 * Text always becomes a text node: nothing on this page is ever parsed as HTML.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown>} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') made.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else made.setAttribute(name, value === true ? '' : String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/**
 * The element of index.html with this id.
 *
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`index.html has no element "${id}"`);
  return found;
}

/** @type {WeakMap<Node, string>} */
const drawnFrom = new WeakMap();

/**
 * Makes the children of `container` those of `items`, and touches only what changed, so that focus, selection and screen
 * readers are left alone. An item that is drawn again while the focus is inside it gets the focus back at the same
 * `data-focus` mark.
 *
 * @template T
 * @param {HTMLElement} container
 * @param {readonly T[]} items
 * @param {(item: T) => string} keyOf
 * @param {(item: T) => HTMLElement} draw
 * @param {(item: T) => unknown} [dependsOn] everything that the drawing depends on besides the item
 */
export function reconcile(container, items, keyOf, draw, dependsOn = () => null) {
  /** @type {Map<string, HTMLElement>} */
  const existing = new Map();
  for (const child of container.children) {
    if (child instanceof HTMLElement) existing.set(child.dataset['key'] ?? '', child);
  }
  /** @type {HTMLElement | null} */
  let previous = null;
  for (const item of items) {
    const key = keyOf(item);
    const source = JSON.stringify([item, dependsOn(item)]);
    let node = existing.get(key);
    existing.delete(key);
    if (node === undefined || drawnFrom.get(node) !== source) {
      const fresh = draw(item);
      fresh.dataset['key'] = key;
      drawnFrom.set(fresh, source);
      if (node === undefined) {
        container.insertBefore(fresh, previous === null ? container.firstChild : previous.nextSibling);
      } else {
        replaceKeepingFocus(node, fresh);
      }
      node = fresh;
    }
    /** @type {ChildNode | null} */
    const expected = previous === null ? container.firstChild : previous.nextSibling;
    if (node !== expected) container.insertBefore(node, expected);
    previous = node;
  }
  for (const gone of existing.values()) gone.remove();
}

/**
 * @param {HTMLElement} old
 * @param {HTMLElement} fresh
 */
function replaceKeepingFocus(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const mark = focused instanceof HTMLElement ? focused.dataset['focus'] : undefined;
  for (const open of old.querySelectorAll('details[open]')) {
    const twin =
      open instanceof HTMLElement ? fresh.querySelector(`details[data-focus="${open.dataset['focus']}"]`) : null;
    twin?.setAttribute('open', '');
  }
  old.replaceWith(fresh);
  if (mark === undefined) return;
  const twin = [...fresh.querySelectorAll('[data-focus]')].find(
    (candidate) => candidate instanceof HTMLElement && candidate.dataset['focus'] === mark,
  );
  if (twin instanceof HTMLElement) twin.focus({ preventScroll: true });
}
