import * as z from 'zod/mini';
import { type KeyIdentity, parseKeyArn } from '../domain/key.ts';
import type { AwsActor, Trigger } from '../domain/people.ts';

/** CloudTrail events that may open a finding. */
export const OPENING_EVENTS = ['CreateKey', 'DisableKeyRotation', 'ImportKeyMaterial'] as const;

/** CloudTrail events that change or settle one. */
export const SETTLING_EVENTS = [
  'EnableKeyRotation',
  'EnableKey',
  'DisableKey',
  'ScheduleKeyDeletion',
  'CancelKeyDeletion',
  'ReplicateKey',
  'UpdatePrimaryRegion',
  'RotateKeyOnDemand',
  'DeleteImportedKeyMaterial',
  'TagResource',
  'UntagResource',
] as const;

const API_EVENTS = [...OPENING_EVENTS, ...SETTLING_EVENTS] as const;

/** Events that KMS sends itself, not through CloudTrail. AWS KMS Developer Guide, "Monitoring with EventBridge". */
export const KMS_EVENTS = ['KMS CMK Rotation', 'KMS Imported Key Material Expiration'] as const;

/** Every event that makes the bot look at a key. */
export const KEY_EVENTS = [...API_EVENTS, ...KMS_EVENTS] as const;

export type KeyEventName = (typeof KEY_EVENTS)[number];

/** Failed calls carry an errorCode and changed nothing, so they are left out at the source already. */
const apiCalls = <Name extends (typeof API_EVENTS)[number]>(eventName: readonly Name[]) =>
  ({
    'detail-type': ['AWS API Call via CloudTrail'],
    detail: { eventSource: ['kms.amazonaws.com'], eventName: [...eventName], errorCode: [{ exists: false }] },
  }) as const;

/** The EventBridge pattern of every event that makes the bot look at a key: what accounts forward to the hub. */
export const KMS_EVENT_PATTERN = {
  source: ['aws.kms'],
  $or: [apiCalls(API_EVENTS), { 'detail-type': [...KMS_EVENTS] }],
} as const;

/** After a creation the key's owner has some minutes to switch rotation on. */
const CREATIONS = ['CreateKey'] as const;
const isCreation = (name: string) => CREATIONS.some((creation) => creation === name);

/**
 * The same events by the queue they wait in, whose delay is their grace: the patterns of the rules on the hub's bus. Each
 * event of `KMS_EVENT_PATTERN` matches exactly one of them.
 */
export const QUEUE_EVENT_PATTERNS = {
  creations: { source: ['aws.kms'], ...apiCalls(CREATIONS) },
  changes: {
    source: ['aws.kms'],
    $or: [apiCalls(API_EVENTS.filter((name) => !isCreation(name))), { 'detail-type': [...KMS_EVENTS] }],
  },
} as const;

export type EventQueueName = keyof typeof QUEUE_EVENT_PATTERNS;

const text = z.string().check(z.minLength(1));
/** In UTC a year of four digits, as stored rows have it; an offset can lead out of them. */
const instant = z.iso.datetime({ offset: true }).check(
  z.refine((at) => {
    const year = new Date(at).getUTCFullYear();
    return year >= 0 && year <= 9999;
  }, 'expected a year from 0000 to 9999 in UTC'),
);
const maybe = <T extends z.ZodMiniType>(schema: T) => z.nullish(schema);

const userIdentity = z.looseObject({
  type: maybe(text),
  arn: maybe(text),
  principalId: maybe(text),
  accountId: maybe(text),
  userName: maybe(text),
  invokedBy: maybe(text),
  sessionContext: maybe(
    z.looseObject({ sessionIssuer: maybe(z.looseObject({ userName: maybe(text) })), sourceIdentity: maybe(text) }),
  ),
});

const resource = z.looseObject({ ARN: maybe(text), arn: maybe(text) });

/** A KMS record of CloudTrail, as far as the bot reads it. CloudTrail User Guide, "CloudTrail record contents". */
export const cloudTrailRecord = z.looseObject({
  eventVersion: z.string().check(z.regex(/^1\.\d+$/, 'only major version 1 of the CloudTrail record format is known')),
  eventID: text,
  eventName: z.enum(API_EVENTS),
  eventSource: z.literal('kms.amazonaws.com'),
  eventTime: instant,
  awsRegion: text,
  recipientAccountId: maybe(z.string().check(z.regex(/^\d{12}$/))),
  userIdentity,
  userAgent: maybe(z.string()),
  sourceIPAddress: maybe(z.string()),
  sessionCredentialFromConsole: maybe(z.union([z.string(), z.boolean()])),
  errorCode: maybe(z.string()),
  requestParameters: maybe(z.looseObject({ keyId: maybe(text) })),
  responseElements: maybe(
    z.looseObject({ keyId: maybe(text), keyMetadata: maybe(z.looseObject({ arn: maybe(text) })) }),
  ),
  resources: maybe(z.array(resource)),
});

