/** Services whose calls can be made to fail. `slack` is here so that the sandbox has one list; its errors are Slack's own. */
const OPERATIONS = {
  kms: [
    ...['CancelKeyDeletion', 'CreateAlias', 'CreateKey', 'DeleteAlias', 'DeleteImportedKeyMaterial', 'DescribeKey'],
    ...['DisableKey', 'DisableKeyRotation', 'EnableKey', 'EnableKeyRotation', 'GetKeyPolicy', 'GetKeyRotationStatus'],
    ...['GetParametersForImport', 'ImportKeyMaterial', 'ListAliases', 'ListKeyRotations', 'ListKeys'],
    ...['ListResourceTags', 'PutKeyPolicy', 'ReplicateKey', 'RotateKeyOnDemand', 'ScheduleKeyDeletion', 'TagResource'],
    ...['UntagResource', 'UpdateAlias', 'UpdateKeyDescription', 'UpdatePrimaryRegion'],
  ],
  sts: ['AssumeRole', 'GetCallerIdentity'],
  dynamodb: [
    ...[
      'BatchGetItem',
      'BatchWriteItem',
      'CreateTable',
      'DeleteItem',
      'DeleteTable',
      'DescribeStream',
      'DescribeTable',
    ],
    ...['DescribeTimeToLive', 'GetItem', 'GetRecords', 'GetShardIterator', 'ListStreams', 'ListTables', 'PutItem'],
    ...['Query', 'Scan', 'TransactGetItems', 'TransactWriteItems', 'UpdateItem', 'UpdateTable', 'UpdateTimeToLive'],
  ],
  sqs: [
    ...['ChangeMessageVisibility', 'ChangeMessageVisibilityBatch', 'CreateQueue', 'DeleteMessage'],
    ...['DeleteMessageBatch', 'DeleteQueue', 'GetQueueAttributes', 'GetQueueUrl', 'ListDeadLetterSourceQueues'],
    ...['ListQueues', 'PurgeQueue', 'ReceiveMessage', 'SendMessage', 'SendMessageBatch', 'SetQueueAttributes'],
  ],
  secretsmanager: ['DescribeSecret', 'GetSecretValue', 'PutSecretValue'],
  sns: ['CreateTopic', 'DeleteTopic', 'GetTopicAttributes', 'ListTopics', 'Publish', 'PublishBatch', 'Subscribe'],
  cloudtrail: ['DescribeTrails', 'GetEventSelectors', 'GetTrailStatus'],
  organizations: [
    'DescribeOrganization',
    'ListAccountsForParent',
    'ListDelegatedAdministrators',
    'ListOrganizationalUnitsForParent',
  ],
  cloudformation: ['DescribeOrganizationsAccess', 'DescribeStacks', 'ListStackInstances'],
  lambda: ['GetAccountSettings'],
  events: ['DescribeEventBus'],
  ec2: ['DescribeRegions'],
  slack: 'any',
} as const;

export type FaultService = keyof typeof OPERATIONS;

type ErrorText = { status: number; message: string };
const INTERNAL: ErrorText = { status: 500, message: 'The request processing has failed because of an unknown error.' };
const UNAVAILABLE: ErrorText = { status: 503, message: 'The service is temporarily unavailable.' };
const EXPIRED: ErrorText = { status: 400, message: 'The security token included in the request is expired' };
const UNRECOGNIZED: ErrorText = { status: 400, message: 'The security token included in the request is invalid.' };
const RATE: ErrorText = { status: 400, message: 'Rate exceeded' };
const DENIED: ErrorText = { status: 400, message: 'User is not authorized to perform this operation' };

/** The services around the bot are only read. */
const READING = { AccessDeniedException: DENIED, ThrottlingException: RATE, InternalFailure: INTERNAL };

