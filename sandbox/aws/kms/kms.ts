import { randomUUID } from 'node:crypto';
import type { Region } from '../../world.ts';
import { AwsError } from '../aws-error.ts';
import { awsService, type Caller, onBehalfOf } from '../caller.ts';
import {
  type ApiCall,
  apiCallRecord,
  type CloudTrailRecord,
  type EventBridgeEvent,
  inTrailSpelling,
} from '../cloudtrail.ts';
import { createAlias, deleteAlias, listAliases, updateAlias } from './aliases.ts';
import { addAwsManagedKey } from './aws-managed-key.ts';
import { createKey } from './create-key.ts';
import { cancelKeyDeletion, scheduleKeyDeletion } from './deletion.ts';
import { notFound, unsupported } from './errors.ts';
import { deleteImportedKeyMaterial, getParametersForImport, importKeyMaterial } from './import-material.ts';
import { describeKey, listKeys } from './inspect-keys.ts';
import { keyMetadata } from './key-metadata.ts';
import { arnOf, KeyStore, type KmsKey } from './key-store.ts';
import { type KeyView, keyViews } from './key-view.ts';
import { replicateKey, updatePrimaryRegion } from './multi-region.ts';
import { Call, type KmsSettings, type Operation, type Outcome } from './operation.ts';
import { plantedError } from './planted-error.ts';
import { rollForward } from './roll-forward.ts';
import {
  disableKeyRotation,
  enableKeyRotation,
  getKeyRotationStatus,
  listKeyRotations,
  rotateKeyOnDemand,
} from './rotation.ts';
import { disableKey, enableKey, getKeyPolicy, putKeyPolicy, updateKeyDescription } from './switch-key.ts';
import { listResourceTags, tagResource, untagResource } from './tags.ts';

const OPERATIONS = new Map<string, Operation>(
  Object.entries({
    CancelKeyDeletion: cancelKeyDeletion,
    CreateAlias: createAlias,
    CreateKey: createKey,
    DeleteAlias: deleteAlias,
    DeleteImportedKeyMaterial: deleteImportedKeyMaterial,
    DescribeKey: describeKey,
    DisableKey: disableKey,
    DisableKeyRotation: disableKeyRotation,
    EnableKey: enableKey,
    EnableKeyRotation: enableKeyRotation,
    GetKeyPolicy: getKeyPolicy,
    GetKeyRotationStatus: getKeyRotationStatus,
    GetParametersForImport: getParametersForImport,
    ImportKeyMaterial: importKeyMaterial,
    ListAliases: listAliases,
    ListKeyRotations: listKeyRotations,
    ListKeys: listKeys,
    ListResourceTags: listResourceTags,
    PutKeyPolicy: putKeyPolicy,
    ReplicateKey: replicateKey,
    RotateKeyOnDemand: rotateKeyOnDemand,
    ScheduleKeyDeletion: scheduleKeyDeletion,
    TagResource: tagResource,
    UntagResource: untagResource,
    UpdateAlias: updateAlias,
    UpdateKeyDescription: updateKeyDescription,
    UpdatePrimaryRegion: updatePrimaryRegion,
  }),
);

export type KmsOptions = Partial<KmsSettings> & {
  /** Takes every CloudTrail record, in the order in which things happen; also of failed and of read-only calls. */
  emit: (record: CloudTrailRecord) => void;
  /** Takes the events that KMS sends to EventBridge itself. */
  emitServiceEvent?: (event: EventBridgeEvent) => void;
  /** How long DescribeKey and GetKeyRotationStatus answer what was true before a change, in simulated milliseconds. */
  staleReads?: { ms: number };
};

export type KmsRequest = {
  operation: string;
  input: unknown;
  caller: Caller;
  region: Region;
  sourceIp: string;
  userAgent: string;
  requestId?: string;
  /** An error planted for this call (see faults.ts): nothing is done, and the failure is recorded as AWS would. */
  fault?: string;
};

export type Kms = {
  /** Does one call; an error is an answer, with `__type` and `message`. */
  call: (request: KmsRequest) => { status: number; body: object };
  /** All keys, for the page. */
  state: () => KeyView[];
  /** Makes (or finds) the key that an AWS service keeps for itself; answers its ARN. */
  createAwsManagedKey: (accountId: string, region: Region, alias: string) => string;
  /** Lets happen what fell due; every call does that too. */
  tick: () => void;
  /** Everything, as plain JSON. */
  snapshot: () => unknown;
  /** @throws ZodError when the JSON is not a snapshot */
  restore: (json: unknown) => void;
};

