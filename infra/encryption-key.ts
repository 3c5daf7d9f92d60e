import { Aws, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import {
  AccountRootPrincipal,
  AnyPrincipal,
  PolicyDocument,
  PolicyStatement,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { FunctionName } from '../functions/contracts/functions.ts';
import { type Deployment, namesOf } from './deployment.ts';

/** Managing the key, without using it: who administers it cannot decrypt with it by that alone. */
const ADMINISTRATION = [
  'kms:CancelKeyDeletion',
  'kms:CreateAlias',
  'kms:DeleteAlias',
  'kms:DescribeKey',
  'kms:DisableKey',
  'kms:DisableKeyRotation',
  'kms:EnableKey',
  'kms:EnableKeyRotation',
  'kms:GetKeyPolicy',
  'kms:GetKeyRotationStatus',
  'kms:ListGrants',
  'kms:ListKeyPolicies',
  'kms:ListKeyRotations',
  'kms:ListResourceTags',
  'kms:PutKeyPolicy',
  'kms:RevokeGrant',
  'kms:RotateKeyOnDemand',
  'kms:ScheduleKeyDeletion',
  'kms:TagResource',
  'kms:UntagResource',
  'kms:UpdateAlias',
  'kms:UpdateKeyDescription',
];

/** What DynamoDB asks of whoever reads and writes. DynamoDB Developer Guide, "Authorizing use of your customer managed key". */
const READ_AND_WRITE = [
  'kms:Decrypt',
  'kms:DescribeKey',
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
];
/** What SQS and SNS ask of a sender. SQS Developer Guide, "Key management". */
const SEND = ['kms:Decrypt', 'kms:GenerateDataKey'];

type Use = { service: string; functions: readonly FunctionName[]; actions: readonly string[] };

/**
 * Which function's data the key may be used for, and through which service. It is said here and not in the functions' roles,
 * so that those have no KMS action at all: a function cannot call KMS with this key, only the service can on its behalf.
 */
const USES: readonly Use[] = [
  {
    service: 'dynamodb',
    functions: ['detect-finding', 'decide-finding', 'remediate-key', 'announce-finding', 'sweep-keys'],
    actions: READ_AND_WRITE,
  },
  // Event messages are received by the one, deliveries of the stream that were given up are sent in the name of all four.
  { service: 'sqs', functions: ['detect-finding', 'remediate-key', 'announce-finding', 'sweep-keys'], actions: SEND },
  { service: 'sns', functions: ['announce-finding', 'sweep-keys'], actions: SEND },
  { service: 'secretsmanager', functions: ['decide-finding', 'announce-finding'], actions: ['kms:Decrypt'] },
];

/**
 * The one customer managed key of the hub: table, queues, topic, secret and logs. It rotates every year, as the bot would
 * ask of any key, and outlives its stack, as the table does.
 */
export class EncryptionKey extends Key {
  public constructor(scope: Construct, id: string, deployment: Deployment) {
    super(scope, id, {
      description: `Data of ${deployment.name}: findings, messages, Slack credentials, logs`,
      alias: deployment.name,
      enableKeyRotation: true,
      rotationPeriod: Duration.days(365),
      pendingWindow: Duration.days(30),
      removalPolicy: RemovalPolicy.RETAIN,
      policy: new PolicyDocument({ statements: statementsFor(Stack.of(scope), deployment) }),
    });
  }
}

function statementsFor(stack: Stack, deployment: Deployment): PolicyStatement[] {
  const { account, region } = stack;
  const names = namesOf(deployment);
  const service = (name: string) => `${name}.${region}.amazonaws.com`;
  const roleArn = (name: FunctionName) => `arn:${Aws.PARTITION}:iam::${account}:role/${names.functionRole(name)}`;

  /** Everybody is named and all but these roles are kept out by condition: a role that is not there yet cannot be a principal. */
  const useBy = ({ service: via, functions, actions }: Use) =>
    new PolicyStatement({
      sid: `FunctionsThrough${via.charAt(0).toUpperCase()}${via.slice(1)}`,
      principals: [new AnyPrincipal()],
      actions: [...actions],
      resources: ['*'],
      conditions: {
        StringEquals: { 'kms:CallerAccount': account, 'kms:ViaService': service(via) },
        ArnEquals: { 'aws:PrincipalArn': functions.map(roleArn) },
      },
    });

  return [
    new PolicyStatement({
      sid: 'AdministrationByPoliciesOfTheAccount',
      principals: [new AccountRootPrincipal()],
      actions: ADMINISTRATION,
      resources: ['*'],
    }),
    // Whoever deploys creates a table with this key, operators read queues, a new Slack token is stored.
    new PolicyStatement({
      sid: 'ThroughServicesByPoliciesOfTheAccount',
      principals: [new AccountRootPrincipal()],
      actions: [...READ_AND_WRITE, 'kms:CreateGrant'],
      resources: ['*'],
      conditions: {
        StringEquals: { 'kms:ViaService': ['dynamodb', 'sqs', 'sns', 'secretsmanager'].map(service) },
      },
    }),
    ...USES.map(useBy),
    new PolicyStatement({
      sid: 'EventBridgeIntoQueues',
      principals: [new ServicePrincipal('events.amazonaws.com')],
      actions: SEND,
      resources: ['*'],
      conditions: { StringEquals: { 'aws:SourceAccount': account } },
    }),
    new PolicyStatement({
      sid: 'CloudWatchLogs',
      principals: [new ServicePrincipal(`logs.${region}.amazonaws.com`)],
      actions: READ_AND_WRITE,
      resources: ['*'],
      conditions: {
        ArnLike: {
          'kms:EncryptionContext:aws:logs:arn': `arn:${Aws.PARTITION}:logs:${region}:${account}:log-group:*`,
        },
      },
    }),
  ];
}
