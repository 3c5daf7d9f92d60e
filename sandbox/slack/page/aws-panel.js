import { byId, element, reconcile } from './dom.js';

/** @typedef {import('./sandbox-api.js').Fault} Fault */
/** @typedef {import('./sandbox-api.js').KmsKey} KmsKey */
/** @typedef {import('./sandbox-api.js').State} State */
/** @typedef {(path: 'keys' | 'keys/act' | 'clock' | 'fault', body: Record<string, unknown>, done: string) => Promise<void>} Run */

const KINDS = {
  symmetric: 'Symmetric (rotates automatically)',
  'multi-region': 'Multi-Region primary',
  imported: 'Imported key material',
  rsa: 'RSA (asymmetric)',
  hmac: 'HMAC',
  'custom-key-store': 'Custom key store (CloudHSM)',
  'aws-managed': 'AWS managed',
};
const ACTORS = {
  person: 'a person',
  terraform: 'Terraform',
  cloudformation: 'CloudFormation',
  console: 'the AWS console',
};

const FAULTS = [
  {
    label: 'KMS throttles EnableKeyRotation',
    service: 'kms',
    operation: 'EnableKeyRotation',
    error: 'ThrottlingException',
  },
  {
    label: 'KMS denies EnableKeyRotation (key policy)',
    service: 'kms',
    operation: 'EnableKeyRotation',
    error: 'AccessDeniedException:key-policy',
  },
  {
    label: 'KMS denies EnableKeyRotation (SCP)',
    service: 'kms',
    operation: 'EnableKeyRotation',
    error: 'AccessDeniedException:scp',
  },
  { label: 'KMS fails inside', service: 'kms', operation: '*', error: 'KMSInternalException' },
  { label: 'Slack is down (HTTP 500)', service: 'slack', operation: '*', error: 'http_500' },
  { label: 'Slack limits chat.postMessage', service: 'slack', operation: 'chat.postMessage', error: 'ratelimited' },
  { label: 'Slack: channel_not_found', service: 'slack', operation: 'chat.postMessage', error: 'channel_not_found' },
  {
    label: 'Slack posts, but the answer is lost',
    service: 'slack',
    operation: 'chat.postMessage',
    error: 'timeout_after_accept',
  },
  { label: 'Slack hangs up before posting', service: 'slack', operation: 'chat.postMessage', error: 'timeout' },
];

const CLOCK_STEPS = { '1h': '+1 hour', '1d': '+1 day', '31d': '+31 days' };

/**
 * @param {string} id
 * @param {Record<string, string>} options
 * @param {string} [chosen]
 */
function select(id, options, chosen) {
  const made = element(
    'select',
    { id },
    ...Object.entries(options).map(([value, label]) => element('option', { value }, label)),
  );
  if (chosen !== undefined) made.value = chosen;
  return made;
}

/**
 * @param {string} label
 * @param {HTMLElement} control
 */
function field(label, control) {
  return element('div', { class: 'panel-field' }, element('label', { for: control.id }, label), control);
}

/** @param {KmsKey} key */
export function keyName({ aliases, keyId }) {
  return aliases[0] ?? keyId;
}

/**
 * @param {KmsKey} key
 * @returns {{ words: string, tone: string }}
 */
function rotationBadge({ rotation, keySpec, origin, keyManager }) {
  if (keyManager === 'AWS') return { words: 'rotated by AWS', tone: 'neutral' };
  if (rotation?.enabled === true) return { words: `rotates every ${rotation.periodInDays ?? 365} days`, tone: 'good' };
  if (keySpec !== 'SYMMETRIC_DEFAULT' || !['AWS_KMS', 'EXTERNAL'].includes(origin)) {
    return { words: 'cannot rotate', tone: 'neutral' };
  }
  if (origin === 'EXTERNAL') return { words: 'manual rotation only', tone: 'warn' };
  return { words: 'rotation off', tone: 'bad' };
}

/**
 * The actions that make sense for a key as it is.
 *
 * @param {KmsKey} key
 * @returns {[action: string, label: string][]}
 */
