import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { DynamoDbTable } from '../../../../functions/adapters/dynamodb.ts';
import { tableOverFetch } from '../../../../functions/adapters/dynamodb-fetch.ts';
import { tableOverSdk } from '../../../../functions/adapters/dynamodb-sdk.ts';
import { startDynamoDb } from '../../../../sandbox/aws/dynamodb.ts';
import { makeFindingsTable } from '../../../../sandbox/deploy.ts';

export const TABLE = 'findings';

/** What happens to one request on its way; `lost` is done, but its answer never arrives. */
export type Mishap = 'lost' | 'throttled' | 'unavailable' | 'refused';

export type Tables = {
  /** Both ways to the same table. */
  ways: Record<Way, DynamoDbTable>;
  /** Befalls the next requests, in this order. */
  befall: (...mishaps: Mishap[]) => void;
  /** Requests since the last `befall`: their operation and token. */
  requests: () => { operation: string; token: string | undefined }[];
  close: () => Promise<void>;
};

export type Way = 'the AWS SDK' | 'fetch';
export const WAYS: readonly Way[] = ['the AWS SDK', 'fetch'];

const transaction = z.object({ ClientRequestToken: z.string().optional() });

/** The sandbox's DynamoDB with the findings table in it, reached through a front that loses and refuses on demand. */
export async function openTables(): Promise<Tables> {
  const dynamoDb = await startDynamoDb({});
  const region = 'eu-central-1';
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const direct = new DynamoDBClient({ endpoint: dynamoDb.url, region, credentials });
  await makeFindingsTable(direct, TABLE);

  let mishaps: Mishap[] = [];
  let seen: { operation: string; token: string | undefined }[] = [];
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
    const target = request.headers['x-amz-target']?.toString() ?? '';
    seen.push({
      operation: target.split('.')[1] ?? '',
      token: transaction.parse(JSON.parse(body)).ClientRequestToken,
    });
    const mishap = mishaps.shift();
    const refuse = (status: number, code: string) => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${code}`, message: 'planted' }));
    };
    if (mishap === 'throttled') return refuse(400, 'ThrottlingException');
    if (mishap === 'unavailable') return refuse(503, 'ServiceUnavailable');
    if (mishap === 'refused') return refuse(400, 'AccessDeniedException');
    const headers = { 'content-type': 'application/x-amz-json-1.0', ...passedOn(request) };
    const real = await fetch(dynamoDb.url, { method: 'POST', headers, body });
    const text = await real.text();
    if (mishap === 'lost') {
      request.socket.destroy();
      return;
    }
    response.writeHead(real.status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(text);
  }
  const front = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  const { port } = z.object({ port: z.number() }).parse(front.address());
  const endpoint = `http://127.0.0.1:${port}`;
  const client = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint, region, credentials }));

  return {
    ways: {
      'the AWS SDK': tableOverSdk({ client, tableName: TABLE }),
      fetch: tableOverFetch({
        tableName: TABLE,
        environment: {
          ...{ AWS_REGION: region, AWS_ENDPOINT_URL: 'http://127.0.0.1:9', AWS_ENDPOINT_URL_DYNAMODB: endpoint },
          ...{ AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_SESSION_TOKEN: 'session' },
        },
      }),
    },
    befall(...next) {
      mishaps = next;
      seen = [];
    },
    requests: () => seen,
    async close() {
      client.destroy();
      direct.destroy();
      front.closeAllConnections();
      await new Promise((resolve) => front.close(resolve));
      await dynamoDb.close();
    },
  };
}

/** dynalite insists on what a signature needs. */
function passedOn({ headers }: IncomingMessage): Record<string, string> {
  const names = ['authorization', 'x-amz-date', 'x-amz-target'];
  return Object.fromEntries(names.map((name) => [name, headers[name]?.toString() ?? '']));
}
