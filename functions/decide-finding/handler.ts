import { randomUUID } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { createCarryOut } from '../adapters/carry-out.ts';
import { createCarryOutPattern } from '../adapters/carry-out-pattern.ts';
import { digest } from '../adapters/digest.ts';
import { createDigests } from '../adapters/digests-table.ts';
import { tableOverFetch } from '../adapters/dynamodb-fetch.ts';
import { createFindingsTable } from '../adapters/findings-table.ts';
import { createPatternCoverage } from '../adapters/pattern-coverage.ts';
import { createPatternsTable } from '../adapters/patterns-table.ts';
import { createPolicyStore } from '../adapters/policy-store.ts';
import { createSlack } from '../adapters/slack.ts';
import { SlackReceiver } from '../adapters/slack-receiver.ts';
import { createSlackSecret } from '../adapters/slack-secret.ts';
import { decideFindingEnv, parseEnv } from '../contracts/env.ts';
import type { LogKeys } from '../contracts/log-keys.ts';
import { verifyChain } from '../domain/audit.ts';
import { answerCommand, type CommandDeps } from './answer-command.ts';
import { approveAll, type DigestDeps, reviewDigest } from './decide-digest.ts';
import { type Deps, decideFinding, decideTerms, mayStateTerms } from './decide-finding.ts';
import { createPatternUseCases, type PatternDeps } from './decide-pattern.ts';
import { type HomeDeps, showHome } from './home.ts';
import { createSlackApp } from './slack-app.ts';

const env = parseEnv(decideFindingEnv, process.env);
const logger = new Logger({ serviceName: 'decide-finding', logLevel: env.LOG_LEVEL });
const now = () => new Date();
const loadSecret = createSlackSecret({ secretId: env.SLACK_SECRET_ID, environment: process.env, now });
// Under way while the rest starts. Whether it fails is the first request's business.
loadSecret().catch(() => undefined);
const table = tableOverFetch({ tableName: env.TABLE_NAME, environment: process.env });
const findings = createFindingsTable(table);
const policies = createPolicyStore({ table, now });
const loadPolicy = () => policies.loadPolicy();
const slack = createSlack({
  token: async () => (await loadSecret()).botToken,
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
const patternDeps: PatternDeps = {
  ...deps,
  patterns,
  carryOutPattern: createCarryOutPattern({ table: patterns, loadPolicy, newId: randomUUID, digest }),
  coverage: createPatternCoverage({ table, now }),
};
const lookUps: HomeDeps & CommandDeps = {
  ...deps,
  loadPolicy,
  loadChain: (keyArn) => findings.load(keyArn),
  auditOf: (keyArn) => findings.auditOf(keyArn),
  findingsPage: (status, page) => findings.findingsPage(status, page),
  newestOfDay: (day, limit) => findings.newestOfDay(day, limit),
  currentPatterns: (limit) => patterns.current(limit),
  coverage: patternDeps.coverage,
  publishHome: (userId, view) => slack.publishHome(userId, view),
  verify: (records, head) => verifyChain(records, digest, head),
};
const digestDeps: DigestDeps = { ...deps, loadPolicy, digests: createDigests(table) };
const logFailure = (error: unknown, requestId: string) => {
  const keys: LogKeys = { slackRequestId: requestId };
  logger.error('a click could not be answered', { ...keys, error });
};
const receiver = new SlackReceiver({ signingSecret: async () => (await loadSecret()).signingSecret, now, logFailure });
createSlackApp(
  { receiver, bot: loadSecret, apiUrl: env.SLACK_API_URL },
  {
    decide: (action, request) => decideFinding(action, request, deps),
    mayStateTerms: (action, request) => mayStateTerms(action, request, deps),
    decideTerms: (action, request, terms) => decideTerms(action, request, terms, deps),
    approveAll: (ref, request) => approveAll(ref, request, digestDeps),
    reviewDigest: (page, size, request) => reviewDigest(page, size, request, digestDeps),
    patterns: createPatternUseCases(patternDeps),
    openView: (triggerId, view) => slack.openView(triggerId, view),
    showHome: (who, metadata, news) => showHome(who, metadata, news, lookUps),
    answerCommand: (who, asked) => answerCommand(who, asked, lookUps),
    pushView: (triggerId, view) => slack.pushView(triggerId, view),
    updateView: (viewId, view) => slack.updateView(viewId, view),
    now,
    logFailure,
  },
);

/** Takes Slack's requests from the HTTP API and answers them within Slack's three seconds; makes no KMS call. */
export const handler = middy(
  async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => await receiver.handle(event),
).use(injectLambdaContext(logger, { logEvent: false, resetKeys: true }));
