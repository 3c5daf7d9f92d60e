import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { digest } from '../../functions/adapters/digest.ts';
import { tableOverSdk } from '../../functions/adapters/dynamodb-sdk.ts';
import { createFindingsTable } from '../../functions/adapters/findings-table.ts';
import { createPolicyStore } from '../../functions/adapters/policy-store.ts';
import { EXEMPTION_MODAL, exemptionPurpose, type FindingRef } from '../../functions/contracts/slack-actions.ts';
import { type AuditEvent, EMPTY_CHAIN, seal } from '../../functions/domain/audit.ts';
import { requestOf } from '../../functions/domain/finding.ts';
import { SLACK_SECRET_ID, slackSecretOf, storeSlackSecret } from '../../sandbox/function-environment.ts';
import { handlerModule } from '../../sandbox/functions.ts';
import { createInvoker } from '../../sandbox/lambda/invoke.ts';
import { setEnvironment } from '../../sandbox/process-environment.ts';
import { simulatedSecret } from '../../sandbox/simulated-secret.ts';
import { findPerson } from '../../sandbox/slack/people.ts';
import { signature } from '../../sandbox/slack/signed-post.ts';
import { HUB_ACCOUNT, WORKSPACE } from '../../sandbox/world.ts';
import { eventOf } from '../fuzz/http-request.ts';
import { createTable, type OpenDynamoDb, openDynamoDb } from '../sandbox/aws/dynamodb-fixture.ts';
import { type AwsFixture, startAws } from '../sandbox/aws/kms-fixture.ts';
import { BOT_TOKEN, type SlackFixture, startFixture } from '../sandbox/slack/support/slack-fixture.ts';
import { type Case, endOf, everyCase, matrixPolicy, type Outcome, outcomeOf } from './who-may-what.ts';

const TABLE = 'findings';
const SIGNING_SECRET = simulatedSecret();
const NOW = new Date().toISOString();
const at = (one: Case) => `${one.situation.name}: ${one.kind.name}, ${one.action}`;

let dynamoDb: OpenDynamoDb;
let slack: SlackFixture;
let aws: AwsFixture;
let restoreEnvironment: () => void;

beforeAll(async () => {
  [dynamoDb, slack, aws] = await Promise.all([openDynamoDb(), startFixture(), startAws()]);
  storeSlackSecret(aws.secrets, slackSecretOf({ signingSecret: SIGNING_SECRET, botToken: BOT_TOKEN }));
  await createTable(dynamoDb.client, TABLE);
  restoreEnvironment = setEnvironment({
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: HUB_ACCOUNT.id,
    AWS_SECRET_ACCESS_KEY: 'test',
    TABLE_NAME: TABLE,
    LOG_LEVEL: 'ERROR',
    SLACK_SECRET_ID,
    SLACK_API_URL: `${slack.slack.url}/api/`,
  });
  process.env['AWS_ENDPOINT_URL_SECRETS_MANAGER'] = aws.url;
  process.env['AWS_ENDPOINT_URL_DYNAMODB'] = dynamoDb.dynamoDb.url;
  // Lambda's own setting; that the answers to these clicks reach nobody is no news.
  process.env['AWS_LAMBDA_LOG_LEVEL'] = 'FATAL';
});
afterAll(async () => {
  restoreEnvironment();
  await Promise.all([dynamoDb.close(), slack.close(), aws.stop()]);
});

