import { drawBlock } from './blocks.js';
import { element } from './dom.js';
import { plainText, textNodes } from './mrkdwn.js';

/** @typedef {import('./sandbox-api.js').Block} Block */
/** @typedef {import('./sandbox-api.js').BlockElement} BlockElement */
/** @typedef {import('./sandbox-api.js').Confirm} Confirm */
/** @typedef {import('./sandbox-api.js').OpenView} OpenView */
/** @typedef {import('./sandbox-api.js').Person} Person */
/** @typedef {import('./mrkdwn.js').Names} Names */

/**
 * Shows a confirm dialog; answers whether it was confirmed. Escape denies.
 *
 * @param {Confirm} confirm
 * @param {Names} names
 * @returns {Promise<boolean>}
 */
export function askConfirm(confirm, names) {
  return new Promise((resolve) => {
    const dialog = element(
      'dialog',
      { class: 'dialog small', 'aria-labelledby': 'confirm-title', 'data-testid': 'confirm-dialog' },
      element('h2', { id: 'confirm-title', class: 'dialog-title' }, plainText(confirm.title)),
      element('div', { class: 'dialog-body' }, ...textNodes(confirm.text, names)),
      element(
        'div',
        { class: 'dialog-buttons' },
        element(
          'button',
          { type: 'button', class: 'button', onclick: () => dialog.close('deny') },
          plainText(confirm.deny),
        ),
        element(
          'button',
          {
            type: 'button',
            class: `button ${confirm.style === 'danger' ? 'danger' : 'primary'}`,
            onclick: () => dialog.close('confirm'),
          },
          plainText(confirm.confirm),
        ),
      ),
    );
    const before = document.activeElement;
    dialog.addEventListener('close', () => {
      dialog.remove();
      if (before instanceof HTMLElement) before.focus();
      resolve(dialog.returnValue === 'confirm');
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/**
 * The control of an input block.
 *
 * @param {BlockElement} input
 * @param {Record<string, unknown>} attributes
 * @param {readonly Person[]} people
 * @returns {HTMLElement}
 */
function drawControl(input, attributes, people) {
  const placeholder = input.placeholder === undefined ? undefined : plainText(input.placeholder);
  switch (input.type) {
    case 'plain_text_input': {
      const control =
        input.multiline === true
          ? element('textarea', { ...attributes, rows: 4, placeholder })
          : element('input', { ...attributes, type: 'text', placeholder });
      control.value = input.initial_value ?? '';
      return control;
    }
    case 'datepicker': {
      const control = element('input', { ...attributes, type: 'date' });
      control.value = input.initial_date ?? '';
      return control;
    }
    case 'users_select': {
      const choices = people.filter(({ deactivated }) => deactivated !== true);
      const control = element(
        'select',
        attributes,
        element('option', { value: '' }, placeholder ?? 'Select a person'),
        ...choices.map(({ id, displayName }) => element('option', { value: id }, displayName)),
      );
      control.value = input.initial_user ?? '';
      return control;
    }
    case 'static_select': {
      /** @param {import('./sandbox-api.js').Option} option */
      const choice = (option) => element('option', { value: option.value }, plainText(option.text));
      const control = element(
        'select',
        attributes,
        element('option', { value: '' }, placeholder ?? 'Select an option'),
        ...(input.options ?? []).map(choice),
        ...(input.option_groups ?? []).map(({ label, options }) =>
          element('optgroup', { label: plainText(label) }, ...options.map(choice)),
        ),
      );
      control.value = input.initial_option?.value ?? '';
      return control;
    }
    default:
      return element('span', { class: 'not-drawn' }, `(${input.type}: not drawn in the simulation)`);
  }
}

/**
 * @param {Block} block
 * @param {readonly Person[]} people
 * @returns {HTMLElement}
 */
function drawInput(block, people) {
  const id = `field-${block.block_id}`;
  const hint = block.hint === undefined ? undefined : plainText(block.hint);
  return element(
    'div',
    { class: 'form-field', 'data-block-id': block.block_id },
    element(
      'label',
      { for: id },
      block.label === undefined ? '' : plainText(block.label),
      block.optional === true && element('span', { class: 'optional' }, ' (optional)'),
    ),
    block.element &&
      drawControl(
        block.element,
        {
          id,
          name: block.block_id,
          'aria-required': block.optional === true ? undefined : 'true',
          'aria-describedby': `${id}-hint ${id}-error`,
        },
        people,
      ),
    element('p', { id: `${id}-error`, class: 'field-error', role: 'alert', hidden: true }),
    hint !== undefined && element('p', { id: `${id}-hint`, class: 'hint' }, hint),
  );
}

/** @typedef {{ scrollTop: number, focus: string | undefined }} Place */

/**
 * Where a person is in a dialog: how far down, and on which button.
 *
 * @param {HTMLDialogElement | null} dialog
 * @returns {Place | undefined}
 */
function placeIn(dialog) {
  const body = dialog?.querySelector('.dialog-body');
  const { activeElement } = document;
  if (!(body instanceof HTMLElement)) return undefined;
  const focus = activeElement instanceof HTMLElement ? activeElement.dataset['focus'] : undefined;
  return { scrollTop: body.scrollTop, focus };
}

/**
 * Whoever works through a list stays where they are when it is drawn again.
 *
 * @param {HTMLDialogElement} dialog
 * @param {Place} place
 */
function returnTo(dialog, { scrollTop, focus }) {
  const button = focus === undefined ? null : dialog.querySelector(`[data-focus="${CSS.escape(focus)}"]`);
  if (button instanceof HTMLElement) button.focus({ preventScroll: true });
  const body = dialog.querySelector('.dialog-body');
  if (body instanceof HTMLElement) body.scrollTop = scrollTop;
}

/**
 * @typedef {object} ModalActions
 * @property {(viewId: string, values: Record<string, string>) => Promise<string | undefined>} submit answers a sentence if it failed as a whole
 * @property {(viewId: string) => void} close
 * @property {(viewId: string, block: Block, button: BlockElement) => void} press
 */

/**
 * The dialog for modals. `show` is called on every poll: it draws again only when another view, or another version of it,
 * is on top, so that typing, focus and scroll position stay.
 *
 * @param {ModalActions} actions
 */
export function createModalHost(actions) {
  /** @type {HTMLDialogElement | null} */
  let dialog = null;
  let shown = '';
  let viewId = '';
  /** @type {Element | null} */
  let focusBefore = null;

  function remove() {
    dialog?.close();
    dialog?.remove();
    dialog = null;
    shown = '';
    if (focusBefore instanceof HTMLElement && focusBefore.isConnected) focusBefore.focus();
  }

  /** @param {Record<string, string>} errors */
  function showErrors(errors) {
    if (dialog === null) return;
    /** @type {HTMLElement | undefined} */
    let first;
    for (const field of dialog.querySelectorAll('.form-field')) {
      if (!(field instanceof HTMLElement)) continue;
      const sentence = errors[field.dataset['blockId'] ?? ''];
      const place = field.querySelector('.field-error');
      const control = field.querySelector('input, textarea, select');
      if (!(place instanceof HTMLElement) || !(control instanceof HTMLElement)) continue;
      place.hidden = sentence === undefined;
      if (place.textContent !== (sentence ?? '')) place.textContent = sentence ?? '';
      if (sentence === undefined) control.removeAttribute('aria-invalid');
      else {
        if (!control.hasAttribute('aria-invalid')) first ??= control;
        control.setAttribute('aria-invalid', 'true');
      }
    }
    first?.focus();
  }

  /**
   * @param {OpenView} open
   * @param {Names} names
   * @param {readonly Person[]} people
   * @returns {HTMLDialogElement}
   */
  function draw({ view }, names, people) {
    const trouble = element('p', { class: 'dialog-trouble', role: 'alert', hidden: true });
    const submitButton =
      view.submit && element('button', { type: 'submit', class: 'button primary' }, plainText(view.submit));
    const form = element(
      'form',
      {
        novalidate: true,
        onsubmit: async (/** @type {Event} */ event) => {
          event.preventDefault();
          /** @type {Record<string, string>} */
          const values = {};
          for (const [name, value] of new FormData(form)) values[name] = String(value);
          if (submitButton) submitButton.disabled = true;
          trouble.hidden = true;
          const sentence = await actions.submit(view.id, values);
          if (submitButton) submitButton.disabled = false;
          trouble.hidden = sentence === undefined;
          trouble.textContent = sentence ?? '';
        },
      },
      element(
        'div',
        { class: 'dialog-body' },
        ...view.blocks.map((block) =>
          block.type === 'input'
            ? drawInput(block, people)
            : drawBlock(block, { names, onButton: (where, button) => actions.press(view.id, where, button) }),
        ),
        trouble,
      ),
      element(
        'div',
        { class: 'dialog-buttons' },
        element(
          'button',
          { type: 'button', class: 'button', onclick: () => actions.close(view.id) },
          view.close ? plainText(view.close) : 'Close',
        ),
        submitButton,
      ),
    );
    return element(
      'dialog',
      {
        class: 'dialog',
        'aria-labelledby': 'modal-title',
        'data-testid': 'modal',
        'data-view-id': view.id,
        oncancel: (/** @type {Event} */ event) => {
          event.preventDefault();
          actions.close(view.id);
        },
      },
      element(
        'div',
        { class: 'dialog-title' },
        element('span', { class: 'avatar bot small', 'aria-hidden': 'true' }),
        element('h2', { id: 'modal-title' }, view.title ? plainText(view.title) : ''),
        element(
          'button',
          { type: 'button', class: 'icon-button', 'aria-label': 'Close dialog', onclick: () => actions.close(view.id) },
          '✕',
        ),
      ),
      form,
    );
  }

  return {
    /**
     * @param {OpenView | undefined} open the modal on top, if one is open
     * @param {Names} names
     * @param {readonly Person[]} people
     */
    show(open, names, people) {
      if (open === undefined) {
        if (dialog !== null) remove();
        return;
      }
      const version = `${open.id} ${open.view.hash}`;
      if (version !== shown) {
        if (dialog === null) focusBefore = document.activeElement;
        const before = open.id === viewId ? placeIn(dialog) : undefined;
        dialog?.close();
        dialog?.remove();
        dialog = draw(open, names, people);
        document.body.append(dialog);
        dialog.showModal();
        const first = dialog.querySelector('.form-field input, .form-field textarea, .form-field select');
        if (first instanceof HTMLElement) first.focus();
        if (before !== undefined) returnTo(dialog, before);
        shown = version;
        viewId = open.id;
      }
      showErrors(open.errors ?? {});
    },
    /** The id of the view that is shown, if one is. */
    current: () => (dialog === null ? undefined : viewId),
  };
}

/**
 * A dialog of the page itself, such as the audit trail.
 *
 * @param {string} title
 * @param {HTMLElement} content
 * @param {() => void} [onClose]
 * @returns {HTMLDialogElement}
 */
export function openPanelDialog(title, content, onClose) {
  const before = document.activeElement;
  const dialog = element(
    'dialog',
    { class: 'dialog wide', 'aria-labelledby': 'panel-dialog-title' },
    element(
      'div',
      { class: 'dialog-title' },
      element('h2', { id: 'panel-dialog-title' }, title),
      element(
        'button',
        { type: 'button', class: 'icon-button', 'aria-label': 'Close dialog', onclick: () => dialog.close() },
        '✕',
      ),
    ),
    element('div', { class: 'dialog-body' }, content),
  );
  dialog.addEventListener('close', () => {
    dialog.remove();
    onClose?.();
    if (before instanceof HTMLElement && before.isConnected) before.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
