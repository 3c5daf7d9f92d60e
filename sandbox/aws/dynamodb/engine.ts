import { Agent, type IncomingHttpHeaders, request } from 'node:http';
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

/** Starts a dynalite on a free port of 127.0.0.1; `path` is a folder that keeps its data, without it memory does. */
export async function startEngine(options: { path?: string; region: string; accountId: string }): Promise<Engine> {
  const server = inAwsAccount(options, () =>
    dynalite({
      ...(options.path === undefined ? {} : { path: options.path }),
      createTableMs: 0,
      deleteTableMs: 0,
      updateTableMs: 0,
    }),
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('dynalite has no port'));
      else resolve(address.port);
    });
  });
  const agent = new Agent({ keepAlive: true });

  function forward(raw: RawRequest): Promise<RawAnswer> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          agent,
          host: '127.0.0.1',
          port,
          method: raw.method,
          path: raw.path,
          headers: { ...endToEnd(raw.headers), 'content-length': raw.body.length },
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('error', reject);
          answer.on('end', () => {
            resolve({ status: answer.statusCode ?? 500, headers: answer.headers, body: Buffer.concat(chunks) });
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(raw.body);
    });
  }

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
        agent.destroy();
        server.close((error) => {
          if (error) reject(error);
          else resolve();
        });
        server.closeAllConnections();
      }),
  };
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
