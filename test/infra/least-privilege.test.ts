import * as z from 'zod';
import { FUNCTION_NAMES } from '../../functions/contracts/functions.ts';
import { READ_ACTIONS, REMEDIES } from '../../functions/contracts/remedies.ts';
import { permissionsOf, some } from './permissions.ts';
import { DEPLOYMENT_FILES, synthesise } from './synthesise.ts';

const FINDINGS = '<Findings.Arn>';
const only = (action: 'PutItem' | 'UpdateItem' | 'Query', ...partitions: string[]) =>
  `dynamodb:${action} on ${FINDINGS} if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":${JSON.stringify(partitions)}}}`;
const change = [`dynamodb:GetItem on ${FINDINGS}`, only('PutItem', 'KEY#*', 'ONCE#*')];
const react = [
  'dynamodb:DescribeStream on <Findings.StreamArn>',
  'dynamodb:GetRecords on <Findings.StreamArn>',
  'dynamodb:GetShardIterator on <Findings.StreamArn>',
  'dynamodb:ListStreams on *',
  'sqs:SendMessage on <ReactionsFailures.Arn>',
];
const receive = ['ChangeMessageVisibility', 'DeleteMessage', 'GetQueueAttributes', 'ReceiveMessage'].flatMap((action) =>
  ['creations', 'changes'].map((queue) => `sqs:${action} on <Intake${queue}.Arn>`),
);
const ownLog = (id: string) => ['CreateLogStream', 'PutLogEvents'].map((action) => `logs:${action} on <${id}Log.Arn>`);
const trace = ['xray:PutTelemetryRecords on *', 'xray:PutTraceSegments on *'];

const FUNCTION_ROLES: readonly string[] = FUNCTION_NAMES.map((name) => `kms-rotation-bot-${name}`);
const ANY_KEY = 'arn:aws:kms:*:<AWS::AccountId>:key/*';
/** Of the sweep's state machine; its name is between the angle brackets. */
const OWN_EXECUTIONS = 'arn:aws:states:eu-central-1:111122223333:execution:<>';
const LISTING = ['DescribeOrganization', 'ListAccountsForParent', 'ListOrganizationalUnitsForParent'];
const LOG_DELIVERY = [
  'CreateLogDelivery',
  'DeleteLogDelivery',
  'DescribeLogGroups',
  'DescribeResourcePolicies',
  'GetLogDelivery',
  'ListLogDeliveries',
  'PutResourcePolicy',
  'UpdateLogDelivery',
];

