import { createHash, randomUUID } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import middy from '@middy/core';
import { AwsLambdaReceiver, LogLevel } from '@slack/bolt';
import type { Context } from 'aws-lambda';
import { createCarryOut } from '../../../functions/adapters/carry-out.ts';
import { createCarryOutPattern } from '../../../functions/adapters/carry-out-pattern.ts';
import { digest } from '../../../functions/adapters/digest.ts';
import { createDigests } from '../../../functions/adapters/digests-table.ts';
import { tableOverSdk } from '../../../functions/adapters/dynamodb-sdk.ts';
import { createFindingsTable } from '../../../functions/adapters/findings-table.ts';
import { createPatternCoverage } from '../../../functions/adapters/pattern-coverage.ts';
import { createPatternsTable } from '../../../functions/adapters/patterns-table.ts';
import { createPolicyStore } from '../../../functions/adapters/policy-store.ts';
import { createSlack } from '../../../functions/adapters/slack.ts';
import { decideFindingEnv, parseEnv } from '../../../functions/contracts/env.ts';
import { parseSlackSecret } from '../../../functions/contracts/slack-secret.ts';
import { answerCommand, type CommandDeps } from '../../../functions/decide-finding/answer-command.ts';
import { approveAll, reviewDigest } from '../../../functions/decide-finding/decide-digest.ts';
import {
  type Deps,
  decideFinding,
  decideTerms,
  mayStateTerms,
} from '../../../functions/decide-finding/decide-finding.ts';
import { createPatternUseCases } from '../../../functions/decide-finding/decide-pattern.ts';
import { type HomeDeps, showHome } from '../../../functions/decide-finding/home.ts';
import { createSlackApp } from '../../../functions/decide-finding/slack-app.ts';
import { verifyChain } from '../../../functions/domain/audit.ts';

// What decide-finding would be without its own receiver, table client and bundle settings: Bolt's AwsLambdaReceiver and
// the AWS SDK below the same use case and listeners. All the rest is as in functions/decide-finding/handler.ts.
const env = parseEnv(decideFindingEnv, process.env);
const logger = new Logger({ serviceName: 'decide-finding', logLevel: env.LOG_LEVEL });
const now = () => new Date();
const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const table = tableOverSdk({ client, tableName: env.TABLE_NAME });
const findings = createFindingsTable(table);
const policies = createPolicyStore({ table, now });
const loadPolicy = () => policies.loadPolicy();
const secrets = new SecretsManagerClient({});

/** Bolt's receiver wants the signing secret when it is made, so the secret is read first. */
async function start() {
  const { SecretString: content = '' } = await secrets.send(
    new GetSecretValueCommand({ SecretId: env.SLACK_SECRET_ID }),
  );
  const secret = parseSlackSecret(content);
  const slack = createSlack({
    token: () => Promise.resolve(secret.botToken),
    apiUrl: env.SLACK_API_URL,
    timeoutMs: 2000,
  });
  const deps: Deps = {
    loadPolicy,
    person: (userId, teamId, maxAgeSeconds) => slack.person(userId, teamId, maxAgeSeconds),
    groupsOf: (userId, groupIds, question) => slack.groupsOf(userId, groupIds, question),
    loadFinding: async (keyArn) => (await findings.load(keyArn)).finding,
    carryOut: createCarryOut({ table: findings, loadPolicy, newId: randomUUID, digest }),
    now,
  };
  const patterns = createPatternsTable(table);
  const coverage = createPatternCoverage({ table, now });
  const lookUps: HomeDeps & CommandDeps = {
    ...deps,
    loadPolicy,
    loadChain: (keyArn) => findings.load(keyArn),
    auditOf: (keyArn) => findings.auditOf(keyArn),
    findingsPage: (status, page) => findings.findingsPage(status, page),
    newestOfDay: (day, limit) => findings.newestOfDay(day, limit),
    currentPatterns: (limit) => patterns.current(limit),
    coverage,
    publishHome: (userId, view) => slack.publishHome(userId, view),
    verify: (records, head) => verifyChain(records, digest, head),
  };
  const digestDeps = { ...deps, loadPolicy, digests: createDigests(table) };
  const receiver = new AwsLambdaReceiver({
    signingSecret: secret.signingSecret,
    logLevel: LogLevel.ERROR,
    customPropertiesExtractor: ({ headers }) => ({
      requestId: createHash('sha256')
        .update(headers['x-slack-signature'] ?? '')
        .digest('hex')
        .slice(0, 32),
    }),
  });
  createSlackApp(
    { receiver, bot: () => Promise.resolve(secret), apiUrl: env.SLACK_API_URL },
    {
      decide: (action, request) => decideFinding(action, request, deps),
      mayStateTerms: (action, request) => mayStateTerms(action, request, deps),
      decideTerms: (action, request, terms) => decideTerms(action, request, terms, deps),
      approveAll: (ref, request) => approveAll(ref, request, digestDeps),
      reviewDigest: (page, size, request) => reviewDigest(page, size, request, digestDeps),
      patterns: createPatternUseCases({
        ...deps,
        patterns,
        carryOutPattern: createCarryOutPattern({ table: patterns, loadPolicy, newId: randomUUID, digest }),
        coverage,
      }),
      openView: (triggerId, view) => slack.openView(triggerId, view),
      pushView: (triggerId, view) => slack.pushView(triggerId, view),
      updateView: (viewId, view) => slack.updateView(viewId, view),
      showHome: (who, metadata, news) => showHome(who, metadata, news, lookUps),
      answerCommand: (who, words) => answerCommand(who, words, lookUps),
      now,
      logFailure: (error, requestId) => {
        logger.error('a click could not be answered', { requestId, error });
      },
    },
  );
  return receiver.toHandler();
}
type Answer = Awaited<ReturnType<typeof start>>;

const started = start();
started.catch(() => undefined);

export const handler = middy(async (event: Parameters<Answer>[0], context: Context) => {
  const answer = await started;
  return await answer(event, context);
}).use(injectLambdaContext(logger));