/** Status and text per error; KMS replaces the texts that name a key or a caller. */
const ERRORS: Record<Exclude<FaultService, 'slack'>, Record<string, ErrorText>> = {
  kms: {
    ThrottlingException: {
      status: 400,
      message: 'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.',
    },
    KMSInternalException: { status: 500, message: 'An internal exception occurred.' },
    DependencyTimeoutException: { status: 500, message: 'The system timed out while trying to fulfill the request.' },
    AccessDeniedException: DENIED,
    'AccessDeniedException:scp': DENIED,
    'AccessDeniedException:role': DENIED,
    'AccessDeniedException:key-policy': DENIED,
    NotFoundException: { status: 400, message: 'The specified entity or resource could not be found.' },
    DisabledException: { status: 400, message: 'The specified KMS key is not enabled.' },
    KMSInvalidStateException: { status: 400, message: 'The state of the specified resource is not valid.' },
    UnsupportedOperationException: { status: 400, message: '' },
    LimitExceededException: { status: 400, message: 'A length constraint or quota was exceeded.' },
    ConflictException: { status: 400, message: 'An automatic rotation is in progress or about to start.' },
    InvalidArnException: { status: 400, message: 'A specified ARN, or an ARN in a key policy, is not valid.' },
    ValidationException: { status: 400, message: '1 validation error detected.' },
    ExpiredTokenException: EXPIRED,
    UnrecognizedClientException: UNRECOGNIZED,
    ServiceUnavailable: UNAVAILABLE,
    InternalFailure: INTERNAL,
  },
  sts: {
    AccessDenied: { status: 403, message: DENIED.message },
    Throttling: RATE,
    ExpiredToken: { ...EXPIRED, status: 403 },
    InvalidClientTokenId: { ...UNRECOGNIZED, status: 403 },
    RegionDisabledException: { status: 403, message: 'STS is not activated in this region for account' },
    ServiceUnavailable: UNAVAILABLE,
    InternalFailure: INTERNAL,
  },
  dynamodb: {
    ThrottlingException: RATE,
    ProvisionedThroughputExceededException: {
      status: 400,
      message: 'The level of configured provisioned throughput for the table was exceeded.',
    },
    RequestLimitExceeded: { status: 400, message: 'Throughput exceeds the current throughput limit for your account.' },
    ConditionalCheckFailedException: { status: 400, message: 'The conditional request failed' },
    TransactionConflictException: { status: 400, message: 'Transaction is ongoing for the item' },
    TransactionInProgressException: {
      status: 400,
      message: 'The transaction with the given request token is in progress',
    },
    ResourceNotFoundException: { status: 400, message: 'Requested resource not found' },
    AccessDeniedException: DENIED,
    ExpiredTokenException: EXPIRED,
    InternalServerError: { status: 500, message: 'Internal server error' },
    ServiceUnavailable: UNAVAILABLE,
  },
  sqs: {
    ThrottlingException: RATE,
    RequestThrottled: { status: 403, message: 'The request was denied due to request throttling.' },
    OverLimit: { status: 403, message: 'Too many messages in flight.' },
    QueueDoesNotExist: { status: 400, message: 'The specified queue does not exist.' },
    AccessDeniedException: DENIED,
    InternalFailure: INTERNAL,
    ServiceUnavailable: UNAVAILABLE,
  },
  secretsmanager: {
    ThrottlingException: RATE,
    AccessDeniedException: DENIED,
    ResourceNotFoundException: { status: 400, message: "Secrets Manager can't find the specified secret." },
    DecryptionFailure: {
      status: 400,
      message: "Secrets Manager can't decrypt the protected secret text using the provided KMS key.",
    },
    InternalServiceError: { status: 500, message: 'An error occurred on the server side.' },
    ServiceUnavailable: UNAVAILABLE,
  },
  sns: {
    Throttled: { status: 429, message: 'Rate exceeded' },
    AuthorizationError: { status: 403, message: DENIED.message },
    NotFound: { status: 404, message: 'Topic does not exist' },
    InternalError: INTERNAL,
    ServiceUnavailable: UNAVAILABLE,
  },
  cloudtrail: READING,
  organizations: READING,
  cloudformation: {
    AccessDenied: { status: 403, message: DENIED.message },
    Throttling: RATE,
    InternalFailure: INTERNAL,
  },
  lambda: READING,
  events: READING,
  ec2: { UnauthorizedOperation: { status: 403, message: DENIED.message }, InternalFailure: INTERNAL },
};

/** A request to plant a fault that cannot be done; the message is a sentence for the person who made it. */
export class FaultRefused extends Error {
  override readonly name = 'FaultRefused';
}

export type Fault = { service: FaultService; operation: string; error: string; times: number };

export type Faults = {
  /**
   * The next `times` calls of `operation` (`*`: of any) on `service` fail with `error`; 0 removes it.
   * @throws FaultRefused when a name is unknown
   */
  set: (fault: { service: string; operation: string; error: string; times: number }) => void;
  /** Uses up one planted fault for this call, if there is one; an exact operation goes before `*`. */
  take: (service: FaultService, operation: string) => { error: string } | undefined;
  list: () => Fault[];
};

/** Planted failures of the simulated services, each used up after a number of calls. */
export function createFaults(): Faults {
  let planted: Fault[] = [];
  return {
    set(request) {
      const fault = check(request);
      planted = planted.filter((other) => other.service !== fault.service || other.operation !== fault.operation);
      if (fault.times > 0) planted.push(fault);
    },
    take(service, operation) {
      const fault =
        planted.find((candidate) => candidate.service === service && candidate.operation === operation) ??
        planted.find((candidate) => candidate.service === service && candidate.operation === '*');
      if (fault === undefined) return undefined;
      fault.times -= 1;
      if (fault.times === 0) planted = planted.filter((other) => other !== fault);
      return { error: fault.error };
    },
    list: () => planted.map((fault) => ({ ...fault })),
  };
}

/** Status and text of a planted error, without the part after a colon (`AccessDeniedException:scp`). */
export function faultAnswer(service: Exclude<FaultService, 'slack'>, error: string): ErrorText & { code: string } {
  return { code: error.replace(/:.*$/, ''), ...(ERRORS[service][error] ?? INTERNAL) };
}

function check(request: { service: string; operation: string; error: string; times: number }): Fault {
  const { service, operation, error, times } = request;
  if (!isFaultService(service)) {
    throw new FaultRefused(`there is no service "${service}"; known: ${Object.keys(OPERATIONS).join(', ')}`);
  }
  if (!Number.isInteger(times) || times < 0) {
    throw new FaultRefused(`times is a whole number from 0 up, not ${String(times)}`);
  }
  const operations: 'any' | readonly string[] = OPERATIONS[service];
  if (operation !== '*' && operations !== 'any' && !operations.includes(operation)) {
    throw new FaultRefused(`${service} has no operation "${operation}"; known: *, ${operations.join(', ')}`);
  }
  // Removing a fault needs no error name.
  if (times > 0 && error !== 'timeout') checkError(service, error);
  return { service, operation, error, times };
}

function checkError(service: FaultService, error: string): void {
  if (service === 'slack') {
    if (!/^[a-z][a-z0-9_]*$/.test(error)) {
      throw new FaultRefused(`"${error}" is not a Slack error; those look like ratelimited or channel_not_found`);
    }
    return;
  }
  if (!Object.hasOwn(ERRORS[service], error)) {
    throw new FaultRefused(
      `${service} has no error "${error}"; known: timeout, ${Object.keys(ERRORS[service]).join(', ')}`,
    );
  }
}

function isFaultService(name: string): name is FaultService {
  return Object.hasOwn(OPERATIONS, name);
}
