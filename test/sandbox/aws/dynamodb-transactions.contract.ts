import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactGetCommand,
  TransactWriteCommand,
  type TransactWriteCommandInput,
} from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { installClock } from '../../../sandbox/clock.ts';
import { type Deviations, rulesFor } from '../../rule.ts';
import { createTable, errorOf, readWholeStream } from './dynamodb-fixture.ts';

type Items = NonNullable<TransactWriteCommandInput['TransactItems']>;

/** A DynamoDB at `url`, with its streams. */
export type TransactingDynamoDb = { url: string; client: DynamoDBDocumentClient; close: () => Promise<void> };

/** The contract of TransactWriteItems and TransactGetItems (DynamoDB API Reference). */
export function describeTransactions(open: () => Promise<TransactingDynamoDb>, deviations: Deviations = {}): void {
  const rule = rulesFor(deviations);
  const TableName = 'findings';
  let db: TransactingDynamoDb;
  let streamArn: string;
  beforeAll(async () => {
    db = await open();
    streamArn = await createTable(db.client, TableName);
  });
  afterAll(() => db.close());

  let partition = 0;
  let pk: string;
  beforeEach(() => {
    partition += 1;
    pk = `partition-${partition}`;
  });

  const transact = (items: Items, token?: string) =>
    db.client.send(new TransactWriteCommand({ TransactItems: items, ClientRequestToken: token }));
  const put = (sk: string, more: object = {}) => ({ Put: { TableName, Item: { pk, sk, ...more } } });
  const putIfNew = (sk: string) => ({
    Put: { TableName, Item: { pk, sk }, ConditionExpression: 'attribute_not_exists(pk)' },
  });
  const given = (sk: string, more: object = {}) =>
    db.client.send(new PutCommand({ TableName, Item: { pk, sk, ...more } }));
  const stored = async () =>
    (
      await db.client.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': pk },
          ConsistentRead: true,
        }),
      )
    ).Items;
  const recordCount = async () => (await readWholeStream(db.url, streamArn)).length;

  async function cancellationOf(items: Items): Promise<TransactionCanceledException> {
    try {
      await transact(items);
    } catch (error) {
      if (error instanceof TransactionCanceledException) return error;
      throw error;
    }
    throw new Error('the transaction was not cancelled');
  }

  describe('a transaction that passes', () => {
    rule('does all four kinds of action', async () => {
      await given('update', { n: 1 });
      await given('delete');
      await given('check', { n: 5 });
      await transact([
        put('put'),
        {
          Update: {
            TableName,
            Key: { pk, sk: 'update' },
            UpdateExpression: 'SET n = n + :one, #s = :s',
            ConditionExpression: 'n = :one',
            ExpressionAttributeNames: { '#s': 'status' },
            ExpressionAttributeValues: { ':one': 1, ':s': 'open' },
          },
        },
        { Delete: { TableName, Key: { pk, sk: 'delete' } } },
        {
          ConditionCheck: {
            TableName,
            Key: { pk, sk: 'check' },
            ConditionExpression: 'n > :four',
            ExpressionAttributeValues: { ':four': 4 },
          },
        },
      ]);
      expect(await stored()).toEqual([
        { pk, sk: 'check', n: 5 },
        { pk, sk: 'put' },
        { pk, sk: 'update', n: 2, status: 'open' },
      ]);
    });

    rule('takes 100 actions', async () => {
      await transact(Array.from({ length: 100 }, (_, index) => put(String(index))));
      expect(await stored()).toHaveLength(100);
    });

    rule('lets an update make an item', async () => {
      await transact([
        {
          Update: {
            TableName,
            Key: { pk, sk: 'new' },
            UpdateExpression: 'SET tags = list_append(if_not_exists(tags, :none), :tags)',
            ExpressionAttributeValues: { ':none': [], ':tags': ['a'] },
          },
        },
      ]);
      expect(await stored()).toEqual([{ pk, sk: 'new', tags: ['a'] }]);
    });
  });

  describe('a transaction that is cancelled', () => {
    rule('changes nothing and gives the reasons in order', async () => {
      await given('taken', { holder: 'first' });
      const before = await recordCount();
      const error = await cancellationOf([put('a'), putIfNew('taken'), put('b')]);
      expect(error.message).toBe(
        'Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed, None]',
      );
      expect(error.CancellationReasons).toEqual([
        { Code: 'None' },
        { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed' },
        { Code: 'None' },
      ]);
      expect(await stored()).toEqual([{ pk, sk: 'taken', holder: 'first' }]);
      expect(await recordCount()).toBe(before);
    });

    rule('gives the item of a failed condition when asked to', async () => {
      await given('taken', { holder: 'first' });
      const { Put } = putIfNew('taken');
      const error = await cancellationOf([{ Put: { ...Put, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } }]);
      expect(error.CancellationReasons).toEqual([
        {
          Code: 'ConditionalCheckFailed',
          Message: 'The conditional request failed',
          Item: { pk: { S: pk }, sk: { S: 'taken' }, holder: { S: 'first' } },
        },
      ]);
    });

    rule('has no item to give when the condition failed because there is none', async () => {
      const error = await cancellationOf([
        {
          ConditionCheck: {
            TableName,
            Key: { pk, sk: 'absent' },
            ConditionExpression: 'attribute_exists(pk)',
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          },
        },
      ]);
      expect(error.CancellationReasons).toEqual([
        { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed' },
      ]);
    });

    rule('calls what only the stored data makes impossible a validation error of that action', async () => {
      await given('text', { n: 'not a number' });
      const error = await cancellationOf([
        put('a'),
        {
          Update: {
            TableName,
            Key: { pk, sk: 'text' },
            UpdateExpression: 'SET n = n + :one',
            ExpressionAttributeValues: { ':one': 1 },
          },
        },
      ]);
      expect(error.CancellationReasons?.map(({ Code }) => Code)).toEqual(['None', 'ValidationError']);
      expect(await stored()).toEqual([{ pk, sk: 'text', n: 'not a number' }]);
    });
  });

  describe('a transaction that is refused', () => {
    const refusals: Record<string, () => { items: Items; message: RegExp }> = {
      'two actions on one item': () => ({
        items: [put('a'), { Delete: { TableName, Key: { sk: 'a', pk } } }],
        message: /^Transaction request cannot include multiple operations on one item$/,
      }),
      'more than 100 actions': () => ({
        items: Array.from({ length: 101 }, (_, index) => put(String(index))),
        message: /Member must have length less than or equal to 100/,
      }),
      'no action': () => ({ items: [], message: /Member must have length greater than or equal to 1/ }),
      'an entry with two kinds of action': () => ({
        items: [{ ...put('a'), Delete: { TableName, Key: { pk, sk: 'b' } } }],
        message: /TransactItems can only contain one of/,
      }),
      'an expression with a syntax error': () => ({
        items: [put('a'), { Put: { TableName, Item: { pk, sk: 'b' }, ConditionExpression: 'pk ==' } }],
        message: /Invalid ConditionExpression: Syntax error/,
      }),
      'a condition check without a condition': () => ({
        items: [{ ConditionCheck: { TableName, Key: { pk, sk: 'a' }, ConditionExpression: undefined } }],
        message: /must not be null/,
      }),
    };

    for (const [name, refusal] of Object.entries(refusals)) {
      rule(`names ${name}`, async () => {
        const { items, message } = refusal();
        const error = await errorOf(transact(items));
        expect(error.name).toBe('ValidationException');
        expect(error.message).toMatch(message);
        expect(await stored()).toEqual([]);
      });
    }

    rule('names a table that is not there', async () => {
      const error = await errorOf(transact([{ Put: { TableName: 'none', Item: { pk: 'a' } } }]));
      expect(error.name).toBe('ResourceNotFoundException');
    });
  });

  describe('a client request token', () => {
    const count = { Update: { UpdateExpression: 'ADD n :one', ExpressionAttributeValues: { ':one': 1 } } };
    const increment = (): Items => [{ Update: { ...count.Update, TableName, Key: { pk, sk: 'counter' } } }];

    rule('makes a repeated transaction do nothing, for ten minutes', async () => {
      const clock = installClock();
      try {
        await transact(increment(), 'token-repeat');
        await transact(increment(), 'token-repeat');
        expect(await stored()).toEqual([{ pk, sk: 'counter', n: 1 }]);
        clock.advance(10 * 60 * 1000);
        await transact(increment(), 'token-repeat');
        expect(await stored()).toEqual([{ pk, sk: 'counter', n: 2 }]);
      } finally {
        clock.uninstall();
      }
    });

    rule('may not be used for another transaction', async () => {
      await transact(increment(), 'token-mismatch');
      const error = await errorOf(transact([put('other')], 'token-mismatch'));
      expect(error.name).toBe('IdempotentParameterMismatchException');
    });

    rule('is free again after a cancelled transaction', async () => {
      await given('taken');
      await errorOf(transact([putIfNew('taken')], 'token-cancelled'));
      await transact([put('other')], 'token-cancelled');
      expect(await stored()).toHaveLength(2);
    });
  });

  describe('under concurrency', () => {
    rule('lets one of many transactions on the same version win', async () => {
      await given('snapshot', { version: 0 });
      const race = await Promise.allSettled(
        Array.from({ length: 20 }, (_, index) =>
          transact([
            put(`event-${index}`),
            {
              Update: {
                TableName,
                Key: { pk, sk: 'snapshot' },
                UpdateExpression: 'SET version = :next',
                ConditionExpression: 'version = :expected',
                ExpressionAttributeValues: { ':next': 1, ':expected': 0 },
              },
            },
          ]),
        ),
      );
      expect(race.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await stored()).toHaveLength(2);
    });

    rule('shows a reader all of a transaction or nothing of it', async () => {
      const writes = Promise.all(
        Array.from({ length: 10 }, (_, round) => transact([put('left', { round }), put('right', { round })])),
      );
      for (let read = 0; read < 20; read += 1) {
        const { Responses: responses } = await db.client.send(
          new TransactGetCommand({
            TransactItems: ['left', 'right'].map((sk) => ({ Get: { TableName, Key: { pk, sk } } })),
          }),
        );
        expect(responses?.[0]?.Item?.['round']).toBe(responses?.[1]?.Item?.['round']);
      }
      await writes;
    });
  });

  describe('TransactGetItems', () => {
    rule('answers in order, with projections, and leaves absent items empty', async () => {
      await given('a', { n: 1, m: 2 });
      const { Responses: responses } = await db.client.send(
        new TransactGetCommand({
          TransactItems: [
            { Get: { TableName, Key: { pk, sk: 'absent' } } },
            { Get: { TableName, Key: { pk, sk: 'a' }, ProjectionExpression: 'n' } },
          ],
        }),
      );
      expect(responses).toEqual([{}, { Item: { n: 1 } }]);
    });
  });

  rule('does the same as the single operations one after the other, or nothing at all', async () => {
    const action = fc.record({
      kind: fc.constantFrom('put', 'add', 'delete', 'check'),
      sk: fc.constantFrom('a', 'b', 'c', 'd'),
      mustExist: fc.option(fc.boolean(), { nil: undefined }),
      n: fc.integer({ min: 0, max: 9 }),
    });
    const transaction = fc.uniqueArray(action, { minLength: 1, maxLength: 4, selector: ({ sk }) => sk });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(transaction, { minLength: 1, maxLength: 4 }), async (transactions) => {
        run += 1;
        pk = `property-${run}`;
        const model = new Map<string, number>();
        for (const actions of transactions) {
          const passes = actions.every(
            ({ kind, sk, mustExist }) => (kind === 'check' ? (mustExist ?? true) : mustExist) !== !model.has(sk),
          );
          const items: Items = actions.map(({ kind, sk, mustExist, n }) => {
            const condition = mustExist === false ? 'attribute_not_exists(pk)' : 'attribute_exists(pk)';
            const target = { TableName, Key: { pk, sk } };
            const guard = mustExist === undefined ? {} : { ConditionExpression: condition };
            if (kind === 'put') return { Put: { TableName, Item: { pk, sk, n }, ...guard } };
            if (kind === 'delete') return { Delete: { ...target, ...guard } };
            if (kind === 'check') return { ConditionCheck: { ...target, ConditionExpression: condition } };
            const values = { ':n': n };
            return { Update: { ...target, ...guard, UpdateExpression: 'ADD n :n', ExpressionAttributeValues: values } };
          });
          if (passes) {
            await transact(items);
            for (const { kind, sk, n } of actions) {
              if (kind === 'put') model.set(sk, n);
              if (kind === 'add') model.set(sk, (model.get(sk) ?? 0) + n);
              if (kind === 'delete') model.delete(sk);
            }
          } else {
            await cancellationOf(items);
          }
        }
        const expected = [...model].sort().map(([sk, n]) => ({ pk, sk, n }));
        expect(await stored()).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  rule('reads back what a transaction wrote at once', async () => {
    await transact([put('a', { n: 1 })]);
    const { Item: item } = await db.client.send(new GetCommand({ TableName, Key: { pk, sk: 'a' } }));
    expect(item).toEqual({ pk, sk: 'a', n: 1 });
  });
}
