import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import type { Context, DynamoDBStreamEvent } from 'aws-lambda';
import * as z from 'zod';
import { digest } from '../../../functions/adapters/digest.ts';
import { tableOverSdk } from '../../../functions/adapters/dynamodb-sdk.ts';
import { createFindingsTable } from '../../../functions/adapters/findings-table.ts';
import { createPolicyStore } from '../../../functions/adapters/policy-store.ts';
import { eventSortKey, partitionOf } from '../../../functions/contracts/table.ts';
import { EMPTY_CHAIN, seal } from '../../../functions/domain/audit.ts';
import { type Queues, startQueues } from '../../../sandbox/aws/queues.ts';
import { SLACK_SECRET_ID, slackSecretOf, storeSlackSecret } from '../../../sandbox/function-environment.ts';
import { HUB_ACCOUNT } from '../../../sandbox/world.ts';
import { anOpening, aPolicy, KEY } from '../../builders.ts';
import { createTable, type OpenDynamoDb, openDynamoDb } from '../../sandbox/aws/dynamodb-fixture.ts';
import { type AwsFixture, startAws } from '../../sandbox/aws/kms-fixture.ts';
import { BOT_TOKEN, CHANNEL, type SlackFixture, startFixture } from '../../sandbox/slack/support/slack-fixture.ts';

const TABLE = 'findings';
const ENVIRONMENT = { ...process.env };
let dynamoDb: OpenDynamoDb;
let queues: Queues;
let slack: SlackFixture;
let aws: AwsFixture;

beforeAll(async () => {
  [dynamoDb, queues, slack, aws] = await Promise.all([openDynamoDb(), startQueues(), startFixture(), startAws()]);
  storeSlackSecret(aws.secrets, slackSecretOf({ signingSecret: 'not-needed-to-announce', botToken: BOT_TOKEN }));
  await createTable(dynamoDb.client, TABLE);
  Object.assign(process.env, {
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: HUB_ACCOUNT.id,
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.dynamoDb.url,
    AWS_ENDPOINT_URL_SNS: queues.url,
    TABLE_NAME: TABLE,
    LOG_LEVEL: 'ERROR',
    // Lambda's own setting; it outdoes LOG_LEVEL and keeps the expected failure out of the test's output.
    AWS_LAMBDA_LOG_LEVEL: 'FATAL',
    POWERTOOLS_METRICS_DISABLED: 'true',
    AWS_ENDPOINT_URL_SECRETS_MANAGER: aws.url,
    SLACK_SECRET_ID,
    SLACK_API_URL: `${slack.slack.url}/api/`,
  });
  const sns = new SNSClient();
  const { TopicArn: topicArn } = await sns.send(new CreateTopicCommand({ Name: 'notices' }));
  process.env['TOPIC_ARN'] = topicArn ?? '';
  sns.destroy();
});
afterAll(async () => {
  process.env = ENVIRONMENT;
  await Promise.all([dynamoDb.close(), queues.close(), slack.close(), aws.stop()]);
});

/** Only the fields that are logged. */
const context = z.custom<Context>().parse({
  functionName: 'announce-finding',
  invokedFunctionArn: 'arn:aws:lambda:eu-central-1:111122223333:function:announce-finding',
  memoryLimitInMB: '256',
  awsRequestId: 'request-1',
});
/** The event as Lambda hands it over: JSON. */
function streamEvent(image: unknown): DynamoDBStreamEvent {
  const event = { Records: [{ eventName: 'INSERT', dynamodb: { NewImage: image } }] };
  return z.custom<DynamoDBStreamEvent>().parse(JSON.parse(JSON.stringify(event)));
}

it('shows a finding in Slack that the table has just stored', async () => {
  const { handler } = await import('../../../functions/announce-finding/handler.ts');
  const policy = aPolicy();
  policy.defaultRoute.channel = CHANNEL;
  const { client } = dynamoDb;
  const table = tableOverSdk({ client, tableName: TABLE });
  await createPolicyStore({ table, now: () => new Date() }).putPolicy(policy);
  const sealing = { cause: { kind: 'clock' as const, id: 'run-1' }, policyVersion: '1', newId: () => 'event-1' };
  const { records, head } = seal(EMPTY_CHAIN, [anOpening()], sealing, digest);
  const findings = createFindingsTable(table);
  await findings.append({ before: EMPTY_CHAIN, after: head, records, dueAt: null, onceId: null });
  const { Item: image } = await client.send(
    new GetItemCommand({ TableName: TABLE, Key: { pk: { S: partitionOf(KEY.arn) }, sk: { S: eventSortKey(1) } } }),
  );

  await handler(streamEvent(image), context);
  const shown = slack.slack.state().channels.find(({ id }) => id === CHANNEL)?.messages ?? [];
  expect(shown.map(({ metadata }) => metadata?.event_payload)).toEqual([{ post_id: `${KEY.arn}#1#root` }]);
});

it('throws at a record that it cannot read, so that the stream keeps it', async () => {
  const { handler } = await import('../../../functions/announce-finding/handler.ts');
  await expect(handler(streamEvent({ pk: { S: 'KEY#x' } }), context)).rejects.toMatchObject({ name: '$ZodError' });
});