/** Every action of every role, on what; `assume` is how roles of watched accounts are reached. */
const expected = (assume: (role: string) => string, listing: string[]): Record<string, string[]> => ({
  'kms-rotation-bot-detect-finding': [
    ...change,
    only('Query', 'PATTERNS#*'),
    ...react,
    ...receive,
    ...ownLog('detectfinding'),
    assume('read'),
  ],
  'kms-rotation-bot-decide-finding': [
    ...change,
    `dynamodb:Query on ${FINDINGS}`,
    `dynamodb:Query on ${FINDINGS}/index/byGroup`,
    only('PutItem', 'DIGEST#*'),
    only('PutItem', 'PATTERN#*', 'PATTERNS#*'),
    ...ownLog('decidefinding'),
    'secretsmanager:GetSecretValue on <SlackSecret>',
  ],
  'kms-rotation-bot-remediate-key': [
    ...change,
    ...react,
    ...ownLog('remediatekey'),
    assume('read'),
    assume('remediate'),
  ],
  'kms-rotation-bot-announce-finding': [
    `dynamodb:GetItem on ${FINDINGS}`,
    `dynamodb:Query on ${FINDINGS}`,
    `dynamodb:Query on ${FINDINGS}/index/byGroup`,
    only('PutItem', 'ARRIVALS#*#*'),
    only('UpdateItem', 'KEY#*', 'CHANNEL#*', 'DIGEST#*', 'PATTERN#*'),
    ...react,
    ...ownLog('announcefinding'),
    'secretsmanager:GetSecretValue on <SlackSecret>',
    'sns:Publish on <Notices>',
  ],
  'kms-rotation-bot-sweep-keys': [
    ...change,
    `dynamodb:Query on ${FINDINGS}`,
    only('UpdateItem', 'DIGEST#*'),
    only('PutItem', 'PATTERN#*', 'PATTERNS#*'),
    ...react,
    `dynamodb:Query on ${FINDINGS}/index/byGroup`,
    `dynamodb:Query on ${FINDINGS}/index/byTime`,
    ...ownLog('sweepkeys'),
    ...listing,
    assume('read'),
    'sns:Publish on <Notices>',
  ],
  'kms-rotation-bot-forward': [
    'events:PutEvents on arn:aws:events:eu-central-1:111122223333:event-bus/kms-rotation-bot',
  ],
  'kms-rotation-bot-read': [
    ...READ_ACTIONS.map((action) => `${action} on ${action === 'kms:ListAliases' ? '*' : ANY_KEY}`),
    'kms:ListKeys on *',
  ],
  'kms-rotation-bot-remediate': Object.values(REMEDIES).flatMap(({ iamActions, keyOrigin }) =>
    iamActions.map(
      (action) =>
        `${action} on ${ANY_KEY} if {"StringEquals":{"kms:KeySpec":"SYMMETRIC_DEFAULT","kms:KeyOrigin":"${keyOrigin}"}}`,
    ),
  ),
  '<KeySweepScheduleRole>': ['states:StartExecution on <KeySweepStateMachine>'],
  '<KeySweepStateMachineRole>': [
    'lambda:InvokeFunction on <sweepkeysFunction.Arn>',
    'lambda:InvokeFunction on <sweepkeysFunction.Arn>:*',
    ...LOG_DELIVERY.map((action) => `logs:${action} on *`),
    'states:StartExecution on <KeySweepStateMachine>',
    ...['DescribeExecution', 'StopExecution'].map((action) => `states:${action} on ${OWN_EXECUTIONS}:*`),
    `states:RedriveExecution on ${OWN_EXECUTIONS}/Places:*`,
    ...['xray:GetSamplingRules on *', 'xray:GetSamplingTargets on *', ...trace],
  ],
  '<SchedulesInvokeSweep>': ['lambda:InvokeFunction on <sweepkeysFunction.Arn>'],
  '<SchedulesTagKey>': ['kms:TagResource on <Key.Arn>'],
});

/** Why a `*` stands in an action or a resource; conditions may say what they like. */
const WILDCARDS: Record<string, string> = {
  'kms:ListAliases on *': 'knows no resource (KMS Developer Guide, "AWS KMS permissions")',
  'kms:ListKeys on *': 'knows no resource (KMS Developer Guide, "AWS KMS permissions")',
  ...Object.fromEntries(
    [...READ_ACTIONS, ...Object.values(REMEDIES).flatMap(({ iamActions }) => iamActions)].map((action) => [
      `${action} on ${ANY_KEY}`,
      'every key of the account in every Region: which ones there will be is not known beforehand',
    ]),
  ),
  ...Object.fromEntries(
    LOG_DELIVERY.map((action) => [
      `logs:${action} on *`,
      'what Step Functions needs to log, and knows no resource (Step Functions Developer Guide, "Logging")',
    ]),
  ),
  'lambda:InvokeFunction on <sweepkeysFunction.Arn>:*': 'versions of that one function',
  [`states:DescribeExecution on ${OWN_EXECUTIONS}:*`]: 'executions of the state machine itself, made by its map',
  [`states:StopExecution on ${OWN_EXECUTIONS}:*`]: 'executions of the state machine itself, made by its map',
  [`states:RedriveExecution on ${OWN_EXECUTIONS}/Places:*`]: 'executions of the state machine itself, made by its map',
  'xray:GetSamplingRules on *': 'knows no resource (Service Authorization Reference, AWS X-Ray)',
  'xray:GetSamplingTargets on *': 'knows no resource (Service Authorization Reference, AWS X-Ray)',
  ...Object.fromEntries(
    LISTING.map((action) => [
      `organizations:${action} on *`,
      'the ARNs of units name the management account, which the deployment file does not',
    ]),
  ),
  'xray:PutTelemetryRecords on *': 'knows no resource (Service Authorization Reference, AWS X-Ray)',
  'xray:PutTraceSegments on *': 'knows no resource (Service Authorization Reference, AWS X-Ray)',
  'dynamodb:ListStreams on *': 'Lambda refuses to read a stream without it, and it knows no resource',
  'sts:AssumeRole on arn:aws:iam::*:role/kms-rotation-bot-read':
    'accounts join the organization after the deployment; aws:ResourceOrgID keeps all others out',
  'sts:AssumeRole on arn:aws:iam::*:role/kms-rotation-bot-remediate':
    'accounts join the organization after the deployment; aws:ResourceOrgID keeps all others out',
};