const envelopeFields = {
  version: z.string(),
  id: text,
  source: z.literal('aws.kms'),
  account: z.string().check(z.regex(/^\d{12}$/)),
  time: instant,
  region: text,
  resources: z.array(z.string()),
};

/** Everything the rule lets through. EventBridge User Guide, "AWS service event metadata". */
export const keyEventEnvelope = z.discriminatedUnion('detail-type', [
  z.looseObject({
    ...envelopeFields,
    'detail-type': z.literal('AWS API Call via CloudTrail'),
    detail: cloudTrailRecord,
  }),
  z.looseObject({
    ...envelopeFields,
    'detail-type': z.enum(KMS_EVENTS),
    detail: z.looseObject({ 'key-id': text }),
  }),
]);

/** What the bot makes of an event: which key to look at, and who caused it. */
export type KeyEvent = {
  eventId: string;
  eventName: KeyEventName;
  at: string;
  key: KeyIdentity;
  trigger: Extract<Trigger, { kind: 'cloudtrail' | 'kms-event' }>;
  /** The period that EnableKeyRotation asked for, when it named one. */
  rotationPeriodInDays: number | null;
  /** Set when the call failed: then nothing about the key changed. */
  errorCode: string | null;
};

/** The event names a key that cannot be told. The message belongs in the dead-letter queue, where somebody looks. */
export class KeyNotNamed extends Error {
  public override readonly name = 'KeyNotNamed';
}

/**
 * The event names a key of another account than the one EventBridge says it came from. No KMS operation that changes a
 * key works across accounts, and looking at such a key would show the external id to whoever owns that account.
 */
export class ForeignKey extends Error {
  public override readonly name = 'ForeignKey';
}

/**
 * Reads an EventBridge event.
 * @throws ZodError when it is not one of the events the rule lets through; KeyNotNamed when no key can be told;
 * ForeignKey when the key is not one of the event's own account
 */
export function parseKeyEvent(event: unknown): KeyEvent {
  const envelope = keyEventEnvelope.parse(event);
  const read = readKeyEvent(envelope);
  const { key, eventId } = read;
  if (key.accountId !== envelope.account) {
    throw new ForeignKey(`event ${eventId} of account ${envelope.account} names ${key.arn}`);
  }
  return read;
}

function readKeyEvent(envelope: z.infer<typeof keyEventEnvelope>): KeyEvent {
  if (envelope['detail-type'] !== 'AWS API Call via CloudTrail') {
    const { id: eventId, 'detail-type': eventName } = envelope;
    const at = new Date(envelope.time).toISOString();
    const arn = envelope.resources.find((candidate) => parseKeyArn(candidate) !== null);
    const key = identify(
      arn ?? `${partitionPrefix(envelope.region)}:${envelope.account}:key/${envelope.detail['key-id']}`,
    );
    const trigger = { kind: 'kms-event' as const, eventId, eventName, at };
    return { eventId, eventName, at, key, trigger, rotationPeriodInDays: null, errorCode: null };
  }
  const record = envelope.detail;
  const { eventID: eventId, eventName } = record;
  const at = new Date(record.eventTime).toISOString();
  const period = record.requestParameters?.['rotationPeriodInDays'];
  return {
    eventId,
    eventName,
    at,
    key: identify(keyArnOf(record, envelope.account)),
    trigger: {
      ...{ kind: 'cloudtrail', eventId, eventName, at },
      actor: actorOf(record.userIdentity),
      tool: toolOf(record),
      sourceIp: record.sourceIPAddress ?? null,
    },
    rotationPeriodInDays: typeof period === 'number' ? period : null,
    errorCode: record.errorCode ?? null,
  };
}

type Record = z.infer<typeof cloudTrailRecord>;

/**
 * Where the key's ARN stands differs by operation and by the age of the record: DisableKeyRotation has no
 * responseElements, alias events name two resources, and the second record of UpdatePrimaryRegion has no resources
 * and a wrong Region in its responseElements.
 */
