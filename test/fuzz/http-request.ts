import type { APIGatewayProxyEventV2 } from 'aws-lambda';

/** A request as the fuzzer writes it, before API Gateway made an event of it. */
export type FuzzedRequest = { method: string; flags: ReadonlySet<string>; headers: [string, string][]; body: Buffer };

/**
 * Reads an input in the form of HTTP/1.1, so that seeds are readable and mutations stay meaningful: a line with the
 * method and flags, headers, an empty line, the body. Flags: `base64` (the body arrives so, rightly flagged), `lying`
 * (the flag says the opposite), `headerless`, `bodiless`, `contextless` (fields of the event that are missing).
 */
export function readRequest(data: Buffer): FuzzedRequest {
  const end = data.indexOf('\n\n');
  const [first = '', ...lines] = data.toString('utf8', 0, end === -1 ? data.length : end).split('\n');
  const [method = '', ...flags] = first.split(' ');
  return {
    method,
    flags: new Set(flags),
    headers: lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return colon === -1 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).trimStart()];
    }),
    body: end === -1 ? Buffer.alloc(0) : data.subarray(end + 2),
  };
}

/** The API Gateway event of payload format 2.0, or what is left of it. Its type is a claim, as it is in the handler. */
export function eventOf({ method, flags, headers, body }: FuzzedRequest): APIGatewayProxyEventV2 {
  const base64 = flags.has('base64');
  const event: APIGatewayProxyEventV2 = {
    version: '2.0',
    routeKey: '$default',
    rawPath: '/slack/events',
    rawQueryString: '',
    headers: Object.fromEntries(headers),
    requestContext: {
      accountId: '111122223333',
      apiId: 'api',
      domainName: 'api.example',
      domainPrefix: 'api',
      http: { method, path: '/slack/events', protocol: 'HTTP/1.1', sourceIp: '203.0.113.1', userAgent: 'Slackbot 1.0' },
      requestId: 'request',
      routeKey: '$default',
      stage: '$default',
      time: '',
      timeEpoch: 0,
    },
    body: body.toString(base64 ? 'base64' : 'utf8'),
    isBase64Encoded: base64 !== flags.has('lying'),
  };
  if (flags.has('headerless')) Reflect.deleteProperty(event, 'headers');
  if (flags.has('bodiless')) Reflect.deleteProperty(event, 'body');
  if (flags.has('contextless')) Reflect.deleteProperty(event, 'requestContext');
  return event;
}
