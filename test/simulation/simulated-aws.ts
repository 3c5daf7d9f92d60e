import {
  ConditionalCheckFailedException,
  DynamoDBServiceException,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb';
import { KMSServiceException } from '@aws-sdk/client-kms';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import type { SlackSecret } from '../../functions/contracts/slack-secret.ts';
import { type AssumedRoleCaller, assumedRole, isRegion } from '../../sandbox/aws/caller.ts';
import type { Kms } from '../../sandbox/aws/kms/kms.ts';
import { ACCOUNTS } from '../../sandbox/world.ts';
import type { AwsCommand, HttpCall } from './interception.ts';
import { ConditionFailed, type MemoryTable, TransactionCancelled } from './memory-table.ts';
import type { Invocation, Scheduler, ServiceCall } from './scheduler.ts';

/** A call that the bot made to KMS, and what KMS said. */
export type KmsCall = {
  invocation: Invocation | undefined;
  caller: AssumedRoleCaller;
  operation: string;
  keyArn: string;
  input: Record<string, unknown>;
  status: number;
  body: Record<string, unknown>;
};

export type AwsParts = {
  scheduler: Scheduler;
  table: MemoryTable;
  kms: Kms;
  /** What Secrets Manager holds. */
  slackSecret: SlackSecret;
  changeVisibility: (receiptHandle: string, seconds: number) => void;
  publish: (message: string) => void;
  onKmsCall: (call: KmsCall) => void;
};

const READS = ['GetItem', 'Query'];
const text = z.object({ message: z.string().default(''), __type: z.string() });
const assumeRoleInput = z.object({ RoleArn: z.string(), RoleSessionName: z.string(), ExternalId: z.string() });
const visibilityInput = z.object({ ReceiptHandle: z.string(), VisibilityTimeout: z.number() });
const publishInput = z.object({ Message: z.string() });
const keyInput = z.looseObject({ KeyId: z.string() });
const listInput = z.looseObject({ Limit: z.number(), Marker: z.string().optional() });
const body = z.record(z.string(), z.unknown());

/** The AWS services that the functions call, in this process: through the SDK, or by requests of their own. */
export function createAws(parts: AwsParts): {
  send: (command: AwsCommand) => Promise<unknown>;
  http: (call: HttpCall) => Promise<Response>;
} {
  const { scheduler, table, kms } = parts;
  /** Who signs, by access key id. */
  const sessions = new Map<string, AssumedRoleCaller>();

  return { send, http };

  /** DynamoDB over the wire, and the Slack credentials, which are always there and take no time. */
  async function http({ url, headers, body: sent }: HttpCall): Promise<Response> {
    const [service, operation] = headers.get('x-amz-target')?.split('.') ?? [];
    if (operation === undefined) throw new Error(`${url} is not simulated`);
    if (service === 'secretsmanager') return Response.json({ SecretString: JSON.stringify(parts.slackSecret) });
    const input = body.parse(JSON.parse(sent));
    try {
      const answer = await scheduler.call({
        what: () => `${inWords(operation)} the findings table (${subjectOf(input)})`,
        refusal: () => throttledTable(),
        ...(READS.includes(operation) ? {} : { lostAnswer: noAnswer }),
        effect: () => table.call(operation, input),
      });
      return new Response(JSON.stringify(answer), { status: 200 });
    } catch (error) {
      const refusal = wireRefusal(error);
      if (refusal === null) throw error;
      return new Response(JSON.stringify(refusal), { status: 400 });
    }
  }

  async function send(request: AwsCommand): Promise<unknown> {
    const operation = request.command.replace(/Command$/, '');
    switch (request.client) {
      case 'DynamoDBDocumentClient':
        return await callTable(documentOperation(operation), request);
      case 'KMSClient':
        return await callKms(operation, request);
      case 'STSClient':
        return await scheduler.call({
          what: () => 'assumes the role in the account of the key',
          refusal: () => failure('Throttling', 400),
          effect: () => assumeRole(request.input),
        });
      case 'SQSClient': {
        const { ReceiptHandle, VisibilityTimeout } = visibilityInput.parse(request.input);
        return await scheduler.call({
          what: () => `gives the message back to the queue for ${VisibilityTimeout} s`,
          ...trouble('InternalError'),
          effect: () => {
            parts.changeVisibility(ReceiptHandle, VisibilityTimeout);
            return {};
          },
        });
      }
      case 'SNSClient': {
        const { Message } = publishInput.parse(request.input);
        return await scheduler.call({
          what: () => 'publishes to the topic',
          ...trouble('InternalError'),
          effect: () => {
            parts.publish(Message);
            return {};
          },
        });
      }
      case 'OrganizationsClient':
        return await scheduler.call({
          what: () => 'lists the accounts of the organization',
          ...trouble('ServiceException'),
          effect: () => ({ Accounts: ACCOUNTS.map(({ id }) => ({ Id: id, State: 'ACTIVE' })) }),
        });
      default:
        throw new Error(`${request.client} is not simulated`);
    }
  }

  function assumeRole(input: unknown) {
    const { RoleArn, RoleSessionName } = assumeRoleInput.parse(input);
    const [, accountId = '', roleName = ''] = /^arn:aws:iam::(\d+):role\/(.+)$/.exec(RoleArn) ?? [];
    const AccessKeyId = `ASIA${accountId}${roleName}${RoleSessionName}`;
    sessions.set(AccessKeyId, assumedRole({ accountId, roleName, sessionName: RoleSessionName }));
    const Expiration = new Date(scheduler.now() + 3_600_000);
    return { Credentials: { AccessKeyId, SecretAccessKey: 'simulated', SessionToken: 'simulated', Expiration } };
  }

  async function callTable(operation: string, { input, marshallOptions }: AwsCommand): Promise<unknown> {
    const low = lowLevel(input, marshallOptions);
    return await scheduler.call({
      what: () => `${inWords(operation)} the findings table (${subjectOf(low)})`,
      refusal: () => throttledTable(),
      ...(READS.includes(operation) ? {} : { lostAnswer: noAnswer }),
      effect: () => {
        try {
          return documents(table.call(operation, low));
        } catch (error) {
          throw tableError(error);
        }
      },
    });
  }

  async function callKms(operation: string, request: AwsCommand): Promise<unknown> {
    const session = sessions.get(await request.accessKeyId());
    const input = operation === 'ListKeys' ? listInput.parse(request.input) : keyInput.parse(request.input);
    const { region } = request;
    if (session === undefined) throw new Error('KMS was called without a role');
    if (!isRegion(region)) throw new Error(`Region ${region} is not simulated`);
    const keyArn = 'KeyId' in input && typeof input.KeyId === 'string' ? input.KeyId : 'every key';
    const isRead = /^(Describe|Get|List)/.test(operation);
    return await scheduler.call({
      what: () => `calls kms:${operation} of ${keyArn.slice(-8)} in ${region}`,
      refusal: () => failure('ThrottlingException', 400),
      ...(isRead ? {} : { lostAnswer: noAnswer }),
      effect: () => {
        const origin = { caller: session, sourceIp: '203.0.113.9', userAgent: 'aws-sdk-js/3' };
        const { status, body: raw } = kms.call({ operation, input, region, ...origin });
        const answer = body.parse(raw);
        const call = { invocation: scheduler.acting(), caller: session, operation, keyArn, input, status };
        parts.onKmsCall({ ...call, body: answer });
        scheduler.tell(() => `    KMS says ${status} ${JSON.stringify(answer).slice(0, 200)}`);
        if (status === 200) return { ...withDates(answer), $metadata: { httpStatusCode: 200, requestId: 'simulated' } };
        const { __type: name, message } = text.parse(answer);
        throw failure(name, status, message);
      },
    });
  }
}

/** What every service may do: refuse for now, or do it without being heard. */
function trouble(code: string): Pick<ServiceCall<unknown>, 'refusal' | 'lostAnswer'> {
  return { refusal: () => failure(code, 500), lostAnswer: noAnswer };
}

function failure(name: string, httpStatusCode: number, message = 'simulated'): Error {
  return new KMSServiceException({
    name,
    message,
    $fault: httpStatusCode >= 500 ? 'server' : 'client',
    $metadata: { httpStatusCode, requestId: 'simulated' },
  });
}

function noAnswer(): Error {
  return Object.assign(new Error('no answer in time'), { name: 'TimeoutError' });
}

function throttledTable(): Error {
  const $metadata = { httpStatusCode: 400 };
  return new DynamoDBServiceException({
    name: 'ThrottlingException',
    message: 'simulated',
    $fault: 'client',
    $metadata,
  });
}

function tableError(error: unknown): unknown {
  const common = { message: 'simulated', $metadata: { httpStatusCode: 400 } };
  if (error instanceof ConditionFailed) return new ConditionalCheckFailedException(common);
  if (error instanceof TransactionCancelled) {
    const CancellationReasons = error.reasons.map((Code) => ({ Code }));
    return new TransactionCanceledException({ ...common, CancellationReasons });
  }
  return error;
}

function wireRefusal(error: unknown): object | null {
  if (error instanceof ConditionFailed) return { __type: 'ConditionalCheckFailedException', message: 'simulated' };
  if (error instanceof DynamoDBServiceException) return { __type: error.name, message: error.message };
  if (!(error instanceof TransactionCancelled)) return null;
  return { __type: 'TransactionCanceledException', CancellationReasons: error.reasons.map((Code) => ({ Code })) };
}

const DOCUMENT_OPERATIONS: Record<string, string> = {
  Get: 'GetItem',
  Put: 'PutItem',
  Update: 'UpdateItem',
  Query: 'Query',
  TransactWrite: 'TransactWriteItems',
};

function documentOperation(command: string): string {
  const operation = DOCUMENT_OPERATIONS[command];
  if (operation === undefined) throw new Error(`the document client's ${command} is not simulated`);
  return operation;
}

const WORDS: Record<string, string> = {
  GetItem: 'reads from',
  Query: 'queries',
  PutItem: 'writes to',
  UpdateItem: 'updates',
  TransactWriteItems: 'appends to',
};

function inWords(operation: string): string {
  return WORDS[operation] ?? operation;
}

const row = z.record(z.string(), z.unknown());
const documentInput = z.looseObject({
  Key: row.optional(),
  Item: row.optional(),
  ExpressionAttributeValues: row.optional(),
  TransactItems: z
    .array(z.looseObject({ Put: z.looseObject({ Item: row, ExpressionAttributeValues: row.optional() }) }))
    .optional(),
});

/** From JavaScript values to DynamoDB's JSON, by the library that the document client uses. */
function lowLevel(input: unknown, options: AwsCommand['marshallOptions']): Record<string, unknown> {
  const { TransactItems: actions, ...single } = documentInput.parse(input);
  const removeUndefinedValues = options.removeUndefinedValues ?? false;
  const low = (fields: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [
        name,
        ['Key', 'Item', 'ExpressionAttributeValues'].includes(name) && value !== undefined
          ? marshall(row.parse(value), { removeUndefinedValues })
          : value,
      ]),
    );
  return {
    ...low(single),
    ...(actions === undefined ? {} : { TransactItems: actions.map(({ Put }) => ({ Put: low(Put) })) }),
  };
}

