import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { digest } from '../../functions/adapters/digest.ts';
import { tableOverSdk } from '../../functions/adapters/dynamodb-sdk.ts';
import { createFindingsTable } from '../../functions/adapters/findings-table.ts';
import { createPatternsTable } from '../../functions/adapters/patterns-table.ts';
import { createPolicyStore } from '../../functions/adapters/policy-store.ts';
import {
  EXEMPTION_MODAL,
  exemptionPurpose,
  type FindingRef,
  PATTERN_MODAL,
} from '../../functions/contracts/slack-actions.ts';
import { EMPTY_CHAIN, seal } from '../../functions/domain/audit.ts';
import { requestOf } from '../../functions/domain/finding.ts';
import { EMPTY_PATTERN_CHAIN, sealPattern } from '../../functions/domain/pattern-audit.ts';
import type { PatternExemption } from '../../functions/domain/pattern-exemption.ts';
import { SLACK_SECRET_ID, slackSecretOf, storeSlackSecret } from '../../sandbox/function-environment.ts';
import { handlerModule } from '../../sandbox/functions.ts';
import { createInvoker } from '../../sandbox/lambda/invoke.ts';
import { setEnvironment } from '../../sandbox/process-environment.ts';
import { simulatedSecret } from '../../sandbox/simulated-secret.ts';
import { findPerson } from '../../sandbox/slack/people.ts';
import { signature } from '../../sandbox/slack/signed-post.ts';
import { HUB_ACCOUNT, WORKSPACE } from '../../sandbox/world.ts';
import { DEV_KEYS } from '../builders.ts';
import { eventOf } from '../fuzz/http-request.ts';
import { createTable, type OpenDynamoDb, openDynamoDb } from '../sandbox/aws/dynamodb-fixture.ts';
import { type AwsFixture, startAws } from '../sandbox/aws/kms-fixture.ts';
import { BOT_TOKEN, type SlackFixture, startFixture } from '../sandbox/slack/support/slack-fixture.ts';
import { everyPatternCase, type PatternCase, type PatternOutcome, patternOutcome } from './patterns.ts';
import type { Kind } from './people.ts';
import { type Case, endOf, everyCase, matrixPolicy, type Outcome, outcomeOf } from './who-may-what.ts';

const TABLE = 'findings';
const SIGNING_SECRET = simulatedSecret();
const NOW = new Date().toISOString();

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
  const purpose = exemptionPurpose.safeParse(action);
  return purpose.success
    ? submissionOf(kind, { callback_id: EXEMPTION_MODAL, metadata: { finding, purpose: purpose.data } })
    : clickOf(kind, { action_id: action, value: finding });
}

/** The same for the exemption of a pattern. */
function patternPayloadOf({ kind, action, id }: PatternCase, current: PatternExemption | undefined): object {
  if (action === 'request-pattern') {
    const renews = current !== undefined && current.grant !== null;
    const metadata = renews ? { purpose: 'renew', id } : { purpose: 'exempt', id, pattern: DEV_KEYS };
    return submissionOf(kind, { callback_id: PATTERN_MODAL, metadata });
  }
  const request = current?.request?.at;
  return clickOf(kind, { action_id: action, value: { pattern: id, ...(request === undefined ? {} : { request }) } });
}

function from({ userId }: Kind) {
  const user = { id: userId, team_id: findPerson(userId)?.teamId ?? WORKSPACE.teamId };
  return { user, team: { id: WORKSPACE.teamId, domain: 'sandbox' }, trigger_id: randomUUID() };
}

function clickOf(kind: Kind, { action_id, value }: { action_id: string; value: object }): object {
  const button = { type: 'button', action_id, block_id: 'b', value: JSON.stringify(value), action_ts: '1' };
  return { ...from(kind), type: 'block_actions', response_url: `${slack.slack.url}/response/none`, actions: [button] };
}

