import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { createBot, INTERACTIONS, sign, TIMESTAMP } from '../bot.ts';
import { eventOf, readRequest } from '../http-request.ts';
import { check, checkPrototypes, described, PropertyBroken } from '../properties.ts';

/*
 * Requests of anybody: whatever their headers say, the fuzzer does not know the signing secret.
 */
const counts = { parsed: 0, hashed: 0 };
countCalls();
const bot = await createBot();

export async function fuzz(data: Buffer): Promise<void> {
  const event = eventOf(readRequest(data));
  const before = bot.trail();
  Object.assign(counts, { parsed: 0, hashed: 0 });
  const answer = await bot.handle(event).catch((error: unknown) => {
    throw new PropertyBroken('contained', described(error), { cause: error });
  });
  const { parsed, hashed } = counts;
  check('cheap-until-authentic', parsed === 0 && hashed <= 1, () => `${parsed} bodies parsed, ${hashed} hashes`);
  check('silent-refusal', [400, 401, 405, 413].includes(answer.statusCode ?? 0) && answer.body === '', () =>
    JSON.stringify(answer),
  );
  const effects = [...bot.posts, ...bot.views, ...bot.failures].length;
  check('silent-refusal', bot.trail() === before && effects === 0, () => `${effects} effects, trail ${bot.trail()}`);
  checkPrototypes();
}

/** Requests as Slack sends them, with signatures that are not right. */
export function seeds(): Buffer[] {
  const payload = `payload=${encodeURIComponent(JSON.stringify(INTERACTIONS[0]))}`;
  const form = 'content-type: application/x-www-form-urlencoded';
  const wrong = `v0=${'0'.repeat(64)}`;
  const request = (first: string, headers: string[], body = payload) =>
    Buffer.from(`${[first, ...headers].join('\n')}\n\n${body}`);
  const stamped = (timestamp: string, signature = wrong) => [
    form,
    `x-slack-request-timestamp: ${timestamp}`,
    `x-slack-signature: ${signature}`,
  ];
  // Of another body: no mutation must come upon a request that Slack did sign.
  const right = sign(eventOf(readRequest(request('POST', [form], 'x'))), TIMESTAMP).headers['x-slack-signature'] ?? '';
  return [
    request('POST base64', stamped(TIMESTAMP)),
    request('POST', stamped(TIMESTAMP)),
    request('POST', stamped(TIMESTAMP, right.toUpperCase())),
    request('POST', stamped(TIMESTAMP, right.replace('v0', 'v1'))),
    request('POST', stamped(TIMESTAMP, `${right},${right}`)),
    request('POST lying', stamped(TIMESTAMP, right)),
    request('POST', stamped(String(Number(TIMESTAMP) + 301), right)),
    request('POST', stamped(`${TIMESTAMP}.0`, right)),
    request('POST', stamped(`-${TIMESTAMP}`, right)),
    request('POST', stamped('1.7e9', right)),
    request('POST', stamped('NaN', right)),
    request('POST', [...stamped(TIMESTAMP), `X-Slack-Signature: ${right}x`]),
    request('POST', [form]),
    request('GET', stamped(TIMESTAMP)),
    request('POST headerless', []),
    request('POST bodiless', stamped(TIMESTAMP)),
    request('POST contextless', stamped(TIMESTAMP)),
    request('POST', stamped(TIMESTAMP), 'payload=%7B'),
    request('POST', ['content-type: application/json; charset=utf-8'], '{"__proto__":{"polluted":1}}'),
  ];
}

/** Counts what is costly, wherever in the process it is called from. */
function countCalls(): void {
  const { parse } = JSON;
  JSON.parse = (...args: Parameters<typeof parse>): unknown => {
    counts.parsed += 1;
    return parse(...args);
  };
  const Search = globalThis.URLSearchParams;
  globalThis.URLSearchParams = class extends Search {
    public constructor(...args: ConstructorParameters<typeof Search>) {
      super(...args);
      counts.parsed += 1;
    }
  };
  for (const name of ['createHmac', 'createHash'] as const) {
    const original = crypto[name];
    Reflect.set(crypto, name, (...args: Parameters<typeof original>): unknown => {
      counts.hashed += 1;
      const result: unknown = Reflect.apply(original, crypto, args);
      return result;
    });
  }
  syncBuiltinESMExports();
}