const EXPECTED = {
  'deployment.yaml': expected(
    (role) => `sts:AssumeRole on arn:aws:iam::111122223333:role/kms-rotation-bot-${role}`,
    [],
  ),
  'infra/examples/organization.yaml': expected(
    (role) =>
      `sts:AssumeRole on arn:aws:iam::*:role/kms-rotation-bot-${role} if {"StringEquals":{"aws:ResourceOrgID":"o-exampleorgid"}}`,
    LISTING.map((action) => `organizations:${action} on *`),
  ),
};

describe.each(DEPLOYMENT_FILES)('the roles of %s', (file) => {
  it('may do exactly what is written here', async () => {
    const table = Object.entries(EXPECTED[file]).map(([name, lines]): [string, string[]] => [
      name,
      (FUNCTION_ROLES.includes(name) ? [...lines, ...trace] : lines).toSorted(),
    ]);
    expect(await permissionsOf(file)).toEqual(Object.fromEntries(table));
  });

  it('have no wildcard without a reason', async () => {
    const granted = Object.values(await permissionsOf(file)).flat();
    const wild = granted.map((line) => line.split(' if ')[0] ?? line).filter((line) => line.includes('*'));
    expect(wild.length).toBeGreaterThan(0);
    expect(wild.filter((line) => WILDCARDS[line] === undefined)).toEqual([]);
  });

  it('have no managed policy, and those that face people and Slack no action of KMS', async () => {
    const { hub } = await synthesise(file);
    hub.resourceCountIs('AWS::IAM::ManagedPolicy', 0);
    const { 'kms-rotation-bot-decide-finding': decide = [], 'kms-rotation-bot-announce-finding': announce = [] } =
      await permissionsOf(file);
    expect([...decide, ...announce].filter((line) => /^(kms|sts):/.test(line))).toEqual([]);
  });
});

it('lets functions use the key through services only, and no person decrypt with it directly', async () => {
  const { hub } = await synthesise('deployment.yaml');
  const statement = z.object({ Sid: z.string(), Action: some, Condition: z.looseObject({}).optional() });
  const keys = z
    .object({ Properties: z.object({ KeyPolicy: z.object({ Statement: z.array(statement) }) }) })
    .array()
    .parse(Object.values(hub.findResources('AWS::KMS::Key')));
  const statements = keys.flatMap(({ Properties }) => Properties.KeyPolicy.Statement);
  expect(statements.filter(({ Condition }) => Condition === undefined).map(({ Sid }) => Sid)).toEqual([
    'AdministrationByPoliciesOfTheAccount',
  ]);
  const administration = statements.find(({ Sid }) => Sid.startsWith('Administration'))?.Action ?? [];
  expect(administration).not.toContain('kms:Decrypt');
  const wild = statements.flatMap(({ Action }) => Action).filter((action) => String(action).includes('*'));
  expect(wild).toEqual([]);
});
