/** Joins the parts of the page: polls the sandbox once a second and draws what changed. */
import { drawAudit } from './audit-trail.js';
import { createAwsPanel, keyName } from './aws-panel.js';
import { drawBlock } from './blocks.js';
import { askConfirm, createModalHost, openPanelDialog } from './dialogs.js';
import { byId, element, reconcile } from './dom.js';
import { channelEntries, drawEntry, threadEntries } from './messages.js';
import { act, getAudit, getState, RefusedCall } from './sandbox-api.js';
import { drawDestinations, drawPeople } from './sidebar.js';

/** @typedef {import('./sandbox-api.js').Block} Block */
/** @typedef {import('./sandbox-api.js').BlockElement} BlockElement */
/** @typedef {import('./sandbox-api.js').Channel} Channel */
/** @typedef {import('./sandbox-api.js').KmsKey} KmsKey */
/** @typedef {import('./sandbox-api.js').State} State */
/** @typedef {import('./mrkdwn.js').Names} Names */

const POLL_MS = 1000;
/** The destination that shows the person's App Home. */
const HOME = 'home';

/** @type {State | undefined} */
let state;
let person = '';
let place = '';
/** @type {string | null} */
let threadTs = null;
/** Newest ts that was on the screen, per channel: what is newer is unread. @type {Map<string, number>} */
const readUpTo = new Map();
/** @type {Set<string>} */
const dismissed = new Set();
/** The message that a permalink names. @type {string | null} */
let linked = null;

/** @param {string} sentence */
function say(sentence) {
  const toast = byId('toast');
  toast.textContent = sentence;
  clearTimeout(Number(toast.dataset['timer']));
  toast.dataset['timer'] = String(setTimeout(() => say(''), 5000));
}

/** @param {unknown} error */
function sayError(error) {
  if (!(error instanceof RefusedCall)) throw error;
  say(error.message);
}

/** @returns {Names} */
function names() {
  return {
    people: new Map([
      ...(state?.people ?? []).map(({ id, displayName }) => /** @type {[string, string]} */ ([id, displayName])),
      ['U0BOT', 'kms-rotation-bot'],
    ]),
    channels: new Map((state?.channels ?? []).map(({ id, name }) => [id, name])),
    groups: new Map((state?.userGroups ?? []).map(({ id, handle }) => [id, handle])),
  };
}

/** @param {Channel} channel */
function newest(channel) {
  const all = channel.messages.flatMap(({ ts, replies = [] }) => [
    ts,
    ...replies.filter(({ broadcast }) => broadcast === true).map((reply) => reply.ts),
  ]);
  return Math.max(0, ...all.map(Number));
}

function visibleChannels() {
  return (state?.channels ?? []).filter(({ directMessageOf }) => [undefined, person].includes(directMessageOf));
}

const ephemeralsHere = () =>
  (state?.ephemerals ?? []).filter(
    ({ user, channel, ts }) => user === person && channel === place && !dismissed.has(ts),
  );

/**
 * Clicks a button as the chosen person, after its confirm dialog.
 *
 * @param {Record<string, unknown>} where channel and ts, or viewId
 * @param {Block} block
 * @param {BlockElement} button
 * @param {(sentence: string) => void} trouble
 */
async function press(where, block, button, trouble) {
  const user = person;
  if (button.confirm !== undefined && !(await askConfirm(button.confirm, names()))) return;
  if (button.url !== undefined && /^https?:/.test(button.url)) window.open(button.url, '_blank', 'noreferrer');
  try {
    const seen = { text: button.text?.text ?? '', value: button.value };
    const outcome = await act('click', { user, ...where, actionId: button.action_id, blockId: block.block_id, seen });
    trouble(outcome.ok === false ? (outcome.error ?? 'The app did not answer.') : '');
  } catch (error) {
    sayError(error);
  }
  await refresh();
}

/**
 * Does what is no click, as the chosen person.
 *
 * @param {'enter' | 'open-home' | 'command'} path
 * @param {Record<string, unknown>} body
 */
async function tell(path, body) {
  try {
    const outcome = await act(path, { user: person, ...body });
    if (outcome.ok === false) say(outcome.error ?? 'The app did not answer.');
  } catch (error) {
    sayError(error);
  }
  await refresh();
}

/**
 * Shows Slack's warning below the message whose button failed.
 *
 * @param {string} ts
 * @returns {(sentence: string) => void}
 */
