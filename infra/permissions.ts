import { Aws } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import {
  accountPatternsPartition,
  arrivalsPartition,
  channelPartition,
  digestPartition,
  INDEX_BY_GROUP,
  INDEX_BY_TIME,
  oncePartition,
  partitionOf,
  patternPartition,
} from '../functions/contracts/table.ts';
import type { Deployment } from './deployment.ts';

/**
 * The permissions that functions are made of: for each thing that an adapter does, the actions it calls, and nothing more. The use
 * of the hub's key that goes with them is granted by the key's policy (infra/encryption-key.ts).
 */

type Table = { tableArn: string; tableStreamArn?: string | undefined };

/** Reading the policy and a finding, and appending to it: what `createCarryOut` does. TransactWriteItems asks for PutItem. */
export function changeFindings(table: Table): PolicyStatement[] {
  return [
    readFindings(table),
    new PolicyStatement({
      sid: 'AppendToFindings',
      actions: ['dynamodb:PutItem'],
      resources: [table.tableArn],
      conditions: onlyPartitions(partitionOf('*'), oncePartition('*')),
    }),
  ];
}

export function readFindings({ tableArn }: Table): PolicyStatement {
  return new PolicyStatement({ sid: 'ReadFindings', actions: ['dynamodb:GetItem'], resources: [tableArn] });
}

/** The claims on Slack messages of findings, digests and patterns; which digest takes a channel's findings, and what it shows. */
export function showFindings({ tableArn }: Table): PolicyStatement {
  return new PolicyStatement({
    sid: 'ShowFindings',
    actions: ['dynamodb:UpdateItem'],
    resources: [tableArn],
    conditions: onlyPartitions(partitionOf('*'), channelPartition('*'), digestPartition('*'), patternPartition('*')),
  });
}

/** Which exemptions of patterns an account has. */
export function readPatterns({ tableArn }: Table): PolicyStatement {
  return new PolicyStatement({
    sid: 'ReadPatterns',
    actions: ['dynamodb:Query'],
    resources: [tableArn],
    conditions: onlyPartitions(accountPatternsPartition('*')),
  });
}

/** Appending to an exemption of a pattern: what `createCarryOutPattern` does besides reading. */
export function changePatterns({ tableArn }: Table): PolicyStatement {
  return new PolicyStatement({
    sid: 'ChangePatterns',
    actions: ['dynamodb:PutItem'],
    resources: [tableArn],
    conditions: onlyPartitions(patternPartition('*'), accountPatternsPartition('*')),
  });
}

/** Counting findings in, to notice a storm. */
export function countArrivals({ tableArn }: Table): PolicyStatement {
  return new PolicyStatement({
    sid: 'CountArrivals',
    actions: ['dynamodb:PutItem'],
    resources: [tableArn],
    conditions: onlyPartitions(arrivalsPartition('*', '*')),
  });
}

/** Storing an "Approve all". TransactWriteItems asks for PutItem. */
export function storeBatches({ tableArn }: Table): PolicyStatement {
  return new PolicyStatement({
    sid: 'StoreBatches',
    actions: ['dynamodb:PutItem'],
    resources: [tableArn],
    conditions: onlyPartitions(digestPartition('*')),
  });
}

/** Orders and batches of digests. */
export function keepDigests({ tableArn }: Table): PolicyStatement {
  return new PolicyStatement({
    sid: 'KeepDigests',
    actions: ['dynamodb:UpdateItem'],
    resources: [tableArn],
    conditions: onlyPartitions(digestPartition('*')),
  });
}

/** Audit events of a key, or the members and batches of a digest. */
export function readTrail({ tableArn }: Table): PolicyStatement {
  return new PolicyStatement({ sid: 'ReadTrail', actions: ['dynamodb:Query'], resources: [tableArn] });
}

export function findDueFindings({ tableArn }: Table): PolicyStatement {
  return new PolicyStatement({
    sid: 'FindDueFindings',
    actions: ['dynamodb:Query'],
    resources: [`${tableArn}/index/${INDEX_BY_TIME}`],
  });
}

/** Findings by their status, to list or to count. */
export function listFindings({ tableArn }: Table): PolicyStatement {
  return new PolicyStatement({
    sid: 'ListFindings',
    actions: ['dynamodb:Query'],
    resources: [`${tableArn}/index/${INDEX_BY_GROUP}`],
  });
}

/** The policy is in the same table; no function may change that. */
function onlyPartitions(...partitions: string[]) {
  return { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': partitions } };
}

/** What Lambda does in the function's name to read the table's stream, and to set aside what was given up. */
export function consumeStream({ tableStreamArn }: Table, failures: { queueArn: string }): PolicyStatement[] {
  if (tableStreamArn === undefined) throw new RangeError('the table has no stream');
  return [
    new PolicyStatement({
      sid: 'ReadStream',
      actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
      resources: [tableStreamArn],
    }),
    // Lambda refuses the event source without it, and it knows no resource (Service Authorization Reference, DynamoDB).
    new PolicyStatement({ sid: 'ListStreams', actions: ['dynamodb:ListStreams'], resources: ['*'] }),
    new PolicyStatement({ sid: 'SetAside', actions: ['sqs:SendMessage'], resources: [failures.queueArn] }),
  ];
}

/** What Lambda does in the function's name to read queues; and giving a message back until its grace period is over. */
export function consumeQueues(queues: readonly { queueArn: string }[]): PolicyStatement {
  return new PolicyStatement({
    sid: 'ReadQueues',
    actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ChangeMessageVisibility'],
    resources: queues.map(({ queueArn }) => queueArn),
  });
}

/** Taking on roles of this name: in every account of the organization, or in the hub account alone when there is none. */
export function assumeRoles(
  { organization, hub }: Pick<Deployment, 'organization' | 'hub'>,
  ...roleNames: readonly string[]
): PolicyStatement {
  const account = organization === undefined ? hub.account : '*';
  return new PolicyStatement({
    sid: 'ReachKeys',
    actions: ['sts:AssumeRole'],
    resources: roleNames.map((role) => `arn:${Aws.PARTITION}:iam::${account}:role/${role}`),
    ...(organization === undefined ? {} : { conditions: { StringEquals: { 'aws:ResourceOrgID': organization.id } } }),
  });
}

/** The accounts of the organization's units. Their ARNs name the management account, which the deployment file does not. */
export function listAccounts(): PolicyStatement {
  return new PolicyStatement({
    sid: 'ListAccounts',
    actions: [
      'organizations:DescribeOrganization',
      'organizations:ListAccountsForParent',
      'organizations:ListOrganizationalUnitsForParent',
    ],
    resources: ['*'],
  });
}

/** Why `assumeRoles` may name every account, by what the rule packs say of it. */
export function everyAccount(...roleNames: readonly string[]): Record<string, string> {
  const reason = 'Accounts join the organization after this is deployed; aws:ResourceOrgID keeps all others out.';
  return Object.fromEntries(
    roleNames.map((role) => [`AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iam::*:role/${role}]`, reason]),
  );
}

export function publishTo({ topicArn }: { topicArn: string }): PolicyStatement {
  return new PolicyStatement({ sid: 'Publish', actions: ['sns:Publish'], resources: [topicArn] });
}

export function readSecret({ secretArn }: { secretArn: string }): PolicyStatement {
  return new PolicyStatement({
    sid: 'ReadSlackCredentials',
    actions: ['secretsmanager:GetSecretValue'],
    resources: [secretArn],
  });
}
