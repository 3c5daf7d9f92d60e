/** The `/sandbox/...` calls, all that this page can do; see sandbox/README.md. */

/** @typedef {{ id: string, displayName: string, role: string, teamId: string, guest?: boolean, deactivated?: boolean }} Person */
/** @typedef {{ type: string, text: string, emoji?: boolean, verbatim?: boolean }} TextObject */
/** @typedef {{ text: TextObject, value: string }} Option */
/** @typedef {{ title: TextObject, text: TextObject, confirm: TextObject, deny: TextObject, style?: string }} Confirm */
/**
 * @typedef {object} BlockElement
 * @property {string} type
 * @property {string} [action_id]
 * @property {TextObject} [text]
 * @property {string} [value]
 * @property {string} [url]
 * @property {string} [style]
 * @property {Confirm} [confirm]
 * @property {string} [accessibility_label]
 * @property {TextObject} [placeholder]
 * @property {boolean} [multiline]
 * @property {string} [initial_value]
 * @property {string} [initial_user]
 * @property {string} [initial_date]
 * @property {Option} [initial_option]
 * @property {number} [min_length]
 * @property {number} [max_length]
 * @property {Option[]} [options]
 * @property {{ label: TextObject, options: Option[] }[]} [option_groups]
 * @property {string} [alt_text]
 */
/**
 * @typedef {object} Leaf
 * @property {string} type
 * @property {string} [text]
 * @property {string} [url]
 * @property {string} [user_id]
 * @property {string} [usergroup_id]
 * @property {string} [channel_id]
 * @property {string} [name]
 * @property {string} [range]
 * @property {number} [timestamp]
 * @property {string} [format]
 * @property {string} [fallback]
 * @property {string} [value]
 * @property {Record<string, boolean>} [style]
 */
/** @typedef {{ type: string, elements: (Leaf & { elements?: Leaf[] })[], style?: string, indent?: number, offset?: number }} RichTextPart */
/**
 * @typedef {object} Block
 * @property {string} type
 * @property {string} block_id
 * @property {TextObject | string} [text]
 * @property {TextObject[]} [fields]
 * @property {BlockElement} [accessory]
 * @property {unknown[]} [elements]
 * @property {TextObject} [label]
 * @property {TextObject} [hint]
 * @property {BlockElement} [element]
 * @property {boolean} [optional]
 * @property {string} [alt_text]
 */
/**
 * @typedef {object} Message
 * @property {string} ts
 * @property {string} user
 * @property {string} text
 * @property {Block[]} [blocks]
 * @property {{ user: string, ts: string }} [edited]
 * @property {{ name: string, count: number }[]} [reactions]
 * @property {boolean} [broadcast]
 * @property {boolean} [deleted]
 * @property {Message[]} [replies]
 */
/** @typedef {{ id: string, name: string, archived?: boolean, directMessageOf?: string, messages: Message[] }} Channel */
/** @typedef {{ user: string, channel: string, ts: string, text: string, blocks?: Block[], thread_ts?: string }} Ephemeral */
/**
 * @typedef {object} View
 * @property {string} id
 * @property {string} hash
 * @property {string} type
 * @property {Block[]} blocks
 * @property {TextObject} [title]
 * @property {TextObject | null} [submit]
 * @property {TextObject | null} [close]
 */
/** @typedef {{ id: string, user: string, view: View, errors?: Record<string, string> }} OpenView */
/**
 * @typedef {object} KmsKey
 * @property {string} arn
 * @property {string} keyId
 * @property {string} accountId
 * @property {string} accountName
 * @property {string} region
 * @property {string} [description]
 * @property {string[]} aliases
 * @property {Record<string, string> | { TagKey: string, TagValue: string }[]} [tags]
 * @property {string} keySpec
 * @property {string} keyUsage
 * @property {string} origin
 * @property {string} keyState
 * @property {string} keyManager
 * @property {unknown} [multiRegion]
 * @property {string} [creationDate]
 * @property {{ enabled: boolean, periodInDays?: number, nextRotationDate?: string }} [rotation]
 */
/** @typedef {{ service: string, operation: string, error: string, times: number }} Fault */
/**
 * @typedef {object} State
 * @property {{ now: string }} clock
 * @property {{ id: string, name: string }[]} accounts
 * @property {string[]} regions
 * @property {Person[]} people
 * @property {{ id: string, handle: string }[]} [userGroups]
 * @property {Channel[]} channels
 * @property {OpenView[]} views
 * @property {Ephemeral[]} ephemerals
 * @property {KmsKey[]} keys
 * @property {Fault[]} faults
 * @property {number} pending
 */
/** @typedef {{ ok?: boolean, error?: string, errors?: Record<string, string> }} Outcome */

/** A call that the sandbox refused; the message is its sentence. */
export class RefusedCall extends Error {}

/**
 * @param {string} path
 * @param {unknown} [body] POST if given, else GET
 * @returns {Promise<unknown>}
 */
async function call(path, body) {
  /** @type {Response} */
  let response;
  try {
    response = await fetch(`/sandbox/${path}`, {
      ...(body === undefined
        ? {}
        : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
  } catch {
    throw new RefusedCall('The sandbox does not answer. Is it still running?');
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new RefusedCall(answer.error ?? `The sandbox answered ${response.status}.`);
  return answer;
}

/** @returns {Promise<State>} */
export async function getState() {
  return /** @type {State} */ (await call('state'));
}

/** @param {string} arn */
export async function getAudit(arn) {
  return call(`audit?key=${encodeURIComponent(arn)}`);
}

/**
 * @param {'click' | 'submit' | 'close-view' | 'enter' | 'open-home' | 'command' | 'keys' | 'keys/act' | 'clock' | 'fault'} path
 * @param {Record<string, unknown>} body
 * @returns {Promise<Outcome>}
 */
export async function act(path, body) {
  return /** @type {Outcome} */ (await call(path, body));
}
