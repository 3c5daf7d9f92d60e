/*
 * Mutations of JSON values that keep them JSON, driven by the fuzzer's bytes: most byte mutations of a JSON text only
 * make it unreadable. Three bytes are one edit: which place, which edit, and with what.
 */
const INTERESTING: readonly unknown[] = [
  ...[null, true, false, 0, -1, 0.5, 1e308, 2 ** 53, -(2 ** 31)],
  ...['', ' ', '0', '-1', 'null', 'true', '1e3', 'constructor', '__proto__', 'toString'],
  ...['<!channel>', '<@U0EVIL>', '&lt;!here>', '\u202e\u0000\ud800', '*bold* `code`', '🔑'.repeat(40)],
  ...['2026-02-30', '9999-12-31', '0000-01-01T00:00:00Z', '+275760-09-13T00:00:00.000Z', '1969-12-31T23:59:60Z'],
  ...['https://hooks.slack.com.evil.example/', 'http://169.254.169.254/', 'file:///etc/passwd'],
  ...['x'.repeat(301), 'a@'.repeat(2000), '/'.repeat(3000), '9'.repeat(400)],
  ...[[], {}, [null], [[]], { '': '' }, json('{"__proto__":{"polluted":true},"constructor":{"prototype":{}}}')],
];
/** Per edit; twelve of them stay within what JSON.stringify can follow. */
const DEEPEST = 250;

type Slot = { get: () => unknown; set: (value: unknown) => void; remove: () => void; parent: object };

/** The seed with edits applied as the bytes say; the seed itself stays as it is. */
export function edited(seed: unknown, script: Uint8Array): unknown {
  const root = { value: json(JSON.stringify(seed)) };
  for (let at = 0; at + 2 < script.length && at < 3 * 12; at += 3) {
    const [where = 0, which = 0, what = 0] = script.subarray(at, at + 3);
    const slots = slotsOf(root);
    const slot = slots[(where + 256 * (which >> 4)) % slots.length];
    if (slot !== undefined) edit(slot, which & 0xf, what, slots);
  }
  // An edit may remove the root.
  return root.value ?? null;
}

function edit(slot: Slot, which: number, what: number, slots: readonly Slot[]): void {
  const value = slot.get();
  switch (which) {
    case 0:
      slot.remove();
      break;
    case 1:
      define(slot.parent, `new${what}`, value);
      break;
    case 2:
      define(slot.parent, '__proto__', { polluted: true });
      break;
    default:
      slot.set(changed(value, which, what, slots));
  }
}

function changed(value: unknown, which: number, what: number, slots: readonly Slot[]): unknown {
  switch (which) {
    case 3:
      return slots[what % slots.length]?.get();
    case 4:
      return nested(value, what);
    case 5:
      return String(value)
        .repeat(what + 1)
        .slice(0, 5000);
    case 6:
      return [value, value];
    case 7:
      return { value, constructor: { prototype: { polluted: true } } };
    case 8:
      return String(value) + String.fromCharCode(what);
    case 9:
      return typeof value === 'number' ? value + what - 128 : what;
    default:
      return INTERESTING[what % INTERESTING.length];
  }
}

function nested(value: unknown, what: number): unknown {
  let outer = value;
  for (let depth = Math.floor((what / 256) * DEEPEST); depth >= 0; depth -= 1) {
    outer = what % 2 === 0 ? [outer] : { deeper: outer };
  }
  return outer;
}

/** Every place of the value that holds something, outermost first. */
function slotsOf(root: { value: unknown }): Slot[] {
  const slots: Slot[] = [];
  const waiting: [object, string][] = [[root, 'value']];
  for (let next = waiting.shift(); next !== undefined && slots.length < 1000; next = waiting.shift()) {
    const [parent, key] = next;
    const value: unknown = Reflect.get(parent, key);
    slots.push({
      get: (): unknown => Reflect.get(parent, key),
      set: (replacement) => {
        define(parent, key, replacement);
      },
      remove: () => Reflect.deleteProperty(parent, key),
      parent,
    });
    if (typeof value === 'object' && value !== null) {
      waiting.push(...Object.keys(value).map((inner): [object, string] => [value, inner]));
    }
  }
  return slots;
}

/** As JSON.parse does it: `__proto__` becomes an ordinary key. Shared values are copied, so that there is no cycle. */
function define(parent: object, key: string, value: unknown): void {
  Object.defineProperty(parent, key, {
    value: json(JSON.stringify(value ?? null)),
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

function json(text: string): unknown {
  return JSON.parse(text);
}
