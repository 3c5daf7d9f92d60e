import { randomUUID } from 'node:crypto';
import type { Region } from '../world.ts';
import { type Caller, userIdentity } from './caller.ts';

export type CloudTrailResource = { accountId: string; type: 'AWS::KMS::Key'; ARN: string };

/** A CloudTrail record (CloudTrail User Guide, "CloudTrail record contents for management events"). */
export type CloudTrailRecord = {
  eventVersion: '1.11';
  userIdentity: Record<string, unknown>;
  eventTime: string;
  eventSource: 'kms.amazonaws.com';
  eventName: string;
  awsRegion: Region;
  sourceIPAddress: string;
  userAgent: string;
  errorCode?: string;
  errorMessage?: string;
  requestParameters: object | null;
  responseElements: object | null;
  requestID?: string;
  eventID: string;
  readOnly: boolean;
  resources?: CloudTrailResource[];
  eventType: 'AwsApiCall' | 'AwsServiceEvent';
  managementEvent: true;
  recipientAccountId: string;
  /** The same on the two records of one call that concerns two accounts; absent otherwise. */
  sharedEventID?: string;
  serviceEventDetails?: Record<string, string>;
  eventCategory: 'Management';
  sessionCredentialFromConsole?: 'true';
};

/** What EventBridge hands to a rule. */
export type EventBridgeEvent = {
  version: '0';
  id: string;
  'detail-type': string;
  source: 'aws.kms';
  account: string;
  time: string;
  region: Region;
  resources: string[];
  detail: Record<string, unknown>;
};

export type ApiCall = {
  eventName: string;
  caller: Caller;
  region: Region;
  sourceIp: string;
  userAgent: string;
  requestId: string;
  /** Milliseconds since 1970. */
  time: number;
  readOnly: boolean;
  requestParameters: object | null;
  responseElements: object | null;
  error?: { code: string; message: string };
  resources: { arn: string; accountId: string }[] | undefined;
  recipientAccountId: string;
  sharedEventId?: string;
};

/** The record of an API call. A failed call has `errorCode`, and its `responseElements` are null. */
export function apiCallRecord(call: ApiCall): CloudTrailRecord {
  return {
    eventVersion: '1.11',
    userIdentity: userIdentity(call.caller),
    eventTime: trailTime(call.time),
    eventSource: 'kms.amazonaws.com',
    eventName: call.eventName,
    awsRegion: call.region,
    sourceIPAddress: call.sourceIp,
    userAgent: call.userAgent,
    ...(call.error === undefined ? {} : { errorCode: call.error.code, errorMessage: call.error.message }),
    requestParameters: call.requestParameters,
    responseElements: call.error === undefined ? call.responseElements : null,
    requestID: call.requestId,
    eventID: randomUUID(),
    readOnly: call.readOnly,
    ...(call.resources === undefined ? {} : { resources: call.resources.map(resourceEntry) }),
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: call.recipientAccountId,
    ...(call.sharedEventId === undefined ? {} : { sharedEventID: call.sharedEventId }),
    eventCategory: 'Management',
    ...(call.caller.type !== 'AWSService' && call.caller.fromConsole === true
      ? { sessionCredentialFromConsole: 'true' as const }
      : {}),
  };
}

/** The record of something that KMS did by itself (RotateKey, DeleteKey, DeleteExpiredKeyMaterial); it names no person. */
export function serviceEventRecord(event: {
  eventName: string;
  arn: string;
  accountId: string;
  region: Region;
  time: number;
  details?: Record<string, string>;
}): CloudTrailRecord {
  return {
    eventVersion: '1.11',
    userIdentity: { accountId: event.accountId, invokedBy: 'AWS Internal' },
    eventTime: trailTime(event.time),
    eventSource: 'kms.amazonaws.com',
    eventName: event.eventName,
    awsRegion: event.region,
    sourceIPAddress: 'AWS Internal',
    userAgent: 'AWS Internal',
    requestParameters: null,
    responseElements: null,
    eventID: randomUUID(),
    readOnly: false,
    resources: [resourceEntry({ arn: event.arn, accountId: event.accountId })],
    eventType: 'AwsServiceEvent',
    managementEvent: true,
    recipientAccountId: event.accountId,
    ...(event.details === undefined ? {} : { serviceEventDetails: event.details }),
    eventCategory: 'Management',
  };
}

/** The event that EventBridge makes of a record: API calls and service events have different detail-types. */
export function asEventBridgeEvent(record: CloudTrailRecord): EventBridgeEvent {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type':
      record.eventType === 'AwsApiCall' ? 'AWS API Call via CloudTrail' : 'AWS Service Event via CloudTrail',
    source: 'aws.kms',
    account: record.recipientAccountId,
    time: record.eventTime,
    region: record.awsRegion,
    resources: [],
    detail: record,
  };
}

/** An event that KMS sends to EventBridge itself, without CloudTrail (KMS Developer Guide, "Monitor KMS keys with EventBridge"). */
export function kmsEvent(event: {
  detailType: 'KMS CMK Rotation' | 'KMS Imported Key Material Expiration' | 'KMS CMK Deletion';
  arn: string;
  accountId: string;
  region: Region;
  time: number;
  detail: Record<string, string>;
}): EventBridgeEvent {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': event.detailType,
    source: 'aws.kms',
    account: event.accountId,
    time: trailTime(event.time),
    region: event.region,
    resources: [event.arn],
    detail: event.detail,
  };
}

const dateFormat = new Intl.DateTimeFormat('en-US', {
  timeZone: 'UTC',
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: 'numeric',
  minute: '2-digit',
  second: '2-digit',
});

/** A date inside request or response as CloudTrail prints it: `Aug 10, 2022, 10:38:27 PM`. */
export function trailDate(milliseconds: number): string {
  // ICU puts a narrow no-break space before AM and PM; CloudTrail an ordinary one.
  return dateFormat.format(milliseconds).replaceAll('\u202f', ' ');
}

const DATE_FIELDS = new Set(['CreationDate', 'DeletionDate', 'ValidTo', 'RotationDate', 'NextRotationDate']);
const NEVER_LOGGED = new Set(['ImportToken', 'EncryptedKeyMaterial']);

/** A request or answer in CloudTrail's spelling: first letters small (also `aWSAccountId`), dates as text, no key material. */
export function inTrailSpelling(value: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, field]: [string, unknown]) => {
      if (field === undefined || NEVER_LOGGED.has(name)) return [];
      const spelled = name.charAt(0).toLowerCase() + name.slice(1);
      return [[spelled, DATE_FIELDS.has(name) && typeof field === 'number' ? trailDate(field * 1000) : spell(field)]];
    }),
  );
}

function spell(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(spell);
  return typeof value === 'object' && value !== null ? inTrailSpelling(value) : value;
}

function resourceEntry(resource: { arn: string; accountId: string }): CloudTrailResource {
  return { accountId: resource.accountId, type: 'AWS::KMS::Key', ARN: resource.arn };
}

const trailTime = (milliseconds: number) => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
