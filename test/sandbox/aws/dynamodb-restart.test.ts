import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeTimeToLiveCommand, UpdateTimeToLiveCommand } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { createTable, type OpenDynamoDb, openDynamoDb } from './dynamodb-fixture.ts';

const TableName = 'ledger';
let dataDir: string;
let open: OpenDynamoDb;
let streamArn: string;
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'dynamodb-'));
  open = await openDynamoDb(dataDir);
  streamArn = await createTable(open.client, TableName);
});
afterEach(async () => {
  await open.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const put = (sk: string, round: number) =>
  open.client.send(new PutCommand({ TableName, Item: { pk: 'p', sk, round } }));
const roundOf = async (sk: string): Promise<unknown> =>
  (await open.client.send(new GetCommand({ TableName, Key: { pk: 'p', sk } }))).Item?.['round'];
const emitted = () =>
  open.dynamoDb.streams
    .read(streamArn, undefined, 100_000)
    .map(({ dynamodb }) => [dynamodb.Keys['sk']?.['S'], dynamodb.NewImage?.['round']?.['N']]);
async function restart(meanwhile: () => void = () => undefined): Promise<void> {
  await open.close();
  meanwhile();
  open = await openDynamoDb(dataDir);
}

const attributes = (sk: string, round: number) => ({ pk: { S: 'p' }, sk: { S: sk }, round: { N: String(round) } });
const journal = (content: object) => {
  writeFileSync(join(dataDir, 'journal.json'), JSON.stringify(content));
};

it('keeps items, table settings and stream records over a restart', async () => {
  await open.client.send(
    new UpdateTimeToLiveCommand({
      TableName,
      TimeToLiveSpecification: { Enabled: true, AttributeName: 'expiresAt' },
    }),
  );
  await put('a', 1);
  await restart();
  await put('a', 2);
  expect(await roundOf('a')).toBe(2);
  expect(emitted()).toEqual([
    ['a', '1'],
    ['a', '2'],
  ]);
  const { TimeToLiveDescription: description } = await open.client.send(new DescribeTimeToLiveCommand({ TableName }));
  expect(description?.TimeToLiveStatus).toBe('ENABLED');
});

it('finishes a transaction whose process died before it wrote all items', async () => {
  await put('left', 1);
  await restart(() => {
    const change = (sk: string, before: object | null) => ({
      tableName: TableName,
      key: { pk: { S: 'p' }, sk: { S: sk } },
      before,
      redo: { after: attributes(sk, 2) },
    });
    journal({
      changes: [change('left', attributes('left', 1)), change('right', null)],
      streamLengths: { [streamArn]: 1 },
    });
  });
  expect([await roundOf('left'), await roundOf('right')]).toEqual([2, 2]);
  expect(emitted()).toEqual([
    ['left', '1'],
    ['left', '2'],
    ['right', '2'],
  ]);
});

it('emits the record of a write whose process died before it could', async () => {
  await put('a', 1);
  await restart(() => {
    journal({
      changes: [{ tableName: TableName, key: { pk: { S: 'p' }, sk: { S: 'a' } }, before: null }],
      streamLengths: { [streamArn]: 0 },
    });
    const [file = ''] = readdirSync(join(dataDir, 'streams'));
    // The record of the first write is lost, and half a line is left of it.
    writeFileSync(join(dataDir, 'streams', file), '{"eventID":"0123');
  });
  expect(emitted()).toEqual([['a', '1']]);
});

it('emits no record twice when the process died after it had emitted it', async () => {
  await put('a', 1);
  await restart(() => {
    journal({
      changes: [{ tableName: TableName, key: { pk: { S: 'p' }, sk: { S: 'a' } }, before: null }],
      streamLengths: { [streamArn]: 0 },
    });
  });
  expect(emitted()).toEqual([['a', '1']]);
});

it('cuts off half a line that no journal knows of', async () => {
  await put('a', 1);
  await restart(() => {
    const [file = ''] = readdirSync(join(dataDir, 'streams'));
    appendFileSync(join(dataDir, 'streams', file), '{"eventID":"0123');
  });
  await put('a', 2);
  await restart();
  expect(emitted()).toEqual([
    ['a', '1'],
    ['a', '2'],
  ]);
});

it('shows whole transactions and every record after its process was killed', async () => {
  for (let kill = 0; kill < 3; kill += 1) {
    await open.close();
    const victim = spawn(process.execPath, [join(import.meta.dirname, 'dynamodb-victim.ts'), dataDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(victim.stdout, 'data');
    await new Promise((resolve) => setTimeout(resolve, 60 + 37 * kill));
    victim.kill('SIGKILL');
    await once(victim, 'exit');
    open = await openDynamoDb(dataDir);

    const { Items: items } = await open.client.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': 'p' },
      }),
    );
    const rounds = new Map(items?.map(({ sk, round }: Record<string, unknown>) => [sk, round]));
    expect(rounds.get('middle')).toBe(rounds.get('left'));
    expect(rounds.get('right')).toBe(rounds.get('left'));
    for (const sk of ['left', 'middle', 'right', 'single']) {
      const last = emitted().findLast(([name]) => name === sk);
      // On a busy machine it may be killed before its first write.
      expect(last === undefined ? undefined : Number(last[1])).toBe(rounds.get(sk));
    }
  }
});
