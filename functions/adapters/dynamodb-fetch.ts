import { createHash, createHmac, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { SignatureV4 } from '@smithy/signature-v4';
import * as z from 'zod/mini';
import { ConditionFailed, type DynamoDbTable, type Expression, type Item, TransactionRefused } from './dynamodb.ts';

type Operation = 'GetItem' | 'PutItem' | 'UpdateItem' | 'Query' | 'TransactWriteItems';
type Environment = Readonly<Record<string, string | undefined>>;

/** Tries in all, and how long each may take: together below the three seconds that Slack waits. */
const ATTEMPTS = 3;
const ATTEMPT_TIMEOUT_MS = 800;
/** Full jitter below this, doubled every time: the AWS SDK's values for DynamoDB. */
const BACKOFF_MS = 50;
/** Refusals that pass by themselves, besides every 5xx. */
const TRY_AGAIN = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'TransactionInProgressException',
]);

const text = z.string().check(z.minLength(1));
const placeSchema = z.object({ AWS_REGION: text });
const credentialsSchema = z.object({
  AWS_ACCESS_KEY_ID: text,
  AWS_SECRET_ACCESS_KEY: text,
  AWS_SESSION_TOKEN: z.optional(text),
});
/** `{ name: { S: … } }` */
const attributeMap = z.record(
  z.string(),
  z.custom<AttributeValue>((value: unknown) => typeof value === 'object' && value !== null),
);
const itemAnswer = z.object({ Item: z.optional(attributeMap) });
const pageAnswer = z.object({ Items: z.array(attributeMap), LastEvaluatedKey: z.optional(attributeMap) });
const refusalAnswer = z.object({
  __type: z.string(),
  message: z.optional(z.string()),
  Message: z.optional(z.string()),
  CancellationReasons: z._default(z.array(z.object({ Code: z._default(z.string(), 'None') })), []),
});
type RefusalAnswer = z.infer<typeof refusalAnswer>;

/**
 * A table over `globalThis.fetch`, signed with the credentials that Lambda puts into the environment. It is here for
 * the cold start of the function that people wait for: the AWS SDK is larger than all the rest of that function.
 * `AWS_ENDPOINT_URL_DYNAMODB` and `AWS_ENDPOINT_URL` are honoured; profiles, FIPS and dual-stack settings are not.
 */
export function tableOverFetch({
  tableName: TableName,
  environment,
}: {
  tableName: string;
  environment: Environment;
}): DynamoDbTable {
  const call = createCall(environment);

  return {
    async get(key) {
      const { Item: item } = itemAnswer.parse(
        await call('GetItem', { TableName, Key: marshall(key), ConsistentRead: true }),
      );
      return item === undefined ? undefined : unmarshall(item);
    },

    async put(item) {
      await call('PutItem', { TableName, Item: marshall(item) });
    },

    async update(key, change, ConditionExpression) {
      await call('UpdateItem', {
        ...{ TableName, Key: marshall(key), UpdateExpression: change.expression, ConditionExpression },
        ...mentioned(change),
      });
    },

    async query({ index, keyCondition, limit, newestFirst = false, consistent = false }) {
      const input = {
        ...{ TableName, KeyConditionExpression: keyCondition.expression, ConsistentRead: consistent },
        ...mentioned(keyCondition),
        ...(newestFirst ? { ScanIndexForward: false } : {}),
        ...(index === undefined ? {} : { IndexName: index }),
        ...(limit === undefined ? {} : { Limit: limit }),
      };
      const items: Item[] = [];
      let next: Item | undefined;
      do {
        const start = next === undefined ? {} : { ExclusiveStartKey: next };
        const page = pageAnswer.parse(await call('Query', { ...input, ...start }));
        items.push(...page.Items.map((item) => unmarshall(item)));
        next = page.LastEvaluatedKey;
      } while (limit === undefined && next !== undefined);
      return items;
    },

    async putTogether(puts) {
      await call('TransactWriteItems', {
        // The same for every attempt: when an answer was lost, DynamoDB recognises the transaction it has done.
        ClientRequestToken: randomUUID(),
        TransactItems: puts.map(({ item, condition }) => ({
          Put: {
            ...{ TableName, Item: marshall(item), ConditionExpression: condition.expression },
            ...mentioned(condition),
          },
        })),
      });
    },
  };
}

