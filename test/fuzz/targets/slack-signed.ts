import { INTERACTIONS, TIMESTAMP } from '../bot.ts';
import { edited } from '../edits.ts';
import { eventOf, type FuzzedRequest, readRequest } from '../http-request.ts';
import { sendTwice } from '../signed-request.ts';

/*
 * Requests with Slack's signature under whatever the fuzzer wrote: what a stolen secret, a proxy that mangles, or a
 * Slack of next year could send to the parsers. An input is a request as text, or edits to an interaction.
 */
const FORM: [string, string] = ['content-type', 'application/x-www-form-urlencoded'];

export async function fuzz(data: Buffer): Promise<void> {
  const request = (data[0] ?? 0) < 0x09 ? editedInteraction(data) : readRequest(data);
  const timestamp = request.headers.find(([name]) => name === 'x-slack-request-timestamp')?.[1];
  await sendTwice(eventOf(request), timestamp === undefined ? {} : { timestamp });
}

function editedInteraction(data: Buffer): FuzzedRequest {
  const payload = edited(INTERACTIONS[(data[1] ?? 0) % INTERACTIONS.length], data.subarray(2));
  const body = Buffer.from(`payload=${encodeURIComponent(JSON.stringify(payload).toWellFormed())}`);
  return { method: 'POST', flags: new Set(data[0] === 0 ? ['base64'] : []), headers: [FORM], body };
}

/** Every interaction as Slack sends it, as JSON, and as edits; requests with odd headers around it. */
export function seeds(): Buffer[] {
  const asText = (first: string, contentType: string, body: string, more: string[] = []) =>
    Buffer.from(`${[first, `content-type: ${contentType}`, ...more].join('\n')}\n\n${body}`);
  const form = (payload: unknown) => `payload=${encodeURIComponent(JSON.stringify(payload))}`;
  const [first] = INTERACTIONS;
  return [
    ...INTERACTIONS.map((payload) => asText('POST base64', FORM[1], form(payload))),
    ...INTERACTIONS.map((payload) => asText('POST', 'application/json', JSON.stringify(payload))),
    ...INTERACTIONS.map((_, index) => Buffer.from([0, index, 0, 2, 1])),
    asText('POST', 'Application/X-WWW-Form-URLencoded ; charset="utf-8"', form(first)),
    asText('POST', FORM[1], `${form(first)}&${form(INTERACTIONS[1])}`),
    asText('POST', FORM[1], form(first), [`x-slack-request-timestamp: ${Number(TIMESTAMP) - 299}`]),
    asText('POST', FORM[1], 'ssl_check=1&token=t'),
    asText('POST', FORM[1], 'command=%2Fkeys&text=help&user_id=U0APPROVER&team_id=T0123456789&response_url=x'),
    asText('POST', 'application/json', '{"type":"url_verification","challenge":"c-1"}'),
    asText('POST', 'application/json', '{"type":"event_callback","event":{"type":"app_home_opened","user":"U1"}}'),
    asText('POST', 'text/plain', form(first)),
  ];
}