/** A click, or the form that a click opened, as Slack would send it. */
function payloadOf({ kind, action }: Case, finding: FindingRef): object {
  const user = { id: kind.userId, team_id: findPerson(kind.userId)?.teamId ?? WORKSPACE.teamId };
  const from = { user, team: { id: WORKSPACE.teamId, domain: 'sandbox' }, trigger_id: randomUUID() };
  const purpose = exemptionPurpose.safeParse(action);
  if (purpose.success) {
    const values = {
      owner: { owner: { type: 'users_select', selected_user: 'U0APPROVER2' } },
      reason: { reason: { type: 'plain_text_input', value: 'The vendor pins the key material' } },
      ticket: { ticket: { type: 'plain_text_input', value: null } },
      // The form takes the last day, to its end.
      until: { until: { type: 'datepicker', selected_date: dayBefore(endOf(NOW)) } },
    };
    const view = {
      ...{ id: 'V1', type: 'modal', callback_id: EXEMPTION_MODAL, state: { values } },
      private_metadata: JSON.stringify({ finding, purpose: purpose.data }),
    };
    return { ...from, type: 'view_submission', view };
  }
  const button = { type: 'button', action_id: action, block_id: 'b', value: JSON.stringify(finding), action_ts: '1' };
  return { ...from, type: 'block_actions', response_url: `${slack.slack.url}/response/none`, actions: [button] };
}

function dayBefore(instant: string): string {
  return new Date(Date.parse(instant) - 86_400_000).toISOString().slice(0, 10);
}

function signedEvent(payload: object): APIGatewayProxyEventV2 {
  const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  const timestamp = Math.floor(Date.now() / 1000);
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'x-slack-request-timestamp': String(timestamp),
    'x-slack-signature': signature(SIGNING_SECRET, timestamp, body),
  };
  return eventOf({ method: 'POST', flags: new Set(), headers: Object.entries(headers), body: Buffer.from(body) });
}

function outcomeIn(records: readonly AuditEvent[]): Outcome {
  const [last] = records.slice(-1);
  if (last?.event.type === 'command-refused') return { refusal: last.event.refusal };
  return { events: records.map(({ event }) => event.type) };
}

/** What the matrix promises, in one word: details such as names and times belong to the case. */
function wordOf(outcome: Outcome): string {
  return 'events' in outcome ? outcome.events.join(', ') : `refused: ${outcome.refusal.reason}`;
}

it('everybody gets for every click, in every situation, what the matrix says', async () => {
  const table = tableOverSdk({ client: dynamoDb.client, tableName: TABLE });
  const findings = createFindingsTable(table);
  await createPolicyStore({ table, now: () => new Date() }).putPolicy(matrixPolicy());
  const { handler } = handlerModule.parse(await import('../../functions/decide-finding/handler.ts'));
  const { invoke } = createInvoker({
    ...{ name: 'decide-finding', handler, timeoutMs: 10_000, memoryLimitInMB: 512 },
  });

  async function click(one: Case): Promise<Outcome> {
    const context = { cause: { kind: 'clock' as const, id: 'given' }, policyVersion: 'given', newId: randomUUID };
    const { records, head } = seal(EMPTY_CHAIN, one.events, context, digest);
    await findings.append({ before: EMPTY_CHAIN, after: head, records, dueAt: null, onceId: null });
    if (head.finding === undefined) throw new Error('no finding');
    const { key, episode } = head.finding;
    const request = requestOf(head.finding)?.at;
    const ref = { key: key.arn, episode, ...(request === undefined ? {} : { request }) };
    await invoke(signedEvent(payloadOf(one, ref)));
    return outcomeIn((await findings.auditOf(key.arn)).slice(records.length));
  }

  const cases = everyCase(NOW);
  const differences: string[] = [];
  const compare = async (one: Case) => {
    const [expected, seen] = [wordOf(outcomeOf(one, NOW)), wordOf(await click(one))];
    if (expected !== seen) differences.push(`${at(one)}: ${expected} in the matrix, ${seen} when clicked`);
  };
  // First those whom Slack does not sort into groups: afterwards it does, and the answer is remembered.
  slack.slack.faults.set('usergroups.users.list', 'internal_error', Number.MAX_SAFE_INTEGER);
  for (const one of cases.filter(({ kind }) => kind.groupsFail)) await compare(one);
  slack.slack.faults.set('usergroups.users.list', 'internal_error', 0);
  for (const one of cases.filter(({ kind }) => !kind.groupsFail)) await compare(one);
  expect(differences).toEqual([]);
}, 180_000);