function mentioned({ names, values }: Expression) {
  return {
    ...(names === undefined ? {} : { ExpressionAttributeNames: names }),
    ...(values === undefined ? {} : { ExpressionAttributeValues: marshall(values) }),
  };
}

/** What the signer hashes with. The one of @smithy/core probes OpenSSL and carries a second SHA-256 for where it fails. */
class Sha256 {
  readonly #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>;

  public constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }
  public update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }
  public digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : Buffer.from(data);
}

type Call = (operation: Operation, input: Item) => Promise<unknown>;
type Attempt = { done: true; answer: unknown } | { done: false; again: boolean; error: Error };

function createCall(environment: Environment): Call {
  const { AWS_REGION: region } = placeSchema.parse(environment);
  const endpoint = endpointOf(environment, region);
  const signer = new SignatureV4({
    ...{ service: 'dynamodb', region, sha256: Sha256 },
    credentials: () => Promise.resolve(credentialsOf(environment)),
  });

  async function attempt(operation: Operation, body: string): Promise<Attempt> {
    const { headers } = await signer.sign({
      ...{ method: 'POST', protocol: endpoint.protocol, hostname: endpoint.hostname, path: endpoint.pathname, body },
      headers: {
        host: endpoint.host,
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `DynamoDB_20120810.${operation}`,
      },
    });
    let status: number;
    let answer: unknown;
    try {
      // Looked up anew for every call, so that whoever instruments fetch sees this one too.
      const response = await globalThis.fetch(endpoint, {
        ...{ method: 'POST', headers, body, redirect: 'error' },
        signal: AbortSignal.timeout(ATTEMPT_TIMEOUT_MS),
      });
      status = response.status;
      answer = status >= 500 ? undefined : await response.json();
    } catch (cause) {
      const error = new Error(`DynamoDB gave no answer to ${operation}`, { cause });
      return { done: false, again: true, error };
    }
    if (status === 200) return { done: true, answer };
    if (status >= 500) {
      return { done: false, again: true, error: new Error(`DynamoDB answers ${operation} with HTTP ${status}`) };
    }
    const { code, error } = refusal(operation, refusalAnswer.parse(answer));
    return { done: false, again: TRY_AGAIN.has(code), error };
  }

  return async (operation, input) => {
    const body = JSON.stringify(input);
    for (let failures = 0; ; failures += 1) {
      const result = await attempt(operation, body);
      if (result.done) return result.answer;
      if (!result.again || failures === ATTEMPTS - 1) throw result.error;
      await sleep(Math.random() * BACKOFF_MS * 2 ** failures);
    }
  };
}

function refusal(
  operation: Operation,
  { __type, message, Message, CancellationReasons }: RefusalAnswer,
): { code: string; error: Error } {
  const code = __type.slice(__type.indexOf('#') + 1);
  const sentence = `DynamoDB refuses ${operation}: ${code}: ${message ?? Message ?? ''}`;
  switch (code) {
    case 'ConditionalCheckFailedException':
      return { code, error: new ConditionFailed(sentence) };
    case 'TransactionCanceledException':
      return { code, error: new TransactionRefused(CancellationReasons.map(({ Code }) => Code)) };
    default:
      return { code, error: new Error(sentence) };
  }
}

function endpointOf(environment: Environment, region: string): URL {
  const given = environment['AWS_ENDPOINT_URL_DYNAMODB'] ?? environment['AWS_ENDPOINT_URL'];
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return new URL(given ?? `https://dynamodb.${region}.${domain}`);
}

/** Read for every request, as the SDK does: whoever renews the variables is believed at once. */
function credentialsOf(environment: Environment) {
  const given = credentialsSchema.parse(environment);
  return {
    accessKeyId: given.AWS_ACCESS_KEY_ID,
    secretAccessKey: given.AWS_SECRET_ACCESS_KEY,
    ...(given.AWS_SESSION_TOKEN === undefined ? {} : { sessionToken: given.AWS_SESSION_TOKEN }),
  };
}