function actionsFor({ keyState, keySpec, origin, rotation, multiRegion, keyManager }) {
  /** @type {[string, string, boolean][]} */
  const all = [
    ['enable-rotation', 'Switch rotation on', rotation?.enabled !== true],
    ['disable-rotation', 'Switch rotation off', rotation?.enabled === true],
    ['rotate-on-demand', 'Rotate now', keySpec === 'SYMMETRIC_DEFAULT'],
    ['import-material', 'Import key material', origin === 'EXTERNAL'],
    ['delete-material', 'Delete key material', origin === 'EXTERNAL' && keyState === 'Enabled'],
    ['replicate', 'Replicate to another Region', Boolean(multiRegion)],
    ['tag', 'Tag', true],
    ['disable', 'Disable', keyState === 'Enabled'],
    ['enable', 'Enable', keyState === 'Disabled'],
    ['schedule-deletion', 'Schedule deletion', keyState !== 'PendingDeletion'],
    ['cancel-deletion', 'Cancel deletion', keyState === 'PendingDeletion'],
    ['lock-out-bot', 'Lock the bot out (key policy)', true],
    ['let-bot-in', 'Let the bot in again', true],
  ];
  if (keyManager === 'AWS') return [];
  return all.filter(([, , applies]) => applies).map(([action, label]) => [action, label]);
}

/**
 * @param {KmsKey} key
 * @param {State} state
 * @param {(key: KmsKey, action: string, extra: Record<string, unknown>) => void} onAction
 * @param {(key: KmsKey) => void} onAudit
 * @returns {HTMLElement}
 */
function drawKey(key, state, onAction, onAudit) {
  const badge = rotationBadge(key);
  const otherRegion = state.regions.find((region) => region !== key.region);
  const tagField = element('input', {
    type: 'text',
    'data-focus': 'tag',
    'aria-label': 'Tag as name=value',
    placeholder: 'name=value',
  });
  /** @param {string} action */
  const perform = (action) => {
    if (action === 'replicate') onAction(key, action, { region: otherRegion });
    else if (action === 'tag') {
      const [name = '', ...value] = tagField.value.split('=');
      if (name.trim() === '') tagField.focus();
      else onAction(key, action, { tags: { [name.trim()]: value.join('=').trim() } });
    } else onAction(key, action, {});
  };
  const actions = actionsFor(key);
  return element(
    'li',
    { class: 'key', 'data-arn': key.arn, 'data-testid': 'key' },
    element(
      'div',
      { class: 'key-head' },
      element('strong', { class: 'key-name' }, keyName(key)),
      element('span', { class: `badge ${badge.tone}` }, badge.words),
      key.keyState !== 'Enabled' && element('span', { class: 'badge warn' }, key.keyState),
    ),
    element('p', { class: 'key-where' }, `${key.accountName} (${key.accountId}) · ${key.region}`),
    key.description !== undefined && key.description !== '' && element('p', { class: 'key-where' }, key.description),
    element('p', { class: 'key-id' }, key.aliases.length > 0 && element('code', {}, key.keyId), ` ${key.keySpec}`),
    element(
      'div',
      { class: 'key-buttons' },
      element(
        'button',
        { type: 'button', class: 'button quiet', 'data-focus': 'audit', onclick: () => onAudit(key) },
        'Audit trail',
        element('span', { class: 'visually-hidden' }, ` of ${keyName(key)}`),
      ),
      actions.length > 0 &&
        element(
          'details',
          { 'data-focus': 'actions' },
          element(
            'summary',
            { class: 'button quiet', 'data-focus': 'summary' },
            'Act on it',
            element('span', { class: 'visually-hidden' }, `: ${keyName(key)}`),
          ),
          element(
            'div',
            { class: 'key-actions' },
            ...actions.flatMap(([action, label]) => [
              action === 'tag' && tagField,
              element(
                'button',
                {
                  type: 'button',
                  class: 'button quiet',
                  'data-action': action,
                  'data-focus': action,
                  onclick: () => perform(action),
                },
                label,
              ),
            ]),
          ),
        ),
    ),
  );
}

/**
 * Builds the "Simulated AWS" panel once; `show` is then called with every new state.
 *
 * @param {Run} run
 * @param {{ person: () => string, openAudit: (key: KmsKey) => void }} page
 */
