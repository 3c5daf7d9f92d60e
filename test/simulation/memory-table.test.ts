import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import * as z from 'zod';
import { type DynamoDb, startDynamoDb } from '../../sandbox/aws/dynamodb.ts';
import { makeFindingsTable } from '../../sandbox/deploy.ts';
import { ConditionFailed, MemoryTable, TransactionCancelled } from './memory-table.ts';

let dynamoDb: DynamoDb;
beforeAll(async () => {
  dynamoDb = await startDynamoDb({});
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new DynamoDBClient({ endpoint: dynamoDb.url, region: 'eu-central-1', credentials });
  await makeFindingsTable(client, 'findings');
  client.destroy();
});
afterAll(() => dynamoDb.close());

const TableName = 'findings';
const text = (value: string) => ({ S: value });
const number = (value: number) => ({ N: String(value) });

/** Few keys and few values, so that operations meet each other; the expressions are those of the stores. */
const sk = fc.constantFrom('EVENT#1', 'EVENT#2', 'FINDING', 'MESSAGE#1#root');
const small = fc.integer({ min: 0, max: 3 });
const put = fc.record({ sk, sequence: small, group: fc.constantFrom('STATUS#open', 'STATUS#closed') });
const condition = fc.constantFrom<'free' | 'same'>('free', 'same');