function submissionOf(kind: Kind, { callback_id, metadata }: { callback_id: string; metadata: object }): object {
  const values = {
    owner: { owner: { type: 'users_select', selected_user: 'U0APPROVER2' } },
    reason: { reason: { type: 'plain_text_input', value: 'The vendor pins the key material' } },
    ticket: { ticket: { type: 'plain_text_input', value: null } },
    // The form takes the last day, to its end.
    until: { until: { type: 'datepicker', selected_date: dayBefore(endOf(NOW)) } },
  };
  const private_metadata = JSON.stringify(metadata);
  return {
    ...{ ...from(kind), type: 'view_submission' },
    view: { id: 'V1', type: 'modal', callback_id, state: { values }, private_metadata },
  };
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

type Seen = { type: string } & ({ type: 'command-refused' | 'pattern-refused'; refusal: { reason: string } } | object);

/** What the matrix promises, in one word: details such as names and times belong to the case. */
function wordIn(events: readonly Seen[]): string {
  const last = events.at(-1);
  if (last !== undefined && 'refusal' in last) return `refused: ${last.refusal.reason}`;
  return events.map(({ type }) => type).join(', ');
}

function wordOf(outcome: Outcome | PatternOutcome): string {
  return 'events' in outcome ? outcome.events.join(', ') : `refused: ${outcome.refusal.reason}`;
}

type Question = { name: string; groupsFail: boolean; expected: string; click: () => Promise<string> };

it('everybody gets for every click, in every situation, what the matrix says', async () => {
  const table = tableOverSdk({ client: dynamoDb.client, tableName: TABLE });
  const findings = createFindingsTable(table);
  const patterns = createPatternsTable(table);
  await createPolicyStore({ table, now: () => new Date() }).putPolicy(matrixPolicy());
  const { handler } = handlerModule.parse(await import('../../functions/decide-finding/handler.ts'));
  const { invoke } = createInvoker({
    ...{ name: 'decide-finding', handler, timeoutMs: 10_000, memoryLimitInMB: 512 },
  });
  const context = { cause: { kind: 'clock' as const, id: 'given' }, policyVersion: 'given', newId: randomUUID };

  async function click(one: Case): Promise<string> {
    const { records, head } = seal(EMPTY_CHAIN, one.events, context, digest);
    await findings.append({ before: EMPTY_CHAIN, after: head, records, dueAt: null, onceId: null });
    if (head.finding === undefined) throw new Error('no finding');
    const { key, episode } = head.finding;
    const request = requestOf(head.finding)?.at;
    const ref = { key: key.arn, episode, ...(request === undefined ? {} : { request }) };
    await invoke(signedEvent(payloadOf(one, ref)));
    return wordIn((await findings.auditOf(key.arn)).slice(records.length).map(({ event }) => event));
  }

  async function clickPattern(one: PatternCase): Promise<string> {
    const [first, ...rest] = one.events;
    const { records, head } =
      first === undefined
        ? { records: [], head: EMPTY_PATTERN_CHAIN }
        : sealPattern(EMPTY_PATTERN_CHAIN, [first, ...rest], context, digest);
    if (first !== undefined) {
      await patterns.append({ before: EMPTY_PATTERN_CHAIN, after: head, records, dueAt: null, onceId: null });
    }
    await invoke(signedEvent(patternPayloadOf(one, head.pattern)));
    return wordIn((await patterns.auditOf(one.id)).slice(records.length).map(({ event }) => event));
  }

  const questions: Question[] = [
    ...everyCase(NOW).map((one) => ({
      name: `${one.situation.name}: ${one.kind.name}, ${one.action}`,
      groupsFail: one.kind.groupsFail,
      expected: wordOf(outcomeOf(one, NOW)),
      click: () => click(one),
    })),
    ...everyPatternCase(NOW).map((one) => {
      const outcome = patternOutcome(one, matrixPolicy(), NOW);
      // Where there is no exemption there is no trail: what is refused then leaves nothing.
      const leavesNothing = one.events.length === 0 && 'refusal' in outcome;
      return {
        name: `pattern, ${one.situation}: ${one.kind.name}, ${one.action}`,
        groupsFail: one.kind.groupsFail,
        expected: leavesNothing ? '' : wordOf(outcome),
        click: () => clickPattern(one),
      };
    }),
  ];
  const differences: string[] = [];
  const compare = async ({ name, expected, click: ask }: Question) => {
    const seen = await ask();
    if (expected !== seen) differences.push(`${name}: ${expected} in the matrix, ${seen} when clicked`);
  };
  // First those whom Slack does not sort into groups: afterwards it does, and the answer is remembered.
  slack.slack.faults.set('usergroups.users.list', 'internal_error', Number.MAX_SAFE_INTEGER);
  for (const one of questions.filter(({ groupsFail }) => groupsFail)) await compare(one);
  slack.slack.faults.set('usergroups.users.list', 'internal_error', 0);
  for (const one of questions.filter(({ groupsFail }) => !groupsFail)) await compare(one);
  expect(differences).toEqual([]);
}, 180_000);
