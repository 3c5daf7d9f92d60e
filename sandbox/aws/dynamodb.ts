import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import * as z from 'zod';
import { ApiError } from './dynamodb/api-error.ts';
import { endToEnd, type RawAnswer, type RawRequest, startEngine } from './dynamodb/engine.ts';
import { createJournal } from './dynamodb/journal.ts';
import { startRehearsal } from './dynamodb/rehearsal.ts';
import { passWriteOn } from './dynamodb/single-writes.ts';
import { createStreamStore, type StreamSource } from './dynamodb/stream-store.ts';
import { callStreamsApi } from './dynamodb/streams-api.ts';
import { createTableSettings } from './dynamodb/table-settings.ts';
import { createTables } from './dynamodb/tables.ts';
import { createTransactions } from './dynamodb/transactions.ts';
import { createWriteLock } from './dynamodb/write-lock.ts';
import { createWriter } from './dynamodb/writer.ts';

/** A running DynamoDB; `url` serves both the DynamoDB and the DynamoDB Streams API. */
export type DynamoDb = {
  url: string;
  port: number;
  /** Answers a request of this process, as `url` would. */
  handle: (raw: RawRequest) => Promise<RawAnswer>;
  /** The streams, for readers in this process. */
  streams: StreamSource;
  close: () => Promise<void>;
};

const requestSchema = z.record(z.string(), z.unknown());

/**
 * Starts a DynamoDB on a free port of 127.0.0.1: dynalite on a private port, and in front of it what dynalite lacks
 * (transactions, streams, the item of a failed condition, time to live, continuous backups). Everything else passes
 * through unchanged. With `dataDir` all of it survives a restart, also one after a crash of the process; there may
 * be one process per folder. `region` and `accountId` show in ARNs.
 */
export async function startDynamoDb({
  dataDir,
  region = 'us-east-1',
  accountId = '000000000000',
}: {
  dataDir?: string;
  region?: string;
  accountId?: string;
} = {}): Promise<DynamoDb> {
  if (dataDir !== undefined) mkdirSync(dataDir, { recursive: true });
  const at = (name: string) => (dataDir === undefined ? undefined : join(dataDir, name));

  const engine = await startEngine({
    ...(dataDir === undefined ? {} : { path: join(dataDir, 'items') }),
    region,
    accountId,
  });
  const rehearsal = await startRehearsal({ region, accountId });
  const streams = createStreamStore({ ...(dataDir === undefined ? {} : { folder: join(dataDir, 'streams') }), region });
  const tables = createTables(engine, streams, createTableSettings(at('tables.json')));
  const writer = createWriter(engine, tables, streams, createJournal(at('journal.json')));
  const transactions = createTransactions(engine, tables, rehearsal, writer);
  const lock = createWriteLock();
  await tables.restore();
  await writer.recover();

  async function answer(raw: RawRequest): Promise<RawAnswer> {
    await writer.untilCommitted();
    const target = raw.headers['x-amz-target'];
    const [api, operation] = typeof target === 'string' ? target.split('.') : [];
    const input = operation === undefined ? undefined : parseBody(raw.body);
    // Without an operation or a readable body there is nothing to add to dynalite's own answer.
    if (api === undefined || operation === undefined || input === undefined) return await engine.forward(raw);
    if (api.startsWith('DynamoDBStreams_')) return ok(raw, callStreamsApi(streams, operation, input));

    const tableOperation = Object.hasOwn(tables.operations, operation) ? tables.operations[operation] : undefined;
    if (tableOperation !== undefined) {
      return await lock.exclusively(async () => ok(raw, await tableOperation(input)));
    }
    switch (operation) {
      case 'PutItem':
      case 'UpdateItem':
      case 'DeleteItem':
      case 'BatchWriteItem':
        return await lock.exclusively(() => passWriteOn({ engine, tables, writer }, operation, input, raw));
      case 'TransactWriteItems':
        return await lock.exclusively(async () => ok(raw, await transactions.write(input)));
      case 'TransactGetItems':
        return await lock.exclusively(async () => ok(raw, await transactions.read(input)));
      default:
        return await engine.forward(raw);
    }
  }

  async function handle(raw: RawRequest): Promise<RawAnswer> {
    try {
      const { status, headers, body } = await answer(raw);
      return { status, headers: endToEnd(headers), body };
    } catch (error) {
      return failure(raw, error);
    }
  }

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, headers, body } = await handle(await read(incoming));
    response.writeHead(status, headers).end(body);
  }

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('the DynamoDB front has no port'));
      else resolve(address.port);
    });
  });

  return {
    url: `http://127.0.0.1:${port}`,
    ...{ port, handle, streams },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      // A write that has begun is finished first, so that nothing is left to recover.
      await lock.exclusively(() => Promise.resolve());
      server.closeAllConnections();
      await closed;
      await Promise.all([engine.close(), rehearsal.close()]);
    },
  };
}

async function read(incoming: IncomingMessage): Promise<RawRequest> {
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(incoming, 'end');
  return {
    method: incoming.method ?? 'GET',
    path: incoming.url ?? '/',
    headers: incoming.headers,
    body: Buffer.concat(chunks),
  };
}

function parseBody(body: Buffer): Record<string, unknown> | undefined {
  try {
    return requestSchema.safeParse(JSON.parse(body.toString())).data;
  } catch {
    return undefined;
  }
}

function ok(raw: RawRequest, output: Record<string, unknown>): RawAnswer {
  return toAnswer(raw, 200, output);
}

function failure(raw: RawRequest, error: unknown): RawAnswer {
  if (error instanceof ApiError) {
    return toAnswer(raw, error.type === 'InternalServerError' ? 500 : 400, error.body());
  }
  if (error instanceof z.ZodError) {
    return toAnswer(raw, 400, new ApiError('ValidationException', z.prettifyError(error)).body());
  }
  const message = error instanceof Error ? error.message : String(error);
  return toAnswer(raw, 500, new ApiError('InternalServerError', message).body());
}

function toAnswer(raw: RawRequest, status: number, content: Record<string, unknown>): RawAnswer {
  const body = Buffer.from(JSON.stringify(content));
  return {
    status,
    headers: {
      'content-type': raw.headers['content-type'] ?? 'application/x-amz-json-1.0',
      'content-length': String(body.length),
      'x-amz-crc32': String(crc32(body)),
      'x-amzn-requestid': randomUUID(),
    },
    body,
  };
}