/** A simulated AWS KMS: the control plane of all accounts and Regions, in memory. No cryptography is done. */
export function createKms(options: KmsOptions): Kms {
  const store = new KeyStore();
  const settings: KmsSettings = {
    onDemandRotationMs: options.onDemandRotationMs ?? 3000,
    replicationMs: options.replicationMs ?? 1000,
    primaryUpdateMs: options.primaryUpdateMs ?? 1000,
    identityPolicies: options.identityPolicies ?? {},
  };
  const staleness = createStaleness(store, options.staleReads?.ms ?? 0);
  const outlets = { emit: options.emit, emitServiceEvent: options.emitServiceEvent ?? (() => undefined) };
  // Every call ticks, most only read: all keys are looked through again only when one of them has changed.
  let nextDueAt = Number.NEGATIVE_INFINITY;
  const changed = () => {
    nextDueAt = Number.NEGATIVE_INFINITY;
  };
  const tick = () => {
    if (Date.now() >= nextDueAt) nextDueAt = rollForward(store, Date.now(), outlets);
  };

  return {
    tick,
    call(request) {
      tick();
      const operation = OPERATIONS.get(request.operation);
      if (operation === undefined) return errorAnswer(unknownOperation(request.operation));
      const now = Date.now();
      const call = new Call({ ...request, now, store, settings, asSeenByReaders: staleness.asSeenByReaders });
      const write = (outcome: Outcome | AwsError) => {
        for (const record of recordsOf(request, call, operation, outcome)) options.emit(record);
      };
      try {
        if (request.fault !== undefined) throw planted(request, request.fault, call);
        const remember = operation.readOnly ? () => undefined : staleness.beforeChange();
        if (!operation.readOnly) changed();
        const outcome = operation.run(request.input, call);
        remember();
        write(outcome);
        return { status: 200, body: outcome.body };
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        write(error);
        return errorAnswer(error);
      }
    },
    state() {
      tick();
      return keyViews(store);
    },
    createAwsManagedKey(accountId, region, alias) {
      if (!/^alias\/aws\/[a-z0-9/_-]+$/.test(alias))
        throw new Error(`"${alias}" is not of the form alias/aws/<service>`);
      const existing = store.alias({ accountId, region }, alias);
      if (existing !== undefined) return arnOf({ accountId, region, keyId: existing.targetKeyId });
      changed();
      const key = addAwsManagedKey(store, { accountId, region, alias, now: Date.now() });
      options.emit(managedKeyRecord(key, alias, store));
      return arnOf(key);
    },
    snapshot: () => store.snapshot(),
    restore(json) {
      changed();
      store.restore(json);
    },
  };
}

function planted(request: KmsRequest, fault: string, call: Call): AwsError {
  const named = identifierIn(request.input);
  const resource = named === undefined ? '*' : arnNamed(named, call);
  return plantedError(fault, { caller: request.caller, operation: request.operation, resource });
}

function identifierIn(input: unknown): string | undefined {
  if (typeof input !== 'object' || input === null) return undefined;
  const fields = new Map<string, unknown>(Object.entries(input));
  const named = fields.get('KeyId') ?? fields.get('TargetKeyId');
  return typeof named === 'string' ? named : undefined;
}

function arnNamed(identifier: string, call: Call): string {
  try {
    const place = { accountId: call.caller.accountId, region: call.region };
    const key = call.store.find(identifier, place, { acceptAlias: true });
    call.concerns(arnOf(key), key.accountId);
    return arnOf(key);
  } catch (error) {
    if (error instanceof AwsError) return identifier;
    throw error;
  }
}