export function createAwsPanel(run, page) {
  const now = element('strong', { 'data-testid': 'clock' });
  const pending = element('p', { class: 'pending', role: 'status' });
  const kind = select('key-kind', KINDS);
  const account = select('key-account', {});
  const region = select('key-region', {});
  const actor = select('key-as', ACTORS);
  const alias = element('input', { id: 'key-alias', type: 'text', placeholder: 'payments/cards', autocomplete: 'off' });
  const description = element('input', { id: 'key-description', type: 'text', autocomplete: 'off' });
  const keys = element('ul', { class: 'keys', 'aria-label': 'Keys' });
  const noKeys = element('p', { class: 'empty' }, 'No keys yet. Create one and watch the channel.');
  const fault = select('fault-kind', Object.fromEntries(FAULTS.map(({ label }, index) => [String(index), label])));
  const times = element('input', { id: 'fault-times', type: 'number', min: '1', max: '99', value: '1' });
  const faults = element('ul', { class: 'faults', 'aria-label': 'Active faults' });
  const count = element('span', { class: 'count' });

  /** Who makes the AWS calls; a person is the one who is playing. */
  const asWhom = () => ({ as: actor.value, user: page.person() });

  const createForm = element(
    'form',
    {
      class: 'panel-form',
      'aria-label': 'Create a key',
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        const name = alias.value.trim().replace(/^alias\//, '');
        void run(
          'keys',
          {
            kind: kind.value,
            account: account.value,
            region: region.value,
            ...(name === '' ? {} : { alias: `alias/${name}` }),
            ...(description.value.trim() === '' ? {} : { description: description.value.trim() }),
            ...asWhom(),
          },
          'Key created.',
        );
      },
    },
    field('Kind of key', kind),
    field('Account', account),
    field('Region', region),
    field('Alias (optional)', alias),
    field('Description (optional)', description),
    element('button', { type: 'submit', class: 'button aws' }, 'Create key'),
  );

  const faultForm = element(
    'form',
    {
      class: 'panel-form',
      'aria-label': 'Set a fault',
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        const chosen = FAULTS[Number(fault.value)];
        if (chosen === undefined) return;
        const { service, operation, error } = chosen;
        void run('fault', { service, operation, error, times: Number(times.value) }, 'The fault waits for its call.');
      },
    },
    field('Fault', fault),
    field('Times', times),
    element('button', { type: 'submit', class: 'button quiet' }, 'Set fault'),
  );

  byId('aws-panel').append(
    element(
      'section',
      { 'aria-labelledby': 'clock-title', class: 'card' },
      element('div', { class: 'card-head' }, element('h3', { id: 'clock-title' }, 'Clock'), pending),
      element('p', { class: 'clock' }, now),
      element(
        'div',
        { class: 'row' },
        ...Object.entries(CLOCK_STEPS).map(([advance, label]) =>
          element(
            'button',
            {
              type: 'button',
              class: 'button quiet',
              onclick: () => void run('clock', { advance }, `The clock moved: ${label}.`),
            },
            label,
          ),
        ),
      ),
    ),
    element(
      'section',
      { 'aria-labelledby': 'create-title', class: 'card' },
      element('h3', { id: 'create-title' }, 'Create a key'),
      field('AWS calls are made by', actor),
      createForm,
    ),
    element(
      'section',
      { 'aria-labelledby': 'keys-title', class: 'card' },
      element('h3', { id: 'keys-title' }, 'Keys ', count),
      noKeys,
      keys,
    ),
    element(
      'section',
      { 'aria-labelledby': 'faults-title', class: 'card' },
      element('h3', { id: 'faults-title' }, 'Faults'),
      faultForm,
      faults,
    ),
  );

  /**
   * @param {HTMLSelectElement} list
   * @param {[value: string, label: string][]} options
   */
  function fill(list, options) {
    if (list.options.length === options.length) return;
    list.replaceChildren(...options.map(([value, label]) => element('option', { value }, label)));
  }

  return {
    /** @param {State} state */
    show(state) {
      now.textContent = new Date(state.clock.now).toLocaleString('en-GB', {
        dateStyle: 'full',
        timeStyle: 'medium',
      });
      pending.textContent =
        state.pending > 0 ? `${state.pending} ${state.pending === 1 ? 'delivery' : 'deliveries'} on the way …` : '';
      fill(
        account,
        state.accounts.map(({ id, name }) => [id, name]),
      );
      fill(
        region,
        state.regions.map((name) => [name, name]),
      );
      noKeys.hidden = state.keys.length > 0;
      count.textContent = state.keys.length > 0 ? String(state.keys.length) : '';
      reconcile(
        keys,
        state.keys,
        ({ arn }) => arn,
        (key) =>
          drawKey(
            key,
            state,
            (target, action, extra) => {
              void run('keys/act', { arn: target.arn, action, ...asWhom(), ...extra }, 'Done.');
            },
            page.openAudit,
          ),
      );
      reconcile(
        faults,
        state.faults,
        ({ service, operation, error }) => `${service} ${operation} ${error}`,
        (active) =>
          element(
            'li',
            { class: 'fault' },
            element('span', {}, `${active.service} ${active.operation}: ${active.error}, ${active.times} more`),
            element(
              'button',
              {
                type: 'button',
                class: 'link',
                'data-focus': 'remove',
                onclick: () => {
                  const { service, operation, error } = active;
                  void run('fault', { service, operation, error, times: 0 }, 'The fault is gone.');
                },
              },
              'Remove',
            ),
          ),
      );
    },
  };
}
