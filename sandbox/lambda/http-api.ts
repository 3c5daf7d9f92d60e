import { randomBytes } from 'node:crypto';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import * as z from 'zod';

/** A request as it came over HTTP. `path` and `rawQuery` are undecoded; `rawQuery` has no question mark. */
export type HttpRequest = {
  method: string;
  path: string;
  rawQuery: string;
  headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  rawBody: Buffer;
  sourceIp: string;
};

/** An answer to send over HTTP. */
export type HttpAnswer = { status: number; headers: Record<string, string>; setCookies: string[]; body: Buffer };

const structuredAnswerSchema = z.object({
  statusCode: z.coerce.number().int().min(200).max(599),
  headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).nullish(),
  cookies: z.array(z.string()).nullish(),
  body: z.string().nullish(),
  isBase64Encoded: z.boolean().nullish(),
});

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * The event of an HTTP API with payload format 2.0 (API Gateway Developer Guide, "Create AWS Lambda proxy integrations
 * for HTTP APIs"). The guide does not list which bodies count as text. Others measured it on AWS: text/*, application/json,
 * application/xml and application/javascript; everything else arrives in base64, also application/x-www-form-urlencoded,
 * which is what Slack sends for buttons and commands, and a body without a content type.
 */
export function toHttpApiEvent(request: HttpRequest): APIGatewayProxyEventV2 {
  const headers = joinHeaders(request.headers);
  const { cookie, ...otherHeaders } = headers;
  const path = request.path === '' ? '/' : request.path;
  const host = headers['host'] ?? 'sandbox.example';
  const now = new Date();
  const isText = isTextual(headers['content-type']);
  const query = joinQuery(request.rawQuery);
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: request.rawQuery,
    ...(cookie === undefined ? {} : { cookies: cookie.split(';').map((one) => one.trim()) }),
    headers: otherHeaders,
    ...(query === undefined ? {} : { queryStringParameters: query }),
    requestContext: {
      accountId: '000000000000',
      apiId: 'sandbox',
      domainName: host,
      domainPrefix: host.split('.')[0] ?? host,
      http: {
        method: request.method,
        path,
        protocol: 'HTTP/1.1',
        sourceIp: request.sourceIp,
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: `${randomBytes(11).toString('base64url')}=`,
      routeKey: '$default',
      stage: '$default',
      time: commonLogTime(now),
      timeEpoch: now.getTime(),
    },
    ...(request.rawBody.length === 0 ? {} : { body: request.rawBody.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: request.rawBody.length > 0 && !isText,
  };
}

/**
 * The HTTP answer that API Gateway makes of a function's answer: a structured one as it says; anything else without
 * `statusCode` is the body of a 200 with application/json; a structured one that is malformed is a 500.
 */
export function fromHttpApiResult(result: unknown): HttpAnswer {
  if (typeof result !== 'object' || result === null || !('statusCode' in result)) {
    const body = typeof result === 'string' ? result : JSON.stringify(result ?? null);
    return { status: 200, headers: { 'content-type': 'application/json' }, setCookies: [], body: Buffer.from(body) };
  }
  const parsed = structuredAnswerSchema.safeParse(result);
  if (!parsed.success) return internalServerError();
  const { statusCode, headers, cookies, body, isBase64Encoded } = parsed.data;
  const lowerCased = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)] as const);
  return {
    status: statusCode,
    headers: {
      ...(body === undefined || body === null || body === '' ? {} : { 'content-type': 'text/plain;charset=utf-8' }),
      ...Object.fromEntries(lowerCased),
    },
    setCookies: cookies ?? [],
    body: Buffer.from(body ?? '', isBase64Encoded === true ? 'base64' : 'utf8'),
  };
}

/** What API Gateway answers when the function threw or timed out. */
export function internalServerError(): HttpAnswer {
  return {
    status: 500,
    headers: { 'content-type': 'application/json' },
    setCookies: [],
    body: Buffer.from('{"message":"Internal Server Error"}'),
  };
}

function isTextual(contentType: string | undefined): boolean {
  const [type = ''] = (contentType ?? '').toLowerCase().split(';');
  return /^(text\/.+|application\/(json|xml|javascript))$/.test(type.trim());
}

function joinHeaders(headers: HttpRequest['headers']): Record<string, string> {
  const joined = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    const key = name.toLowerCase();
    const text = typeof value === 'string' ? value : value.join(key === 'cookie' ? '; ' : ',');
    const known = joined.get(key);
    joined.set(key, known === undefined ? text : `${known},${text}`);
  }
  return Object.fromEntries(joined);
}

function joinQuery(rawQuery: string): Record<string, string> | undefined {
  if (rawQuery === '') return undefined;
  const joined = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(rawQuery)) {
    const known = joined.get(name);
    joined.set(name, known === undefined ? value : `${known},${value}`);
  }
  return Object.fromEntries(joined);
}

/** For example 12/Mar/2020:19:03:58 +0000. */
function commonLogTime(time: Date): string {
  const [date = '', clock = ''] = time.toISOString().split('T');
  const [year = '', , day = ''] = date.split('-');
  return `${day}/${MONTHS[time.getUTCMonth()] ?? ''}/${year}:${clock.slice(0, 8)} +0000`;
}