function keyArnOf(record: Record, account: string): string {
  const { requestParameters, responseElements, resources } = record;
  const asked = requestParameters?.keyId;
  const answered = [responseElements?.keyMetadata?.arn, responseElements?.keyId];
  const candidates = [
    ...(record.eventName === 'UpdatePrimaryRegion' ? [] : answered),
    ...(resources ?? []).map((entry) => entry.ARN ?? entry.arn),
    asked,
  ];
  const arn = candidates.find((candidate) => candidate != null && parseKeyArn(candidate) !== null);
  if (arn != null) return arn;
  const id = asked ?? responseElements?.keyId;
  if (id == null) throw new KeyNotNamed(`CloudTrail event ${record.eventID} (${record.eventName}) names no key`);
  return `${partitionPrefix(record.awsRegion)}:${record.recipientAccountId ?? account}:key/${id}`;
}

/** Longer than any ARN; an event may hold a megabyte. */
const LONGEST_QUOTE = 300;

function identify(arn: string): KeyIdentity {
  const key = parseKeyArn(arn);
  if (key === null) throw new KeyNotNamed(`"${arn.slice(0, LONGEST_QUOTE)}" is not the ARN of a KMS key`);
  return key;
}

function partitionPrefix(region: string): string {
  const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
  return `arn:${partition}:kms:${region}`;
}

const EMAIL = /^[^@\s]+@[^@\s]+\.[^@\s]+$/;
/** RFC 5321. Backtracking over dots makes the pattern quadratic, so that length has to be bounded first. */
const LONGEST_EMAIL = 254;
const IDENTITY_CENTER_ROLE = /^AWSReservedSSO_(.+)_[0-9a-f]{16}$/;

/** Names whoever made the call, by the rules of CloudTrail's userIdentity element. */
function actorOf(identity: z.infer<typeof userIdentity>): AwsActor {
  const session = sessionOf(identity);
  return {
    type: identity.type ?? 'AWSService',
    name: actorName(identity, session),
    arn: identity.arn ?? null,
    accountId: identity.accountId ?? null,
    email: session !== null && session.length <= LONGEST_EMAIL && EMAIL.test(session) ? session : null,
    invokedBy: identity.invokedBy ?? null,
  };
}

function actorName(identity: z.infer<typeof userIdentity>, session: string | null): string {
  const { type, arn, userName, invokedBy, accountId, principalId } = identity;
  const fallback = arn ?? principalId ?? invokedBy ?? 'unknown identity';
  switch (type) {
    case 'IAMUser':
      return userName ?? fallback;
    case 'AssumedRole': {
      const role = identity.sessionContext?.sessionIssuer?.userName ?? arn?.split('/')[1] ?? null;
      if (role === null || session === null) return fallback;
      const permissionSet = IDENTITY_CENTER_ROLE.exec(role)?.[1];
      return permissionSet === undefined ? `${role}/${session}` : `${session} (${permissionSet})`;
    }
    case 'Root':
      return `root of ${accountId ?? 'the account'}`;
    case 'AWSService':
    case undefined:
    case null:
      return invokedBy ?? fallback;
    default:
      return userName ?? fallback;
  }
}

function sessionOf({ type, arn, principalId }: z.infer<typeof userIdentity>): string | null {
  if (type !== 'AssumedRole') return null;
  return arn?.split('/')[2] ?? principalId?.split(':')[1] ?? null;
}

/** User agents in the order in which they must be tried: Terraform's also names the AWS SDK for Go. */
const TOOLS: [RegExp, string][] = [
  [/cloudformation\.amazonaws\.com/i, 'AWS CloudFormation'],
  [/terraform/i, 'Terraform'],
  [/opentofu/i, 'OpenTofu'],
  [/pulumi/i, 'Pulumi'],
  [/ansible/i, 'Ansible'],
  [/aws-cli/i, 'AWS CLI'],
  [/console|signin\.amazonaws\.com|S3Console|AWS-Internal|Mozilla/i, 'AWS Management Console'],
  [/boto3|botocore/i, 'AWS SDK for Python'],
  [/aws-sdk-(js|nodejs)/i, 'AWS SDK for JavaScript'],
  [/aws-sdk-go/i, 'AWS SDK for Go'],
  [/aws-sdk-java/i, 'AWS SDK for Java'],
];

function toolOf({ userAgent, userIdentity: { invokedBy }, sessionCredentialFromConsole }: Record): string {
  if (invokedBy != null) return TOOLS.find(([pattern]) => pattern.test(invokedBy))?.[1] ?? invokedBy;
  const known = TOOLS.find(([pattern]) => pattern.test(userAgent ?? ''))?.[1];
  if (known !== undefined) return known;
  if (String(sessionCredentialFromConsole) === 'true') return 'AWS Management Console';
  return userAgent != null && userAgent !== '' ? userAgent : 'unknown tool';
}
