import { randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { ControlHandler } from '../control-handler.ts';
import type { AccountCall, AccountService } from './account/account-services.ts';
import { AwsError } from './aws-error.ts';
import { readSignature } from './caller.ts';
import type { RawAnswer, RawRequest } from './dynamodb/engine.ts';
import { type Faults, faultAnswer } from './faults.ts';
import type { Kms } from './kms/kms.ts';
import { forward } from './proxy.ts';
import { queryAnswer, queryError } from './query-protocol.ts';
import { createSecretsManager, type SecretsManager } from './secrets-manager.ts';
import { STS_NAMESPACE, type Sts } from './sts.ts';

export type RouteRequest = {
  method: string;
  path: string;
  rawQuery: string;
  headers: IncomingHttpHeaders;
  rawBody: Buffer;
};
export type RouteAnswer = { status: number; headers: Record<string, string>; body: string | Buffer };

/** Where a service's calls go: the base URL of a server, or straight to one in this process. */
export type Upstream = string | ((request: RawRequest) => Promise<RawAnswer>);

export type GatewayOptions = {
  /** 0 takes any free port. */
  port: number;
  kms: Kms;
  sts: Sts;
  /** One without secrets when undefined. */
  secrets?: SecretsManager;
  faults: Faults;
  /** How the account around the bot is set up: JSON, or XML for CloudFormation. Left out, nobody knows these services. */
  account?: (call: AccountCall) => object | string;
  /** What is behind DynamoDB (with its streams) and behind SQS and SNS. */
  upstreams: { dynamodb: Upstream; queues: Upstream };
  control: ControlHandler;
  /** Other things under the same address, by path prefix, such as the bot's own HTTP API. */
  routes?: Record<string, (request: RouteRequest) => Promise<RouteAnswer>>;
};

export type Gateway = { url: string; port: number; close: () => Promise<void> };

type Service = 'kms' | 'sts' | 'secretsmanager' | 'dynamodb' | 'sqs' | 'sns' | AccountService;
/** What a request asks of AWS, and the protocol in which the answer is expected. */
type AwsCall = {
  service: Service;
  operation: string;
  protocol: 'json' | 'query' | 'rest';
  parameters: URLSearchParams;
};

const MAX_BODY_BYTES = 6 * 1024 * 1024;

const TARGETS = new Map<string, Service>([
  ['TrentService', 'kms'],
  ['DynamoDB_20120810', 'dynamodb'],
  ['DynamoDBStreams_20120810', 'dynamodb'],
  ['AmazonSQS', 'sqs'],
  ['secretsmanager', 'secretsmanager'],
  ['CloudTrail_20131101', 'cloudtrail'],
  ['AWSOrganizationsV20161128', 'organizations'],
  ['AWSEvents', 'events'],
]);
const QUERY_VERSIONS = new Map<string | null, Service>([
  ['2011-06-15', 'sts'],
  ['2010-03-31', 'sns'],
  ['2012-11-05', 'sqs'],
  ['2010-05-15', 'cloudformation'],
  ['2016-11-15', 'ec2'],
]);
const REST_PATHS = new Map<string, { service: Service; operation: string }>([
  ['GET /2016-08-19/account-settings', { service: 'lambda', operation: 'GetAccountSettings' }],
]);
/** Of the services that speak the query protocol. */
const NAMESPACES: Partial<Record<Service, string>> = {
  cloudformation: 'http://cloudformation.amazonaws.com/doc/2010-05-15/',
  sts: STS_NAMESPACE,
  sns: 'http://sns.amazonaws.com/doc/2010-03-31/',
  sqs: 'http://queue.amazonaws.com/doc/2012-11-05/',
};
// SDKs look at what follows the #; DynamoDB and SQS send the namespace, KMS does not.
const TYPE_PREFIXES: Partial<Record<Service, string>> = {
  dynamodb: 'com.amazonaws.dynamodb.v20120810#',
  sqs: 'com.amazonaws.sqs#',
};
/** The same refusals have other names in the query protocol, and status 403. */
const QUERY_CODES: Record<string, string> = {
  MissingAuthenticationTokenException: 'MissingAuthenticationToken',
  IncompleteSignatureException: 'IncompleteSignature',
  UnrecognizedClientException: 'InvalidClientTokenId',
  ExpiredTokenException: 'ExpiredToken',
};

/**
 * The sandbox's one AWS endpoint, on 127.0.0.1. It answers KMS, STS, Secrets Manager and what is asked about the account
 * itself, passes DynamoDB, SQS and SNS on, and
 * fails the calls for which a fault is planted.
 * @throws Error when the port is taken
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const server = createServer((request, response) => {
    const requestId = randomUUID();
    response.setHeader('x-amzn-RequestId', requestId);
    // SDKs correct their clock by this header; Node would put the real time there, not the simulated one.
    response.setHeader('date', new Date().toUTCString());
    answer(request, response, requestId, options).catch((error: unknown) => {
      console.error('the AWS endpoint failed', error);
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { __type: 'InternalFailure', message: String(error) });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(
              `port ${options.port} is in use: another sandbox or AWS emulator may be running there; stop it or choose another port`,
              { cause: error },
            )
          : error,
      );
    });
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
  options: GatewayOptions,
): Promise<void> {
  const body = await readBody(request);
  if (body === 'too large') {
    response.setHeader('connection', 'close');
    sendJson(response, 413, { __type: 'RequestEntityTooLargeException', message: 'The request body is too large.' });
    return;
  }
  const [path = '/', rawQuery = ''] = (request.url ?? '/').split(/\?(.*)/s);
  if (path.startsWith('/sandbox/')) {
    await answerControl(request, response, { path, rawQuery, body }, options.control);
    return;
  }
  const route = Object.entries(options.routes ?? {}).find(([prefix]) => path.startsWith(prefix));
  if (route !== undefined) {
    const [, handle] = route;
    const method = request.method ?? 'GET';
    const given = await handle({ method, path, rawQuery, headers: request.headers, rawBody: body });
    response.writeHead(given.status, given.headers).end(given.body);
    return;
  }
  const call = awsCallOf(request, path, rawQuery, body);
  if (call === undefined) {
    sendJson(response, path === '/' && request.method === 'GET' ? 200 : 404, {
      about:
        'This is the simulated AWS endpoint of the kms-rotation-bot sandbox: KMS, STS, Secrets Manager, DynamoDB, DynamoDB Streams, SQS, SNS, and what npm run doctor reads. Nothing here is real AWS.',
      use: `aws --endpoint-url http://${request.headers.host ?? '127.0.0.1'} kms list-keys`,
      control: '/sandbox/state',
    });
    return;
  }
  await answerAws({ request, response, requestId, body, call }, options);
}

type Exchange = {
  request: IncomingMessage;
  response: ServerResponse;
  requestId: string;
  body: Buffer;
  call: AwsCall;
};

async function answerAws(exchange: Exchange, options: GatewayOptions): Promise<void> {
  const { request, response, body, call } = exchange;
  const fault = options.faults.take(call.service, call.operation);
  if (fault?.error === 'timeout') {
    request.socket.destroy();
    return;
  }
  // KMS is told of its fault, because the failure belongs into CloudTrail and names key and caller.
  if (fault !== undefined && call.service !== 'kms') {
    const { code, message, status } = faultAnswer(call.service, fault.error);
    sendError(exchange, new AwsError(code, message, status));
    return;
  }
  switch (call.service) {
    case 'kms':
      answerKms(exchange, options, fault?.error);
      return;
    case 'sts':
      answerSts(exchange, options);
      return;
    case 'secretsmanager':
      answerSecrets(exchange, options);
      return;
    case 'dynamodb':
    case 'sqs':
    case 'sns': {
      const upstream = options.upstreams[call.service === 'dynamodb' ? 'dynamodb' : 'queues'];
      if (typeof upstream === 'string') {
        const isThere = await forward(request, response, body, upstream);
        if (!isThere) sendError(exchange, new AwsError('ServiceUnavailable', `${call.service} is not running.`, 503));
      } else {
        const { method = 'GET', url: path = '/', headers } = request;
        const answered = await upstream({ method, path, headers, body });
        response.removeHeader('x-amzn-RequestId');
        response.writeHead(answered.status, answered.headers).end(answered.body);
      }
      return;
    }
    case 'cloudtrail':
    case 'organizations':
    case 'cloudformation':
    case 'lambda':
    case 'events':
    case 'ec2':
      answerForAccount(exchange, call.service, options);
  }
}

function answerForAccount(exchange: Exchange, service: AccountService, options: GatewayOptions): void {
  const { request, response, body, call, requestId } = exchange;
  const { operation, protocol } = call;
  withAwsErrors(exchange, () => {
    const { region } = readSignature(signedHeaders(request), options.sts.findSession);
    if (options.account === undefined)
      throw new AwsError('ServiceUnavailable', `${service} is not simulated here.`, 503);
    const input = protocol === 'query' ? Object.fromEntries(call.parameters) : parseJson(body);
    const answered = options.account({ service, operation, input, region });
    if (typeof answered === 'string') {
      const namespace = NAMESPACES[service] ?? '';
      // EC2 has the query protocol, but no element around its results.
      const xml =
        service === 'ec2' ? answered : queryAnswer({ action: operation, namespace, requestId, result: answered });
      response.writeHead(200, { 'content-type': 'text/xml' }).end(xml);
    } else {
      const contentType = protocol === 'rest' ? 'application/json' : 'application/x-amz-json-1.1';
      response.writeHead(200, { 'content-type': contentType }).end(JSON.stringify(answered));
    }
  });
}

function answerKms(exchange: Exchange, options: GatewayOptions, fault: string | undefined): void {
  const { request, response, body, call, requestId } = exchange;
  withAwsErrors(exchange, () => {
    const { caller, region } = readSignature(signedHeaders(request), options.sts.findSession);
    const answered = options.kms.call({
      operation: call.operation,
      input: parseJson(body),
      caller,
      region,
      sourceIp: request.socket.remoteAddress ?? '127.0.0.1',
      userAgent: request.headers['user-agent'] ?? '',
      requestId,
      ...(fault === undefined ? {} : { fault }),
    });
    // KMS answers an operation without a result with an empty body, not with {}.
    const text = Object.keys(answered.body).length === 0 ? '' : JSON.stringify(answered.body);
    response.writeHead(answered.status, { 'content-type': 'application/x-amz-json-1.1' }).end(text);
  });
}

function answerSts(exchange: Exchange, options: GatewayOptions): void {
  const { request, response, call, requestId } = exchange;
  withAwsErrors(exchange, () => {
    const { caller } = readSignature(signedHeaders(request), options.sts.findSession);
    const xml = options.sts.call({ action: call.operation, parameters: call.parameters, caller, requestId });
    response.writeHead(200, { 'content-type': 'text/xml' }).end(xml);
  });
}

function answerSecrets(exchange: Exchange, options: GatewayOptions): void {
  const { request, response, body, call } = exchange;
  withAwsErrors(exchange, () => {
    const { caller, region } = readSignature(signedHeaders(request), options.sts.findSession);
    const secrets = options.secrets ?? createSecretsManager();
    const answered = secrets.call({ operation: call.operation, input: parseJson(body), caller, region });
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(answered));
  });
}

function withAwsErrors(exchange: Exchange, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    sendError(exchange, error);
  }
}

function sendError({ response, requestId, call }: Exchange, error: AwsError): void {
  if (call.protocol === 'query') {
    const renamed = QUERY_CODES[error.code];
    const code = renamed ?? error.code;
    const status = renamed === undefined ? error.status : 403;
    const { message } = error;
    const namespace = NAMESPACES[call.service] ?? '';
    response.writeHead(status, { 'content-type': 'text/xml' });
    response.end(queryError({ code, message, status, namespace, requestId }));
    return;
  }
  const type = (TYPE_PREFIXES[call.service] ?? '') + error.code;
  const isOlder = call.service === 'dynamodb' || call.service === 'sqs';
  response.writeHead(error.status, { 'content-type': `application/x-amz-json-1.${isOlder ? 0 : 1}` });
  // SDKs take either spelling; Secrets Manager's own is this one.
  const sentence = call.service === 'secretsmanager' ? { Message: error.message } : { message: error.message };
  response.end(JSON.stringify(error.message === '' ? { __type: type } : { __type: type, ...sentence }));
}

function awsCallOf(request: IncomingMessage, path: string, rawQuery: string, body: Buffer): AwsCall | undefined {
  const target = request.headers['x-amz-target'];
  if (typeof target === 'string') {
    const [prefix = '', operation = ''] = target.split('.');
    const service = TARGETS.get(prefix);
    return service && { service, operation, protocol: 'json', parameters: new URLSearchParams() };
  }
  const rest = REST_PATHS.get(`${request.method ?? 'GET'} ${path}`);
  if (rest !== undefined) return { ...rest, protocol: 'rest', parameters: new URLSearchParams(rawQuery) };
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  const parameters = new URLSearchParams(isForm ? body.toString() : rawQuery);
  const operation = parameters.get('Action');
  const service = QUERY_VERSIONS.get(parameters.get('Version'));
  if (operation === null || service === undefined) return undefined;
  return { service, operation, protocol: 'query', parameters };
}

async function answerControl(
  request: IncomingMessage,
  response: ServerResponse,
  { path, rawQuery, body }: { path: string; rawQuery: string; body: Buffer },
  control: ControlHandler,
): Promise<void> {
  // A web page from elsewhere, open in the same browser, must not be able to work the sandbox.
  const { origin } = request.headers;
  if (origin !== undefined && !/^http:\/\/(?:127\.0\.0\.1|localhost)(?::\d+)?$/.test(origin)) {
    sendJson(response, 403, { error: `requests from ${origin} are not accepted` });
    return;
  }
  let json: unknown;
  try {
    json = body.length === 0 ? undefined : JSON.parse(body.toString());
  } catch {
    sendJson(response, 400, { error: 'the body is not JSON' });
    return;
  }
  const { status, body: answered } = await control({
    method: request.method ?? 'GET',
    path: path.slice('/sandbox/'.length),
    query: new URLSearchParams(rawQuery),
    body: json,
  });
  sendJson(response, status, answered);
}

function signedHeaders(request: IncomingMessage) {
  const token = request.headers['x-amz-security-token'];
  return {
    authorization: request.headers.authorization,
    securityToken: Array.isArray(token) ? token[0] : token,
  };
}

function parseJson(body: Buffer): unknown {
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new AwsError('SerializationException', 'The request body is not valid JSON.');
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer | 'too large'> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return 'too large';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
