import * as z from 'zod';

const node = z.looseObject({ type: z.string().optional() });

/** Element types that can only be shown; links, broadcasts and emoji are not among them. */
const SHOWN = ['text', 'user', 'usergroup', 'date'];
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}]/u;

/**
 * What in a Slack payload could do more than be read: control sequences where Slack reads mrkdwn (`text` of a message,
 * `mrkdwn` objects), elements that act, and characters that hide or reorder text anywhere.
 */
export function liveParts(payload: unknown, path = '', inCode = false): string[] {
  if (typeof payload === 'string') {
    const visible = inCode ? payload.replaceAll('\n', '') : payload;
    return INVISIBLE.test(visible) ? [`${path} has invisible characters: ${JSON.stringify(payload)}`] : [];
  }
  if (Array.isArray(payload)) return payload.flatMap((item, index) => liveParts(item, `${path}[${index}]`, inCode));
  if (typeof payload !== 'object' || payload === null) return [];
  const { type } = node.parse(payload);
  const code = inCode || type === 'rich_text_preformatted';
  const fields = Object.entries(payload);
  return [
    ...fields.flatMap(([name, value]) => liveParts(value, `${path}.${name}`, code)),
    ...acting(payload, type, path),
  ];
}

function acting(payload: object, type: string | undefined, path: string): string[] {
  const {
    text,
    user_id: user,
    elements,
  } = z.looseObject({ text: z.unknown(), user_id: z.unknown(), elements: z.unknown() }).partial().parse(payload);
  // A message has no type; everywhere else `text` beside a type is a text object's or an element's own.
  const isMrkdwn = type === undefined || type === 'mrkdwn' || type === 'message';
  const inline = type === 'rich_text_section' ? z.array(z.object({ type: z.string() })).parse(elements) : [];
  return [
    ...(isMrkdwn && typeof text === 'string' && /[<>]/.test(text) ? [`${path}.text is not escaped: ${text}`] : []),
    ...(type === 'user' && !(typeof user === 'string' && /^[UW][A-Z0-9]+$/.test(user)) ? [`${path} mentions`] : []),
    ...inline.flatMap((element) => (SHOWN.includes(element.type) ? [] : [`${path} has a ${element.type}`])),
  ];
}