const operation = fc.oneof(
  fc.record({ kind: fc.constant('get' as const), sk }),
  fc.record({ kind: fc.constant('put' as const), put }),
  fc.record({
    kind: fc.constant('update' as const),
    sk,
    which: fc.constantFrom('claim', 'render', 'release', 'join', 'count'),
    small,
  }),
  fc.record({
    kind: fc.constant('query' as const),
    index: fc.constantFrom('none', 'below', 'above'),
    limit: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({
    kind: fc.constant('transact' as const),
    puts: fc.array(fc.tuple(put, condition), { minLength: 1, maxLength: 3 }),
  }),
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

const UPDATES = {
  claim: {
    UpdateExpression: 'SET #state = :claimed, postId = :text',
    ConditionExpression: 'attribute_not_exists(#state) OR #state = :released',
    names: ['#state'],
    values: [':claimed', ':released', ':text'],
  },
  render: {
    UpdateExpression: 'SET #version = :small',
    ConditionExpression: '#state = :claimed AND #version < :small',
    names: ['#state', '#version'],
    values: [':claimed', ':small'],
  },
  join: {
    UpdateExpression: 'SET joinedAt = if_not_exists(joinedAt, :text), postId = :text',
    ConditionExpression: 'attribute_not_exists(#version) OR #version < :small',
    names: ['#version'],
    values: [':text', ':small'],
  },
  count: {
    UpdateExpression: 'SET postId = :text ADD #version :small',
    ConditionExpression: 'attribute_exists(pk)',
    names: ['#version'],
    values: [':text', ':small'],
  },
  release: {
    UpdateExpression: 'SET #state = :released REMOVE postId, #version',
    ConditionExpression: 'attribute_exists(#state)',
    names: ['#state', '#version'],
    values: [':released'],
  },
};

function inputOf(pk: string, step: Operation): { name: string; input: Record<string, unknown> } {
  const key = (sortKey: string) => ({ pk: text(pk), sk: text(sortKey) });
  const item = ({ sk: sortKey, sequence, group }: { sk: string; sequence: number; group: string }) => ({
    ...key(sortKey),
    ...{ sequence: number(sequence), groupKey: text(`${pk} ${group}`), groupSort: text(`${sequence}#${sortKey}`) },
  });
  switch (step.kind) {
    case 'get':
      return { name: 'GetItem', input: { TableName, Key: key(step.sk), ConsistentRead: true } };
    case 'put':
      return { name: 'PutItem', input: { TableName, Item: item(step.put) } };
    case 'update': {
      const { names, values, ...update } = UPDATES[step.which];
      const allNames: Record<string, string> = { '#state': 'state', '#version': 'renderedVersion' };
      const allValues: Record<string, object> = {
        ...{ ':claimed': text('claimed'), ':released': text('released'), ':text': text('post') },
        ':small': number(step.small),
      };
      return {
        name: 'UpdateItem',
        input: {
          ...{ TableName, Key: key(step.sk), ...update },
          ExpressionAttributeNames: Object.fromEntries(names.map((name) => [name, allNames[name]])),
          ExpressionAttributeValues: Object.fromEntries(values.map((name) => [name, allValues[name]])),
        },
      };
    }
    case 'query':
      return {
        name: 'Query',
        input:
          step.index !== 'none'
            ? {
                ...{ TableName, IndexName: 'byGroup', Limit: step.limit },
                KeyConditionExpression: `groupKey = :group AND groupSort ${step.index === 'below' ? '<' : '>'} :end`,
                ExpressionAttributeValues: { ':group': text(`${pk} STATUS#open`), ':end': text('2#~') },
              }
            : {
                ...{ TableName, ConsistentRead: true },
                KeyConditionExpression: 'pk = :pk AND begins_with(sk, :event)',
                ExpressionAttributeValues: { ':pk': text(pk), ':event': text('EVENT#') },
              },
      };
    case 'transact': {
      const puts = new Map(step.puts.map((each) => [each[0].sk, each]));
      return {
        name: 'TransactWriteItems',
        input: {
          TransactItems: [...puts.values()].map(([row, kind]) => ({
            Put: {
              ...{ TableName, Item: item(row) },
              ...(kind === 'free'
                ? { ConditionExpression: 'attribute_not_exists(pk)' }
                : {
                    ConditionExpression: '#sequence = :sequence AND groupKey = :group',
                    ExpressionAttributeNames: { '#sequence': 'sequence' },
                    ExpressionAttributeValues: { ':sequence': number(1), ':group': text(`${pk} STATUS#open`) },
                  }),
            },
          })),
        },
      };
    }
  }
}

type Outcome = { items: unknown } | { refused: readonly string[] };

const wireAnswer = z.object({
  __type: z.string().optional(),
  Item: z.unknown().optional(),
  Items: z.unknown().optional(),
  CancellationReasons: z.array(z.object({ Code: z.string() })).default([]),
});

async function atDynamoDb(name: string, input: object): Promise<Outcome> {
  const response = await fetch(dynamoDb.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `DynamoDB_20120810.${name}`,
      // dynalite insists on what a signature needs, and does not verify it.
      'x-amz-date': '20260302T100000Z',
      authorization:
        'AWS4-HMAC-SHA256 Credential=test/20260302/eu-central-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00',
    },
    body: JSON.stringify(input),
  });
  const answer = wireAnswer.parse(await response.json());
  if (response.status === 200) return { items: answer.Items ?? answer.Item };
  const type = answer.__type?.split('#')[1];
  if (type === 'TransactionCanceledException') return { refused: answer.CancellationReasons.map(({ Code }) => Code) };
  if (type === 'ConditionalCheckFailedException') return { refused: ['condition'] };
  throw new Error(`DynamoDB refuses ${name}: ${JSON.stringify(answer)}`);
}

function inMemory(table: MemoryTable, name: string, input: object): Outcome {
  try {
    const answer = table.call(name, JSON.parse(JSON.stringify(input)));
    return { items: 'Items' in answer ? answer.Items : 'Item' in answer ? answer.Item : undefined };
  } catch (error) {
    if (error instanceof TransactionCancelled) return { refused: error.reasons };
    if (error instanceof ConditionFailed) return { refused: ['condition'] };
    throw error;
  }
}

it('answers the operations of the stores as DynamoDB does', async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 15 }), async (steps) => {
      runs += 1;
      const pk = `KEY#${runs}`;
      const table = new MemoryTable({ now: () => 0, indexLagMs: 0, onWrite: () => undefined });
      for (const step of steps) {
        const { name, input } = inputOf(pk, step);
        expect(inMemory(table, name, input)).toEqual(await atDynamoDb(name, input));
      }
    }),
    { numRuns: 60 },
  );
});

it('refuses what it does not understand', () => {
  const table = new MemoryTable({ now: () => 0, indexLagMs: 0, onWrite: () => undefined });
  const item = { pk: text('a'), sk: text('b') };
  const refused = { Item: item, ConditionExpression: 'size(pk) > :n' };
  expect(() => table.call('PutItem', refused)).toThrow('not understood in an expression');
  expect(() => table.call('Scan', {})).toThrow('no Scan');
});
