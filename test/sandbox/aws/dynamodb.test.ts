import {
  ConditionalCheckFailedException,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  UpdateContinuousBackupsCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { DeleteCommand, GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { createTable, errorOf, type OpenDynamoDb, openDynamoDb } from './dynamodb-fixture.ts';

let open: OpenDynamoDb;
beforeAll(async () => {
  open = await openDynamoDb();
  await createTable(open.client, 'findings');
});
afterAll(() => open.close());

describe('what passes through', () => {
  it('stores, reads and queries items', async () => {
    await open.client.send(new PutCommand({ TableName: 'findings', Item: { pk: 'a', sk: '1', n: 1 } }));
    await open.client.send(
      new UpdateCommand({
        TableName: 'findings',
        Key: { pk: 'a', sk: '1' },
        UpdateExpression: 'ADD n :one',
        ExpressionAttributeValues: { ':one': 1 },
      }),
    );
    const got = await open.client.send(new GetCommand({ TableName: 'findings', Key: { pk: 'a', sk: '1' } }));
    expect(got.Item).toEqual({ pk: 'a', sk: '1', n: 2 });
    const { Items: items } = await open.client.send(
      new QueryCommand({
        TableName: 'findings',
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': 'a' },
      }),
    );
    expect(items).toEqual([{ pk: 'a', sk: '1', n: 2 }]);
  });

  it('loses none of 100 updates at once', async () => {
    const update = new UpdateCommand({
      TableName: 'findings',
      Key: { pk: 'counter', sk: '1' },
      UpdateExpression: 'ADD n :one',
      ExpressionAttributeValues: { ':one': 1 },
    });
    await Promise.all(Array.from({ length: 100 }, () => open.client.send(update)));
    const got = await open.client.send(new GetCommand({ TableName: 'findings', Key: { pk: 'counter', sk: '1' } }));
    expect(got.Item?.['n']).toBe(100);
  });

  it('answers errors as dynalite words them', async () => {
    const missing = await errorOf(open.client.send(new GetCommand({ TableName: 'none', Key: { pk: 'a', sk: 'b' } })));
    expect(missing.name).toBe('ResourceNotFoundException');
    const wrong = await errorOf(open.client.send(new PutCommand({ TableName: 'findings', Item: { pk: 'a' } })));
    expect(wrong).toEqual({
      name: 'ValidationException',
      message: 'One or more parameter values were invalid: Missing the key sk in the item',
    });
  });

  it('answers a request without an operation', async () => {
    const response = await fetch(open.dynamoDb.url);
    expect(await response.text()).toContain('healthy: dynamodb');
  });
});

describe('the item of a failed condition', () => {
  const condition = { ConditionExpression: 'attribute_not_exists(pk)', TableName: 'findings' } as const;
  const key = { pk: 'taken', sk: '1' };
  beforeAll(() => open.client.send(new PutCommand({ TableName: 'findings', Item: { ...key, holder: 'first' } })));

  const writes = {
    PutItem: (returned: 'ALL_OLD' | 'NONE') =>
      open.client.send(new PutCommand({ ...condition, Item: key, ReturnValuesOnConditionCheckFailure: returned })),
    UpdateItem: (returned: 'ALL_OLD' | 'NONE') =>
      open.client.send(
        new UpdateCommand({
          ...condition,
          Key: key,
          UpdateExpression: 'SET holder = :holder',
          ExpressionAttributeValues: { ':holder': 'second' },
          ReturnValuesOnConditionCheckFailure: returned,
        }),
      ),
    DeleteItem: (returned: 'ALL_OLD' | 'NONE') =>
      open.client.send(new DeleteCommand({ ...condition, Key: key, ReturnValuesOnConditionCheckFailure: returned })),
  };

  it.each(Object.entries(writes))('%s answers it when asked to', async (_name, write) => {
    const error: unknown = await write('ALL_OLD').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConditionalCheckFailedException);
    // The document client unmarshalls answers, not errors.
    expect(error).toMatchObject({
      message: 'The conditional request failed',
      Item: { pk: { S: 'taken' }, sk: { S: '1' }, holder: { S: 'first' } },
    });
  });

  it.each(Object.entries(writes))('%s leaves it out when not asked to', async (_name, write) => {
    const error: unknown = await write('NONE').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConditionalCheckFailedException);
    expect(error).toHaveProperty('Item', undefined);
  });
});

describe('table settings', () => {
  it('names the table and its stream in the account and Region of the sandbox', async () => {
    const { Table: table } = await open.client.send(new DescribeTableCommand({ TableName: 'findings' }));
    expect(table).toMatchObject({
      TableStatus: 'ACTIVE',
      TableArn: 'arn:aws:dynamodb:eu-central-1:111122223333:table/findings',
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    });
    expect(table?.LatestStreamArn).toBe(
      `arn:aws:dynamodb:eu-central-1:111122223333:table/findings/stream/${table?.LatestStreamLabel ?? ''}`,
    );
  });

  it('remembers time to live and refuses to switch it on twice', async () => {
    const specification = { Enabled: true, AttributeName: 'expiresAt' };
    const enable = () =>
      open.client.send(new UpdateTimeToLiveCommand({ TableName: 'findings', TimeToLiveSpecification: specification }));
    expect((await enable()).TimeToLiveSpecification).toEqual(specification);
    const described = await open.client.send(new DescribeTimeToLiveCommand({ TableName: 'findings' }));
    expect(described.TimeToLiveDescription).toEqual({ TimeToLiveStatus: 'ENABLED', AttributeName: 'expiresAt' });
    expect(await errorOf(enable())).toEqual({ name: 'ValidationException', message: 'TimeToLive is already enabled' });
  });

  it('remembers point-in-time recovery', async () => {
    const status = async () =>
      (await open.client.send(new DescribeContinuousBackupsCommand({ TableName: 'findings' })))
        .ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus;
    expect(await status()).toBe('DISABLED');
    await open.client.send(
      new UpdateContinuousBackupsCommand({
        TableName: 'findings',
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      }),
    );
    expect(await status()).toBe('ENABLED');
    const missing = errorOf(open.client.send(new DescribeContinuousBackupsCommand({ TableName: 'none' })));
    expect((await missing).name).toBe('TableNotFoundException');
  });
});