function troubleAt(ts) {
  return (sentence) => {
    for (const place of document.querySelectorAll(`[data-ts="${CSS.escape(ts)}"] .press-trouble`)) {
      if (!(place instanceof HTMLElement)) continue;
      place.textContent = sentence === '' ? '' : `⚠ ${sentence}`;
      place.hidden = sentence === '';
    }
  };
}

const modal = createModalHost({
  async submit(viewId, values) {
    try {
      const outcome = await act('submit', { user: person, viewId, values });
      await refresh();
      return outcome.ok === false && outcome.errors === undefined ? outcome.error : undefined;
    } catch (error) {
      if (error instanceof RefusedCall) return error.message;
      throw error;
    }
  },
  close(viewId) {
    act('close-view', { user: person, viewId }).then(refresh, sayError);
  },
  press(viewId, block, button) {
    void press({ viewId }, block, button, say);
  },
});

const panel = createAwsPanel(
  async (path, body, done) => {
    try {
      await act(path, body);
      say(done);
    } catch (error) {
      sayError(error);
    }
    await refresh();
  },
  { person: () => person, openAudit: (key) => void openAudit(key) },
);

/** Shows the audit trail of a key and keeps it current while it is open. @param {KmsKey} key */
async function openAudit(key) {
  const content = element('div');
  let drawn = '';
  const load = async () => {
    try {
      const answer = await getAudit(key.arn);
      const version = JSON.stringify(answer);
      if (version !== drawn) content.replaceChildren(drawAudit(answer));
      drawn = version;
    } catch (error) {
      sayError(error);
    }
  };
  await load();
  const timer = setInterval(() => void load(), POLL_MS);
  openPanelDialog(`Audit trail of ${keyName(key)}`, content, () => clearInterval(timer));
}

function paneTabs() {
  return [...document.querySelectorAll('[data-show-pane]')].filter((tab) => tab instanceof HTMLElement);
}

/** On a narrow screen one pane is shown at a time. @param {string} pane */
function showPane(pane) {
  document.body.dataset['pane'] = pane;
  for (const tab of paneTabs()) tab.setAttribute('aria-pressed', String(tab.dataset['showPane'] === pane));
}

/** @param {string} destination */
function go(destination) {
  place = destination;
  threadTs = null;
  linked = null;
  showPane('messages');
  draw();
  if (destination === HOME) void tell('open-home', {});
  const list = byId('messages');
  list.scrollTop = list.scrollHeight;
}

/** @param {string | null} ts */
function openThread(ts) {
  threadTs = ts;
  draw();
  if (ts !== null) byId('close-thread').focus();
}

function drawSidebar() {
  if (state === undefined) return;
  drawPeople(byId('people'), state.people, person, (id) => {
    person = id;
    const stillVisible = place === HOME || visibleChannels().some((channel) => channel.id === place);
    if (!stillVisible) place = state?.channels[0]?.id ?? '';
    draw();
    if (place === HOME) void tell('open-home', {});
  });
  const me = state.people.find(({ id }) => id === person);
  byId('you').textContent = me?.displayName ?? '';
  drawDestinations(
    byId('channels'),
    [
      ...visibleChannels().map((channel) => ({
        id: channel.id,
        label: channel.directMessageOf === undefined ? channel.name : 'kms-rotation-bot (direct messages)',
        kind: channel.directMessageOf === undefined ? /** @type {const} */ ('channel') : /** @type {const} */ ('app'),
        unread: channel.id !== place && newest(channel) > (readUpTo.get(channel.id) ?? 0),
        current: channel.id === place,
      })),
      {
        id: HOME,
        label: 'kms-rotation-bot (Home)',
        kind: /** @type {const} */ ('app'),
        unread: false,
        current: place === HOME,
      },
    ],
    go,
  );
}

/** @param {Channel} channel */
function drawChannel(channel) {
  const list = byId('messages');
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  const entries = channelEntries(channel, ephemeralsHere());
  const actions = {
    names: names(),
    channel: channel.id,
    /** @type {import('./messages.js').EntryActions['press']} */
    press: (entry, block, button) =>
      void press({ channel: channel.id, ts: entry.ts }, block, button, troubleAt(entry.ts)),
    openThread,
    /** @type {(ts: string) => void} */
    dismiss: (ts) => {
      dismissed.add(ts);
      draw();
    },
  };
  reconcile(
    byId('message-list'),
    entries,
    ({ ts }) => ts,
    (entry) => drawEntry(entry, actions),
    () => channel.id,
  );
  byId('no-messages').hidden = entries.length > 0;
  if (linked !== null) {
    const target = list.querySelector(`[data-ts="${CSS.escape(linked)}"]`);
    if (target instanceof HTMLElement) {
      target.classList.add('linked');
      target.scrollIntoView({ block: 'center' });
      linked = null;
    }
  } else if (atEnd) list.scrollTop = list.scrollHeight;
  readUpTo.set(channel.id, newest(channel));

  const root = channel.messages.find(({ ts }) => ts === threadTs);
  byId('thread').hidden = root === undefined;
  document.body.classList.toggle('with-thread', root !== undefined);
  if (root === undefined) {
    byId('thread-list').replaceChildren();
    return;
  }
  byId('thread-channel').textContent = channel.directMessageOf === undefined ? `#${channel.name}` : '';
  reconcile(
    byId('thread-list'),
    threadEntries(root, ephemeralsHere()),
    ({ ts }) => ts,
    (entry) => drawEntry(entry, actions),
  );
}