/** CloudTrail's records of one call: usually one; two where the key's owner is another account or a second Region is involved. */
function recordsOf(
  request: KmsRequest,
  call: Call,
  operation: Operation,
  outcome: Outcome | AwsError,
): CloudTrailRecord[] {
  const failed = outcome instanceof AwsError;
  const shown = failed ? request.input : (outcome.requestParameters ?? request.input);
  const base: Omit<ApiCall, 'recipientAccountId'> = {
    eventName: request.operation,
    caller: request.caller,
    region: request.region,
    sourceIp: request.sourceIp,
    userAgent: request.userAgent,
    requestId: request.requestId ?? randomUUID(),
    time: call.now,
    readOnly: operation.readOnly,
    requestParameters: typeof shown === 'object' && shown !== null ? inTrailSpelling(shown) : null,
    responseElements: null,
    resources: call.resources.length === 0 ? undefined : call.resources,
  };
  const callerAccount = request.caller.accountId;
  if (failed) {
    // CloudTrail says AccessDenied where KMS says AccessDeniedException.
    const code = outcome.code === 'AccessDeniedException' ? 'AccessDenied' : outcome.code;
    return [apiCallRecord({ ...base, recipientAccountId: callerAccount, error: { code, message: outcome.message } })];
  }
  if (outcome.responseElements !== undefined) base.responseElements = inTrailSpelling(outcome.responseElements);
  const owner = call.resources[0]?.accountId ?? callerAccount;
  const shared = owner === callerAccount ? {} : { sharedEventId: randomUUID() };
  const accounts = owner === callerAccount ? [owner] : [callerAccount, owner];
  return [
    ...accounts.map((recipientAccountId) => apiCallRecord({ ...base, ...shared, recipientAccountId })),
    ...(outcome.furtherRecords ?? []).map((further) =>
      apiCallRecord({
        ...base,
        eventName: further.eventName,
        caller: onBehalfOf(request.caller, 'kms.amazonaws.com'),
        sourceIp: 'kms.amazonaws.com',
        userAgent: 'kms.amazonaws.com',
        region: further.region,
        requestParameters: inTrailSpelling(further.requestParameters),
        responseElements: inTrailSpelling(further.responseElements),
        resources: further.resources,
        recipientAccountId: owner,
      }),
    ),
  ];
}

function managedKeyRecord(key: KmsKey, alias: string, store: KeyStore): CloudTrailRecord {
  const service = awsService(key.accountId, `${alias.slice('alias/aws/'.length)}.amazonaws.com`);
  return apiCallRecord({
    eventName: 'CreateKey',
    ...service,
    region: key.region,
    requestId: randomUUID(),
    time: key.creationDate,
    readOnly: false,
    requestParameters: {
      description: key.description,
      keySpec: key.keySpec,
      keyUsage: key.keyUsage,
      origin: key.origin,
    },
    responseElements: inTrailSpelling({ KeyMetadata: keyMetadata(key, store) }),
    resources: [{ arn: arnOf(key), accountId: key.accountId }],
    recipientAccountId: key.accountId,
  });
}

const CRYPTOGRAPHIC =
  /^(?:Encrypt|Decrypt|ReEncrypt|Generate\w+|Sign|Verify|VerifyMac|GetPublicKey|DeriveSharedSecret|\w*Grants?|\w+CustomKeyStores?)$/;

function unknownOperation(name: string): AwsError {
  return CRYPTOGRAPHIC.test(name)
    ? unsupported(`The sandbox does not simulate kms:${name}, only the management of keys and their rotation.`)
    : new AwsError('UnknownOperationException', `KMS has no operation ${name}, or the sandbox does not know it.`);
}

function errorAnswer(error: AwsError): { status: number; body: object } {
  // An empty message is left out, as KMS does.
  const message = error.message === '' ? {} : { message: error.message };
  return { status: error.status, body: { __type: error.code, ...message } };
}

/** Eventual consistency: for a while after a change, readers see the key as it was, or do not see a new one at all. */
function createStaleness(store: KeyStore, ms: number) {
  const former = new Map<string, { key: KmsKey | undefined; until: number }>();
  return {
    /** Call before a change; what it returns, after the change. */
    beforeChange(): () => void {
      if (ms === 0) return () => undefined;
      const before = new Map(store.keys().map((key) => [arnOf(key), structuredClone(key)]));
      return () => {
        for (const key of store.keys()) {
          const arn = arnOf(key);
          const old = before.get(arn);
          const isChanged = JSON.stringify(old) !== JSON.stringify(key);
          const isStaleAlready = (former.get(arn)?.until ?? 0) > Date.now();
          if (isChanged && !isStaleAlready) former.set(arn, { key: old, until: Date.now() + ms });
        }
      };
    },
    asSeenByReaders: (key: KmsKey): KmsKey => {
      const old = former.get(arnOf(key));
      if (old === undefined || old.until <= Date.now()) return key;
      if (old.key === undefined) throw notFound(`Key '${arnOf(key)}' does not exist`);
      return old.key;
    },
  };
}
