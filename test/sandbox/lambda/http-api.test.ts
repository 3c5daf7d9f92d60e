import {
  fromHttpApiResult,
  type HttpRequest,
  internalServerError,
  toHttpApiEvent,
} from '../../../sandbox/lambda/http-api.ts';

const request = (more: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'POST',
  path: '/slack/events',
  rawQuery: '',
  headers: {},
  rawBody: Buffer.from(''),
  sourceIp: '127.0.0.1',
  ...more,
});

describe('the event', () => {
  it('has the shape of payload format 2.0', () => {
    const event = toHttpApiEvent(
      request({
        path: '/my/path',
        rawQuery: 'a=1&a=2&b=x%20y',
        headers: {
          Host: 'abc123.execute-api.example',
          'User-Agent': 'agent',
          'X-Twice': ['one', 'two'],
          Cookie: 'left=1; right=2',
          'content-type': 'application/json',
        },
        rawBody: Buffer.from('{"ü":1}'),
      }),
    );
    const { requestId, time, timeEpoch } = event.requestContext;
    expect(event).toEqual({
      version: '2.0',
      routeKey: '$default',
      rawPath: '/my/path',
      rawQueryString: 'a=1&a=2&b=x%20y',
      cookies: ['left=1', 'right=2'],
      headers: {
        host: 'abc123.execute-api.example',
        'user-agent': 'agent',
        'x-twice': 'one,two',
        'content-type': 'application/json',
      },
      queryStringParameters: { a: '1,2', b: 'x y' },
      requestContext: {
        accountId: '000000000000',
        apiId: 'sandbox',
        domainName: 'abc123.execute-api.example',
        domainPrefix: 'abc123',
        http: { method: 'POST', path: '/my/path', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'agent' },
        requestId,
        routeKey: '$default',
        stage: '$default',
        time,
        timeEpoch,
      },
      body: '{"ü":1}',
      isBase64Encoded: false,
    });
    expect(time).toMatch(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/);
    expect(requestId).not.toBe('');
  });

  it.each([
    ['application/json', false],
    ['Application/JSON; charset=utf-8', false],
    ['text/plain', false],
    ['application/xml', false],
    ['application/javascript', false],
    ['application/x-www-form-urlencoded', true],
    ['application/x-www-form-urlencoded; charset=utf-8', true],
    ['application/octet-stream', true],
    ['image/png', true],
    [undefined, true],
  ])('for %s has a body in base64: %s', (contentType, isBase64Encoded) => {
    const rawBody = Buffer.from('payload=%7B%7D');
    const event = toHttpApiEvent(request({ rawBody, headers: { 'content-type': contentType } }));
    expect(event.isBase64Encoded).toBe(isBase64Encoded);
    expect(event.body).toBe(rawBody.toString(isBase64Encoded ? 'base64' : 'utf8'));
  });

  it('keeps every byte of a binary body', () => {
    const rawBody = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const event = toHttpApiEvent(request({ rawBody }));
    expect(Buffer.from(event.body ?? '', 'base64')).toEqual(rawBody);
  });

  it('has no body, query parameters or cookies when the request has none', () => {
    const event = toHttpApiEvent(request());
    expect(event.isBase64Encoded).toBe(false);
    expect(event).not.toHaveProperty('body');
    expect(event).not.toHaveProperty('queryStringParameters');
    expect(event).not.toHaveProperty('cookies');
  });
});

describe('the answer', () => {
  const textOf = (result: unknown) => {
    const { body, ...answer } = fromHttpApiResult(result);
    return { ...answer, body: body.toString() };
  };

  it('is what a structured result says', () => {
    const result = {
      statusCode: 201,
      headers: { 'Content-Type': 'text/html', 'X-Count': 3 },
      cookies: ['a=1'],
      body: '<p>',
    };
    expect(textOf(result)).toEqual({
      status: 201,
      headers: { 'content-type': 'text/html', 'x-count': '3' },
      setCookies: ['a=1'],
      body: '<p>',
    });
  });

  it('decodes a body in base64', () => {
    expect(textOf({ statusCode: 200, body: 'w7w=', isBase64Encoded: true }).body).toBe('ü');
  });

  it('is text unless the result says otherwise, and has no type without a body', () => {
    expect(textOf({ statusCode: 200, body: 'ok' }).headers).toEqual({ 'content-type': 'text/plain;charset=utf-8' });
    expect(textOf({ statusCode: 200 })).toEqual({ status: 200, headers: {}, setCookies: [], body: '' });
  });

  it('is a 200 with JSON for a result without a status', () => {
    const headers = { 'content-type': 'application/json' };
    expect(textOf({ ok: true })).toEqual({ status: 200, headers, setCookies: [], body: '{"ok":true}' });
    expect(textOf('hello')).toEqual({ status: 200, headers, setCookies: [], body: 'hello' });
  });

  it('is a 500 for a malformed result', () => {
    expect(fromHttpApiResult({ statusCode: 'soon' })).toEqual(internalServerError());
    expect(fromHttpApiResult({ statusCode: 200, body: { not: 'text' } })).toEqual(internalServerError());
  });
});
