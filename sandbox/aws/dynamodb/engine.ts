import { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders, Server } from 'node:http';
import dynalite from 'dynalite';
import * as z from 'zod';
import { ApiError } from './api-error.ts';
import { type Item, itemSchema } from './item.ts';

/** An HTTP answer, kept as bytes so that it can be passed on unchanged. */
export type RawAnswer = { status: number; headers: IncomingHttpHeaders; body: Buffer };

/** A DynamoDB request as it came in. */
export type RawRequest = { method: string; path: string; headers: IncomingHttpHeaders; body: Buffer };

/** One dynalite: the storage and expression engine behind the front. */
export type Engine = {
  /** Passes a client's request on, byte for byte. */
  forward: (raw: RawRequest) => Promise<RawAnswer>;
  /** Calls an operation of the front's own accord. Throws ApiError with dynalite's answer when it refuses. */
  call: (operation: string, input: Record<string, unknown>) => Promise<Record<string, unknown>>;
  /** The item as it is now, or `undefined`. A key that dynalite refuses has no item either. */
  image: (tableName: string, key: Item) => Promise<Item | undefined>;
  /**
   * Waits until a table that is being made, changed or deleted is done with it. dynalite does that with a timer that
   * a close would cut off, and then the table would be in the making for ever.
   */
  untilSettled: (tableName: string) => Promise<void>;
  close: () => Promise<void>;
};

const describeSchema = z.object({ Table: z.object({ TableStatus: z.string() }) });
const answerSchema = z.record(z.string(), z.unknown());
const errorSchema = z.object({ __type: z.string(), message: z.string().optional(), Message: z.string().optional() });

// dynalite wants to see a signature, and never checks it.
const SIGNED = {
  'content-type': 'application/x-amz-json-1.0',
  'x-amz-date': '20200101T000000Z',
  authorization:
    'AWS4-HMAC-SHA256 Credential=front/20200101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
};

const HOP_BY_HOP = new Set(['connection', 'date', 'host', 'keep-alive', 'transfer-encoding']);

/** Starts a dynalite; `path` is a folder that keeps its data, without it memory does. */
export async function startEngine(options: { path?: string; region: string; accountId: string }): Promise<Engine> {
  const server = inAwsAccount(options, () =>
    dynalite({
      ...(options.path === undefined ? {} : { path: options.path }),
      createTableMs: 0,
      deleteTableMs: 0,
      updateTableMs: 0,
    }),
  );
  // Nobody connects to it: dynalite closes its store only as a server that listens.
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const forward = (raw: RawRequest) => handOver(server, raw);

  async function call(operation: string, input: Record<string, unknown>): Promise<Record<string, unknown>> {
    const answer = await forward({
      method: 'POST',
      path: '/',
      headers: { ...SIGNED, 'x-amz-target': `DynamoDB_20120810.${operation}` },
      body: Buffer.from(JSON.stringify(input)),
    });
    if (answer.status === 200) return answerSchema.parse(JSON.parse(answer.body.toString()));
    throw toApiError(answer.body);
  }

  return {
    forward,
    call,
    async image(tableName, key) {
      try {
        const { Item: item } = await call('GetItem', { TableName: tableName, Key: key, ConsistentRead: true });
        return item === undefined ? undefined : itemSchema.parse(item);
      } catch (error) {
        if (error instanceof ApiError) return undefined;
        throw error;
      }
    },
    async untilSettled(tableName) {
      for (;;) {
        try {
          const { Table: table } = describeSchema.parse(await call('DescribeTable', { TableName: tableName }));
          if (table.TableStatus === 'ACTIVE') return;
        } catch (error) {
          if (error instanceof ApiError && error.type === 'ResourceNotFoundException') return;
          throw error;
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => {
          if (error) reject(error);
          else resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/**
 * Hands a request to a server of this process as if it had come over HTTP. A socket and two parsers in between would
 * cost several times what dynalite itself does with it. dynalite listens to `data` and `end` and answers in one piece.
 */
function handOver(server: Server, { method, path, headers, body }: RawRequest): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const answered: IncomingHttpHeaders = {};
    const request = Object.assign(new EventEmitter(), { method, url: path, headers });
    const response = {
      statusCode: 200,
      setHeader(name: string, value: string | number) {
        answered[name.toLowerCase()] = String(value);
      },
      end(content = '') {
        resolve({ status: response.statusCode, headers: answered, body: Buffer.from(content) });
      },
    };
    server.emit('request', request, response);
    if (body.length > 0) request.emit('data', body);
    request.emit('end');
  });
}

/** The headers that are meant for the other end, without those of the single connection. */
export function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)));
}

/** Reads an error body of dynalite. */
export function toApiError(body: Buffer): ApiError {
  const error = errorSchema.parse(JSON.parse(body.toString()));
  return new ApiError(error.__type.slice(error.__type.indexOf('#') + 1), error.message ?? error.Message ?? '');
}

/** dynalite takes the account and Region of its ARNs from the environment, and only while it is being made. */
function inAwsAccount<T>({ region, accountId }: { region: string; accountId: string }, make: () => T): T {
  const { AWS_REGION, AWS_ACCOUNT_ID } = process.env;
  process.env['AWS_REGION'] = region;
  process.env['AWS_ACCOUNT_ID'] = accountId;
  try {
    return make();
  } finally {
    restore('AWS_REGION', AWS_REGION);
    restore('AWS_ACCOUNT_ID', AWS_ACCOUNT_ID);
  }
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) Reflect.deleteProperty(process.env, name);
  else process.env[name] = value;
}
