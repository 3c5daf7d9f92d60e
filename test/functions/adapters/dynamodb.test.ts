import { ConditionFailed, type DynamoDbTable, TransactionRefused } from '../../../functions/adapters/dynamodb.ts';
import { tableOverFetch } from '../../../functions/adapters/dynamodb-fetch.ts';
import { openTables, type Tables, WAYS } from './support/dynamodb-tables.ts';

let tables: Tables;
beforeAll(async () => {
  tables = await openTables();
});
afterAll(() => tables.close());

let made = 0;
function aPartition(): string {
  made += 1;
  return `P#${made}`;
}
const absent = { expression: 'attribute_not_exists(pk)' };

describe.each(WAYS)('the table over %s', (way) => {
  let table: DynamoDbTable;
  beforeEach(() => {
    table = tables.ways[way];
    tables.befall();
  });

  it('gives back what was put, and undefined for what is not there', async () => {
    const item = {
      ...{
        pk: aPartition(),
        sk: 'A',
        text: 'Schlüssel „x“',
        empty: '',
        count: 3,
        ratio: 0.5,
        yes: true,
        nothing: null,
      },
      nested: { list: [1, 'two', { three: [] }], map: {} },
    };
    await table.put(item);
    expect(await table.get({ pk: item.pk, sk: 'A' })).toEqual(item);
    expect(await table.get({ pk: item.pk, sk: 'B' })).toBeUndefined();
  });

  it('updates an item if the condition holds, and says so if it does not', async () => {
    const key = { pk: aPartition(), sk: 'A' };
    const change = { expression: 'SET #s = :new', names: { '#s': 'state' }, values: { ':new': 'claimed' } };
    await table.update(key, change, 'attribute_not_exists(#s)');
    expect(await table.get(key)).toEqual({ ...key, state: 'claimed' });
    await expect(table.update(key, change, 'attribute_not_exists(#s)')).rejects.toBeInstanceOf(ConditionFailed);
  });

  it('reads every page of a query, or only as many items as asked for', async () => {
    const pk = aPartition();
    // DynamoDB ends a page at 1 MB.
    const filler = 'x'.repeat(390_000);
    for (const sk of ['A', 'B', 'C', 'D']) await table.put({ pk, sk, filler });
    const keyCondition = { expression: '#pk = :pk', names: { '#pk': 'pk' }, values: { ':pk': pk } };
    tables.befall();
    const items = await table.query({ keyCondition, consistent: true });
    expect(items.map(({ sk }) => sk)).toEqual(['A', 'B', 'C', 'D']);
    expect(tables.requests().length).toBeGreaterThan(1);
    const first = await table.query({ keyCondition, limit: 2 });
    expect(first.map(({ sk }) => sk)).toEqual(['A', 'B']);
  });

  it('queries an index', async () => {
    const pk = aPartition();
    await table.put({ pk, sk: 'A', groupKey: `G${pk}`, groupSort: '2' });
    await table.put({ pk, sk: 'B', groupKey: `G${pk}`, groupSort: '1' });
    const keyCondition = { expression: 'groupKey = :group', values: { ':group': `G${pk}` } };
    const items = await table.query({ index: 'byGroup', keyCondition });
    expect(items.map(({ sk }) => sk)).toEqual(['B', 'A']);
  });

  it('puts items together or not at all, with the reason of each', async () => {
    const pk = aPartition();
    const puts = (...sks: string[]) => sks.map((sk) => ({ item: { pk, sk }, condition: absent }));
    await table.putTogether(puts('A', 'B'));
    const attempt = table.putTogether(puts('C', 'A'));
    await expect(attempt).rejects.toBeInstanceOf(TransactionRefused);
    await expect(attempt).rejects.toMatchObject({ reasons: ['None', 'ConditionalCheckFailed'] });
    expect(await table.get({ pk, sk: 'C' })).toBeUndefined();
  });

  it('tries again, with the same token, when the answer to a transaction is lost', async () => {
    const item = { pk: aPartition(), sk: 'A' };
    tables.befall('lost');
    await table.putTogether([{ item, condition: absent }]);
    const [first, second, ...more] = tables.requests();
    expect(first?.token).toMatch(/^[\w-]{36}$/);
    expect(second).toEqual(first);
    expect(more).toEqual([]);
    expect(await table.get(item)).toEqual(item);
  });

  it('gives every transaction its own token', async () => {
    const pk = aPartition();
    for (const sk of ['A', 'B']) await table.putTogether([{ item: { pk, sk }, condition: absent }]);
    expect(new Set(tables.requests().map(({ token }) => token)).size).toBe(2);
  });

  it.each(['throttled', 'unavailable'] as const)('tries again when DynamoDB is %s', async (mishap) => {
    const item = { pk: aPartition(), sk: 'A' };
    tables.befall(mishap, mishap);
    await table.put(item);
    expect(tables.requests()).toHaveLength(3);
    expect(await table.get(item)).toEqual(item);
  });

  it('gives up at some point, and at once when trying again is no use', async () => {
    const key = { pk: aPartition(), sk: 'A' };
    tables.befall(...Array.from({ length: 10 }, () => 'unavailable' as const));
    await expect(table.get(key)).rejects.toThrow();
    expect(tables.requests().length).toBeLessThan(6);
    tables.befall('refused');
    await expect(table.get(key)).rejects.toThrow(/AccessDenied|planted/);
    expect(tables.requests()).toHaveLength(1);
  });
});

