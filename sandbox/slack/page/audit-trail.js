import { element } from './dom.js';

/** @typedef {{ when: string, who: string, what: string, why: string, result: string, hash: string, intact: boolean }} Row */

/**
 * The value at a path of nested objects, if every step exists.
 *
 * @param {unknown} value
 * @param {string} path
 * @returns {unknown}
 */
function at(value, path) {
  let here = value;
  for (const step of path.split('.')) {
    if (typeof here !== 'object' || here === null) return undefined;
    here = /** @type {Record<string, unknown>} */ (here)[step];
  }
  return here;
}

/**
 * The first of these paths that leads to words.
 *
 * @param {unknown} value
 * @param {...string} paths
 * @returns {string | undefined}
 */
function words(value, ...paths) {
  for (const path of paths) {
    const found = at(value, path);
    if (typeof found === 'string' && found !== '') return found;
    if (typeof found === 'number') return String(found);
  }
  return undefined;
}

/** @param {string} text */
const readable = (text) => text.charAt(0).toUpperCase() + text.slice(1).replaceAll('-', ' ');

/**
 * @param {(string | undefined | false)[]} parts
 */
const joined = (parts) => parts.filter((part) => part !== undefined && part !== false).join('; ');

/** Who acted when the event names nobody, by what caused it. */
const NOBODY = new Map([
  ['clock', 'kms-rotation-bot (clock)'],
  ['cloudtrail', 'CloudTrail'],
  ['kms-event', 'AWS KMS'],
]);

/** @param {unknown} event */
function who(event) {
  const deciders = ['by', 'approval.by'].map((path) => at(event, path));
  for (const decider of deciders) {
    const name = words(decider, 'name', 'person.name');
    if (name !== undefined) return name;
    const route = words(decider, 'route');
    if (route !== undefined) return `policy route "${route}"`;
  }
  return words(event, 'exemption.grantedBy.name', 'trigger.actor.name', 'trigger.by.name');
}

/** @param {unknown} event */
function why(event) {
  const exemption = at(event, 'exemption') ?? at(event, 'thenExempt');
  const until = words(exemption, 'until');
  const eventName = words(event, 'trigger.eventName');
  const tool = words(event, 'trigger.tool');
  return joined([
    words(exemption, 'reason'),
    words(exemption, 'ticket'),
    until && `until ${until.slice(0, 10)}`,
    eventName && (tool === undefined ? eventName : `${eventName} with ${tool}`),
    words(event, 'refusal.reason')?.replaceAll('-', ' '),
    words(event, 'failure.because')?.replaceAll('-', ' '),
    words(event, 'closing.because')?.replaceAll('-', ' '),
  ]);
}

/** @param {unknown} record */
function result(record) {
  const [before, after] = [words(record, 'statusBefore'), words(record, 'statusAfter')];
  const period = words(record, 'event.proof.rotationPeriodInDays');
  const enabled = at(record, 'event.proof.rotationEnabled');
  return joined([
    before !== undefined && after !== undefined && (before === after ? after : `${before} → ${after}`),
    enabled === true && `read back: rotation on${period === undefined ? '' : `, every ${period} days`}`,
    enabled === false && 'read back: rotation off',
    words(record, 'event.assessment.verdict')?.replaceAll('-', ' '),
  ]);
}

/**
 * The rows of an answer of `GET /sandbox/audit`: `{events, chain}`, where each event is a record of the audit trail (or is already
 * `{at, who, what, why, result, hash}`) and chain says `intact`, or at which `sequence` it breaks.
 *
 * @param {unknown} answer
 * @returns {{ rows: Row[], verdict: string, intact: boolean }}
 */
export function readAudit(answer) {
  const events = at(answer, 'events');
  const list = Array.isArray(events) ? events : [];
  const chain = at(answer, 'chain');
  const intact = chain === true || at(chain, 'intact') === true;
  const brokenAt = Number(words(chain, 'sequence') ?? (intact ? Number.POSITIVE_INFINITY : 0));
  const rows = list.map((record, index) => {
    const event = at(record, 'event') ?? record;
    return {
      when: words(event, 'at') ?? words(record, 'at', 'when') ?? '',
      who: words(record, 'who') ?? who(event) ?? NOBODY.get(words(record, 'cause.kind') ?? '') ?? 'kms-rotation-bot',
      what: readable(words(record, 'what') ?? words(event, 'type') ?? ''),
      why: words(record, 'why') ?? why(event),
      result: words(record, 'result') ?? result(record),
      hash: words(record, 'hash') ?? '',
      intact: intact || index + 1 < brokenAt,
    };
  });
  const verdict = intact
    ? `The hash chain holds: ${rows.length} ${rows.length === 1 ? 'event' : 'events'}, nothing altered, removed or inserted.`
    : `The hash chain is broken: ${words(chain, 'problem') ?? 'an event does not match its hash'}.`;
  return { rows, verdict: rows.length === 0 && intact ? 'Nothing has happened to this key yet.' : verdict, intact };
}

/** @param {string} iso */
function when(iso) {
  const date = new Date(iso);
  return Number.isNaN(date.getTime())
    ? iso
    : date.toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
}

/**
 * @param {unknown} answer
 * @returns {HTMLElement}
 */
export function drawAudit(answer) {
  const { rows, verdict, intact } = readAudit(answer);
  const heads = ['When', 'Who', 'What', 'Why', 'Result', 'Hash'];
  return element(
    'div',
    { class: 'audit' },
    element('p', { class: `verdict ${intact ? 'good' : 'bad'}`, role: 'status' }, verdict),
    rows.length > 0 &&
      element(
        'div',
        { class: 'table-scroll', tabindex: '0', role: 'region', 'aria-label': 'Audit events' },
        element(
          'table',
          { 'data-testid': 'audit-table' },
          element('thead', {}, element('tr', {}, ...heads.map((head) => element('th', { scope: 'col' }, head)))),
          element(
            'tbody',
            {},
            ...rows.map((row) =>
              element(
                'tr',
                {},
                element('td', {}, element('time', { datetime: row.when }, when(row.when))),
                element('td', {}, row.who),
                element('td', {}, row.what),
                element('td', {}, row.why),
                element('td', {}, row.result),
                element(
                  'td',
                  { class: row.intact ? 'hash-good' : 'hash-bad' },
                  element('code', { title: row.hash }, row.hash.slice(0, 8)),
                  row.intact ? ' ✓ ok' : ' ✗ broken',
                ),
              ),
            ),
          ),
        ),
      ),
  );
}