function drawHome() {
  const home = state?.views.find(({ user, view }) => user === person && view.type === 'home');
  reconcile(
    byId('home'),
    home === undefined ? [] : [home],
    ({ id }) => id,
    ({ id, view }) =>
      element(
        'div',
        { 'data-view-id': id },
        ...view.blocks.map((block) =>
          drawBlock(block, {
            names: names(),
            onButton: (where, button) => void press({ viewId: id }, where, button, say),
            onEnter: (where, value) => void tell('enter', { viewId: id, actionId: where.element?.action_id, value }),
          }),
        ),
      ),
  );
}

function draw() {
  if (state === undefined) return;
  panel.show(state);
  const channel = visibleChannels().find(({ id }) => id === place);
  const isHome = place === HOME;
  byId('home').hidden = !isHome;
  byId('message-list').hidden = isHome;
  byId('no-messages').hidden = true;
  byId('command').hidden = isHome;
  if (channel !== undefined) {
    byId('place').textContent = channel.directMessageOf === undefined ? `# ${channel.name}` : 'kms-rotation-bot';
    drawChannel(channel);
  } else {
    byId('place').textContent = 'kms-rotation-bot';
    byId('thread').hidden = true;
    document.body.classList.remove('with-thread');
  }
  if (isHome) drawHome();
  drawSidebar();
  const onTop = state.views.filter(({ user, view }) => user === person && view.type === 'modal').at(-1);
  modal.show(onTop, names(), state.people);
}

let refreshes = 0;
async function refresh() {
  refreshes += 1;
  const mine = refreshes;
  const fresh = await getState();
  // A slow answer must not undo a newer one.
  if (mine !== refreshes) return;
  const first = state === undefined;
  state = fresh;
  if (first) {
    person = fresh.people[0]?.id ?? '';
    place = fresh.channels[0]?.id ?? '';
    for (const channel of fresh.channels) readUpTo.set(channel.id, newest(channel));
    followPermalink(fresh);
  }
  byId('offline').hidden = true;
  draw();
}

/**
 * Opens the message that the address names: /archives/C0.../p<ts without its dot>[?thread_ts=...].
 *
 * @param {State} fresh
 */
function followPermalink(fresh) {
  const match = /^\/archives\/([A-Z0-9]+)\/p(\d+)(\d{6})$/.exec(location.pathname);
  const channel = fresh.channels.find(({ id }) => id === match?.[1]);
  if (match === null || channel === undefined) return;
  person = channel.directMessageOf ?? person;
  place = channel.id;
  linked = `${match[2]}.${match[3]}`;
  threadTs = new URLSearchParams(location.search).get('thread_ts');
}

async function poll() {
  try {
    await refresh();
  } catch (error) {
    if (!(error instanceof RefusedCall)) throw error;
    byId('offline').hidden = false;
  } finally {
    setTimeout(() => void poll(), POLL_MS);
  }
}

for (const tab of paneTabs()) {
  tab.addEventListener('click', () => showPane(tab.dataset['showPane'] ?? 'messages'));
}
byId('command').addEventListener('submit', (event) => {
  event.preventDefault();
  const field = byId('command-text');
  if (!(field instanceof HTMLInputElement)) return;
  const [command = '', ...words] = field.value.trim().split(' ');
  if (!command.startsWith('/')) {
    say('Here a line begins with a command, such as /kms-rotation help.');
    return;
  }
  field.value = '';
  void tell('command', { channel: place, command, text: words.join(' ') });
});
byId('close-thread').addEventListener('click', () => {
  const root = threadTs;
  openThread(null);
  const back = document.querySelector(`[data-ts="${CSS.escape(root ?? '')}"] .thread-link`);
  if (back instanceof HTMLElement) back.focus();
});

await poll();