const lowAnswer = z.looseObject({
  Item: z.record(z.string(), z.custom<never>()).optional(),
  Items: z.array(z.record(z.string(), z.custom<never>())).optional(),
});

function documents(answer: object): object {
  const { Item: item, Items: items } = lowAnswer.parse(answer);
  return {
    ...(item === undefined ? {} : { Item: unmarshall(item) }),
    ...(items === undefined ? {} : { Items: items.map((each) => unmarshall(each)) }),
  };
}

function subjectOf({ IndexName: index, ...low }: Record<string, unknown>): string {
  const found = [...JSON.stringify(low).matchAll(/"sk":\{"S":"([^"]+)"\}/g)].map(([, sk]) => sk);
  if (found.length > 0) return found.join(', ');
  return typeof index === 'string' ? index : 'by key';
}

const DATES = [
  'CreationDate',
  'NextRotationDate',
  'RotationDate',
  'OnDemandRotationStartDate',
  'DeletionDate',
  'ValidTo',
];

/** KMS's JSON has instants as seconds; the SDK makes dates of them. */
function withDates(value: unknown): Record<string, unknown> {
  const revive = (name: string, each: unknown): unknown =>
    DATES.includes(name) && typeof each === 'number' ? new Date(each * 1000) : each;
  return body.parse(JSON.parse(JSON.stringify(value), revive));
}