describe('the table over fetch', () => {
  const environment = { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' };
  const realFetch = globalThis.fetch;
  afterEach(() => {
    globalThis.fetch = realFetch;
  });

  /** Where a request would go in the environment, and with which headers. */
  async function requestIn(variables: Record<string, string>) {
    const sent: { url: string; headers: Headers }[] = [];
    globalThis.fetch = (url, init) => {
      sent.push({ url: url instanceof URL ? url.href : '', headers: new Headers(init?.headers) });
      return Promise.resolve(Response.json({}));
    };
    await tableOverFetch({ tableName: 'findings', environment: variables }).get({ pk: 'P', sk: 'S' });
    const [request] = sent;
    if (request === undefined) throw new Error('nothing was sent');
    return request;
  }

  it.each([
    [{}, 'https://dynamodb.eu-central-1.amazonaws.com/'],
    [{ AWS_REGION: 'us-gov-west-1' }, 'https://dynamodb.us-gov-west-1.amazonaws.com/'],
    [{ AWS_REGION: 'cn-north-1' }, 'https://dynamodb.cn-north-1.amazonaws.com.cn/'],
    [{ AWS_ENDPOINT_URL: 'http://127.0.0.1:4566' }, 'http://127.0.0.1:4566/'],
  ])('in %j goes to %s', async (variables, url) => {
    expect((await requestIn({ ...environment, ...variables })).url).toBe(url);
  });

  it('signs with the credentials of the environment, session token included', async () => {
    const { headers } = await requestIn({ ...environment, AWS_SESSION_TOKEN: 'session' });
    expect(headers.get('x-amz-security-token')).toBe('session');
    expect(headers.get('authorization')).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/dynamodb\/aws4_request, SignedHeaders=[\w;-]*host;[\w;-]*x-amz-target, Signature=[0-9a-f]{64}$/,
    );
  });

  it('names the variable that is missing', async () => {
    expect(() => tableOverFetch({ tableName: 'findings', environment: {} })).toThrow('AWS_REGION');
    await expect(requestIn({ AWS_REGION: 'eu-central-1' })).rejects.toThrow('AWS_ACCESS_KEY_ID');
  });

  it('gives up on a request that is never answered', async () => {
    let asked = 0;
    globalThis.fetch = (_, init) => {
      asked += 1;
      return new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => {
          reject(new Error('timed out'));
        });
      });
    };
    const table = tableOverFetch({ tableName: 'findings', environment });
    await expect(table.get({ pk: 'P', sk: 'S' })).rejects.toThrow('DynamoDB gave no answer to GetItem');
    expect(asked).toBe(3);
  });
});
