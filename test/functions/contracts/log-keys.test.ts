import { readFileSync } from 'node:fs';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { jest } from '@jest/globals';
import type { Context, DynamoDBStreamEvent, SQSEvent } from 'aws-lambda';
import * as z from 'zod';
import { digest } from '../../../functions/adapters/digest.ts';
import { tableOverSdk } from '../../../functions/adapters/dynamodb-sdk.ts';
import { createFindingsTable } from '../../../functions/adapters/findings-table.ts';
import { createPolicyStore } from '../../../functions/adapters/policy-store.ts';
import { eventSortKey, partitionOf } from '../../../functions/contracts/table.ts';
import { EMPTY_CHAIN, seal } from '../../../functions/domain/audit.ts';
import { type Queues, startQueues } from '../../../sandbox/aws/queues.ts';
import { SLACK_SECRET_ID, slackSecretOf, storeSlackSecret } from '../../../sandbox/function-environment.ts';
import { HUB_ACCOUNT, READ_ROLE, REMEDIATE_ROLE } from '../../../sandbox/world.ts';
import { anOpening, aPolicy, KEY } from '../../builders.ts';
import { createTable, type OpenDynamoDb, openDynamoDb } from '../../sandbox/aws/dynamodb-fixture.ts';
import { type AwsFixture, startAws } from '../../sandbox/aws/kms-fixture.ts';
import { BOT_TOKEN, CHANNEL, type SlackFixture, startFixture } from '../../sandbox/slack/support/slack-fixture.ts';

const TABLE = 'findings';
const QUEUES = 'http://127.0.0.1:1/111122223333/';
const ENVIRONMENT = { ...process.env };
let dynamoDb: OpenDynamoDb;
let queues: Queues;
let slack: SlackFixture;
let aws: AwsFixture;
let image: unknown;

beforeAll(async () => {
  [dynamoDb, queues, slack, aws] = await Promise.all([openDynamoDb(), startQueues(), startFixture(), startAws()]);
  storeSlackSecret(aws.secrets, slackSecretOf({ signingSecret: 'not-needed-to-announce', botToken: BOT_TOKEN }));
  await createTable(dynamoDb.client, TABLE);
  Object.assign(process.env, {
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: HUB_ACCOUNT.id,
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL: aws.url,
    AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.dynamoDb.url,
    AWS_ENDPOINT_URL_SNS: queues.url,
    TABLE_NAME: TABLE,
    LOG_LEVEL: 'INFO',
    POWERTOOLS_METRICS_DISABLED: 'true',
    SLACK_SECRET_ID,
    SLACK_API_URL: `${slack.slack.url}/api/`,
    READ_ROLE_NAME: READ_ROLE,
    REMEDIATE_ROLE_NAME: REMEDIATE_ROLE,
    EXTERNAL_ID: 'an-external-id',
    CREATIONS_QUEUE_URL: `${QUEUES}creations`,
    CHANGES_QUEUE_URL: `${QUEUES}changes`,
    // As Lambda sets it for each invocation.
    _X_AMZN_TRACE_ID: 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1',
  });
  const sns = new SNSClient();
  const { TopicArn: topicArn } = await sns.send(new CreateTopicCommand({ Name: 'notices' }));
  process.env['TOPIC_ARN'] = topicArn ?? '';
  sns.destroy();

  const policy = aPolicy();
  policy.defaultRoute.channel = CHANNEL;
  const { client } = dynamoDb;
  const table = tableOverSdk({ client, tableName: TABLE });
  await createPolicyStore({ table, now: () => new Date() }).putPolicy(policy);
  const sealing = {
    cause: { kind: 'cloudtrail' as const, id: 'trail-event-1' },
    policyVersion: '1',
    newId: () => 'audit-event-1',
  };
  const { records, head } = seal(EMPTY_CHAIN, [anOpening()], sealing, digest);
  await createFindingsTable(table).append({ before: EMPTY_CHAIN, after: head, records, dueAt: null, onceId: null });
  const key = { pk: { S: partitionOf(KEY.arn) }, sk: { S: eventSortKey(1) } };
  image = (await client.send(new GetItemCommand({ TableName: TABLE, Key: key }))).Item;
});
afterAll(async () => {
  process.env = ENVIRONMENT;
  await Promise.all([dynamoDb.close(), queues.close(), slack.close(), aws.stop()]);
});

const context = z.custom<Context>().parse({
  functionName: 'bot',
  invokedFunctionArn: 'arn:aws:lambda:eu-central-1:111122223333:function:bot',
  memoryLimitInMB: '512',
  awsRequestId: 'request-1',
});
const asJson = (event: unknown): unknown => JSON.parse(JSON.stringify(event));
const streamEvent = () =>
  z.custom<DynamoDBStreamEvent>().parse(asJson({ Records: [{ eventName: 'INSERT', dynamodb: { NewImage: image } }] }));

/** What a function writes meanwhile, to its log. */
async function linesOf(act: () => Promise<unknown>): Promise<unknown[]> {
  const text: string[] = [];
  const writes = [process.stdout, process.stderr].map((stream) =>
    jest.spyOn(stream, 'write').mockImplementation((chunk) => {
      text.push(String(chunk));
      return true;
    }),
  );
  try {
    await act();
  } finally {
    for (const write of writes) write.mockRestore();
  }
  return text
    .join('')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): unknown => JSON.parse(line));
}

const STORY = {
  keyArn: KEY.arn,
  episode: 1,
  auditEventId: 'audit-event-1',
  sequence: 1,
  policyVersion: '1',
  cloudTrailEventId: 'trail-event-1',
  xray_trace_id: '1-5759e988-bd862e3fe1be46a994272793',
};

const HANDLERS = {
  'announce-finding': () => import('../../../functions/announce-finding/handler.ts'),
  'remediate-key': () => import('../../../functions/remediate-key/handler.ts'),
  'detect-finding': () => import('../../../functions/detect-finding/handler.ts'),
};

it.each([
  ['announce-finding', 'announced'],
  ['remediate-key', 'remediation'],
  ['detect-finding', 'looked again'],
] as const)('%s names the story of an audit event in its log', async (name, message) => {
  const { handler } = await HANDLERS[name]();
  const lines = await linesOf(() => handler(streamEvent(), context));
  expect(lines).toContainEqual(expect.objectContaining({ service: name, message, ...STORY }));
});

it('detect-finding names the key and the event of CloudTrail, and nothing of the story before', async () => {
  const { handler } = await import('../../../functions/detect-finding/handler.ts');
  const body = readFileSync(new URL('../../fixtures/create-key-root.json', import.meta.url), 'utf8');
  const record = { messageId: 'm-1', receiptHandle: 'r-1', body, eventSourceARN: 'arn:aws:sqs:::changes' };
  const event = z.custom<SQSEvent>().parse(asJson({ Records: [record] }));
  const lines = await linesOf(() => handler(event, context));
  const { detail } = z.object({ detail: z.looseObject({ eventID: z.string() }) }).parse(JSON.parse(body));
  expect(lines).toContainEqual(
    expect.objectContaining({ message: 'looked into', messageId: 'm-1', cloudTrailEventId: detail.eventID }),
  );
  expect(JSON.stringify(lines)).not.toContain('audit-event-1');
});
